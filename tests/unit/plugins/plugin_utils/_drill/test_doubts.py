# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of an outage while which nobody asked, and what a client may leave out."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.doubts import (
    certain_s,
    ended_early,
    of_injection,
    of_probers,
    of_stalls,
    of_steady_state,
    of_watchers,
    possible_s,
    tolerated_s,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.measure import Window

from .drill_records import CLOCKS, STILL, VIP, probe, run, watch

WINDOW = Window(9.0, 9.75, 10.0, 14.0, 20.0, math.inf)
OUTAGE = {"start_s": 10.0, "end_s": 11.0, "outage_s": 1.0}
SHORTER = {"start_s": 15.0, "end_s": 15.5, "outage_s": 0.5}

# Outages, when nobody asked (since when, for how long), and how long the longest was at least and at most.
OUTAGES: list[tuple[list[dict[str, Any]], list[tuple[float, float]], float, float]] = [
    ([], [], 0.0, 0.0),
    ([], [(1.0, 5.0)], 0.0, 0.0),
    ([OUTAGE], [], 1.0, 1.0),
    ([OUTAGE, SHORTER], [], 1.0, 1.0),
    ([SHORTER, OUTAGE], [], 1.0, 1.0),
    ([OUTAGE], [(5.0, 1.0), (12.0, 1.0)], 1.0, 1.0),
    # In it; from before it; beyond its end; right before, and right after it; all around it.
    ([OUTAGE], [(10.2, 0.3)], 0.7, 1.0),
    ([OUTAGE], [(9.5, 0.75)], 0.75, 1.5),
    ([OUTAGE], [(10.75, 0.5)], 0.75, 1.25),
    ([OUTAGE], [(9.5, 0.5)], 1.0, 1.5),
    ([OUTAGE], [(11.0, 0.5)], 1.0, 1.5),
    ([OUTAGE], [(9.0, 3.0)], 0.0, 3.0),
    ([OUTAGE], [(9.5, 0.75), (10.5, 1.0)], 0.25, 2.0),
    ([OUTAGE, SHORTER], [(15.5, 2.0)], 1.0, 2.5),
]


@pytest.mark.parametrize(("felt", "silent", "least", "most"), OUTAGES)
def test_how_long_an_outage_was(
    felt: list[dict[str, Any]], silent: list[tuple[float, float]], least: float, most: float
) -> None:
    stalls = [("client", at, length) for at, length in silent]
    assert certain_s(felt, stalls) == pytest.approx(least)
    assert possible_s(felt, stalls) == pytest.approx(most)


# An objective, a prober's interval, and for how long it may make no request; the time-out is 0.25 s.
TOLERANCES: list[tuple[float | None, float, float]] = [
    (None, 0.005, 0.25),
    (0.0, 0.005, 0.05),
    (0.05, 0.005, 0.05),
    (0.2, 0.005, 0.1),
    (3.0, 0.005, 0.25),
    (0.0, 0.1, 0.25),
]


@pytest.mark.parametrize(("slo_s", "interval_s", "expected"), TOLERANCES)
def test_tolerated(slo_s: float | None, interval_s: float, expected: float) -> None:
    assert tolerated_s(slo_s, probe(interval_s=interval_s)) == pytest.approx(expected)


# The gap of a client (since when on the first one's clock, how long), and whether an objective of 0.2 s bears it.
STALLS: list[tuple[float, float, bool]] = [
    (11.0, 0.1, True),
    (11.0, 0.11, False),
    (9.0, 0.2, True),
    (9.7, 0.2, False),
    (19.0, 0.2, False),
    # It is longer than the time-out, which disturbs the drill anyway, and is said there.
    (11.0, 0.25, False),
    (11.0, 0.26, True),
]


@pytest.mark.parametrize(("at_s", "length_s", "fine"), STALLS)
def test_stalls(at_s: float, length_s: float, fine: bool) -> None:
    probes = {"client": probe(gaps=[[1.0, 0.01], [at_s - 5.0, length_s]])}
    told = f"client made no request for {length_s * 1000:.0f} ms, too long to measure an objective of 200 ms"
    assert of_stalls(WINDOW, probes, 0.2) == ([] if fine else [told])


def test_each_client_is_told() -> None:
    stalled = probe(gaps=[[6.0, 0.2]])
    assert len(of_stalls(WINDOW, {"one": stalled, "fine": probe(), "two": stalled}, 0.2)) == 2


WATCHES: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"drift_s": None}, ""),
    ({"drift_s": 0.01}, ""),
    ({"drift_s": 0.011}, "its clock and the client's drifted 11 ms apart"),
    ({"clock": None}, "no reply from the client's clock over UDP"),
    ({"ended_s": 114.0}, ""),
    ({"ended_s": 113.99}, "its watcher ended before the fault was healed"),
]


