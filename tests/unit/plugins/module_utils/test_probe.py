# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Outages: hand-computed cases, and what must hold for any requests."""

from __future__ import annotations

import errno
from itertools import accumulate

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._probe import (
    GOOD,
    Journal,
    Outage,
    error_kind,
    max_gap_s,
    outages,
    summary,
)
from hypothesis import given
from hypothesis import strategies as st

# Requests at 0, 1, 2, … that are answered after 0.5; "+" is good, "-" failed.
CASES: list[tuple[str, list[Outage]]] = [
    ("", []),
    ("++++", []),
    ("+-++", [Outage(0.0, 2.5, 1, True)]),
    ("++--+", [Outage(1.0, 4.5, 2, True)]),
    ("+-+-+", [Outage(0.0, 2.5, 1, True), Outage(2.0, 4.5, 1, True)]),
    ("--+", [Outage(0.0, 2.5, 2, True)]),
    ("++--", [Outage(1.0, 3.5, 2, False)]),
    ("--", [Outage(0.0, 1.5, 2, False)]),
]

# (gap to the request before, time to its end, good)
requests = st.lists(
    st.tuples(
        st.floats(min_value=0.001, max_value=10), st.floats(min_value=0, max_value=10), st.sampled_from([True, False])
    ),
    max_size=40,
)
Requests = list[tuple[float, float, bool]]


def split(rows: Requests) -> tuple[list[float], list[float], list[bool]]:
    starts = list(accumulate(gap for gap, _took, _good in rows))
    ends = [start + took for start, (_gap, took, _good) in zip(starts, rows)]
    return starts, ends, [good for _gap, _took, good in rows]


@pytest.mark.parametrize(("marks", "expected"), CASES)
def test_outages(marks: str, expected: list[Outage]) -> None:
    starts = [float(number) for number in range(len(marks))]
    assert outages(starts, [start + 0.5 for start in starts], [mark == "+" for mark in marks]) == expected


@given(requests)
def test_every_failed_request_is_in_one_outage_and_only_there(rows: Requests) -> None:
    starts, ends, good = split(rows)
    found = outages(starts, ends, good)
    assert sum(outage.failed for outage in found) == good.count(False)
    for start, fine in zip(starts, good):
        within = [outage for outage in found if outage.start_s <= start <= outage.end_s]
        assert fine or within


@given(requests)
def test_an_outage_spans_from_good_to_good(rows: Requests) -> None:
    starts, ends, good = split(rows)
    for outage in outages(starts, ends, good):
        assert outage.end_s >= outage.start_s
        before = starts.index(outage.start_s)
        assert good[before] or before == 0
        if outage.recovered:
            assert outage.end_s in [end for end, fine in zip(ends, good) if fine]


@given(requests, st.data())
def test_one_more_failure_never_shortens_the_longest_outage(rows: Requests, data: st.DataObject) -> None:
    starts, ends, good = split(rows)
    if not any(good[:-1]):
        return
    victim = data.draw(st.sampled_from([number for number, fine in enumerate(good[:-1]) if fine]))
    worse = [fine and number != victim for number, fine in enumerate(good)]
    # An answer may overtake a later one; the outage then ends with the answer to the request that started first.
    ends = list(accumulate(ends, max))

    def longest(marks: list[bool]) -> float:
        return max((outage.end_s - outage.start_s for outage in outages(starts, ends, marks)), default=0.0)

    assert longest(worse) >= longest(good)


@pytest.mark.parametrize(
    ("starts", "stopped", "expected"),
    [([], 5.0, 0.0), ([1.0], 5.0, 4.0), ([0.0, 1.0, 3.0], 3.5, 2.0), ([0.0, 1.0], 9.0, 8.0)],
)
def test_max_gap(starts: list[float], stopped: float, expected: float) -> None:
    assert max_gap_s(starts, stopped) == expected


def test_journal_and_summary() -> None:
    journal = Journal()
    for start in (100.0, 100.01, 100.02, 100.03):
        journal.begin(start)
    journal.end(2, 100.2, "refused")
    journal.end(0, 100.001, GOOD)
    journal.end(3, 100.031, GOOD)
    assert summary(journal, 100.04) == {
        "requests": 4,
        "failed": 2,
        "errors": {"refused": 1, "unfinished": 1},
        "outages": [{"start_s": 0.0, "end_s": 0.031, "outage_s": 0.031, "failed": 2, "recovered": True}],
        "outage_s": 0.031,
        "max_gap_s": 0.01,
        "elapsed_s": 0.04,
    }


def test_summary_of_nothing() -> None:
    assert summary(Journal(), 7.0) == {
        "requests": 0,
        "failed": 0,
        "errors": {},
        "outages": [],
        "outage_s": 0.0,
        "max_gap_s": 0.0,
        "elapsed_s": 0.0,
    }


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
