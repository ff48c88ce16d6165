# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Was a run's fault really there, from its injection until it was healed. Pure.

Each fault declares what shows its effect (``present`` of its plan). node_fault looks at it after injecting, and the
script that heals looks again before it heals anything, whoever runs it. Both return ``effect``: ``there`` (None while
nothing can be known) and ``lost``, what speaks against it, in words.
"""

from __future__ import annotations

from typing import Any, Mapping

Record = Mapping[str, Any]


def effect(run: Record) -> dict[str, Any]:
    """Return what became of the fault of a run, which has node_fault's results under ``injected`` and ``healed``.

    ``injected`` and ``before_heal`` have what was seen then, by host. ``proven``: it was seen on every target, after
    injecting or before healing. ``undone``: it was there, and before healing it was gone on some target: something
    else has ended it. ``reason`` says in one sentence why the run proves nothing, "" when it does.
    """
    injected, before_heal = _seen(run, "injected"), _seen(run, "healed")
    there = {host for seen in (injected, before_heal) for host, one in seen.items() if one["there"]}
    lost = {host: one["lost"] for host, one in before_heal.items() if one["there"] is False}
    undone = any(host in there for host in lost)
    unseen = [host for host in run["targets"] if host not in there]
    if lost:
        told = "; ".join(f"{host}: {', '.join(words)}" for host, words in lost.items())
        reason = f"before healing the fault was not there any more ({told}): something else has ended it"
    elif unseen:
        reason = f"nothing showed that {', '.join(unseen)} had the fault"
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
    nothing: dict[str, Any] = {"there": None, "lost": []}
    return {host: result.get("effect") or nothing for host, result in zip(run["targets"], run[key])}