@pytest.mark.parametrize(("changes", "why"), WATCHES)
def test_watchers(changes: dict[str, Any], why: str) -> None:
    watches = {**STILL, "lb01": watch("lb01", True, **changes)}
    expected = {"lb01": f"when lb01 had {VIP} is unknown: {why}"} if why else {}
    assert of_watchers(["lb01", "lb02"], watches, VIP, 14.0) == expected


def test_only_those_in_question_are_told() -> None:
    assert of_watchers(["lb02"], {"lb02": STILL["lb02"]}, VIP, 14.0) == {}
    assert list(of_watchers(["lb01", "lb03"], STILL, VIP, 14.0)) == ["lb03"]


PROBERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"requests": 750}, []),
    ({"requests": 749}, ["client made only 749 of 1500 requests that were due"]),
    ({"requests": 1}, ["client made only 1 of 1500 requests that were due"]),
    ({"requests": 0, "max_gap_s": 9.0}, ["nothing was measured: the prober of client made no request"]),
    ({"max_gap_s": 0.25}, []),
    ({"max_gap_s": 0.251}, ["client made no request for 251 ms, in which an outage would not show"]),
    ({"drift_s": 0.01}, []),
    ({"drift_s": 0.02}, ["the clocks of client and the first client drifted 20 ms apart"]),
    ({"elapsed_s": 9.0, "requests": 900}, []),
    ({"elapsed_s": 8.9, "requests": 900}, ["the prober of client ended before the fault was healed"]),
    ({"elapsed_s": 8.9, "requests": 900, "clock": {"offset_s": 0.2}}, []),
]


@pytest.mark.parametrize(("changes", "expected"), PROBERS)
def test_probers(changes: dict[str, Any], expected: list[str]) -> None:
    assert of_probers({"fine": probe(), "client": probe(**changes)}, [WINDOW]) == expected


def test_the_last_heal_counts() -> None:
    probes = {"client": probe(elapsed_s=9.5, requests=950)}
    assert of_probers(probes, [WINDOW]) == []
    assert len(of_probers(probes, [WINDOW, WINDOW._replace(healed_s=15.0)])) == 1
    assert of_probers(probes, []) == []
    assert of_probers({}, [WINDOW]) == ["nothing was measured: there is no prober"]


def test_ended_early() -> None:
    assert not ended_early(probe(), 20.0)
    assert ended_early(probe(), 20.01)


# The first failed request of an outage of 20 ms, the objective, and whether the steady state was one.
STEADY: list[tuple[float, float | None, bool]] = [
    (7.0, 0.0, False),
    (9.74, 0.0, False),
    (9.76, 0.0, True),
    (7.0, 0.019, False),
    (7.0, 0.02, True),
    (7.0, None, True),
]


@pytest.mark.parametrize(("first_s", "slo_s", "fine"), STEADY)
def test_steady_state(first_s: float, slo_s: float | None, fine: bool) -> None:
    probes = {"client": probe((first_s, first_s, first_s + 0.01))}
    later = WINDOW._replace(from_s=15.0)
    told = ["the service was down for 20 ms before anything was broken"]
    assert of_steady_state(probes, [WINDOW, later], slo_s) == ([] if fine else told)
    assert of_steady_state(probes, [], slo_s) == []


def test_clocks_of_the_records() -> None:
    """The cases above read 114 s on lb01's clock as 14 s."""
    assert CLOCKS["lb01"]["offset_s"] == -100.0


# The fault, how long each target took to carry it out, and what that leaves unknown.
INJECTIONS: list[tuple[str, list[float | None], list[str]]] = [
    ("link_down", [1.009], ["lb01 took 1009 ms to carry out link_down: measure again"]),
    ("link_down", [0.25], []),
    ("link_down", [None], []),
    # systemctl stop takes as long as the service serves.
    ("service_stop", [1.009], []),
    ("node_freeze", [1.009], []),
    # A drill that injects another fault.
    ("backend_hang", [0.1, 0.3], ["lb02 took 300 ms to carry out backend_hang: measure again"]),
    ("backends_stop", [1.0, 1.0], []),
]


@pytest.mark.parametrize(("fault", "took", "expected"), INJECTIONS)
def test_a_node_that_waits_for_something_has_the_fault_later(
    fault: str, took: list[float | None], expected: list[str]
) -> None:
    injected = [{"injected_s": 110.0, "took_s": took_s} for took_s in took]
    assert of_injection(fault, run(targets=["lb01", "lb02"][: len(took)], injected=injected)) == expected


def test_a_driver_tells_nothing_of_it() -> None:
    assert of_injection("link_down", run()) == []
