# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cutting records to a run: lanes on one clock, gaps and overlaps, whose outage it is."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.measure import (
    Window,
    alarms,
    asked,
    counted_s,
    figures,
    lanes,
    moment,
    outages,
    requests,
    stalls,
    transition,
    windows,
)
from hypothesis import given
from hypothesis import strategies as st

from .drill_records import BOTH, CLOCKS, MOVED, STILL, VIP, alarm, probe, run, watch

WINDOW = Window(9.0, 9.75, 10.0, 14.0, 20.0, math.inf)


def approx(spans: dict[str, list[tuple[float, float]]]) -> dict[str, Any]:
    return {host: [pytest.approx(span) for span in found] for host, found in spans.items()}


CLOCK = CLOCKS["lb01"]

# What node_fault returned when it injected and when it healed, and when that was on the client's clock.
MOMENTS: list[tuple[dict[str, Any], dict[str, Any], float | None]] = [
    ({"injected_s": 110.0, "clock": CLOCK}, {}, 10.0),
    ({"injected_s": 110.0, "clock": CLOCK}, {"injected_s": 110.0, "clock": None}, 10.0),
    # A node without a network learns of it later.
    ({"injected_s": None, "clock": CLOCK}, {"injected_s": 111.0, "clock": None}, 11.0),
    ({"injected_s": 110.0, "clock": None}, {}, None),
    ({"injected_s": None, "clock": CLOCK}, {"injected_s": None, "clock": CLOCK}, None),
    ({}, {"msg": "unreachable"}, None),
]


@pytest.mark.parametrize(("injected", "healed", "expected"), MOMENTS)
def test_moment_is_on_the_clients_clock(
    injected: dict[str, Any], healed: dict[str, Any], expected: float | None
) -> None:
    assert moment({"injected": [injected], "healed": [healed]}, "injected_s") == expected


def test_the_first_of_several_targets_counts() -> None:
    other = {"injected_s": 0.5, "clock": {"offset_s": 9.0}}
    assert moment({"injected": [{"injected_s": 110.0, "clock": CLOCK}, other], "healed": []}, "injected_s") == 9.5


def test_window() -> None:
    assert windows([run()], {"client": probe()}, {}) == [WINDOW]


def test_another_clients_probe_ends_the_window_on_the_first_ones_clock() -> None:
    assert windows([run()], {"client": probe(clock={"offset_s": 2.0, "error_s": 0.001})}, {}) == [
        WINDOW._replace(start_s=9.0, end_s=22.0)
    ]


def test_each_moment_belongs_to_one_run_up_to_the_next() -> None:
    """Timelines show what was before, but what happens around a heal is the run's that was healed."""
    later = run(
        injected=[{"injected_s": 116.0, "clock": CLOCKS["lb01"]}], healed=[{"healed_s": 118.0, "clock": CLOCKS["lb01"]}]
    )
    assert windows([run(), later], {"client": probe()}, {}) == [
        Window(9.0, 9.75, 10.0, 14.0, 15.75, 15.75),
        Window(15.0, 15.75, 16.0, 18.0, 20.0, math.inf),
    ]


def test_a_heal_just_before_the_next_injection_belongs_to_the_run() -> None:
    """It used to be cut off a second before, with the gap and the overlap of the failback."""
    clock = CLOCKS["lb01"]
    runs = [
        run(injected=[{"injected_s": 110.0, "clock": clock}], healed=[{"healed_s": 112.5, "clock": clock}]),
        run(injected=[{"injected_s": 113.0, "clock": clock}], healed=[{"healed_s": 115.0, "clock": clock}]),
    ]
    first, second = windows(runs, {"client": probe()}, {})
    assert first == Window(9.0, 9.75, 10.0, 12.5, 12.75, 12.75)
    assert second == Window(12.0, 12.75, 13.0, 15.0, 20.0, math.inf)
    watches = {
        "lb01": watch("lb01", True, (10.0, False), (12.6, True), (13.0, False), (15.1, True)),
        "lb02": watch("lb02", False, (10.0, True), (12.65, False), (13.02, True), (15.1, False)),
    }
    assert first
    measured = figures(runs[0], first, {"client": probe()}, watches, VIP)
    assert (measured["gap_s"], measured["overlap_s"]) == (0.0, pytest.approx(0.05))
    assert {"at_s": 2.5, "what": "heal", "text": ""} in measured["timeline"]["moments"]
    assert second
    again = figures(runs[1], second, {"client": probe()}, watches, VIP)
    assert (again["gap_s"], again["overlap_s"]) == (pytest.approx(0.02), 0.0)


