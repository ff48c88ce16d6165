# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Outages: hand-computed cases, and properties of any requests."""

from __future__ import annotations

import errno
import ssl
import tracemalloc
from itertools import accumulate, pairwise

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._probe.outages import (
    GOOD,
    ExpiredError,
    Journal,
    Outage,
    Request,
    Streak,
    error_kind,
    gaps,
    latency,
    max_gap_s,
    outages,
    outcome_of,
    runs,
    summary,
)
from hypothesis import given
from hypothesis import strategies as st

# Requests at 0, 1, 2, … that are answered after 0.5; "+" is good, any other mark the outcome.
OUTAGES: list[tuple[str, list[Outage]]] = [
    ("", []),
    ("++++", []),
    ("+-++", [Outage(0.0, 2.5, 1.0, 1.0, 1, True)]),
    ("++-x+", [Outage(1.0, 4.5, 2.0, 3.0, 2, True)]),
    # Every other request is refused: it is down until ten in a row are good.
    ("+-+-+", [Outage(0.0, 4.5, 1.0, 3.0, 2, True)]),
    ("+-+++++++++-++", [Outage(0.0, 12.5, 1.0, 11.0, 2, True)]),
    ("+-++++++++++-+", [Outage(0.0, 2.5, 1.0, 1.0, 1, True), Outage(11.0, 13.5, 12.0, 12.0, 1, True)]),
    ("+-+-", [Outage(0.0, 3.5, 1.0, 3.0, 2, False)]),
    ("--++", [Outage(0.0, 2.5, 0.0, 1.0, 2, True)]),
    ("++-x-", [Outage(1.0, 4.5, 2.0, 4.0, 3, False)]),
    ("--", [Outage(0.0, 1.5, 0.0, 1.0, 2, False)]),
]
RUNS: list[tuple[str, list[Streak]]] = [
    ("", []),
    ("+++", [Streak(0.0, 2.0, 0.5, 2.5, 3, GOOD)]),
    (
        "++-x+",
        [
            Streak(0.0, 1.0, 0.5, 1.5, 2, GOOD),
            Streak(2.0, 2.0, 2.5, 2.5, 1, "-"),
            Streak(3.0, 3.0, 3.5, 3.5, 1, "x"),
            Streak(4.0, 4.0, 4.5, 4.5, 1, GOOD),
        ],
    ),
]

# (gap to the request before, time to its end, outcome)
rows = st.lists(
    st.tuples(
        st.floats(min_value=0.001, max_value=10),
        st.floats(min_value=0, max_value=10),
        st.sampled_from([GOOD, GOOD, "timeout", "refused"]),
    ),
    max_size=40,
)
Rows = list[tuple[float, float, str]]


def marked(marks: str) -> list[Request]:
    return [Request(float(number), 0.5, GOOD if mark == "+" else mark) for number, mark in enumerate(marks)]


def read(table: Rows) -> list[Request]:
    starts = accumulate(gap for gap, _took, _outcome in table)
    return [Request(start, took, outcome) for start, (_gap, took, outcome) in zip(starts, table)]


@pytest.mark.parametrize(("marks", "expected"), OUTAGES)
def test_outages(marks: str, expected: list[Outage]) -> None:
    assert outages(runs(marked(marks))) == expected


@pytest.mark.parametrize(("marks", "expected"), RUNS)
def test_runs(marks: str, expected: list[Streak]) -> None:
    assert runs(marked(marks)) == expected


def test_a_run_ends_with_its_latest_answer() -> None:
    """The first request may be answered last."""
    assert runs([Request(0.0, 9.0, GOOD), Request(1.0, 0.5, GOOD)]) == [Streak(0.0, 1.0, 9.0, 9.0, 2, GOOD)]


