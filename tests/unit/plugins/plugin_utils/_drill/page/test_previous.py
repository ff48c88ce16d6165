# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change counts when it is above the noise of both reports."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.previous import (
    age,
    changes,
    differences,
    unusable,
)

from ..drill_reports import report


def spread(best: float, median: float, worst: float) -> dict[str, float]:
    return {"best": best, "median": median, "worst": worst}


def one(figure: Any, verdict: str = "pass", fault: str = "link_down") -> dict[str, Any]:
    return {"drills": [{"fault": fault, "verdict": verdict, "figures": {"outage_s": figure}}]}


STEADY = spread(0.9, 0.9, 0.9)
CASES: list[tuple[Any, Any, str]] = [
    (STEADY, STEADY, "alike"),
    (STEADY, spread(1.07, 1.07, 1.07), "alike"),
    (STEADY, spread(1.09, 1.09, 1.09), "slower"),
    (STEADY, spread(0.7, 0.7, 0.7), "faster"),
    (STEADY, spread(0.9, 1.3, 1.5), "alike"),
    (spread(0.5, 0.9, 1.1), spread(1.3, 1.4, 1.45), "alike"),
    (spread(0.0, 0.0, 0.0), spread(0.02, 0.02, 0.02), "alike"),
    (spread(0.0, 0.0, 0.0), spread(0.03, 0.03, 0.03), "slower"),
    (None, STEADY, "unmeasured"),
    (STEADY, None, "unmeasured"),
]


@pytest.mark.parametrize(("before", "now", "word"), CASES)
def test_word(before: Any, now: Any, word: str) -> None:
    (change,) = changes(one(before), one(now))
    assert change.word == word


def test_new_and_gone() -> None:
    found = changes(one(STEADY, fault="link_down"), one(STEADY, fault="node_freeze"))
    assert [(change.fault, change.word, change.before_s, change.now_s) for change in found] == [
        ("node_freeze", "new", None, 0.9),
        ("link_down", "gone", 0.9, None),
    ]
    assert [change.verdicts for change in found] == ["\u2013 → passed", "passed → \u2013"]


@pytest.mark.parametrize(
    ("before", "now", "said", "worse"),
    [
        ("pass", "pass", "passed", False),
        ("pass", "fail", "passed → failed", True),
        ("fail", "fail", "failed", False),
        ("fail", "pass", "failed → passed", False),
    ],
)
def test_verdicts(before: str, now: str, said: str, worse: bool) -> None:
    (change,) = changes(one(STEADY, before), one(STEADY, now))
    assert (change.verdicts, change.worse) == (said, worse)


def test_another_version() -> None:
    assert unusable(report()) is None
    assert unusable({"schema_version": 1}) == (
        "The previous report is not compared: its schema_version is 1, this one's is 5."
    )


def test_another_cluster() -> None:
    previous = report()
    previous["cluster"].update(engine="haproxy", balancers=["lb01"])
    assert differences(previous, report()) == ["engine: haproxy → nginx", "balancers: lb01 → lb01, lb02"]


@pytest.mark.parametrize(
    ("started", "said"),
    [
        ("2026-03-02T09:13:03Z", "60.0 s"),
        ("2026-03-01T09:14:03+00:00", "24 hours"),
        ("2026-02-20T09:14:03Z", "10 days"),
    ],
)
def test_age(started: str, said: str) -> None:
    assert age({"started": started}, report()).replace("\u00a0", " ") == said
