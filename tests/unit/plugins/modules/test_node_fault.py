# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of node_fault that do not fit, in its own words."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.modules.node_fault import describe, problem

CASES: list[tuple[dict[str, Any], str | None]] = [
    ({"fault": "service_stop", "service": "nginx", "deadline": 30.0}, None),
    ({"fault": "keepalived_stop", "service": None, "deadline": None}, None),
    (
        {"fault": "service_stop", "service": None, "deadline": 30.0},
        "fault service_stop needs service, the unit that it is done to",
    ),
    (
        {"fault": "keepalived_stop", "service": None, "deadline": 0.0},
        "deadline is 0, it must be at least 1 second",
    ),
    (
        {"fault": "keepalived_stop", "service": None, "deadline": float("nan")},
        "deadline is nan, it must be at least 1 second",
    ),
]


@pytest.mark.parametrize(("params", "expected"), CASES)
def test_problem(params: dict[str, Any], expected: str | None) -> None:
    assert problem(params) == expected


def test_describe() -> None:
    assert describe(True, True) == "injected (heals itself at its deadline)\n"
    assert describe(False, False) == "healed (no timer)\n"
