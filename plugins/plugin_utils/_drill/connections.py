# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Kept connections: which balancer served how many, which were cut at a move of the VIP, and why. Pure."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS
from ansible_collections.haproof.balancer.plugins.module_utils._handover.machine import DONE, MOVED, STANDBY
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import bare_address
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.causes import told
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.measure import (
    Lanes,
    Record,
    Window,
    holding,
    lanes,
    origin_s,
    patience_s,
    watched,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import ms, plural

ALLOWED = 0
"""How many connections a planned move may cut with the hand-over."""

_KEPT = ("open", "requests", "failed", "reused", "cut")


class Move(NamedTuple):
    """A move of the VIP: from which balancer to which, between two moments, and what the report calls it."""

    name: str
    giver: str
    taker: str
    from_s: float
    until_s: float


def objectives(fault: str, state: Mapping[str, Any], probes: Mapping[str, Record]) -> dict[str, int | None]:
    """Return how many connections may be cut before healing and after it, None where that is not judged."""
    judged = bool(state.get("holder")) and not state["not_handed_over"] and summary(probes) is not None
    return {
        "cut_slo": ALLOWED if judged and FAULTS[fault].planned else None,
        "failback_cut_slo": ALLOWED if judged and FAULTS[fault].fails_back else None,
    }


def summary(probes: Mapping[str, Record]) -> dict[str, int] | None:
    """Return the counts of all clients' kept connections, None without any."""
    found = _kept(probes)
    return {key: sum(one[key] for one in found) for key in _KEPT} if found else None


def latencies(probes: Mapping[str, Record]) -> dict[str, dict[str, float] | None]:
    """Return the latency of the slowest client's requests over ``new`` and over ``kept`` connections."""
    return {"new": _slowest(list(probes.values())), "kept": _slowest(_kept(probes))}


def _slowest(records: Sequence[Record]) -> dict[str, float] | None:
    known = [record["latency_s"] for record in records if record.get("latency_s")]
    return {key: max(one[key] for one in known) for key in ("p50", "p99", "max")} if known else None


def _kept(probes: Mapping[str, Record]) -> list[Record]:
    return [probe["connections"] for probe in probes.values() if probe.get("connections")]


def cuts(probes: Mapping[str, Record], start_s: float, end_s: float) -> Counter[str]:
    """Return the cut connections, by kind, whose last request began in this time on the first client's clock."""
    return Counter(
        cut["kind"]
        for probe in probes.values()
        if probe.get("connections")
        for cut in probe["connections"]["cuts"]
        if start_s <= origin_s(probe) + cut["since_s"] < end_s and not _paused(probe, cut)
    )


def _paused(probe: Record, cut: Record) -> bool:
    """Return whether the client itself paused while a request timed out, which disturbs the drill."""
    return cut["kind"] == "timeout" and any(
        at_s < cut["at_s"] and at_s + length_s > cut["since_s"]
        for at_s, length_s in probe.get("gaps", [])
        if length_s > probe["timeout_s"]
    )


def own_cuts(window: Window, probes: Mapping[str, Record]) -> tuple[Counter[str], Counter[str]]:
    """Return a run's cut connections before the heal, and those with it or later."""
    turn_s = max(window.from_s, window.healed_s - patience_s(probes))
    return cuts(probes, window.from_s, turn_s), cuts(probes, turn_s, window.until_s)


def connection_figures(
    window: Window, probes: Mapping[str, Record], watches: Mapping[str, Record], vip: str
) -> dict[str, Any]:
    """Return a run's ``cut``, ``failback_cut`` and ``served``, which has numbers by balancer for three moments.

    ``served`` is None where no balancer reports its connections.
    """
    before, after = own_cuts(window, probes)
    found = served(watches, vip)
    moments = {"before": window.injected_s, "during": window.healed_s, "after": window.end_s}
    return {
        "cut": sum(before.values()) + sum(after.values()),
        "failback_cut": sum(after.values()),
        "served": {when: {host: _at(rows, at_s) for host, rows in found.items()} for when, at_s in moments.items()}
        if found
        else None,
    }


def served(watches: Mapping[str, Record], vip: str) -> dict[str, list[tuple[float, int]]]:
    """Return by balancer how many connections it had from each moment on, on the first client's clock."""
    found = {}
    for host, watch in watches.items():
        if watch.get("clock"):
            offset = float(watch["clock"]["offset_s"])
            rows = [
                (at_s + offset, own)
                for given, each in watch.get("served", {}).items()
                if bare_address(given) == bare_address(vip)
                for at_s, own, _remaining in each
            ]
            if rows:
                found[host] = rows
    return found


def served_in(window: Window, watches: Mapping[str, Record], vip: str) -> dict[str, list[list[float]]]:
    """Return the same for a timeline: within the window, and with the injection at 0."""
    found = {}
    for host, rows in served(watches, vip).items():
        first = _at(rows, window.start_s)
        inside = [(at_s, own) for at_s, own in rows if window.start_s < at_s <= window.end_s]
        if first is not None:
            inside = [(window.start_s, first), *inside]
        changes = [one for before, one in zip([(0.0, None), *inside], inside) if one[1] != before[1]]
        found[host] = [[round(at_s - window.injected_s, 6), own] for at_s, own in changes]
    return found


def _at(rows: Sequence[tuple[float, int]], at_s: float) -> int | None:
    known = [own for since_s, own in rows if since_s <= at_s]
    return known[-1] if known else None


def cut_before(known: Sequence[Window], probes: Mapping[str, Record]) -> list[str]:
    """Report connections that were cut before the first injection: later cuts may have the same cause."""
    early = cuts(probes, -math.inf, known[0].from_s) if known else Counter()
    return [f"{_connections(early)} before anything was broken{told(early)}"] if early else []


def not_kept(fault: str, probes: Mapping[str, Record]) -> list[str]:
    """Report a hand-over without connections: the service closes each of them after an answer."""
    kept = summary(probes)
    # A bare TCP connection has no requests.
    if not FAULTS[fault].hands_over or not kept or kept["reused"] or not latencies(probes)["kept"]:
        return []
    return ["no connection was kept, because the service closes each one after its answer: allow keep-alive"]


def cut_at_moves(
    run: Record, window: Window, probes: Mapping[str, Record], watches: Mapping[str, Record], vip: str
) -> tuple[str, str]:
    """Return the reasons for the connections cut before the heal and after it, "" without any."""
    found = lanes(watches, vip)
    reasons = []
    for kinds, move in zip(own_cuts(window, probes), _moves(run, window, found, watched(window, watches)[1])):
        why = _why(kinds, move, run, watches, vip) if move.giver and move.taker and move.giver != move.taker else ""
        reason = f"{_connections(kinds)} {move.name}, {ALLOWED} are allowed{told(kinds)}"
        reasons.append(f"{reason}: {why}" if kinds and why else reason if kinds else "")
    return reasons[0], reasons[1]


def _connections(kinds: Mapping[str, int]) -> str:
    number = sum(kinds.values())
    return f"{plural(number, 'connection')} {'was' if number == 1 else 'were'} cut"


def _moves(run: Record, window: Window, found: Lanes, watched_s: float) -> Iterator[Move]:
    """Yield the takeover and the failback. A host is "" if it is not known; all were watched until *watched_s*."""
    holder = run["state"]["holder"]
    during = _single(holding(found, window.healed_s - 0.001), holder)
    after = _single(holding(found, watched_s - 0.001), "")
    yield Move("at the takeover", holder, during, window.injected_s, window.healed_s)
    yield Move("at failback", during, after, window.healed_s, window.end_s)


def _single(hosts: Sequence[str], other_than: str) -> str:
    rest = [host for host in hosts if host != other_than]
    return rest[0] if len(rest) == 1 else ""


def _why(kinds: Mapping[str, int], move: Move, run: Record, watches: Mapping[str, Record], vip: str) -> str:
    """Return what the new holder's hand-over reported that explains the cuts, "" if nothing does."""
    events = _events(watches, move.taker, vip)
    taken_s = next((at_s for at_s, one in events if at_s >= move.from_s and one["state"] != STANDBY), move.until_s)
    before = next((one for at_s, one in reversed(events) if at_s < taken_s and one["state"] == STANDBY), None)
    during = [one for at_s, one in events if taken_s <= at_s < move.until_s]
    problem = next((one["problem"] for one in during if one["problem"]), None)
    ended = next((one["ended"] for one in during if one["ended"] not in (None, DONE, MOVED)), None)
    knew = before["former"] if before else None
    if not events:
        # It was not watched, such as after a boot.
        why = ""
    elif problem:
        why = f"{move.taker} could not prepare the hand-over: {problem}"
    elif knew not in run["state"]["addresses"].get(move.giver, []):
        why = (
            f"{move.taker} {f'took {knew} for' if knew else 'did not know'} the former holder, {move.giver}: "
            f"check the peers in /etc/keepalived/handover.json of both"
        )
    elif ended:
        why = f"{move.taker} ended the hand-over from {move.giver}: {ended}"
    elif "timeout" in kinds:
        why = (
            f"{move.taker} sent their packets on to {move.giver}, and no answer came: check the firewalls of both, "
            "which may drop TCP packets to the VIP from other hosts' connections"
        )
    else:
        why = ""
    return why


def could_answer(run: Record, window: Window, watches: Mapping[str, Record], vip: str) -> list[str]:
    """Report balancers that served connections of the lost VIP, and would have answered ARP for it (ip-sysctl.rst)."""
    reasons = []
    for host in watches if ":" not in vip else ():
        events = _events(watches, host, vip)
        ends = [at_s for at_s, _one in events[1:]] + [window.end_s]
        loud_s = sum(
            max(0.0, min(until_s, window.end_s) - max(at_s, window.injected_s))
            for (at_s, one), until_s in zip(events, ends)
            if one["serves"] and one["arp_ignore"] == 0
        )
        if loud_s > 0:
            interface = run["state"]["interfaces"].get(host)
            reasons.append(
                f"{host} could answer ARP requests for {vip} for {ms(loud_s)} while another balancer had it: "
                f"something resets net.ipv4.conf.{interface}.arp_ignore to 0"
            )
    return reasons


def _events(watches: Mapping[str, Record], host: str, vip: str) -> list[tuple[float, Record]]:
    watch = watches.get(host, {})
    if not watch.get("clock"):
        return []
    offset = float(watch["clock"]["offset_s"])
    return [
        (one["at_s"] + offset, one)
        for one in watch.get("handovers", [])
        if bare_address(one["vip"]) == bare_address(vip)
    ]