@given(rows)
def test_runs_lose_no_request(table: Rows) -> None:
    requests = read(table)
    found = runs(requests)
    assert [run.outcome for run in found for _number in range(run.size)] == [one.outcome for one in requests]
    assert all(before.outcome != after.outcome for before, after in zip(found, found[1:]))
    assert max((run.end_s for run in found), default=0.0) == max((one.end_s for one in requests), default=0.0)
    assert {moment for run in found for moment in run[:2]} <= {one.start_s for one in requests}


@given(rows)
def test_every_failed_request_is_in_one_outage_and_only_there(table: Rows) -> None:
    requests = read(table)
    found = outages(runs(requests))
    assert sum(outage.failed for outage in found) == sum(one.outcome != GOOD for one in requests)
    for one in requests:
        within = [outage for outage in found if outage.first_s <= one.start_s <= outage.last_s]
        assert len(within) == 1 if one.outcome != GOOD else len(within) <= 1


@given(rows)
def test_ten_good_ones_in_a_row_are_between_two_outages(table: Rows) -> None:
    requests = read(table)
    for before, after in pairwise(outages(runs(requests))):
        between = [one for one in requests if before.last_s < one.start_s < after.first_s]
        assert len(between) >= 10
        assert all(one.outcome == GOOD for one in between)


@given(rows)
def test_an_outage_spans_from_good_to_good(table: Rows) -> None:
    requests = read(table)
    for outage in outages(runs(requests)):
        assert outage.start_s <= outage.first_s <= outage.last_s <= outage.end_s
        before = [one.start_s for one in requests].index(outage.start_s)
        assert requests[before].outcome == GOOD or before == 0
        if outage.recovered:
            assert outage.end_s in [one.end_s for one in requests if one.outcome == GOOD]


@given(rows, st.data())
def test_one_more_failure_never_shortens_the_longest_outage(table: Rows, data: st.DataObject) -> None:
    requests = read(table)
    # An answer may overtake a later one; the outage then ends with the answer to the request that started first.
    ends = accumulate((one.end_s for one in requests), max)
    requests = [one._replace(took_s=end_s - one.start_s) for one, end_s in zip(requests, ends)]
    fine = [number for number, one in enumerate(requests[:-1]) if one.outcome == GOOD]
    if not fine:
        return
    victim = data.draw(st.sampled_from(fine))
    worse = [one._replace(outcome="reset") if number == victim else one for number, one in enumerate(requests)]

    def longest(those: list[Request]) -> float:
        return max((outage.end_s - outage.start_s for outage in outages(runs(those))), default=0.0)

    assert longest(worse) >= longest(requests) - 1e-9


@pytest.mark.parametrize(
    ("starts", "stopped", "expected"),
    [([], 5.0, 0.0), ([1.0], 5.0, 4.0), ([0.0, 1.0, 3.0], 3.5, 2.0), ([0.0, 1.0], 9.0, 8.0)],
)
def test_max_gap(starts: list[float], stopped: float, expected: float) -> None:
    assert max_gap_s(starts, stopped) == expected


@pytest.mark.parametrize(
    ("starts", "stopped", "expected"),
    [
        ([], 5.0, []),
        ([1.0], 5.0, [(1.0, 4.0)]),
        ([0.0, 1.0, 3.0, 4.0], 5.5, [(1.0, 2.0), (4.0, 1.5)]),
        ([float(2 * number) for number in range(1002)] + [9000.0], 9001.0, None),
    ],
)
def test_gaps(starts: list[float], stopped: float, expected: list[tuple[float, float]] | None) -> None:
    found = gaps(starts, stopped, 1.0)
    if expected is not None:
        assert found == expected
    else:
        assert len(found) == 1000
        assert found[-1] == (2002.0, 6998.0)
        assert found == sorted(found)


