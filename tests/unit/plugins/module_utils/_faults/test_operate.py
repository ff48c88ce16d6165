# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The switch comes first, and stays until healing worked."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._faults import units
from ansible_collections.haproof.balancer.plugins.module_utils._faults.operate import (
    heal,
    inject,
    is_injected,
    refusal,
    survives,
    switch_for,
)
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import FaultError, Options
from ansible_collections.haproof.balancer.plugins.module_utils._faults.record import FaultRecord

from .faults_host import ModelHost, records_in

TIMER = "haproof-heal-service_stop.timer"
STOP = "systemctl stop nginx"


def arm(folder: Path) -> str:
    """Return the command that arms the timer."""
    return (
        "systemd-run --quiet --collect --unit=haproof-heal-service_stop --on-active=30 --on-unit-inactive=5"
        f" --timer-property=AccuracySec=100ms sh {folder}/service_stop/heal"
    )


def stop_nginx(host: ModelHost, folder: Path) -> FaultRecord:
    """Inject service_stop."""
    records = records_in(folder)
    wanted = Options("service_stop", records.folder("service_stop"), 30.0, service="nginx")
    return inject(host, records, units.stop(wanted, host), wanted, {"service": "nginx"})


def test_timer_is_armed_before_the_fault(tmp_path: Path) -> None:
    host = ModelHost(nginx="active")
    record = stop_nginx(host, tmp_path)
    assert host.commands == [arm(tmp_path), STOP]
    assert is_injected(host, records_in(tmp_path), record)
    # How long it took is not written: the timer may have healed the fault by then.
    assert records_in(tmp_path).active() == [record._replace(took_s=None)]
    assert record.injected_s is not None
    assert record.deadline_s - record.injected_s == pytest.approx(30, abs=5)


class SlowHost(ModelHost):
    """A host that takes its time for what changes something."""

    def change(self, argv: list[str]) -> tuple[int, str, str]:
        """See ModelHost."""
        if argv[:2] == ["systemctl", "stop"]:
            time.sleep(0.05)
        return super().change(argv)


def test_how_long_injecting_took_is_told(tmp_path: Path) -> None:
    took_s = stop_nginx(SlowHost(nginx="active"), tmp_path).took_s
    assert took_s is not None
    assert took_s >= 0.05


def test_timer_that_was_left_is_renewed(tmp_path: Path) -> None:
    host = ModelHost(nginx="active")
    host.armed = {TIMER}
    stop_nginx(host, tmp_path)
    assert host.commands == [f"systemctl stop {TIMER}", arm(tmp_path), STOP]


def test_nothing_is_injected_without_a_timer(tmp_path: Path) -> None:
    host = ModelHost(nginx="active")
    host.refuses = {"systemd-run"}
    with pytest.raises(FaultError, match=f"^cannot arm the timer {TIMER} that heals the fault: systemd-run: refused$"):
        stop_nginx(host, tmp_path)
    assert host.commands == [arm(tmp_path)]
    assert records_in(tmp_path).names() == []


def test_fault_that_fails_half_way_is_healed_at_once(tmp_path: Path) -> None:
    host = ModelHost(nginx="active")
    host.refuses = {"stop"}
    with pytest.raises(FaultError, match=r"^cannot inject the fault: systemctl: refused \(systemctl stop nginx\)$"):
        stop_nginx(host, tmp_path)
    assert host.commands[-1] == f"sh {tmp_path}/service_stop/heal"


def test_fault_that_does_nothing_is_healed_at_once(tmp_path: Path) -> None:
    host = ModelHost(nginx="active")
    host.says[STOP] = "stopped, or so it says"
    with pytest.raises(FaultError, match=r"^the fault is not in effect after injecting: "):
        stop_nginx(host, tmp_path)
    assert host.commands[-1] == f"sh {tmp_path}/service_stop/heal"


def test_heal_that_fails_says_why(tmp_path: Path) -> None:
    host = ModelHost(nginx="active")
    stop_nginx(host, tmp_path)
    host.refuses = {"sh"}
    with pytest.raises(
        FaultError, match=r"^fault service_stop is not healed; its timer retries at the deadline: sh: refused$"
    ) as failure:
        heal(host, records_in(tmp_path), "service_stop")
    assert failure.value.rc == 1
    assert host.armed == {TIMER}


@pytest.mark.parametrize(
    ("units", "armed"), [({"nginx": "active"}, {TIMER}), ({"nginx": "inactive"}, set()), ({"nginx": "active"}, set())]
)
def test_fault_that_is_only_half_there(tmp_path: Path, units: dict[str, str], armed: set[str]) -> None:
    host = ModelHost(nginx="active")
    record = stop_nginx(host, tmp_path)
    host.units, host.armed = units, armed
    assert not is_injected(host, records_in(tmp_path), record)


RECORD = FaultRecord("service_stop", "", "nginx", {"service": "nginx"}, [], 130.0, 100.0, False)
IN_THE_WAY = (
    "this host has the fault service_stop (service=nginx) already, which heals in 20 s: "
    "heal it first, with state=healed"
)
REFUSALS: list[tuple[str, str, dict[str, Any], str | None]] = [
    ("service_stop", "", {"service": "nginx"}, None),
    ("service_stop", "", {"service": "haproxy"}, IN_THE_WAY),
    ("keepalived_stop", "", {"service": "nginx"}, IN_THE_WAY),
    ("node_freeze", "lb01", {}, None),
]


@pytest.mark.parametrize(("fault", "node", "options", "message"), REFUSALS)
def test_one_fault_at_a_time(fault: str, node: str, options: dict[str, Any], message: str | None) -> None:
    assert refusal([RECORD], fault, node, options, now_s=110.0) == message


def test_nodes_are_broken_one_by_one_each() -> None:
    frozen = RECORD._replace(fault="node_freeze", node="lb01", options={})
    assert refusal([frozen], "node_freeze", "lb02", {}, 110.0) is None
    assert refusal([frozen], "node_reboot", "lb01", {}, 140.0) == (
        "lb01 has the fault node_freeze (no options) already, which heals in 0 s: heal it first, with state=healed"
    )


def test_a_fault_of_an_earlier_boot_is_not_said_to_heal_at_its_deadline() -> None:
    left = RECORD._replace(fault="keepalived_bad_config", boot="an earlier one", options={})
    assert refusal([left], "keepalived_stop", "", {}, 110.0) == (
        "this host has the fault keepalived_bad_config (no options) already, which dates from an earlier boot: "
        "heal it first, with state=healed"
    )


@pytest.mark.parametrize(
    ("fault", "systemd", "root", "expected"),
    [
        ("keepalived_bad_config", True, True, True),
        ("disk_full", True, True, True),
        ("node_freeze", True, True, True),
        ("service_stop", True, True, False),
        ("clock_jump", True, True, False),
        ("node_freeze", True, False, False),
        ("node_freeze", False, True, False),
    ],
)
def test_what_is_healed_at_the_next_boot(
    monkeypatch: pytest.MonkeyPatch, fault: str, systemd: bool, root: bool, expected: bool
) -> None:
    host = ModelHost()
    monkeypatch.setattr(host, "has_systemd", lambda: systemd)
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    assert survives(host, fault) is expected


def test_faults_of_nodes_need_no_systemd(tmp_path: Path) -> None:
    assert switch_for(ModelHost(), records_in(tmp_path), "node_freeze", "lb01").timer is None
    assert switch_for(ModelHost(), records_in(tmp_path), "service_stop", "").timer == TIMER