def test_a_gap_that_begins_with_the_injection_is_the_runs() -> None:
    """A moment is known only as well as the clocks are."""
    early = {"lb01": watch("lb01", True, (9.99, False)), "lb02": watch("lb02", False, (10.03, True))}
    assert figures(run(), WINDOW, {"client": probe()}, early, VIP)["gap_s"] == pytest.approx(0.04)


def test_nobody_is_said_to_have_had_it_when_nobody_was_watched() -> None:
    over = {host: {**seen, "ended_s": seen["ended_s"] - 3} for host, seen in STILL.items()}
    measured = figures(run(), WINDOW, {"client": probe()}, over, VIP)
    assert (measured["gap_s"], measured["overlap_s"]) == (0.0, 0.0)


def test_a_run_whose_heal_is_unknown_has_no_moment_for_it() -> None:
    unknown = run(healed=[{"clock": CLOCKS["lb01"]}])
    (window,) = windows([unknown], {"client": probe()}, {})
    assert window == WINDOW._replace(healed_s=20.0)
    moments = figures(unknown, window, {"client": probe()}, MOVED, VIP)["timeline"]["moments"]
    assert [moment["what"] for moment in moments] == ["inject", "transition"]


# Gaps of a client that started at 5 s (since when from there, for how long), and what is told of 10 to 14 s.
STALLS: list[tuple[list[float], list[tuple[str, float, float]]]] = [
    ([1.0, 0.5], []),
    ([4.5, 0.5], []),
    ([4.5, 0.6], [("client", 9.5, 0.6)]),
    ([6.0, 0.3], [("client", 11.0, 0.3)]),
    ([9.0, 0.3], []),
]


@pytest.mark.parametrize(("gap", "expected"), STALLS)
def test_stalls(gap: list[float], expected: list[tuple[str, float, float]]) -> None:
    assert stalls({"client": probe(gaps=[gap])}, 10.0, 14.0) == expected


def test_asked_counts_what_was_started_in_this_time() -> None:
    rows = [[0.0, 4.99, 5.0, 500, ""], [5.0, 5.0, 5.1, 1, "refused"], [5.01, 14.99, 15.0, 999, ""]]
    seen = {"client": probe(runs=rows)}
    assert asked(seen, 10.0, 12.0) == (200, 1)
    assert asked(seen, 0.0, 100.0) == (1500, 1)
    assert asked(seen, 10.01, 12.0) == (199, 0)
    assert asked({}, 0.0, 1.0) == (0, 0)
    # A single one belongs to the time in which it began, and to one of two that meet.
    assert asked(seen, 9.5, 10.0) == (49, 0)
    assert asked(seen, 4.0, 5.0) == (0, 0)
    assert asked({"client": probe(runs=[[1.0, 1.0, 1.1, 1, "reset"]])}, 5.0, 6.0) == (0, 0)
    assert asked({"client": probe(runs=[[1.0, 1.0, 1.1, 1, "reset"]])}, 6.0, 7.0) == (1, 1)


def test_a_single_run_at_an_unknown_time_has_all_of_it() -> None:
    unknown = run(injected=[{"injected_s": 110.0, "clock": None}], healed=[{"healed_s": 114.0, "clock": None}])
    assert windows([unknown], {"client": probe()}, {}) == [Window(5.0, 5.0, 5.0, 20.0, 20.0, math.inf)]
    assert windows([unknown, run()], {"client": probe()}, {}) == [None, WINDOW]


def test_lanes() -> None:
    assert lanes(MOVED, VIP + "/24") == approx({"lb01": [(6, 10.02), (14.1, 20)], "lb02": [(10.03, 14.09)]})


def test_a_lane_is_of_one_vip_and_bears_what_is_told_twice() -> None:
    other = {"at_s": 111.0, "vip": "198.18.0.11", "interface": "eth1", "held": True}
    seen = watch("lb01", False, (11.0, True), (12.0, True), (13.0, False), (13.5, False), (14.0, True))
    assert lanes({"lb01": {**seen, "events": [other, *seen["events"]]}}, VIP) == approx({"lb01": [(11, 13), (14, 20)]})


