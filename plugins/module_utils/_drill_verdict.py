# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Did a drill pass, and if not, why: an entry of the report. Pure."""

from __future__ import annotations

import math
from statistics import median
from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._drill_faults import (
    ALONE_S,
    DEAD,
    FAULTS,
    MOVES,
    RETURNS,
    SPLITS,
    STAYS,
    Fault,
    bound_s,
    failback_objective_s,
    holder_after,
    objective_s,
)
from ansible_collections.haproof.balancer.plugins.module_utils._drill_measure import (
    Lanes,
    Record,
    Window,
    counted_s,
    figures,
    holding,
    lanes,
    longest_s,
    moment,
    outages,
    windows,
)
from ansible_collections.haproof.balancer.plugins.module_utils._drill_plan import holders, names, unready
from ansible_collections.haproof.balancer.plugins.module_utils._drill_words import FIGURES, SCHEMA_VERSION

PASS, FAIL, SKIP = "pass", "fail", "skip"
WORST, MEDIAN = "worst", "median"

MIN_REQUESTS = 0.5
"""Below this part of the requests that were due, the client was too busy to measure."""

_NO_CLOCK = "no answer to its question for the client's clock over UDP"


class Drill(NamedTuple):
    """What was recorded of one drill.

    ``runs`` have plan, targets, injected, healed (lists of node_fault's results), after (vip_info by host, at the end)
    and errors (what went wrong, in words). ``probes`` and ``watches`` are what the modules returned, by host.
    """

    fault: str
    vip: str
    profile: str
    slo: Mapping[str, float | None]
    judge: str
    runs: Sequence[Record]
    probes: Mapping[str, Record]
    watches: Mapping[str, Record]
    errors: Sequence[str]
    skipped: str


def entry(drill: Drill) -> dict[str, Any]:
    """Return the report's entry for one drill. The verdict is ``pass`` when there is no reason against it."""
    fault = FAULTS[drill.fault]
    plan = drill.runs[0]["plan"] if drill.runs else {}
    slo_s = objective_s(drill.fault, plan, drill.profile, drill.slo)
    failback_slo_s = failback_objective_s(drill.fault, slo_s)
    first: Record = next(iter(drill.probes.values()), {})
    found = [
        (run, window, figures(run, window, drill.probes, drill.watches, drill.vip) if window else None)
        for run, window in zip(drill.runs, windows(drill.runs, first) if first else [None] * len(drill.runs))
    ]
    runs = []
    reasons = list(drill.errors)
    for number, (run, window, measured) in enumerate(found, 1):
        mark = f"run {number}: " if len(found) > 1 else ""
        reasons += [mark + reason for reason in _judged(drill, fault, run, window, measured)]
        if measured is not None and not drill.skipped:
            measured["holder_after"] = ", ".join(holders(run["after"], drill.vip)) or None
            runs.append({"number": number, **measured})
    if drill.runs and not drill.skipped:
        reasons += _measured(drill.probes)
        reasons += _unsteady(drill.probes, [window for _run, window, _figures in found if window], slo_s)
        reasons += _felt(runs, {"outage_s": slo_s, "failback_outage_s": failback_slo_s}, drill.judge)
    errors: dict[str, int] = {}
    for probe in drill.probes.values():
        for kind, count in probe["errors"].items():
            errors[kind] = errors.get(kind, 0) + count
    clocks = [watch["clock"]["error_s"] for watch in drill.watches.values() if watch.get("clock")]
    return {
        "fault": drill.fault,
        "title": fault.title,
        "group": fault.group,
        "targets": sorted({host for run in drill.runs for host in run["targets"]}),
        "verdict": SKIP if drill.skipped else FAIL if reasons or not drill.runs else PASS,
        "reasons": [drill.skipped] if drill.skipped else reasons,
        "expected": {
            "holder": fault.holder,
            "outage_slo_s": slo_s,
            "failback_slo_s": failback_slo_s,
            "bound_s": bound_s(drill.fault, plan),
            "alarm_slo_s": ALONE_S if fault.holder == SPLITS else None,
            "overlap_slo_s": ALONE_S if fault.holder == RETURNS else None,
        },
        "figures": {name: _spread([run[name] for run in runs]) for name in FIGURES},
        "requests": sum(probe["requests"] for probe in drill.probes.values()),
        "failed": sum(probe["failed"] for probe in drill.probes.values()),
        "errors": errors,
        "connections": _connections(drill.probes),
        "clock_error_s": max(clocks, default=None),
        "runs": runs,
    }


