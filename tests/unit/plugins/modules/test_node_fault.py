# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invalid options of node_fault, with the exact messages."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import PLANS
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import FaultError, FaultHost
from ansible_collections.haproof.balancer.plugins.module_utils._faults.record import FaultRecord
from ansible_collections.haproof.balancer.plugins.modules import node_fault
from ansible_collections.haproof.balancer.plugins.modules.node_fault import (
    DOCUMENTATION,
    Call,
    asked,
    chosen,
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
        "commands.inject needs a command, and no command may be empty",
    ),
    (
        {"fault": "node_freeze", "node": "lb01", "commands": {"inject": [["x"]], "heal": [[]]}, "deadline": 30.0},
        "commands.inject needs a command, and no command may be empty",
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
    here = FaultRecord("service_stop", "", "nginx", {}, [], 0.0, None, False)
    frozen = here._replace(fault="node_freeze", node="lb01")
    assert chosen([here, frozen], None, None) == [here, frozen]
    assert chosen([here, frozen], "service_stop", None) == [here]
    assert chosen([here, frozen], None, "lb01") == [frozen]
    assert chosen([here, frozen], "node_freeze", "lb02") == []


def test_describe() -> None:
    assert describe(["service_stop"]) == "injected: service_stop\n"
    assert describe([]) == "healed\n"


def test_every_fault_is_described() -> None:
    described = yaml.safe_load(DOCUMENTATION)["options"]["fault"]
    assert list(described["choices"]) == list(PLANS)
    assert all(described["choices"].values())


def run_command(argv: list[str], expand_user_and_vars: bool) -> tuple[int, str, str]:
    """Run a command like AnsibleModule."""
    assert not expand_user_and_vars
    done = subprocess.run(argv, capture_output=True, check=False, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep records in the test's own directory; return the file that represents a frozen node."""
    monkeypatch.setattr(node_fault, "base_folders", lambda _uid: (str(tmp_path / "drill"),) * 2)
    # Otherwise a unit for the next boot would be written.
    monkeypatch.setattr(FaultHost, "has_systemd", lambda _self: False)
    monkeypatch.setattr(node_fault, "foreign", lambda: False)
    return tmp_path / "frozen"


def freeze(frozen: Path, check_mode: bool = False, **other: Any) -> dict[str, Any]:
    """Inject or heal a fault whose commands create and remove a file."""
    commands = {"inject": [["touch", str(frozen)]], "heal": [["rm", str(frozen)]]}
    asked = {"fault": "node_freeze", "node": "lb01", "commands": commands, "deadline": 60.0}
    params = {**NOTHING, **asked, **other}
    call = Call(SimpleNamespace(params=params, check_mode=check_mode, run_command=run_command))
    return call.injected() if params["state"] == "injected" else call.healed()


def test_check_mode_tells_and_does_nothing(frozen: Path) -> None:
    told = freeze(frozen, check_mode=True)
    assert (told["changed"], told["faults"]) == (True, ["node_freeze-lb01"])
    assert not list(frozen.parent.iterdir())


def test_injected_once_and_healed_once(frozen: Path) -> None:
    first = freeze(frozen)
    assert first["changed"]
    assert frozen.exists()
    assert first["diff"] == {"before": "healed\n", "after": "injected: node_freeze-lb01\n"}
    again = freeze(frozen)
    assert (again["changed"], again["injected_s"]) == (False, first["injected_s"])
    told = freeze(frozen, check_mode=True, state="healed")
    assert told["changed"]
    assert frozen.exists()
    healed = freeze(frozen, state="healed", fault=None, node=None)
    assert healed["changed"]
    assert healed["faults"] == ["node_freeze-lb01"]
    assert healed["injected_s"] < healed["healed_s"]
    assert not frozen.exists()
    last = freeze(frozen, state="healed")
    assert (last["changed"], last["faults"]) == (False, [])
    assert last["diff"] == {"before": "healed\n", "after": "healed\n"}


def test_another_fault_of_the_same_node_is_refused(frozen: Path) -> None:
    freeze(frozen)
    try:
        with pytest.raises(
            FaultError, match=r"^lb01 has the fault node_freeze \(commands=.*\) already, which heals in "
        ):
            freeze(frozen, fault="node_reboot")
    finally:
        freeze(frozen, state="healed")


def test_fault_that_fails_half_way_is_healed(frozen: Path) -> None:
    commands = {"inject": [["touch", str(frozen)], ["false"]], "heal": [["rm", str(frozen)]]}
    with pytest.raises(FaultError, match=r"^cannot inject the fault: exit code 1 \(false\)$"):
        freeze(frozen, commands=commands)
    assert not frozen.exists()
    assert not freeze(frozen, state="healed")["changed"]


def test_heal_that_fails_can_be_tried_again(frozen: Path) -> None:
    freeze(frozen)
    frozen.unlink()
    with pytest.raises(
        FaultError, match=r"^fault node_freeze-lb01 is not healed; its timer retries at the deadline: rm: "
    ) as failure:
        freeze(frozen, state="healed")
    assert failure.value.rc == 1
    frozen.touch()
    assert freeze(frozen, state="healed")["changed"]