def test_a_host_without_a_clock_has_no_lane() -> None:
    assert list(lanes({**STILL, "lb01": watch("lb01", True, clock=None)}, VIP)) == ["lb02"]


def test_gap_and_overlap() -> None:
    assert counted_s(lanes(MOVED, VIP), 10, 20) == pytest.approx((0.02, 0))
    assert counted_s(lanes(BOTH, VIP), 10, 20) == pytest.approx((0, 3.2))
    assert counted_s(lanes(STILL, VIP), 10, 20) == (0, 0)


@given(
    st.lists(st.lists(st.floats(min_value=0.01, max_value=5), max_size=8), max_size=4),
    st.floats(min_value=0, max_value=5),
    st.floats(min_value=0.01, max_value=20),
)
def test_gap_overlap_and_alone_are_all_of_the_time(steps: list[list[float]], start: float, length: float) -> None:
    found = {}
    for number, widths in enumerate(steps):
        edges = list(accumulate(widths))
        found[str(number)] = list(zip(edges[::2], edges[1::2]))
    gap, overlap = counted_s(found, start, start + length)
    alone, _none = counted_s({**found, "+": [(0, 100)]}, start, start + length)
    assert alone == 0
    assert 0 <= gap + overlap <= length + 1e-9
    # One more who has it all the time turns the time with one holder into overlap, and the gap into none.
    assert counted_s({**found, "+": [(0, 100)]}, start, start + length)[1] == pytest.approx(length - gap)


def test_transition() -> None:
    assert transition(lanes(MOVED, VIP), "lb01", 10, 14) == pytest.approx(10.03)
    assert transition(lanes(STILL, VIP), "lb01", 10, 14) is None


def test_the_holder_that_gets_it_back_is_a_transition_when_nobody_else_gets_it() -> None:
    back = {"lb01": watch("lb01", True, (10.02, False), (10.1, True)), "lb02": STILL["lb02"]}
    assert transition(lanes(back, VIP), "lb01", 10, 14) == pytest.approx(10.02)


def test_an_outage_belongs_to_the_time_in_which_it_began() -> None:
    probes = {"client": probe((10.0, 10.04, 10.05), (14.1, 14.1, 14.12))}
    assert [outage["failed"] for outage in outages(probes, 9.75, 13.75)] == [5]
    assert [outage["failed"] for outage in outages(probes, 13.75, 20)] == [1]


def test_figures_of_a_takeover() -> None:
    measured = figures(run(), WINDOW, {"client": probe((9.9, 10.04, 10.06))}, MOVED, VIP)
    timeline = measured.pop("timeline")
    assert measured == {
        "holder_before": "lb01",
        "holder_during": "lb02",
        "holder_after": None,
        "failed": 15,
        "outage_s": pytest.approx(0.17),
        "failback_outage_s": 0.0,
        "detect_s": pytest.approx(0.03),
        "takeover_s": pytest.approx(0.03),
        "gap_s": pytest.approx(0.02),
        "overlap_s": 0.0,
        "alarm_s": None,
    }
    assert (timeline["from_s"], timeline["to_s"]) == (-1.0, 10.0)
    assert timeline["holders"] == {"lb01": [[-1.0, 0.02], [4.1, 10.0]], "lb02": [[0.03, 4.09]]}
    assert timeline["unknown"] == {}
    assert [(entry["at_s"], entry["what"]) for entry in timeline["moments"]] == [
        (0.0, "inject"),
        (0.03, "transition"),
        (4.0, "heal"),
    ]
    assert timeline["requests"] == {"client": [[-1.0, 9.99, 10.0, 1100, ""]]}


def test_an_outage_when_the_previous_holder_is_back_is_not_the_takeovers() -> None:
    measured = figures(run(), WINDOW, {"client": probe((13.0, 13.0, 13.02))}, BOTH, VIP)
    assert (measured["detect_s"], measured["takeover_s"]) == (pytest.approx(1.0), 0.0)


