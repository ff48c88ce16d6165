# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What one run of a fault cost: the probers' and the watchers' records, cut to its time. Pure.

All moments are seconds on the monotonic clock of the first client. A balancer's own moments are brought there with the
offset that it measured; without one they stay unknown (None).
"""

from __future__ import annotations

import math
from itertools import zip_longest
from typing import Any, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import bare_address
from ansible_collections.haproof.balancer.plugins.module_utils._probe.outages import GOOD

Spans = List[Tuple[float, float]]
Lanes = Mapping[str, Spans]
Record = Mapping[str, Any]

BEFORE_S = 1.0
"""How much of the steady state a timeline shows before the fault."""


class Window(NamedTuple):
    """When a run was: from the injection to the heal, and on until the next injection or the end of probing.

    ``start_s`` and ``end_s`` are those of its timeline, which shows some of the steady state before. What began from
    ``from_s`` on and before ``until_s`` is the run's own: an outage by its first failed request, and a time without a
    holder, or with two. It begins a time-out before ``injected_s``, for a request that is under way then breaks too,
    and each moment belongs to one run.
    """

    start_s: float
    from_s: float
    injected_s: float
    healed_s: float
    end_s: float
    until_s: float


def moment(run: Record, key: str) -> float | None:
    """Return the earliest moment that node_fault tells under *key* of a run's targets, on the client's clock.

    The clock need be known only once: a node without a network cannot ask for it again.
    """
    found = []
    nothing: Record = {}
    pairs: Iterable[tuple[Record, Record]] = zip_longest(run["injected"], run["healed"], fillvalue=nothing)
    for injected, healed in pairs:
        told = [result[key] for result in (injected, healed) if result.get(key) is not None]
        clock = injected.get("clock") or healed.get("clock")
        if told and clock:
            found.append(float(told[0]) + float(clock["offset_s"]))
    return min(found, default=None)


def windows(runs: Sequence[Record], probes: Mapping[str, Record], watches: Mapping[str, Record]) -> list[Window | None]:
    """Return when each run was; None for one that is unknown. There is a prober; the last record to end ends the last.

    A run has ``injected`` and ``healed``, lists of what node_fault returned. When the clock of a broken host is
    unknown, a drill's only run has all of the probe's time.
    """
    origin = min(map(origin_s, probes.values()))
    ends = [origin_s(probe) + float(probe["elapsed_s"]) for probe in probes.values()]
    end = max(ends + [watch["ended_s"] + watch["clock"]["offset_s"] for watch in _timed(watches)])
    timeout_s = patience_s(probes)
    injected = [moment(run, "injected_s") for run in runs]
    if len(runs) == 1 and injected[0] is None:
        return [Window(origin, origin, origin, end, end, math.inf)]
    found: list[Window | None] = []
    for number, (run, start) in enumerate(zip(runs, injected)):
        if start is None:
            found.append(None)
            continue
        later = [other - timeout_s for other in injected[number + 1 :] if other is not None]
        healed = moment(run, "healed_s")
        last = later[0] if later else max(end, healed or end)
        found.append(
            Window(
                start_s=max(origin, start - BEFORE_S),
                from_s=max(origin, start - timeout_s),
                injected_s=start,
                healed_s=last if healed is None else min(healed, last),
                end_s=last,
                until_s=later[0] if later else math.inf,
            )
        )
    return found


def lanes(watches: Mapping[str, Record], vip: str) -> dict[str, Spans]:
    """Return when each watched balancer's kernel had the VIP; hosts whose clock is unknown are left out."""
    return {host: _lane(watch, bare_address(vip)) for host, watch in watches.items() if watch.get("clock")}


def _lane(watch: Record, vip: str) -> Spans:
    offset = float(watch["clock"]["offset_s"])
    spans: Spans = []
    since = watch["started_s"] if _held_at_start(watch, vip) else None
    for event in watch["events"]:
        if bare_address(event["vip"]) != vip:
            continue
        if event["held"] and since is None:
            since = event["at_s"]
        elif not event["held"] and since is not None:
            spans.append((since + offset, event["at_s"] + offset))
            since = None
    if since is not None:
        spans.append((since + offset, watch["ended_s"] + offset))
    return spans


def _held_at_start(watch: Record, vip: str) -> bool:
    return any(held and bare_address(address) == vip for address, held in watch["held_at_start"].items())


def holding(found: Lanes, at_s: float) -> list[str]:
    """Return who had the VIP at a moment."""
    return [host for host, spans in found.items() if any(start <= at_s < end for start, end in spans)]


