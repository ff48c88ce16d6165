# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Was a run's fault really there, from its injection until it was healed. Pure.

Each fault declares what shows its effect (``present`` of its plan). node_fault looks at it after injecting, and the
script that heals looks again before it heals anything, whoever runs it. Both return ``effect``: ``there`` (None while
nothing can be known) and ``lost``, what speaks against it, in words. What is done to a node from outside shows on the
node: it has booted, or stood still.
"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.measure import Record, moment

NOTHING: dict[str, Any] = {"there": None, "lost": []}
FROZEN_SHARE = 0.5
"""A node stands still for less than from command to command, for these take a while. Below this part it was thawed."""


def effect(fault: str, run: Record, watches: Mapping[str, Record] | None = None) -> dict[str, Any]:
    """Return what became of the fault of a run, which has node_fault's results under ``injected`` and ``healed``.

    ``injected`` and ``before_heal`` have what was seen then, by host. ``proven``: it was seen on every target, after
    injecting or before healing. ``undone``: it was there, and before healing it was gone on some target: something
    else has ended it. ``reason`` says in one sentence why the run proves nothing, "" when it does.
    """
    injected, before_heal = _seen(run, "injected"), _seen(run, "healed")
    if FAULTS[fault].driver:
        # The host that drives the node does not see it.
        injected = dict.fromkeys(run["targets"], NOTHING)
        look = _booted if FAULTS[fault].boots else _stood_still
        before_heal = {host: look(host, run, watches or {}) for host in run["targets"]}
    there = {host for seen in (injected, before_heal) for host, one in seen.items() if one["there"]}
    lost = {host: one["lost"] for host, one in before_heal.items() if one["there"] is False}
    undone = any(host in there or one.get("began") for host, one in before_heal.items() if host in lost)
    unseen = [host for host in run["targets"] if host not in there]
    told = "; ".join(f"{host}: {', '.join(words)}" for host, words in lost.items())
    if undone:
        reason = f"before healing the fault was not there any more ({told}): something else has ended it"
    elif unseen:
        reason = f"nothing showed that {', '.join(unseen)} had the fault" + (f" ({told})" if told else "")
    else:
        reason = ""
    return {
        "injected": injected,
        "before_heal": before_heal,
        "proven": not unseen,
        "undone": undone,
        "reason": reason,
    }


def _seen(run: Record, key: str) -> dict[str, dict[str, Any]]:
    """Return ``effect`` of the results, by host."""
    return {host: result.get("effect") or NOTHING for host, result in zip(run["targets"], run[key])}


def _booted(host: str, run: Record, _watches: Mapping[str, Record]) -> dict[str, Any]:
    before, after = run["state"]["boots"].get(host), run["after"].get(host, {}).get("boot")
    if not before or not after:
        return NOTHING
    return {"there": before != after, "lost": [] if before != after else ["it has not booted"]}


def _stood_still(host: str, run: Record, watches: Mapping[str, Record]) -> dict[str, Any]:
    """Return what the watch of a frozen node shows: it did not look, or its clock has fallen behind.

    The clock of a virtual machine stands still with it, that of a container does not.
    """
    start_s, end_s, watch = moment(run, "injected_s"), moment(run, "healed_s"), watches.get(host, {})
    if start_s is None or end_s is None or not watch.get("clock"):
        return NOTHING
    offset_s = watch["clock"]["offset_s"]
    spans = [(stall["from_s"] + offset_s, stall["to_s"] + offset_s) for stall in watch["stalls"]]
    stood_s = max([min(to, end_s) - max(since, start_s) for since, to in spans] + [watch.get("drift_s") or 0.0])
    if stood_s >= (end_s - start_s) * FROZEN_SHARE:
        return {"there": True, "lost": []}
    lost = [f"it stood still for {max(stood_s, 0.0):.1f} of {end_s - start_s:.1f} s"]
    return {"there": False, "lost": lost, "began": stood_s > 0}
