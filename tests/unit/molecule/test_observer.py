# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The drills' second observer sees outages and holders, and reports differences from the report."""

from __future__ import annotations

from typing import Any

import pytest

import observer
from drilling import Drilled

ETHERNET = "2e:00:00:00:00:31 > 2e:00:00:00:00:11, ethertype IPv4 (0x0800), length 74:"
SYN = f"1000.000100 {ETHERNET} 198.18.0.31.40000 > 198.18.0.10.80: Flags [S], seq 1, win 64240, length 0"
OK = f"1000.001500 {ETHERNET} 198.18.0.10.80 > 198.18.0.31.40000: Flags [P.], length 9: HTTP: HTTP/1.1 200 OK"
ARP = "1000.000000 2e:00:00:00:00:%s > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Reply 198.18.0.10 is-at x"
ADDED = "[2026-11-26T10:00:00.250000] 2: eth1    inet 198.18.0.10/24 scope global secondary eth1"
GONE = "[2026-11-26T10:00:01.000000] Deleted 2: eth1    inet 198.18.0.10/24 scope global secondary eth1"
TEN = 1795687200.0  # 2026-11-26T10:00:00Z


def every_5_ms(*bad: tuple[float, float]) -> list[tuple[float, float | None]]:
    """Return two seconds of requests, without answers for those that start in these times."""
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
        # Nine good answers between two failures do not end it, ten do.
        ([(1.0, 1.1), (1.145, 1.2)], [(0.995, 1.201)]),
        ([(1.0, 1.1), (1.15, 1.2)], [(0.995, 1.101), (1.145, 1.201)]),
    ],
)
def test_outages_are_from_good_to_good(bad: list[tuple[float, float]], spans: list[tuple[float, float]]) -> None:
    found = observer.outages(every_5_ms(*bad))
    assert [time for span in found for time in span] == pytest.approx([time for span in spans for time in span])


def test_between_two_probers_there_is_no_outage() -> None:
    assert observer.outages([request for request in every_5_ms() if not 1.0 <= request[0] < 1.2]) == []


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


def seen() -> dict[str, Any]:
    """The observer's figures of two outages, with lb02 announcing the VIP at 1.15 s."""
    task = "TASK [haproof.balancer.drill : %s] ***\n"
    lines = [(0.5, task % "Break | Inject link_down"), (1.5, task % "Heal | Heal the targets"), (1.9, "RECAP\n")]
    record = [(ARP % mac).replace("1000.000000", at) for mac, at in (("11", "0.90"), ("12", "1.15"), ("11", "1.60"))]
    for port, (start, end) in enumerate(every_5_ms((1.0, 1.2), (1.7, 1.75)), 40000):
        record.append(SYN.replace("40000", str(port)).replace("1000.000100", f"{start:.6f}"))
        if end:
            record.append(OK.replace("40000", str(port)).replace("1000.001500", f"{end:.6f}"))
    lab: Any = type("Lab", (), {"vip": "198.18.0.10", "balancers": ["lb01", "lb02"]})
    records = {"client": "\n".join(record), "lb01": "", "lb02": ""}
    records |= {
        "lb01 macs": "00:00:00:00:00:00\n2e:00:00:00:00:11",
        "lb02 macs": "00:00:00:00:00:00\n2e:00:00:00:00:12",
    }
    (run,) = observer.figures(lab, Drilled(0, lines, {}), records, 0.25)["link_down"]
    return run


TOLD: dict[str, Any] = {
    "outage_s": 0.206,
    "failback_outage_s": 0.056,
    "gap_s": 0.0,
    "overlap_s": 0.0,
    "takeover_s": 0.051,
    "detect_s": 0.165,
    "timeline": {
        "requests": {
            "client": [[-0.4, 0.01, 0.02, 83, ""], [0.015, 0.21, 0.46, 40, "timeout"], [0.215, 0.9, 0.9, 137, ""]]
        },
        "moments": [{"at_s": 0.0, "what": "inject"}, {"at_s": 0.6, "what": "heal"}],
    },
}


def test_figures_of_a_run() -> None:
    expected = {"outage_s": 0.206, "failback_outage_s": 0.056, "gap_s": 0, "overlap_s": 0, "takeover_s": 0.051}
    assert seen() == pytest.approx({**expected, "lead_s": 0.155, "requests": 280})


TIMELINE = TOLD["timeline"]
DIFFERENT: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"outage_s": 0.19}, ["outage_s: 0.1900 in the report, 0.2060 for the observer"]),
    ({"detect_s": 0.18}, []),
    ({"detect_s": 0.19}, ["lead_s: 0.1800 in the report, 0.1550 for the observer"]),
    (
        {"detect_s": None, "takeover_s": None},
        ["lead_s: known only to the observer", "takeover_s: known only to the observer"],
    ),
    ({"gap_s": None, "overlap_s": None}, []),
    (
        {"timeline": {**TIMELINE, "requests": {"client": [[0.0, 1.0, 1.0, 400, ""]]}}},
        ["requests: only 280 were seen", "lead_s: known only to the observer"],
    ),
    (
        {
            "detect_s": 0.665,
            "timeline": {
                "requests": {"client": [[-0.4, 0.51, 0.52, 83, ""], [0.515, 0.71, 0.96, 40, "timeout"]]},
                "moments": [{"at_s": 1.1, "what": "heal"}],
            },
        },
        ["the first request failed after 0.5150, detected: 0.665"],
    ),
    # The takeover itself reset this connection, a moment before the new holder was recorded.
    (
        {
            "detect_s": 0.516,
            "takeover_s": 0.051,
            "timeline": {
                "requests": {"client": [[-0.4, 0.51, 0.52, 83, ""], [0.515, 0.515, 0.517, 1, "reset"]]},
                "moments": [{"at_s": 1.1, "what": "heal"}],
            },
        },
        ["lead_s: 0.0060 in the report, 0.1550 for the observer"],
    ),
]


@pytest.mark.parametrize(("changed", "named"), DIFFERENT)
def test_what_differs_is_named(changed: dict[str, Any], named: list[str]) -> None:
    assert observer.disagreements({**TOLD, **changed}, seen(), 0.01) == named


def test_an_outage_within_the_tolerance_may_be_felt_by_one_of_the_two() -> None:
    told = {**TOLD, "outage_s": 0.008, "takeover_s": 0.051}
    felt = {name: value for name, value in seen().items() if name != "lead_s"}
    assert observer.disagreements(told, {**felt, "outage_s": 0.0, "takeover_s": 0.051}, 0.01) == []
    assert observer.disagreements(told, {**felt, "outage_s": 0.0, "takeover_s": 0.051}, 0.001) == [
        "lead_s: known only to the report",
        "outage_s: 0.0080 in the report, 0.0000 for the observer",
    ]