def report(drills: Sequence[Mapping[str, Any]], cluster: Mapping[str, Any], started: str, ended: str) -> dict[str, Any]:
    """Return the report. It passes when no drill failed and at least one passed."""
    verdicts = {drill["verdict"] for drill in drills}
    return {
        "schema_version": SCHEMA_VERSION,
        "started": started,
        "ended": ended,
        "verdict": PASS if PASS in verdicts and FAIL not in verdicts else FAIL,
        "cluster": dict(cluster),
        "drills": list(drills),
    }


def _judged(
    drill: Drill, fault: Fault, run: Record, window: Window | None, measured: Mapping[str, Any] | None
) -> list[str]:
    """Say what speaks against one run, without what the client felt."""
    reasons = [*run["plan"]["findings"], *run["errors"]]
    if drill.skipped or not run["plan"]["holder"]:
        return reasons
    reasons += _steady_again(drill.fault, run, drill.vip)
    if window is None or measured is None or moment(run, "injected_s") is None:
        # What failed before it was broken has been said.
        if not run["errors"]:
            reasons.append(f"when {names(run['targets'])} was broken is unknown: {_NO_CLOCK}")
        return reasons
    found = lanes(drill.watches, drill.vip)
    blind = [
        host for host in run["plan"]["order"] if host not in found and not (fault.boots and host in run["targets"])
    ]
    # What watched a node ends when it boots, and for the runs after that too.
    booted = [host for one in drill.runs for host in one["targets"]] if fault.boots else []
    reasons += [
        f"when {host} had {drill.vip} is unknown: {_NO_CLOCK if host in drill.watches else 'it was not watched'}"
        for host in blind
        if host not in booted
    ]
    if not blind:
        reasons += _HOLDER_RULES[fault.holder](fault, run, window, found, measured)
    return reasons


def _moved(fault: Fault, run: Record, window: Window, found: Lanes, measured: Mapping[str, Any]) -> list[str]:
    """Another balancer, and only one, must have it; a dead node's kernel keeps it, which does no harm."""
    holder = run["plan"]["holder"]
    if holder not in run["targets"]:
        return _stayed(fault, run, window, found, measured)
    during = holding(found, window.healed_s - 0.001)
    others = [host for host in during if host not in run["targets"]]
    if len(others) == 1 and (fault.bound == DEAD or others == during):
        return []
    return [f"the VIP must move from {holder} to one other balancer, at the end of the fault it was on {names(during)}"]


def _stayed(_fault: Fault, run: Record, window: Window, found: Lanes, _measured: Mapping[str, Any]) -> list[str]:
    holder = run["plan"]["holder"]
    gap, overlap = counted_s(found, window.injected_s, window.healed_s)
    if holding(found, window.healed_s - 0.001) == [holder] and gap + overlap == 0:
        return []
    return [f"the VIP must stay on {holder}: nobody had it for {ms(gap)}, more than one for {ms(overlap)}"]


def _split(_fault: Fault, _run: Record, _window: Window, _found: Lanes, measured: Mapping[str, Any]) -> list[str]:
    alarm_s = measured["alarm_s"]
    if not measured["overlap_s"] or (alarm_s is not None and alarm_s <= ALONE_S):
        return []
    told = (
        f"the alarm took {ms(alarm_s)}, at most {ms(ALONE_S)} pass"
        if alarm_s
        else "no alarm was raised (is keepalived_watch on?)"
    )
    return [f"more than one balancer had the VIP for {ms(measured['overlap_s'])}, and {told}"]