def test_an_alarm_is_named() -> None:
    watches = {**BOTH, "lb02": {**BOTH["lb02"], "alarms": [alarm("lb02", 9.0), alarm("lb02", 12.5)]}}
    measured = figures(run(), WINDOW, {"client": probe()}, watches, VIP)
    assert measured["alarm_s"] == pytest.approx(2.5)
    assert {"at_s": 2.5, "what": "alarm", "text": "split_brain on lb02"} in measured["timeline"]["moments"]


def test_the_first_alarm_of_all_hosts_counts() -> None:
    watches = {
        "lb01": {**BOTH["lb01"], "alarms": [alarm("lb01", 13.0)]},
        "lb02": {**BOTH["lb02"], "alarms": [alarm("lb02", 12.5, "peer_silent")]},
    }
    assert [one["host"] for one in alarms(watches, 10.0, 20.0)] == ["lb02", "lb01"]
    assert [one["host"] for one in alarms(watches, 12.5, 13.0)] == ["lb02"]
    assert alarms(watches, 12.6, 13.0) == []
    over = {"lb01": {**BOTH["lb01"], "alarms": [alarm("lb01", 13.0, raised=False)]}}
    assert alarms(over, 10.0, 20.0) == []


def test_moments_are_told_in_full() -> None:
    watches = {**BOTH, "lb02": {**BOTH["lb02"], "alarms": [alarm("lb02", 12.5)]}}
    measured = figures(run(targets=["lb01", "lb02"]), WINDOW, {"client": probe()}, watches, VIP)
    assert measured["timeline"]["moments"] == [
        {"at_s": 0.0, "what": "inject", "text": "lb01, lb02"},
        {"at_s": 1.0, "what": "transition", "text": ""},
        {"at_s": 2.5, "what": "alarm", "text": "split_brain on lb02"},
        {"at_s": 4.0, "what": "heal", "text": ""},
    ]
    assert measured["holder_during"] == "lb01, lb02"


# When the other one gives it up, and who is said to have had it during the fault, which is healed at 14 s.
@pytest.mark.parametrize(("until_s", "during"), [(13.5, "lb01"), (14.0, "lb01, lb02"), (14.0005, "lb01, lb02")])
def test_who_has_it_at_the_end_of_the_fault_had_it(until_s: float, during: str) -> None:
    watches = {**STILL, "lb02": watch("lb02", False, (11.0, True), (until_s, False))}
    assert figures(run(), WINDOW, {"client": probe()}, watches, VIP)["holder_during"] == during


def test_where_a_host_was_not_watched_nobody_knows_who_had_it() -> None:
    measured = figures(run(), WINDOW, {"client": probe()}, {"lb02": MOVED["lb02"]}, VIP)
    assert (measured["gap_s"], measured["overlap_s"]) == (None, None)


def test_the_holder_that_comes_back_soon_has_not_taken_over_from_itself() -> None:
    back = {
        "lb01": watch("lb01", True, (10.02, False), (10.1, True), (10.2, False)),
        "lb02": watch("lb02", False, (10.3, True)),
    }
    measured = figures(run(), WINDOW, {"client": probe((10.0, 10.3, 10.35))}, back, VIP)
    assert (measured["detect_s"], measured["takeover_s"]) == (pytest.approx(0.3), pytest.approx(0.05))


def test_a_host_that_was_not_watched_is_unknown_from_the_fault_on() -> None:
    timeline = figures(run(), WINDOW, {"client": probe()}, {"lb02": MOVED["lb02"]}, VIP)["timeline"]
    assert timeline["holders"]["lb01"] == [[-1.0, 0.0]]
    assert timeline["unknown"] == {"lb01": [[0.0, 10.0]]}


def test_another_clients_requests_are_told_on_the_first_ones_clock() -> None:
    other = probe(clock={"offset_s": 2.0, "error_s": 0.001})
    assert requests(other, WINDOW)[0][:2] == [-1.0, 10.0]


def test_requests_outside_of_the_window_are_left_out() -> None:
    seen = probe(runs=[[0.0, 1.0, 1.0, 100, ""], [5.0, 5.1, 5.4, 11, "timeout"], [5.11, 14.99, 15.0, 988, ""]])
    assert requests(seen, Window(9.0, 9.75, 10.0, 10.2, 10.5, 11.0)) == [
        [0.0, 0.1, 0.4, 11, "timeout"],
        [0.11, 0.5, 0.5, 39, ""],
    ]
