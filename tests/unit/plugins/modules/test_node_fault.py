# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of node_fault that do not fit, in its own words."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.haproof.balancer.plugins.module_utils._faults.record import Record
from ansible_collections.haproof.balancer.plugins.module_utils._faults.table import FAULTS
from ansible_collections.haproof.balancer.plugins.modules.node_fault import (
    DOCUMENTATION,
    asked,
    chosen,
    clock_address,
    describe,
    problem,
)

NOTHING: dict[str, Any] = {
    **dict.fromkeys(["fault", "deadline", "service", "interface", "vip", "path", "node", "commands", "clock"]),
    "state": "injected",
    "slow_s": 0.1,
}
COMMANDS = {"inject": [["virsh", "suspend", "lb01"]], "heal": []}
CASES: list[tuple[dict[str, Any], str | None]] = [
    ({"fault": "service_stop", "service": "nginx", "deadline": 30.0}, None),
    ({"fault": "keepalived_stop", "state": "healed"}, None),
    ({"fault": "service_stop", "state": "healed"}, None),
    ({"fault": "node_freeze", "node": "lb01", "commands": COMMANDS, "deadline": 30.0}, None),
    ({"fault": "keepalived_stop", "clock": "198.18.0.31 40000", "deadline": 30.0}, None),
    ({"fault": "service_stop", "deadline": 30.0}, "fault service_stop needs service"),
    ({"fault": "vip_duplicate", "deadline": 30.0}, "fault vip_duplicate needs vip and interface"),
    ({"fault": "keepalived_stop", "deadline": 0.0}, "deadline is 0, it must be 1 to 86400 seconds"),
    ({"fault": "keepalived_stop", "deadline": float("nan")}, "deadline is nan, it must be 1 to 86400 seconds"),
    (
        {"fault": "service_slow", "service": "nginx", "slow_s": 0.0, "deadline": 30.0},
        "slow_s is 0, it must be 0.01 to 60 seconds",
    ),
    (
        {"fault": "node_freeze", "node": "../lb01", "commands": COMMANDS, "deadline": 30.0},
        "node is ../lb01, it must be a host name",
    ),
    (
        {"fault": "keepalived_stop", "node": "lb01", "deadline": 30.0},
        "fault keepalived_stop is injected on the host itself: run it there, without node",
    ),
    (
        {"fault": "node_freeze", "node": "lb01", "commands": {"inject": [], "heal": []}, "deadline": 30.0},
        "commands.inject needs a command, and every command a word",
    ),
    (
        {"fault": "node_freeze", "node": "lb01", "commands": {"inject": [["x"]], "heal": [[]]}, "deadline": 30.0},
        "commands.inject needs a command, and every command a word",
    ),
    (
        {"fault": "keepalived_stop", "clock": "198.18.0.31:40000", "deadline": 30.0},
        "clock is 198.18.0.31:40000, it must be an address and a port with a space between",
    ),
]


@pytest.mark.parametrize(("params", "expected"), CASES)
def test_problem(params: dict[str, Any], expected: str | None) -> None:
    assert problem({**NOTHING, **params}) == expected


def test_what_makes_a_fault_what_it_is() -> None:
    assert asked({**NOTHING, "fault": "service_slow", "service": "nginx"}) == {"service": "nginx", "slow_s": 0.1}
    assert asked({**NOTHING, "fault": "keepalived_stop"}) == {"service": "keepalived"}
    assert asked({**NOTHING, "fault": "keepalived_stop", "service": "kept"}) == {"service": "kept"}
    assert asked({**NOTHING, "fault": "node_freeze", "node": "lb01", "commands": COMMANDS}) == {"commands": COMMANDS}


def test_which_are_healed() -> None:
    here = Record("service_stop", "", "nginx", {}, [], 0.0, None, False)
    frozen = here._replace(fault="node_freeze", node="lb01")
    assert chosen([here, frozen], None, None) == [here, frozen]
    assert chosen([here, frozen], "service_stop", None) == [here]
    assert chosen([here, frozen], None, "lb01") == [frozen]
    assert chosen([here, frozen], "node_freeze", "lb02") == []


def test_clock_address() -> None:
    assert clock_address("fd00::31 40000") == ("fd00::31", 40000)
    assert clock_address("fd00::31") is None
    assert clock_address("fd00::31 http") is None


def test_describe() -> None:
    assert describe(["service_stop"]) == "injected: service_stop\n"
    assert describe([]) == "healed\n"


def test_every_fault_is_described() -> None:
    described = yaml.safe_load(DOCUMENTATION)["options"]["fault"]
    assert described["choices"] == sorted(FAULTS)
    assert all(f"V({name})" in " ".join(described["description"]) for name in FAULTS)
