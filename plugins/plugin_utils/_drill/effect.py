# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Checks that a run's fault was in effect from its injection until its heal. Pure.

Each fault declares how to verify its effect (``present`` in its plan). node_fault checks that after injecting, and the
heal script checks again before it heals, whoever runs it. Both return ``effect``: ``there`` (None if unknown) and
``lost``, the evidence against it as texts. A fault from outside the node is verified on the node: it booted, or stood
still.
"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.measure import Record, moment

NOTHING: dict[str, Any] = {"there": None, "lost": []}
FROZEN_SHARE = 0.5
"""The share of a run that a node must stand still to count as frozen: the commands take part of the run."""


def effect(fault: str, run: Record, watches: Mapping[str, Record] | None = None) -> dict[str, Any]:
    """Return the evidence for a run's fault, from node_fault's results under ``injected`` and ``healed``.

    ``injected`` and ``before_heal`` are the ``effect`` by host. ``proven``: every target showed the fault, after
    injecting or before healing. ``undone``: a target had the fault but lost it before healing, so something else ended
    it. ``reason`` says in one sentence why the run proves nothing, "" when it does.
    """
    injected, before_heal = _seen(run, "injected"), _seen(run, "healed")
    if FAULTS[fault].driver:
        # The driver cannot look inside the node.
        injected = dict.fromkeys(run["targets"], NOTHING)
        look = _booted if FAULTS[fault].boots else _stood_still
        before_heal = {host: look(host, run, watches or {}) for host in run["targets"]}
    there = {host for seen in (injected, before_heal) for host, one in seen.items() if one["there"]}
    lost = {host: one["lost"] for host, one in before_heal.items() if one["there"] is False}
    undone = any(host in there or one.get("began") for host, one in before_heal.items() if host in lost)
    unseen = [host for host in run["targets"] if host not in there]
    told = "; ".join(f"{host}: {', '.join(words)}" for host, words in lost.items())
    if undone:
        reason = f"the fault was gone before healing ({told}): something else ended it"
    elif unseen:
        reason = f"no evidence that {', '.join(unseen)} had the fault" + (f" ({told})" if told else "")
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
    """Return the results' ``effect`` by host."""
    return {host: result.get("effect") or NOTHING for host, result in zip(run["targets"], run[key])}


def _booted(host: str, run: Record, _watches: Mapping[str, Record]) -> dict[str, Any]:
    before, after = run["state"]["boots"].get(host), run["after"].get(host, {}).get("boot")
    if not before or not after:
        return NOTHING
    return {"there": before != after, "lost": [] if before != after else ["it has not booted"]}


def _stood_still(host: str, run: Record, watches: Mapping[str, Record]) -> dict[str, Any]:
    """Judge a frozen node by its watch: it stopped sampling, or its clock fell behind.

    A virtual machine's clock stops with it, a container's does not.
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
