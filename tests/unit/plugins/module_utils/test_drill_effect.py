# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Was the fault there."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._drill_effect import effect

THERE = {"there": True, "lost": []}
UNKNOWN = {"there": None, "lost": []}
LOST = {"there": False, "lost": ["nginx runs"]}

# What was seen after injecting and before healing, and proven, undone and the reason.
CASES: list[tuple[Any, Any, bool, bool, str]] = [
    (THERE, THERE, True, False, ""),
    (UNKNOWN, THERE, True, False, ""),
    (THERE, UNKNOWN, True, False, ""),
    (None, None, False, False, "nothing showed that lb01 had the fault"),
    (UNKNOWN, UNKNOWN, False, False, "nothing showed that lb01 had the fault"),
    (
        THERE,
        LOST,
        True,
        True,
        "before healing the fault was not there any more (lb01: nginx runs): something else has ended it",
    ),
    (
        UNKNOWN,
        LOST,
        False,
        False,
        "before healing the fault was not there any more (lb01: nginx runs): something else has ended it",
    ),
]


@pytest.mark.parametrize(("injected", "healed", "proven", "undone", "reason"), CASES)
def test_effect(injected: Any, healed: Any, proven: bool, undone: bool, reason: str) -> None:
    run = {"targets": ["lb01"], "injected": [{"effect": injected}], "healed": [{"effect": healed}]}
    found = effect(run)
    assert (found["proven"], found["undone"], found["reason"]) == (proven, undone, reason)


def test_one_of_two_targets_is_enough_to_be_undone() -> None:
    run = {
        "targets": ["web01", "web02"],
        "injected": [{"effect": THERE}, {"effect": THERE}],
        "healed": [{"effect": THERE}, {"effect": LOST}],
    }
    found = effect(run)
    assert found["undone"]
    assert found["before_heal"]["web02"] == LOST
