# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Disturbances that keep a drill from proving a pass or a failure, one sentence each. Pure."""

from __future__ import annotations

import math
from typing import Iterable, Mapping, Sequence, Tuple

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.causes import kinds, told
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.measure import (
    Record,
    Window,
    longest_s,
    origin_s,
    outages,
    stalls,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import ms

MIN_REQUESTS = 0.5
"""A client that made less than this share of the requests that were due was too busy to measure."""
CLOCKS_APART_S = 0.01
"""How far two clocks may drift apart during a drill."""
TOLERATED_INTERVALS = 10
"""A client may miss this many requests whatever the objective: its kernel has other work too."""

SLOW_S = 0.25
"""How long a node may take to inject an instant fault; a request in flight may wait as long."""

NO_CLOCK = "no reply from the client's clock over UDP"
NO_RECORD = "something else healed it, and its record is gone"

Stall = Tuple[str, float, float]


def of_watchers(order: Iterable[str], watches: Mapping[str, Record], vip: str, until_s: float) -> dict[str, str]:
    """Return the balancers whose record up to *until_s* is incomplete or inexact, with the reason."""
    found = {}
    for host in order:
        why = _unwatched(watches.get(host), until_s)
        if why:
            found[host] = f"when {host} had {vip} is unknown: {why}"
    return found


def _unwatched(watch: Record | None, until_s: float) -> str:
    if watch is None:
        return "it was not watched"
    clock = watch.get("clock")
    if not clock:
        return NO_CLOCK
    if (watch.get("drift_s") or 0.0) > CLOCKS_APART_S:
        return f"its clock and the client's drifted {ms(watch['drift_s'])} apart"
    if watch["ended_s"] + clock["offset_s"] < until_s:
        return "its watcher ended before the fault was healed"
    return ""


def of_probers(probes: Mapping[str, Record], known: Sequence[Window]) -> list[str]:
    """Return the flaws of each client's measurements. ``known`` are the runs' windows."""
    if not probes:
        return ["nothing was measured: there is no prober"]
    healed_s = max((window.healed_s for window in known), default=-math.inf)
    return [reason for client, probe in probes.items() for reason in _of_prober(client, probe, healed_s)]


def _of_prober(client: str, probe: Record, healed_s: float) -> list[str]:
    if not probe["requests"]:
        return [f"nothing was measured: the prober of {client} made no request"]
    reasons = []
    if ended_early(probe, healed_s):
        reasons.append(f"the prober of {client} ended before the fault was healed")
    if (probe.get("drift_s") or 0.0) > CLOCKS_APART_S:
        reasons.append(f"the clocks of {client} and the first client drifted {ms(probe['drift_s'])} apart")
    if probe["max_gap_s"] > probe["timeout_s"]:
        reasons.append(f"{client} made no request for {ms(probe['max_gap_s'])}, in which an outage would not show")
    due = probe["elapsed_s"] / probe["interval_s"]
    if probe["requests"] < due * MIN_REQUESTS:
        reasons.append(f"{client} made only {probe['requests']} of {due:.0f} requests that were due")
    return reasons


def ended_early(probe: Record, healed_s: float) -> bool:
    """Return whether a prober ended before the heal."""
    return origin_s(probe) + float(probe["elapsed_s"]) < healed_s


def of_injection(fault: str, run: Record) -> list[str]:
    """Report targets that took long to inject an instant fault, such as by waiting for the kernel's network lock.

    The injection is stamped before the wait, so its effects would look late.
    """
    if not FAULTS[FAULTS[fault].injects or fault].instant:
        return []
    took = [(host, result.get("took_s") or 0.0) for host, result in zip(run["targets"], run["injected"])]
    return [f"{host} took {ms(took_s)} to carry out {fault}: measure again" for host, took_s in took if took_s > SLOW_S]


def of_stalls(window: Window, probes: Mapping[str, Record], slo_s: float | None) -> list[str]:
    """Report clients that paused for longer than the objective allows, within a run's own time."""
    reasons = []
    for client, probe in probes.items():
        one = {client: probe}
        length_s = max((stall[2] for stall in stalls(one, window.from_s, window.until_s)), default=0.0)
        # of_probers reports longer ones, wherever they are.
        if tolerated_s(slo_s, probe) < length_s <= probe["timeout_s"]:
            reasons.append(
                f"{client} made no request for {ms(length_s)}, too long to measure an objective of {ms(slo_s)}"
            )
    return reasons


def tolerated_s(slo_s: float | None, probe: Record) -> float:
    """Return how long a client may pause: half the objective, at least a few intervals, at most its time-out."""
    timeout_s = float(probe["timeout_s"])
    if slo_s is None:
        return timeout_s
    return min(timeout_s, max(slo_s / 2, TOLERATED_INTERVALS * float(probe["interval_s"])))


def of_steady_state(probes: Mapping[str, Record], known: Sequence[Window], slo_s: float | None) -> list[str]:
    """Report an outage before the first injection: later outages may have the same cause."""
    early_s = longest_s(outages(probes, -math.inf, known[0].from_s)) if known else 0.0
    # The objective may allow for a lost packet.
    if slo_s is None or early_s <= slo_s:
        return []
    why = told(kinds(probes, end_s=known[0].from_s))
    return [f"the service was down for {ms(early_s)} before anything was broken{why}"]


def certain_s(felt: Sequence[Record], silent: Sequence[Stall]) -> float:
    """Return a lower bound of the longest outage, in seconds: stalls, in which no request was made, do not count."""
    return max((round(one["outage_s"] - _within_s(one, silent), 6) for one in felt), default=0.0)


def possible_s(felt: Sequence[Record], silent: Sequence[Stall]) -> float:
    """Return an upper bound of the longest outage, in seconds: stalls that touch it count."""
    return max((round(_stretched_s(one, silent), 6) for one in felt), default=0.0)


def _within_s(outage: Record, silent: Sequence[Stall]) -> float:
    start, end = float(outage["start_s"]), float(outage["end_s"])
    return sum(max(0.0, min(end, at + length) - max(start, at)) for _client, at, length in silent)


def _stretched_s(outage: Record, silent: Sequence[Stall]) -> float:
    start, end = float(outage["start_s"]), float(outage["end_s"])
    touching = [(at, at + length) for _client, at, length in silent if at <= end and at + length >= start]
    return max([end, *(late for _early, late in touching)]) - min([start, *(early for early, _late in touching)])
