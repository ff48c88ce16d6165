# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations read in the unit that suits them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import (
    ReportError,
    check_version,
    count,
    day_and_time,
    duration,
    plural,
)

CASES: list[tuple[float | None, str]] = [
    (None, "\u2013"),
    (0.0, "0 ms"),
    (0.0000284, "28 µs"),
    (0.0000996, "0.1 ms"),
    (0.0002, "0.2 ms"),
    (0.00996, "10 ms"),
    (0.0104, "10 ms"),
    (0.9994, "999 ms"),
    (0.9996, "1.00 s"),
    (1.0223, "1.02 s"),
    (9.996, "10.0 s"),
    (119.9, "119.9 s"),
    (119.99, "2 min 0 s"),
    (1065, "17 min 45 s"),
    (-0.25, "\u2212250 ms"),
]


@pytest.mark.parametrize(("seconds", "words"), CASES)
def test_duration(seconds: float | None, words: str) -> None:
    assert duration(seconds).replace("\u00a0", " ") == words


def test_numbers() -> None:
    assert (count(31022), plural(1, "run"), plural(0, "run")) == ("31\u202f022", "1 run", "0 runs")


@pytest.mark.parametrize("text", ["2026-03-02T09:14:03Z", "2026-03-02T09:14:03.25+00:00"])
def test_day_and_time(text: str) -> None:
    assert day_and_time(text) == "2026-03-02 09:14:03 UTC"


@pytest.mark.parametrize("report", [{}, {"schema_version": 1}, {"schema_version": "5"}])
def test_another_version(report: dict[str, Any]) -> None:
    with pytest.raises(ReportError, match=r"schema_version is (None|1|'5'), it must be 5"):
        check_version(report)