def _returned(_fault: Fault, run: Record, window: Window, found: Lanes, measured: Mapping[str, Any]) -> list[str]:
    during = holding(found, window.healed_s - 0.001)
    reasons = []
    # A node that has booted is not watched any more, and may be the one that has it.
    unknown = any(host not in found for host in run["plan"]["order"])
    if len(during) > 1 or not (during or unknown):
        reasons.append(f"one balancer must have the VIP before anything is healed, it was on {names(during)}")
    if (measured["overlap_s"] or 0) > ALONE_S:
        reasons.append(
            f"more than one balancer had the VIP for {ms(measured['overlap_s'])}, at most {ms(ALONE_S)} pass"
        )
    return reasons


_HOLDER_RULES = {MOVES: _moved, STAYS: _stayed, SPLITS: _split, RETURNS: _returned}


def _steady_again(fault: str, run: Record, vip: str) -> list[str]:
    reasons = [f"after healing {reason}" for reason in unready(run["after"], vip)]
    found = holders(run["after"], vip)
    wanted = holder_after(fault, run["plan"], run["targets"])
    if found != [wanted]:
        reasons.append(f"after healing {vip} must be on {wanted}, it is on {names(found)}")
    return reasons


def _measured(probes: Mapping[str, Record]) -> list[str]:
    """Say where a client did not see all of it: a time without requests is no pass."""
    if not probes:
        return ["nothing was measured: there is no prober"]
    reasons = []
    for client, probe in probes.items():
        if not probe["requests"]:
            reasons.append(f"nothing was measured: the prober of {client} made no request")
            continue
        if any(not outage["recovered"] for outage in probe["outages"]):
            reasons.append(f"the service did not come back while {client} probed it")
        if probe["max_gap_s"] > probe["timeout_s"]:
            reasons.append(
                f"for {ms(probe['max_gap_s'])} {client} made no request, an outage in that time would not show"
            )
        due = probe["elapsed_s"] / probe["interval_s"]
        if probe["requests"] < due * MIN_REQUESTS:
            reasons.append(f"{client} made only {probe['requests']} requests where {due:.0f} were due")
    return reasons


def _unsteady(probes: Mapping[str, Record], known: Sequence[Window], slo_s: float | None) -> list[str]:
    """Say that the service was away before anything was broken: what was felt later may have another cause, too."""
    timeout_s = max((float(probe["timeout_s"]) for probe in probes.values()), default=0.0)
    early_s = longest_s(outages(probes, -math.inf, known[0].injected_s - timeout_s)) if known else 0.0
    # A lost packet is no trouble where the objective says so.
    if slo_s is None or early_s <= slo_s:
        return []
    return [f"the service was away for {ms(early_s)} before anything was broken"]


def _felt(runs: Sequence[Mapping[str, Any]], objectives: Mapping[str, float | None], judge: str) -> list[str]:
    reasons = []
    for key, what in (("outage_s", "outage"), ("failback_outage_s", "outage after healing")):
        spread, slo_s = _spread([run[key] for run in runs]), objectives[key]
        if spread and slo_s is not None and spread[judge] > slo_s:
            which = f"{judge} of {len(runs)}: " if len(runs) > 1 else ""
            reasons.append(f"{which}the {what} of {ms(spread[judge])} is above the objective of {ms(slo_s)}")
    return reasons


def _spread(values: Sequence[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"best": min(known), MEDIAN: round(median(known), 6), WORST: max(known)}


def _connections(probes: Mapping[str, Record]) -> dict[str, int] | None:
    found = [probe["connections"] for probe in probes.values() if probe.get("connections")]
    return {key: sum(one[key] for one in found) for key in ("open", "requests", "failed", "cut")} if found else None


def ms(seconds: float | None) -> str:
    """Return a duration for a person to read, a dash for an unknown one."""
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms"