@pytest.mark.parametrize(
    ("took", "expected"),
    [
        ([], None),
        ([0.25], {"p50": 0.25, "p99": 0.25, "max": 0.25}),
        ([0.002, 0.001], {"p50": 0.001, "p99": 0.002, "max": 0.002}),
        ([number / 1000 for number in range(1, 201)], {"p50": 0.1, "p99": 0.198, "max": 0.2}),
        ([0.123456], {"p50": 0.123, "p99": 0.123, "max": 0.123456}),
        ([0.016178], {"p50": 0.016178, "p99": 0.016178, "max": 0.016178}),
    ],
)
def test_latency(took: list[float], expected: dict[str, float] | None) -> None:
    assert latency(took) == expected


@given(st.lists(st.floats(min_value=1e-4, max_value=60), min_size=1))
def test_latency_is_what_sorting_says_to_three_digits(took: list[float]) -> None:
    found = latency(took)
    assert found
    middle = sorted(took)[(len(took) + 1) // 2 - 1]
    assert found["p50"] == pytest.approx(middle, rel=0.006)
    assert found["p50"] <= found["p99"] <= found["max"]


def test_journal_and_summary() -> None:
    journal = Journal()
    for start in (100.0, 100.01, 100.02, 100.03):
        journal.begin(start)
    journal.end(2, 100.2, "refused")
    journal.end(0, 100.001, GOOD)
    journal.end(3, 100.031, GOOD)
    assert summary(journal, 100.04, 0.004) == {
        "requests": 4,
        "failed": 2,
        "errors": {"refused": 1, "unfinished": 1},
        "origin_s": 100.0,
        "runs": [
            [0.0, 0.0, 0.001, 1, ""],
            [0.01, 0.01, 0.01, 1, "unfinished"],
            [0.02, 0.02, 0.2, 1, "refused"],
            [0.03, 0.03, 0.031, 1, ""],
        ],
        "outages": [
            {
                "start_s": 0.0,
                "end_s": 0.031,
                "first_s": 0.01,
                "last_s": 0.02,
                "outage_s": 0.031,
                "failed": 2,
                "recovered": True,
            }
        ],
        "outage_s": 0.031,
        "gaps": [[0.0, 0.01], [0.01, 0.01], [0.02, 0.01], [0.03, 0.01]],
        "max_gap_s": 0.01,
        "elapsed_s": 0.04,
        "latency_s": {"p50": 0.001, "p99": 0.001, "max": 0.001},
    }


def test_summary_of_nothing() -> None:
    assert summary(Journal(), 7.0, 0.01) == {
        "requests": 0,
        "failed": 0,
        "errors": {},
        "origin_s": 7.0,
        "runs": [],
        "outages": [],
        "outage_s": 0.0,
        "gaps": [],
        "max_gap_s": 0.0,
        "elapsed_s": 0.0,
        "latency_s": None,
    }


def test_an_hour_at_500_a_second_takes_less_than_40_mb() -> None:
    """A hundredth of it, summary included, takes less than a hundredth."""
    tracemalloc.start()
    try:
        journal = Journal()
        for number in range(18_000):
            start = 1000.0 + number / 500
            journal.end(journal.begin(start), start + 0.0001 + number % 97 / 1e5, GOOD)
        result = summary(journal, 1036.0, 0.002)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 400_000
    assert len(str(result)) < 500


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ECONNREFUSED, "refused"),
        (errno.EPIPE, "reset"),
        (errno.EHOSTUNREACH, "unreachable"),
        (errno.EMFILE, "EMFILE"),
        (0, "errno_0"),
    ],
)
def test_error_kind(number: int, kind: str) -> None:
    assert error_kind(number) == kind


def certificate_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_code = code
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ExpiredError(), "timeout"),
        (ConnectionResetError(errno.ECONNRESET, ""), "reset"),
        (TimeoutError(errno.ETIMEDOUT, ""), "timeout"),
        (certificate_error(10), "tls_expired"),
        (certificate_error(62), "tls_name"),
        (certificate_error(23), "tls_certificate_23"),
        (ssl.SSLEOFError(8, "EOF occurred"), "tls_closed"),
    ],
)
def test_outcome_of(error: OSError, kind: str) -> None:
    assert outcome_of(error) == kind
