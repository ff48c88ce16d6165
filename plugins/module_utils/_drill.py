# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Decides about drills: may one start, what must happen in it, and did it. Pure functions.

``infos`` is what vip_info returned, by host: ``{"lb01": {"addresses": [...], "instances": [...]}, ...}``.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._roles import (
    STANDBY,
    UNREADY,
    Info,
    holds,
    instance_of,
    role_of,
)
from ansible_collections.haproof.balancer.plugins.module_utils._vrrp import clean_bound_s

Infos = Mapping[str, Info]

# Below this part of the requests that were due, the client was too busy to measure.
MIN_REQUESTS = 0.5


def holders(infos: Infos, vip: str) -> list[str]:
    """Hosts whose kernel has the VIP."""
    return [host for host, info in infos.items() if holds(info, vip)]


def plan(infos: Infos, vip: str) -> dict[str, Any]:
    """Who holds the VIP, who will take over, how fast at best, who shall hold it afterwards.

    ``findings`` says why no drill may start; all others are None when there are any.
    """
    roles = {host: role_of(info, vip) for host, info in infos.items()}
    ready = [host for host, role in roles.items() if role == STANDBY]
    findings = [_unready(host, infos[host], vip) for host, role in roles.items() if role == UNREADY]
    found = holders(infos, vip)
    if len(found) != 1:
        findings.append(f"{vip} must have exactly one holder, it has {_names(found)}")
    if not ready:
        findings.append(f"{vip} has no standby that could take over")
    if findings:
        return {"holder": None, "standby": None, "holder_after": None, "bound_s": None, "findings": findings}

    holder = found[0]
    standby = max(ready, key=lambda host: (instance_of(infos[host], vip) or {})["effective_priority"])
    timers = instance_of(infos[standby], vip) or {}
    preempts = (instance_of(infos[holder], vip) or {})["preempt"]
    return {
        "holder": holder,
        "standby": standby,
        "holder_after": holder if preempts else standby,
        "bound_s": round(clean_bound_s(timers["version"], timers["advert_int_s"], timers["effective_priority"]), 6),
        "findings": [],
    }


def verdict(
    drill: Mapping[str, Any], planned: Mapping[str, Any], during: Infos, after: Infos, probe: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the report's entry for one drill.

    ``drill`` has fault, vip, engine, slo_s and errors (what went wrong in it, in words); ``probe`` is what vip_probe
    measured, empty when there was none. The verdict is ``pass`` when there is no reason against it.
    """
    vip = drill["vip"]
    reasons = [*planned.get("findings", []), *drill.get("errors", [])]
    if planned.get("holder"):
        reasons += _takeover(planned, holders(during, vip), vip)
        reasons += _steady_again(planned, after, vip)
        reasons += _measured(probe, drill["slo_s"])
    return {
        "fault": drill["fault"],
        "vip": vip,
        "engine": drill["engine"],
        "verdict": "fail" if reasons else "pass",
        "reasons": reasons,
        "outage_s": probe.get("outage_s"),
        "bound_s": planned.get("bound_s"),
        "slo_s": drill["slo_s"],
        "requests": probe.get("requests", 0),
        "failed": probe.get("failed", 0),
        "errors": probe.get("errors", {}),
        "outages": probe.get("outages", []),
        "max_gap_s": probe.get("max_gap_s"),
        "interval_s": probe.get("interval_s"),
        "timeout_s": probe.get("timeout_s"),
        "started": probe.get("started"),
        "ended": probe.get("ended"),
        "holder_before": planned.get("holder"),
        "holder_during": ",".join(holders(during, vip)) or None,
        "holder_after": ",".join(holders(after, vip)) or None,
    }


def table(drills: Sequence[Mapping[str, Any]]) -> str:
    """Return the report's entries as a table for a terminal, and under it what speaks against a pass."""
    head = ("fault", "vip", "engine", "outage", "bound", "slo", "failed", "holder", "verdict")
    rows = [head, *(_row(drill) for drill in drills)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    lines += [f"{drill['fault']}: {reason}" for drill in drills for reason in drill["reasons"]]
    return "\n".join(lines)


def _unready(host: str, info: Info, vip: str) -> str:
    if "addresses" not in info:
        return f"{host}: {info.get('msg', 'nothing is known about it')}"
    instance = instance_of(info, vip)
    if not instance:
        running = (info.get("keepalived") or {}).get("running")
        return f"{host}: keepalived {'has no VRRP instance for ' + vip if running else 'does not run'}"
    having = "holds" if holds(info, vip) else "does not hold"
    return f"{host}: {having} {vip} while its VRRP instance {instance['name']} is in state {instance['state']}"


def _takeover(planned: Mapping[str, Any], found: list[str], vip: str) -> list[str]:
    if len(found) == 1 and found[0] != planned["holder"]:
        return []
    return [
        f"{vip} must move from {planned['holder']} to one other balancer, during the fault it was on {_names(found)}"
    ]


def _steady_again(planned: Mapping[str, Any], after: Infos, vip: str) -> list[str]:
    unready = [host for host, info in after.items() if role_of(info, vip) == UNREADY]
    reasons = [f"after healing {_unready(host, after[host], vip)}" for host in unready]
    found = holders(after, vip)
    if found != [planned["holder_after"]]:
        reasons.append(f"after healing {vip} must be on {planned['holder_after']}, it is on {_names(found)}")
    return reasons


def _measured(probe: Mapping[str, Any], slo_s: float) -> list[str]:
    if not probe.get("requests"):
        return ["nothing was measured: the prober made no request"]
    reasons = []
    if probe["outage_s"] > slo_s:
        reasons.append(f"the outage of {_ms(probe['outage_s'])} is above the objective of {_ms(slo_s)}")
    if any(not outage["recovered"] for outage in probe["outages"]):
        reasons.append("the service did not come back while it was probed")
    if probe["max_gap_s"] > probe["timeout_s"]:
        reasons.append(f"for {_ms(probe['max_gap_s'])} no request was made, an outage in that time would not show")
    due = probe["elapsed_s"] / probe["interval_s"]
    if probe["requests"] < due * MIN_REQUESTS:
        reasons.append(f"only {probe['requests']} requests were made where {due:.0f} were due")
    return reasons


def _row(drill: Mapping[str, Any]) -> tuple[str, ...]:
    way = (drill["holder_before"], drill["holder_during"], drill["holder_after"])
    return (
        drill["fault"],
        drill["vip"],
        drill["engine"],
        _ms(drill["outage_s"]),
        _ms(drill["bound_s"]),
        _ms(drill["slo_s"]),
        f"{drill['failed']}/{drill['requests']}",
        " > ".join(host or "-" for host in way),
        drill["verdict"],
    )


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms"


def _names(hosts: list[str]) -> str:
    return ", ".join(hosts) or "none"