def counted_s(found: Lanes, start_s: float, end_s: float) -> tuple[float, float]:
    """Return for how long, in this time, nobody had the VIP, and for how long more than one had it."""
    edges = {start_s, end_s}
    edges |= {edge for spans in found.values() for span in spans for edge in span if start_s < edge < end_s}
    moments = sorted(edges)
    gap = overlap = 0.0
    for early, late in zip(moments, moments[1:]):
        number = len(holding(found, (early + late) / 2))
        gap += (late - early) * (number == 0)
        overlap += (late - early) * (number > 1)
    return gap, overlap


def transition(found: Lanes, holder: str, start_s: float, end_s: float) -> float | None:
    """Return when another than *holder* first got the VIP in this time, or else when *holder* lost or got it."""
    taken = [start for host, spans in found.items() if host != holder for start, _end in spans]
    edges = [edge for spans in found.values() for span in spans for edge in span]
    for moments in (taken, edges):
        within = [at for at in moments if start_s <= at < end_s]
        if within:
            return min(within)
    return None


def alarms(watches: Mapping[str, Record], start_s: float, end_s: float) -> list[dict[str, Any]]:
    """Return what the watches raised in this time, in its order: ``at_s``, ``host``, ``finding``, ``vip``."""
    found = [
        {
            "at_s": alarm["at_s"] + watch["clock"]["offset_s"],
            "host": host,
            "finding": alarm["finding"],
            "vip": bare_address(alarm["vip"]),
        }
        for host, watch in watches.items()
        if watch.get("clock")
        for alarm in watch["alarms"]
        if alarm["raised"] and start_s <= alarm["at_s"] + watch["clock"]["offset_s"] < end_s
    ]
    return sorted(found, key=lambda alarm: float(alarm["at_s"]))


def outages(probes: Mapping[str, Record], start_s: float, end_s: float) -> list[Record]:
    """Return the outages of all clients whose first failed request started in this time, on the client's clock."""
    found: list[Record] = []
    for probe in probes.values():
        origin = origin_s(probe)
        for outage in probe.get("outages", []):
            first_s = origin + outage["first_s"]
            if start_s <= first_s < end_s:
                moments = {key: origin + outage[key] for key in ("start_s", "first_s", "last_s", "end_s")}
                found.append({**outage, **moments})
    return found


def stalls(probes: Mapping[str, Record], start_s: float, end_s: float) -> list[tuple[str, float, float]]:
    """Return when clients made no request in this time: who, since when and for how long, on the first one's clock."""
    found = []
    for client, probe in probes.items():
        for since_s, length_s in probe.get("gaps", []):
            at_s = origin_s(probe) + since_s
            if at_s < end_s and at_s + length_s > start_s:
                found.append((client, at_s, float(length_s)))
    return found


def asked(probes: Mapping[str, Record], start_s: float, end_s: float) -> tuple[int, int]:
    """Return how many requests were started in this time, and how many of them failed, about."""
    total = failed = 0.0
    for probe in probes.values():
        shift = origin_s(probe)
        for first, last, _end, count, outcome in probe.get("runs", []):
            share = _share(first + shift, last + shift, start_s, end_s)
            total += count * share
            failed += count * share * (outcome != GOOD)
    return round(total), round(failed)


def _share(first_s: float, last_s: float, start_s: float, end_s: float) -> float:
    """Return the part of evenly spread requests, from the first to the last, that lies in a time."""
    if last_s <= first_s:
        return float(start_s <= first_s < end_s)
    return max(0.0, min(last_s, end_s) - max(first_s, start_s)) / (last_s - first_s)


def origin_s(probe: Record) -> float:
    """Return when a prober started, on the first client's clock."""
    clock = probe.get("clock") or {"offset_s": 0.0}
    return float(probe["origin_s"]) + float(clock["offset_s"])


def longest_s(found: Sequence[Record]) -> float:
    """Return the longest of these outages, 0 when there is none."""
    return max((float(outage["outage_s"]) for outage in found), default=0.0)


def requests(probe: Record, window: Window) -> list[list[Any]]:
    """Return the prober's runs of like requests in this window, with 0 at the injection."""
    shift = origin_s(probe)
    rows = []
    for first, last, end, count, outcome in probe.get("runs", []):
        first, last, end = first + shift, last + shift, end + shift
        if last < window.start_s or first > window.end_s:
            continue
        within = max(first, window.start_s), min(last, window.end_s)
        share = (within[1] - within[0]) / (last - first) if last > first else 1.0
        times = (within[0], within[1], min(end, max(window.end_s, within[1])))
        rows.append([*(round(at - window.injected_s, 6) for at in times), max(1, round(count * share)), outcome])
    return rows


