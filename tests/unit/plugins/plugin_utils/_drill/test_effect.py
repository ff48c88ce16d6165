# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Was the fault there."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.effect import effect

from .drill_records import CLOCKS, THERE, run, watch

UNKNOWN = {"there": None, "lost": []}
LOST = {"there": False, "lost": ["nginx runs"]}
ENDED = "the fault was gone before healing (lb01: nginx runs): something else ended it"

# What was seen after injecting and before healing, and proven, undone and the reason.
CASES: list[tuple[Any, Any, bool, bool, str]] = [
    (THERE, THERE, True, False, ""),
    (UNKNOWN, THERE, True, False, ""),
    (THERE, UNKNOWN, True, False, ""),
    (None, None, False, False, "no evidence that lb01 had the fault"),
    (UNKNOWN, UNKNOWN, False, False, "no evidence that lb01 had the fault"),
    (THERE, LOST, True, True, ENDED),
    (UNKNOWN, LOST, False, False, "no evidence that lb01 had the fault (lb01: nginx runs)"),
]


@pytest.mark.parametrize(("injected", "healed", "proven", "undone", "reason"), CASES)
def test_effect(injected: Any, healed: Any, proven: bool, undone: bool, reason: str) -> None:
    found = effect("service_stop", run(injected=[{"effect": injected}], healed=[{"effect": healed}]))
    assert (found["proven"], found["undone"], found["reason"]) == (proven, undone, reason)


def test_one_of_two_targets_is_enough_to_be_undone() -> None:
    both = run(
        targets=["web01", "web02"],
        injected=[{"effect": THERE}, {"effect": THERE}],
        healed=[{"effect": THERE}, {"effect": LOST}],
    )
    found = effect("backends_stop", both)
    assert found["undone"]
    assert found["before_heal"]["web02"] == LOST


BOOTS: list[tuple[str, str, bool, str]] = [
    ("one", "two", True, ""),
    ("one", "one", False, "no evidence that lb01 had the fault (lb01: it has not booted)"),
    ("", "two", False, "no evidence that lb01 had the fault"),
    ("one", "", False, "no evidence that lb01 had the fault"),
]


@pytest.mark.parametrize("fault", ["node_reboot", "node_power_off"])
@pytest.mark.parametrize(("before", "after", "proven", "reason"), BOOTS)
def test_a_node_must_boot(fault: str, before: str, after: str, proven: bool, reason: str) -> None:
    booted = run(after={"lb01": {"boot": after}})
    booted["state"]["boots"] = {"lb01": before}
    found = effect(fault, booted)
    assert (found["proven"], found["undone"], found["reason"]) == (proven, False, reason)


# Of a node that is broken for 4 s: from when to when it did not look, by how far its clock fell behind.
STILL: list[tuple[list[tuple[float, float]], float | None, bool, bool, str]] = [
    ([(10.1, 14.2)], 0.0, True, False, ""),
    ([(8.0, 9.0), (10.1, 13.0)], 0.0, True, False, ""),
    ([], 3.9, True, False, ""),
    ([], None, False, False, "no evidence that lb01 had the fault (lb01: it stood still for 0.0 of 4.0 s)"),
    # Before the fault, and after it.
    ([(4.0, 9.0)], 0.0, False, False, "no evidence that lb01 had the fault (lb01: it stood still for 0.0 of 4.0 s)"),
    (
        [(10.1, 11.0)],
        0.0,
        False,
        True,
        "the fault was gone before healing (lb01: it stood still for 0.9 of 4.0 s): something else ended it",
    ),
]


@pytest.mark.parametrize(("stalls", "drift_s", "proven", "undone", "reason"), STILL)
def test_a_node_must_stand_still(
    stalls: list[tuple[float, float]], drift_s: float | None, proven: bool, undone: bool, reason: str
) -> None:
    offset_s = CLOCKS["lb01"]["offset_s"]
    told = [{"from_s": since - offset_s, "to_s": to - offset_s} for since, to in stalls]
    found = effect("node_freeze", run(), {"lb01": watch("lb01", True, stalls=told, drift_s=drift_s)})
    assert (found["proven"], found["undone"], found["reason"]) == (proven, undone, reason)


def test_a_node_that_was_not_watched_shows_nothing() -> None:
    assert effect("node_freeze", run(), {})["reason"] == "no evidence that lb01 had the fault"
