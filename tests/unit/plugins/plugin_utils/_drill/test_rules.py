# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which faults there are, whom they break, and what passes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import BACKENDS, FAULTS, Fault
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.rules import (
    bound_s,
    breakable,
    failback_objective_s,
    holder_after,
    objective_s,
    targets,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.state import assess

from .drill_records import STANDBY, STEADY, VIP, info

STATE = assess(STEADY, VIP)
STAYS_THERE = assess({"lb01": info(True, "master", 254, preempt=False), "lb02": STANDBY}, VIP)
WEAKER = assess({"lb01": info(True, "master", 252, preempt=False), "lb02": STANDBY}, VIP)
BALANCERS, WEB = ["lb01", "lb02"], ["web01", "web02"]

TARGETS: list[tuple[str, int, list[str]]] = [
    ("link_down", 0, ["lb01"]),
    ("vrrp_block_in", 0, ["lb02"]),
    ("backend_hang", 3, ["web01"]),
    ("backends_stop", 0, ["web01", "web02"]),
    ("rolling", 0, ["lb01"]),
    ("rolling", 1, ["lb02"]),
    ("rolling", 2, ["lb01"]),
]


@pytest.mark.parametrize(("fault", "number", "expected"), TARGETS)
def test_targets(fault: str, number: int, expected: list[str]) -> None:
    assert targets(fault, STATE, number, WEB) == expected


def test_each_balancer_has_its_turn_where_the_vip_is_not_taken_back() -> None:
    moved = {**STATE, "holder": "lb02", "standby": "lb01", "order": ["lb02", "lb01"]}
    assert targets("rolling", STATE, 0, WEB) + targets("rolling", moved, 1, WEB) == ["lb01", "lb02"]


@pytest.mark.parametrize(
    ("fault", "before", "broken", "expected"),
    [
        ("service_stop", STATE, ["lb01"], "lb01"),
        ("service_stop", STAYS_THERE, ["lb01"], "lb02"),
        ("service_kill", STAYS_THERE, ["lb01"], "lb02"),
        ("rolling", STAYS_THERE, ["lb02"], "lb01"),
        ("keepalived_reload", STAYS_THERE, ["lb01"], "lb01"),
        ("backend_stop", STAYS_THERE, ["web01"], "lb01"),
        ("vrrp_block", STAYS_THERE, ["lb01"], "lb01"),
        ("vrrp_block", WEAKER, ["lb01"], "lb02"),
        ("vip_duplicate", WEAKER, ["lb02"], "lb01"),
    ],
)
def test_who_has_the_vip_afterwards(fault: str, before: dict[str, Any], broken: list[str], expected: str) -> None:
    assert holder_after(fault, before, broken) == expected


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_else_than_what_may_be_broken_is_broken(fault: str) -> None:
    assert set(targets(fault, STATE, 0, WEB)) <= set(breakable([fault], BALANCERS, WEB))


def test_breakable() -> None:
    assert breakable(["service_stop", "vrrp_block_in"], BALANCERS, WEB) == BALANCERS
    assert breakable(["backend_stop"], BALANCERS, WEB) == ["web01"]
    assert breakable(["backend_stop", "rolling", "backends_stop"], BALANCERS, WEB) == BALANCERS + WEB


@pytest.mark.parametrize(
    ("fault", "profile", "expected"),
    [
        ("service_hang", "standard", 3.0),
        ("service_hang", "fast", 1.0),
        ("service_stop", "fast", 0.1),
        ("link_down", "standard", 1.052344),
        ("backends_stop", "standard", None),
        ("keepalived_reload", "standard", 0.0),
    ],
)
def test_objective(fault: str, profile: str, expected: float | None) -> None:
    assert objective_s(fault, STATE, profile, {}) == expected


@pytest.mark.parametrize("fault", ["service_stop", "keepalived_stop", "rolling"])
def test_an_objective_is_never_below_the_bound_of_the_timers(fault: str) -> None:
    slow = assess({"lb01": info(True, "master", 150, version=2), "lb02": info(False, "backup", 100, version=2)}, VIP)
    assert objective_s(fault, slow, "standard", {}) == 0.659375
    assert objective_s(fault, slow, "standard", {fault: 0.1}) == 0.1


@pytest.mark.parametrize(
    ("fault", "outage_slo_s", "expected"),
    [("link_down", 1.05, 1.05), ("network_cut", 1.05, 3.0), ("network_cut", 4.0, 4.0), ("network_cut", None, None)],
)
def test_objective_after_healing(fault: str, outage_slo_s: float | None, expected: float | None) -> None:
    assert failback_objective_s(fault, outage_slo_s) == expected


@pytest.mark.parametrize("own", [0.5, None])
def test_ones_own_objective(own: float | None) -> None:
    assert objective_s("link_down", STATE, "standard", {"link_down": own}) == own


def test_bound() -> None:
    assert bound_s("keepalived_stop", STATE) == 0.022344
    assert bound_s("node_freeze", STATE) == 1.022344
    assert bound_s("service_hang", STATE) is None


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_every_fault_is_judged_unless_it_takes_the_backends(fault: Fault) -> None:
    judged = fault.outage_s is not None or fault.bound
    assert judged or fault.target == BACKENDS or fault.title == "a backend hangs"
