# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the report of all drills says, and why a run fails."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.report import explain, make_report

from .drill_records import VIP

PASSED, FAILED, DISTURBED, SKIPPED = (
    {"fault": "link_down", "verdict": verdict} for verdict in ("pass", "fail", "disturbed", "skip")
)

VERDICTS: list[tuple[list[dict[str, Any]], str]] = [
    ([PASSED, SKIPPED], "pass"),
    ([PASSED, FAILED], "fail"),
    ([PASSED, DISTURBED], "disturbed"),
    ([DISTURBED], "disturbed"),
    ([DISTURBED, SKIPPED], "disturbed"),
    ([PASSED, DISTURBED, FAILED], "fail"),
    ([SKIPPED], "fail"),
    ([], "fail"),
]


@pytest.mark.parametrize(("drills", "verdict"), VERDICTS)
def test_verdict(drills: list[dict[str, Any]], verdict: str) -> None:
    assert make_report(drills, {}, "", "")["verdict"] == verdict


def test_all_that_a_report_has() -> None:
    assert make_report([PASSED], {"vip": VIP}, "2026-01-31T12:00:00", "2026-01-31T12:01:00") == {
        "schema_version": 5,
        "started": "2026-01-31T12:00:00",
        "ended": "2026-01-31T12:01:00",
        "verdict": "pass",
        "cluster": {"vip": VIP},
        "drills": [PASSED],
    }


# Verdicts of the faults a, b and so on.
EXPLAINED: list[tuple[list[str], str]] = [
    (["pass"], ""),
    (["pass", "skip"], ""),
    (["pass", "fail", "fail"], "These drills did not pass, for the reasons in the table: b, c"),
    (
        ["disturbed", "pass"],
        "Something else disturbed these drills (see the table), run them again: a",
    ),
    (
        ["disturbed", "fail"],
        "These drills did not pass, for the reasons in the table: b. "
        "Something else disturbed these drills (see the table), run them again: a",
    ),
    (["skip"], "Every drill was skipped, for the reasons in the table"),
]


@pytest.mark.parametrize(("verdicts", "expected"), EXPLAINED)
def test_why_it_does_not_pass(verdicts: list[str], expected: str) -> None:
    drills: list[dict[str, Any]] = [{"fault": fault, "verdict": verdict} for fault, verdict in zip("abc", verdicts)]
    assert explain(make_report(drills, {}, "", "")) == expected