def figures(
    run: Record, window: Window, probes: Mapping[str, Record], watches: Mapping[str, Record], vip: str, alarm: str = ""
) -> dict[str, Any]:
    """Return a run's figures and its timeline, as the report has them. Only *alarm* counts as one, if given."""
    timeout_s = patience_s(probes)
    found = lanes(watches, vip)
    felt, felt_again = own_outages(window, probes)
    moved = transition(found, run["state"]["holder"], window.injected_s, window.healed_s)
    raised = [
        one
        for one in alarms(watches, window.injected_s, window.end_s)
        if not alarm or (one["finding"], one["vip"]) == (alarm, bare_address(vip))
    ]
    # A host that nobody could watch may have had it meanwhile.
    seen = all(host in found for host in run["state"]["order"])
    gap, overlap = counted_s(found, *watched(window, watches)) if seen else (None, None)
    known = moment(run, "injected_s") is not None
    # An outage that begins later, when the previous holder is back, is not the takeover's.
    back = [
        outage["end_s"]
        for outage in felt
        if moved is not None and outage["first_s"] <= moved + timeout_s and outage["end_s"] > moved
    ]
    return {
        "holder_before": run["state"]["holder"],
        "holder_during": ", ".join(holding(found, window.healed_s - 0.001)) or None,
        "holder_after": None,
        "failed": sum(outage["failed"] for outage in [*felt, *felt_again]),
        "cut": sum(_cuts(probe, window) for probe in probes.values()),
        "outage_s": _rounded(longest_s(felt)),
        "failback_outage_s": _rounded(longest_s(felt_again)),
        "detect_s": _rounded(moved - window.injected_s) if moved is not None and known else None,
        "takeover_s": _rounded(min(back, default=moved) - moved) if moved is not None else None,
        "gap_s": _rounded(gap),
        "overlap_s": _rounded(overlap),
        "alarm_s": _rounded(raised[0]["at_s"] - window.injected_s) if raised and known else None,
        "timeline": _timeline(run, window, probes, found, moved, raised),
    }


def patience_s(probes: Mapping[str, Record]) -> float:
    """Return after how long a request has failed."""
    return max((float(probe["timeout_s"]) for probe in probes.values()), default=0.0)


def own_outages(window: Window, probes: Mapping[str, Record]) -> tuple[list[Record], list[Record]]:
    """Return the outages of a run that began before the heal, and those that began with it or later."""
    turn_s = window.healed_s - patience_s(probes)
    return outages(probes, window.from_s, turn_s), outages(probes, max(turn_s, window.from_s), window.until_s)


def watched(window: Window, watches: Mapping[str, Record]) -> tuple[float, float]:
    """Return the part of a run's own time in which every balancer whose clock is known was watched."""
    starts = [watch["started_s"] + watch["clock"]["offset_s"] for watch in _timed(watches)]
    ends = [watch["ended_s"] + watch["clock"]["offset_s"] for watch in _timed(watches)]
    start_s, end_s = max([window.from_s, *starts]), min([window.end_s, *ends])
    return start_s, max(start_s, end_s)


def _timed(watches: Mapping[str, Record]) -> list[Record]:
    """Return the watchers' records whose clocks are known."""
    return [watch for watch in watches.values() if watch.get("clock")]


def _cuts(probe: Record, window: Window) -> int:
    cuts = (probe.get("connections") or {}).get("cuts", [])
    return sum(window.from_s <= origin_s(probe) + cut["at_s"] < window.end_s for cut in cuts)


def _timeline(
    run: Record,
    window: Window,
    probes: Mapping[str, Record],
    found: Lanes,
    moved: float | None,
    raised: Sequence[Record],
) -> dict[str, Any]:
    zero = window.injected_s
    healed = moment(run, "healed_s") is not None and window.healed_s < window.end_s

    def clipped(spans: Spans) -> list[list[float]]:
        inside = [(max(start, window.start_s), min(end, window.end_s)) for start, end in spans]
        return [[round(start - zero, 6), round(end - zero, 6)] for start, end in inside if start < end]

    moments = [{"at_s": 0.0, "what": "inject", "text": ", ".join(run["targets"])}]
    if moved is not None:
        moments.append({"at_s": round(moved - zero, 6), "what": "transition", "text": ""})
    if raised:
        text = f"{raised[0]['finding']} on {raised[0]['host']}"
        moments.append({"at_s": round(raised[0]["at_s"] - zero, 6), "what": "alarm", "text": text})
    if healed:
        moments.append({"at_s": round(window.healed_s - zero, 6), "what": "heal", "text": ""})
    dark = [host for host in run["state"]["order"] if host not in found]
    before = {run["state"]["holder"]: [(window.start_s, zero)]}
    return {
        "from_s": round(window.start_s - zero, 6),
        "to_s": round(window.end_s - zero, 6),
        "requests": {client: requests(probe, window) for client, probe in probes.items()},
        # Of a host that nobody could watch, only what was seen before the fault is known.
        "holders": {host: clipped(found.get(host, before.get(host, []))) for host in run["state"]["order"]},
        "unknown": {host: clipped([(zero, window.end_s)]) for host in dark},
        "moments": sorted(moments, key=lambda entry: float(str(entry["at_s"]))),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
