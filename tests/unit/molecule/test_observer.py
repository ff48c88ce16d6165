# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second observer of the drills sees outages and holders, and names what the report has otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import observer
from drilling import Drilled

if TYPE_CHECKING:
    from nodes import Lab

SYN = "1000.000100 IP 198.18.0.31.40000 > 198.18.0.10.80: Flags [S], seq 1, win 64240, length 0"
OK = "1000.001500 IP 198.18.0.10.80 > 198.18.0.31.40000: Flags [P.], seq 1:9, ack 1, length 9: HTTP: HTTP/1.1 200 OK"
ADDED = "[2026-11-26T10:00:00.250000] 2: eth1    inet 198.18.0.10/24 scope global secondary eth1"
GONE = "[2026-11-26T10:00:01.000000] Deleted 2: eth1    inet 198.18.0.10/24 scope global secondary eth1"
TEN = 1795687200.0  # 2026-11-26T10:00:00Z


def every_5_ms(*bad: tuple[float, float]) -> list[tuple[float, float | None]]:
    """Two seconds of requests, of which those that start in these times get no answer."""
    starts = [number * 0.005 for number in range(400)]
    return [(at, None if any(since <= at < until for since, until in bad) else at + 0.001) for at in starts]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([SYN, OK], [(1000.0001, 1000.0015)]),
        ([SYN, SYN.replace("1000.0001", "1001.0101"), OK], [(1000.0001, 1000.0015)]),
        ([SYN, OK.replace("1000.001", "1000.301")], [(1000.0001, None)]),
        ([SYN, OK.replace("200 OK", "502 Bad Gateway")], [(1000.0001, None)]),
        ([SYN, OK.replace("40000", "40001")], [(1000.0001, None)]),
        (
            [SYN, OK, SYN.replace("1000.0001", "1030.0001"), OK.replace("1000.0015", "1030.0025")],
            [(1000.0001, 1000.0015), (1030.0001, 1030.0025)],
        ),
    ],
)
def test_requests_are_connections_and_their_good_answers(lines: list[str], found: list[Any]) -> None:
    assert observer.requests("\n".join(lines), 0.25) == found


@pytest.mark.parametrize(
    ("bad", "spans"),
    [
        ([], []),
        ([(1.0, 1.1)], [(0.995, 1.101)]),
        # Nine good answers between two failures are no end, ten are one.
        ([(1.0, 1.1), (1.145, 1.2)], [(0.995, 1.201)]),
        ([(1.0, 1.1), (1.15, 1.2)], [(0.995, 1.101), (1.145, 1.201)]),
    ],
)
def test_outages_are_from_good_to_good(bad: list[tuple[float, float]], spans: list[tuple[float, float]]) -> None:
    found = observer.outages(every_5_ms(*bad))
    assert [time for span in found for time in span] == pytest.approx([time for span in spans for time in span])


def test_no_connection_is_no_service() -> None:
    sent = [request for request in every_5_ms() if not 1.0 <= request[0] < 1.2]
    assert observer.outages(sent) == [pytest.approx((0.995, 1.201))]


def test_a_lane_is_when_the_kernel_has_the_vip() -> None:
    lines = f"{ADDED.replace('.10/', '.11/')}\n{ADDED}\n{GONE}\n"
    assert observer.lane(lines, "198.18.0.10", False, TEN + 9) == [(TEN + 0.25, TEN + 1)]
    assert observer.lane(f"{GONE}\n{ADDED}", "198.18.0.10", True, TEN + 9) == [(0.0, TEN + 1), (TEN + 0.25, TEN + 9)]


@pytest.mark.parametrize(
    ("standby", "expected"), [((5.0, 7.0), (0, 0)), ((5.5, 6.0), (1.5, 0)), ((4.0, 9.0), (0, 3)), ((0.0, 1.0), (2, 0))]
)
def test_time_without_a_holder_and_with_two(standby: tuple[float, float], expected: tuple[float, float]) -> None:
    lanes = {"lb01": [(0.0, 5.0), (7.0, 20.0)], "lb02": [standby]}
    assert observer.held_s(lanes, 3.0, 10.0) == expected


def test_figures_and_what_differs() -> None:
    task = "TASK [haproof.balancer.drill : %s] ***\n"
    heal = "Heal | Heal what was broken"
    lines = [(0.5, task % "Break | Inject link_down"), (1.5, task % heal), (1.9, "PLAY RECAP\n")]
    ports = range(40000, 40400)
    record = ""
    for port, (start, end) in zip(ports, every_5_ms((1.0, 1.2), (1.7, 1.75))):
        record += SYN.replace("40000", str(port)).replace("1000.000100", f"{start:.6f}") + "\n"
        record += OK.replace("40000", str(port)).replace("1000.001500", f"{end:.6f}") + "\n" if end else ""
    lab: Any = type("Lab", (), {"vip": "198.18.0.10", "balancers": ["lb01", "lb02"]})
    records = {"client": record, "lb01": "", "lb02": ""}
    (run,) = figures_of(lab, Drilled(0, lines, {}), records)
    assert run == pytest.approx({"outage_s": 0.206, "failback_outage_s": 0.056, "gap_s": 0, "overlap_s": 0})
    told = {**run, "outage_s": 0.19, "gap_s": None, "takeover_s": None, "timeline": {"requests": {"client": []}}}
    assert observer.disagreements(told, run, 0.02) == []
    assert observer.disagreements(told, run, 0.01) == ["outage_s: 0.1900 in the report, 0.2060 on the wire"]


def figures_of(lab: Lab, done: Drilled, records: dict[str, str]) -> list[dict[str, Any]]:
    return observer.figures(lab, done, records, 0.25)["link_down"]
