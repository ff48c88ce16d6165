# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Judges a drill: its entry of the report, with the reasons against a pass. Pure."""

from __future__ import annotations

from statistics import median
from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import (
    DEAD,
    FAULTS,
    MOVES,
    RETURNS,
    SPLITS,
    STAYS,
    Fault,
)
from ansible_collections.haproof.balancer.plugins.module_utils._probe.outages import GOOD_IN_A_ROW
from ansible_collections.haproof.balancer.plugins.module_utils._watch.vip import SPLIT_BRAIN
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.causes import LIMITED, causes, kinds, told
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.connections import (
    connection_figures,
    could_answer,
    cut_at_moves,
    cut_before,
    latencies,
    not_kept,
    objectives,
    own_cuts,
    served_in,
    summary,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.doubts import (
    NO_CLOCK,
    NO_RECORD,
    certain_s,
    ended_early,
    of_injection,
    of_probers,
    of_stalls,
    of_steady_state,
    of_watchers,
    possible_s,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.effect import effect
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.measure import (
    Lanes,
    Record,
    Window,
    asked,
    counted_s,
    figures,
    holding,
    lanes,
    longest_s,
    moment,
    own_outages,
    patience_s,
    stalls,
    transition,
    windows,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.others import moved_before, other_vips
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.rules import (
    ALONE_S,
    bound_s,
    failback_objective_s,
    holder_after,
    objective_s,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.state import holders, names, unready
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import FIGURES, ms

PASS, FAIL, DISTURBED, SKIP = "pass", "fail", "disturbed", "skip"
WORST, MEDIAN = "worst", "median"

STRAY_PART = 0.01
"""The share of the requests that may fail outside the longest outage, or STRAY if that is more."""
STRAY = 2


class Drill(NamedTuple):
    """The records of one drill.

    ``runs`` have state, targets, injected, healed (lists of node_fault's results), after (vip_info by host, at the
    end), missed (effects of the fault that did not occur, as texts) and errors (other failures). ``probes`` and
    ``watches`` are the modules' results by host. ``disturbed`` says which records were lost, ``retried`` why the drill
    was repeated, ``unproven`` which assumptions were accepted.
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
    disturbed: Sequence[str] = ()
    retried: Sequence[str] = ()
    unproven: Sequence[str] = ()


class Run(NamedTuple):
    """One run, its window, and its figures; both None if its time is unknown."""

    record: Record
    window: Window | None
    figures: Mapping[str, Any] | None
    mark: str


class Found(NamedTuple):
    """The reasons against a pass: failures, and disturbances that kept the drill from proving anything."""

    failed: list[str]
    disturbed: list[str]

    def add(self, other: Found, mark: str = "") -> None:
        """Add the reasons of *other*, each after *mark*."""
        self.failed.extend(mark + reason for reason in other.failed)
        self.disturbed.extend(mark + reason for reason in other.disturbed)


def judge_drill(drill: Drill) -> dict[str, Any]:
    """Return the report's entry for one drill. The verdict is ``pass`` unless there is a reason against it."""
    fault = FAULTS[drill.fault]
    state = drill.runs[0]["state"] if drill.runs else {}
    slo_s = objective_s(drill.fault, state, drill.profile, drill.slo)
    slos = {"outage_s": slo_s, "failback_outage_s": failback_objective_s(drill.fault, slo_s)}
    allowed = objectives(drill.fault, state, drill.probes)
    done = _done(drill)
    verdict, reasons = _verdict(drill, _against(drill, fault, done, slos, allowed))
    # A fault that is not possible here has no figures.
    runs = [] if verdict == SKIP else _told(done, drill.vip)
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
        "verdict": verdict,
        "reasons": reasons,
        "retried": list(drill.retried),
        "unproven": list(drill.unproven),
        "expected": {
            "holder": fault.holder,
            "outage_slo_s": slo_s,
            "failback_slo_s": slos["failback_outage_s"],
            **allowed,
            "bound_s": bound_s(drill.fault, state),
            "alarm_slo_s": ALONE_S if fault.holder == SPLITS else None,
            "overlap_slo_s": ALONE_S if fault.holder == RETURNS else None,
        },
        "figures": {name: _spread([run[name] for run in runs]) for name in FIGURES},
        "requests": sum(probe["requests"] for probe in drill.probes.values()),
        "failed": sum(probe["failed"] for probe in drill.probes.values()),
        "errors": errors,
        "latency_s": latencies(drill.probes),
        "connections": summary(drill.probes),
        "resolution_s": _resolution_s(drill.probes, done),
        "clock_error_s": max(clocks, default=None),
        "runs": runs,
    }


def _done(drill: Drill) -> list[Run]:
    """Return the runs in which something was broken."""
    records = [run for run in drill.runs if not _skipped(run)]
    spans = windows(records, drill.probes, drill.watches) if drill.probes else [None] * len(records)
    mark = "run {}: " if len(drill.runs) > 1 else ""
    alarm = SPLIT_BRAIN if FAULTS[drill.fault].holder == SPLITS else ""
    return [
        Run(
            record,
            window,
            _figures(drill, record, window, alarm) if window else None,
            mark.format(number),
        )
        for number, (record, window) in enumerate(zip(records, spans), 1)
    ]


def _figures(drill: Drill, record: Record, window: Window, alarm: str) -> dict[str, Any]:
    found = figures(record, window, drill.probes, drill.watches, drill.vip, alarm)
    timeline = {**found["timeline"], "connections": served_in(window, drill.watches, drill.vip)}
    return {**found, **connection_figures(window, drill.probes, drill.watches, drill.vip), "timeline": timeline}


def _told(done: Sequence[Run], vip: str) -> list[dict[str, Any]]:
    return [
        {"number": number, **run.figures, "holder_after": ", ".join(holders(run.record["after"], vip)) or None}
        for number, run in enumerate(done, 1)
        if run.figures is not None
    ]


def _verdict(drill: Drill, found: Found) -> tuple[str, list[str]]:
    """Return the verdict and its reasons. A skip or a disturbance never hides a failure."""
    if found.failed:
        skipped = [f"skipped in the end: {drill.skipped}"] if drill.skipped else []
        return FAIL, [*found.failed, *found.disturbed, *skipped]
    if drill.skipped:
        return SKIP, [drill.skipped]
    if found.disturbed:
        return DISTURBED, found.disturbed
    return (PASS, []) if drill.runs else (FAIL, ["nothing was broken"])


def _against(
    drill: Drill,
    fault: Fault,
    done: Sequence[Run],
    slos: Mapping[str, float | None],
    allowed: Mapping[str, int | None],
) -> Found:
    """Return all reasons against a pass."""
    found = Found(list(drill.errors), list(drill.disturbed))
    for run in (one for one in drill.runs if _skipped(one)):
        found.failed.extend(_after(drill, run))
    if not drill.runs:
        found.failed.extend(_unanswered(drill.probes))
    for one in done:
        found.add(_judged(drill, fault, one), one.mark)
    if done:
        found.add(_measured(drill, done, slos, allowed))
    return found


def _unanswered(probes: Mapping[str, Record]) -> list[str]:
    """Report clients whose requests all failed, which ends a drill before anything is broken."""
    return [
        f"{client}: all {probe['requests']} requests failed{told(kinds({client: probe}))}"
        for client, probe in probes.items()
        if 0 < probe["requests"] == probe["failed"]
    ]


def _skipped(run: Record) -> bool:
    return any(result.get("supported") is False for result in run["injected"])


def _after(drill: Drill, run: Record, undone: bool = False) -> list[str]:
    """Return a run's other failures, also if the fault was not possible; an undone fault need not have its effects."""
    reasons = [*run["state"]["findings"], *([] if undone else run["missed"]), *run["errors"]]
    return [*reasons, *_steady_again(drill.fault, run, drill.vip)] if run["state"]["holder"] else reasons


def _judged(drill: Drill, fault: Fault, one: Run) -> Found:
    """Return the reasons against one run, except for its outages."""
    run, window, measured = one.record, one.window, one.figures
    seen = effect(drill.fault, run, drill.watches)
    found = Found(_after(drill, run, seen["undone"]), [])
    if not run["state"]["holder"]:
        return found
    unknown = [what for key, what in (("injected_s", "broken"), ("healed_s", "healed")) if moment(run, key) is None]
    if window is None or measured is None or unknown:
        # Failures before the injection, and a missing prober, are reported elsewhere.
        if unknown and not found.failed:
            why = NO_RECORD if _clock_known(run) else NO_CLOCK
            found.disturbed.append(f"when {names(run['targets'])} was {unknown[0]} is unknown: {why}")
        return found
    # The fault must be in effect until it is healed, and nothing else may end it.
    if seen["reason"]:
        (found.disturbed if seen["undone"] else found.failed).append(seen["reason"])
    if seen["undone"]:
        return found
    late = of_injection(drill.fault, run)
    if late:
        found.disturbed.extend(late)
        return found
    booted = _booted(drill, fault)
    watched = [host for host in run["state"]["order"] if host not in (run["targets"] if fault.boots else ())]
    # A frozen machine's clock stops too.
    still = {host: {**drill.watches[host], "drift_s": None} for host in run["targets"] if host in drill.watches}
    watches = {**drill.watches, **still} if fault.driver else drill.watches
    blind = of_watchers(watched, watches, drill.vip, window.healed_s)
    found.disturbed.extend(reason for host, reason in blind.items() if host not in booted)
    if not blind:
        held = lanes(drill.watches, drill.vip)
        moved = moved_before(run["state"]["holder"], drill.vip, held, window)
        if moved:
            found.disturbed.append(moved)
            return found
        found.failed.extend(other_vips(fault, run, window, drill.watches))
        found.failed.extend(_HOLDER_RULES[fault.holder](fault, run, window, held, measured))
        if not found.failed and fault.holder != STAYS:
            found.add(_served(fault, run, window, held, drill.probes))
    return found


def _clock_known(run: Record) -> bool:
    return any(result.get("clock") for result in [*run["injected"], *run["healed"]])


def _booted(drill: Drill, fault: Fault) -> list[str]:
    """Return the hosts that booted: their watch ended then, also for later runs."""
    return [host for one in drill.runs for host in one["targets"]] if fault.boots else []


def _moved(fault: Fault, run: Record, window: Window, found: Lanes, measured: Mapping[str, Any]) -> list[str]:
    """Exactly one other balancer must have it; a dead node's kernel keeps it, which is harmless."""
    holder = run["state"]["holder"]
    if holder not in run["targets"]:
        return _stayed(fault, run, window, found, measured)
    during = holding(found, window.healed_s - 0.001)
    others = [host for host in during if host not in run["targets"]]
    if len(others) == 1 and (fault.bound == DEAD or others == during):
        return []
    return [f"at the end of the fault the VIP must be on one balancer other than {holder}, but was on {names(during)}"]


def _stayed(_fault: Fault, run: Record, window: Window, found: Lanes, measured: Mapping[str, Any]) -> list[str]:
    holder = run["state"]["holder"]
    # None: a balancer was not watched, which is reported elsewhere.
    gap, overlap = measured["gap_s"] or 0.0, measured["overlap_s"] or 0.0
    if holding(found, window.healed_s - 0.001) == [holder] and gap + overlap == 0:
        return []
    return [f"the VIP must stay on {holder}: no balancer had it for {ms(gap)}, more than one for {ms(overlap)}"]


def _split(_fault: Fault, _run: Record, window: Window, found: Lanes, measured: Mapping[str, Any]) -> list[str]:
    alarm_s = measured["alarm_s"]
    if not counted_s(found, window.injected_s, window.healed_s)[1]:
        return ["two balancers must have the VIP before the fault is healed, but never did"]
    if alarm_s is not None and alarm_s <= ALONE_S:
        return []
    told = (
        f"the alarm {SPLIT_BRAIN} took {ms(alarm_s)}, at most {ms(ALONE_S)} are allowed"
        if alarm_s
        else f"no alarm {SPLIT_BRAIN} was raised (is keepalived_watch on?)"
    )
    return [f"more than one balancer had the VIP for {ms(measured['overlap_s'])}, and {told}"]


def _returned(_fault: Fault, run: Record, window: Window, found: Lanes, measured: Mapping[str, Any]) -> list[str]:
    during = holding(found, window.healed_s - 0.001)
    reasons = []
    # A node that booted is no longer watched, and may have it.
    unknown = any(host not in found for host in run["state"]["order"])
    if len(during) > 1 or not (during or unknown):
        reasons.append(f"one balancer must have the VIP before anything is healed, but it was on {names(during)}")
    if (measured["overlap_s"] or 0) > ALONE_S:
        reasons.append(
            f"more than one balancer had the VIP for {ms(measured['overlap_s'])}, at most {ms(ALONE_S)} are allowed"
        )
    return reasons


_HOLDER_RULES = {MOVES: _moved, STAYS: _stayed, SPLITS: _split, RETURNS: _returned}


def _served(fault: Fault, run: Record, window: Window, seen: Lanes, probes: Mapping[str, Record]) -> Found:
    """The service must answer again before the heal, after a takeover through the new holder."""
    last = names(holding(seen, window.healed_s - 0.001))
    if any(one["end_s"] > window.healed_s for one in own_outages(window, probes)[0]):
        return Found([f"the service did not answer before the fault was healed, with the VIP on {last}"], [])
    taken_s = transition(seen, run["state"]["holder"], window.injected_s, window.healed_s)
    if fault.holder != MOVES or taken_s is None:
        return Found([], [])
    requests, failed = asked(probes, taken_s, window.healed_s)
    if requests - failed >= GOOD_IN_A_ROW:
        return Found([], [])
    reason = (
        f"only {requests - failed} requests succeeded between the takeover and the heal, {GOOD_IN_A_ROW} are needed"
    )
    return Found([reason], []) if failed else Found([], [reason])


def _steady_again(fault: str, run: Record, vip: str) -> list[str]:
    reasons = [f"after healing {reason}" for reason in unready(run["after"], vip)]
    found = holders(run["after"], vip)
    wanted = holder_after(fault, run["state"], run["targets"])
    if found != [wanted]:
        reasons.append(f"after healing {vip} must be on {wanted}, but is on {names(found)}")
    return reasons


def _measured(
    drill: Drill, done: Sequence[Run], slos: Mapping[str, float | None], allowed: Mapping[str, int | None]
) -> Found:
    """Judge all runs together: the clients' outages, and the flaws of their measurements."""
    known = [run.window for run in done if run.window]
    found = Found([], of_probers(drill.probes, known))
    healed_s = max((window.healed_s for window in known), default=0.0)
    for client, probe in drill.probes.items():
        lost = any(not outage["recovered"] for outage in probe["outages"])
        if lost and not ended_early(probe, healed_s):
            found.failed.append(f"the service did not come back while {client} probed it")
    slo_s = slos["outage_s"]
    for run in done:
        if run.window:
            found.disturbed.extend(run.mark + reason for reason in of_stalls(run.window, drill.probes, slo_s))
    unsteady = of_steady_state(drill.probes, known, slo_s)
    found.disturbed.extend(unsteady)
    if not unsteady:
        found.add(_felt(known, drill.probes, slos, drill.judge))
        for run in done:
            if run.window and slo_s is not None:
                found.failed.extend(run.mark + reason for reason in _strays(run.window, drill.probes))
    found.add(_cut(drill, done, allowed))
    return found


def _cut(drill: Drill, done: Sequence[Run], allowed: Mapping[str, int | None]) -> Found:
    """Report kept connections that a planned move has cut although the hand-over is on."""
    known = [
        (run, run.window)
        for run in done
        # At an unknown moment the cause is unknown too, which is reported elsewhere.
        if run.window and None not in (moment(run.record, "injected_s"), moment(run.record, "healed_s"))
    ]
    judged = [key for key, slo in allowed.items() if slo is not None]
    if not judged:
        return Found([], [])
    found = Found(not_kept(drill.fault, drill.probes), [])
    for run, window in known:
        found.failed.extend(run.mark + reason for reason in could_answer(run.record, window, drill.watches, drill.vip))
    found.disturbed.extend(cut_before([window for _run, window in known], drill.probes))
    if found.disturbed:
        return found
    for number, key in enumerate(allowed):
        lost = _spread([sum(own_cuts(window, drill.probes)[number].values()) for _run, window in known])
        if key in judged and lost and lost[drill.judge] > (allowed[key] or 0):
            reasons = [
                (run.mark, cut_at_moves(run.record, window, drill.probes, drill.watches, drill.vip)[number])
                for run, window in known
            ]
            found.failed.extend(mark + reason for mark, reason in reasons if reason)
    return found


def _felt(
    known: Sequence[Window], probes: Mapping[str, Record], objectives: Mapping[str, float | None], judge: str
) -> Found:
    """Report outages that were too long, or may have been because a client paused."""
    found = Found([], [])
    silent = [stalls(probes, window.from_s, window.until_s) for window in known]
    for number, (key, what) in enumerate((("outage_s", "outage"), ("failback_outage_s", "outage after healing"))):
        felt = [own_outages(window, probes)[number] for window in known]
        why = causes([outage for outages in felt for outage in outages], probes)
        certain = _spread([certain_s(*one) for one in zip(felt, silent)])
        possible = _spread([possible_s(*one) for one in zip(felt, silent)])
        slo_s = objectives[key]
        if not certain or not possible or slo_s is None:
            continue
        which = f"{judge} of {len(known)}: " if len(known) > 1 else ""
        if certain[judge] > slo_s:
            spread = _spread([longest_s(one) for one in felt]) or certain
            reason = f"{which}the {what} of {ms(spread[judge])} is above the objective of {ms(slo_s)}{told(why)}"
            # A client that is rate-limited cannot tell whether there was an outage.
            (found.disturbed if set(why) == {LIMITED} else found.failed).append(reason)
        elif possible[judge] > slo_s:
            found.disturbed.append(
                f"{which}the {what} was {ms(certain[judge])} to {ms(possible[judge])}, because a client "
                f"paused: the objective is {ms(slo_s)}"
            )
    return found


def _strays(window: Window, probes: Mapping[str, Record]) -> list[str]:
    """Report many failures outside the longest outage, although no single outage is too long."""
    turn_s = window.healed_s - patience_s(probes)
    reasons = []
    for felt, start_s, end_s, when in zip(
        own_outages(window, probes), (window.from_s, turn_s), (turn_s, window.until_s), ("", " after healing")
    ):
        lost = sum(outage["failed"] for outage in felt)
        stray = lost - max((outage["failed"] for outage in felt), default=0)
        requests = asked(probes, start_s, end_s)[0]
        if stray > max(STRAY, requests * STRAY_PART):
            reasons.append(f"{stray} of {requests} requests failed{when}, outside the longest outage")
    return reasons


def _resolution_s(probes: Mapping[str, Record], done: Sequence[Run]) -> float | None:
    """Return a client's longest pause during the runs in seconds: shorter outages may go unseen."""
    known = [run.window for run in done if run.window]
    if not probes or not known:
        return None
    silent = [stall for window in known for stall in stalls(probes, window.from_s, window.until_s)]
    return max([float(probe["interval_s"]) for probe in probes.values()] + [length for _who, _at, length in silent])


def _spread(values: Sequence[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"best": min(known), MEDIAN: round(median(known), 6), WORST: max(known)}
