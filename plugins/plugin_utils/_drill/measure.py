# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The cost of one run of a fault, from the probers' and watchers' records of its time. Pure.

All moments are seconds on the first client's monotonic clock. A balancer's moments are converted with the offset that
it measured; without one they are unknown (None).
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
"""A timeline starts this long before the fault."""


class Window(NamedTuple):
    """The time of a run: from the injection to the heal, and on until the next injection or the end of probing.

    ``start_s`` and ``end_s`` are those of its timeline, which includes some steady state before. The run owns all that
    began from ``from_s`` on and before ``until_s``: outages by their first failed request, and times without a holder
    or with two. ``from_s`` is a time-out before ``injected_s``, because requests in flight break too; each moment
    belongs to one run.
    """

    start_s: float
    from_s: float
    injected_s: float
    healed_s: float
    end_s: float
    until_s: float


def moment(run: Record, key: str) -> float | None:
    """Return the earliest moment under *key* in node_fault's results for a run's targets, on the client's clock.

    One clock measurement per target is enough: a node without a network cannot repeat it.
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
    """Return each run's window, None where it is unknown. The last window ends with the last record.

    ``probes`` must not be empty. A run has ``injected`` and ``healed``, lists of node_fault's results. When a broken
    host's clock is unknown, a drill's only run gets the probe's whole time.
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
    """Return the spans in which each watched balancer's kernel had the VIP, without hosts whose clock is unknown."""
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
    """Return the hosts that had the VIP at a moment."""
    return [host for host, spans in found.items() if any(start <= at_s < end for start, end in spans)]


def counted_s(found: Lanes, start_s: float, end_s: float) -> tuple[float, float]:
    """Return how many seconds of this time no host had the VIP, and how many more than one had it."""
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
    """Return when a host other than *holder* first got the VIP in this time, else when *holder* lost or got it."""
    taken = [start for host, spans in found.items() if host != holder for start, _end in spans]
    edges = [edge for spans in found.values() for span in spans for edge in span]
    for moments in (taken, edges):
        within = [at for at in moments if start_s <= at < end_s]
        if within:
            return min(within)
    return None


def alarms(watches: Mapping[str, Record], start_s: float, end_s: float) -> list[dict[str, Any]]:
    """Return the alarms raised in this time, oldest first: ``at_s``, ``host``, ``finding``, ``vip``."""
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
    """Return the pauses that touch this time: client, start on the first client's clock, and length."""
    found = []
    for client, probe in probes.items():
        for since_s, length_s in probe.get("gaps", []):
            at_s = origin_s(probe) + since_s
            if at_s < end_s and at_s + length_s > start_s:
                found.append((client, at_s, float(length_s)))
    return found


def asked(probes: Mapping[str, Record], start_s: float, end_s: float) -> tuple[int, int]:
    """Estimate how many requests started in this time, and how many of them failed."""
    total = failed = 0.0
    for probe in probes.values():
        shift = origin_s(probe)
        for first, last, _end, count, outcome in probe.get("runs", []):
            share = _share(first + shift, last + shift, start_s, end_s)
            total += count * share
            failed += count * share * (outcome != GOOD)
    return round(total), round(failed)


def _share(first_s: float, last_s: float, start_s: float, end_s: float) -> float:
    """Return the share of evenly spaced requests, from the first to the last, that lies in this time."""
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
    """Return the prober's runs of requests with the same outcome in this window; the injection is at 0."""
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
    """Return a run's figures and timeline for the report. If *alarm* is set, other alarms do not count."""
    timeout_s = patience_s(probes)
    found = lanes(watches, vip)
    felt, felt_again = own_outages(window, probes)
    moved = transition(found, run["state"]["holder"], window.injected_s, window.healed_s)
    raised = [
        one
        for one in alarms(watches, window.injected_s, window.end_s)
        if not alarm or (one["finding"], one["vip"]) == (alarm, bare_address(vip))
    ]
    # A host that was not watched may have had it.
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
    """Return the longest time-out of a client's requests."""
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
        # Of a host that was not watched, only the state before the fault is known.
        "holders": {host: clipped(found.get(host, before.get(host, []))) for host in run["state"]["order"]},
        "unknown": {host: clipped([(zero, window.end_s)]) for host in dark},
        "moments": sorted(moments, key=lambda entry: float(str(entry["at_s"]))),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
