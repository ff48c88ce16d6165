# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults against a small model of systemd: the timer comes first, and stays until healing worked."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._faults import (
    DEFAULT_UNITS,
    FAULTS,
    FaultError,
    HealTimer,
    heal,
    inject,
    service_stop,
    unit_state,
)


class Systemd:
    """Units, timers, and every command that changed something."""

    def __init__(self, **units: str) -> None:
        self.units = units
        self.timers: set[str] = set()
        self.commands: list[str] = []
        self.refuses: set[str] = set()

    def run(self, argv: list[str]) -> tuple[int, str, str]:
        if argv[:2] == ["systemctl", "show"]:
            state = self.units.get(argv[-1])
            return 0, f"LoadState={'loaded' if state else 'not-found'}\nActiveState={state or 'inactive'}\n", ""
        if argv[:2] == ["systemctl", "is-active"]:
            armed = argv[2] in self.timers
            return (0, "active\n", "") if armed else (4, "inactive\n", "")
        self.commands.append(" ".join(argv))
        return self.change(argv)

    def change(self, argv: list[str]) -> tuple[int, str, str]:
        if argv[1] in self.refuses or argv[0] in self.refuses:
            return 1, "", f"{argv[0]}: refused\n"
        if argv[0] == "systemd-run":
            unit = next(word for word in argv if word.startswith("--unit="))[len("--unit=") :]
            self.timers.add(unit + ".timer")
        elif argv[-1] in self.timers:
            self.timers.remove(argv[-1])
        else:
            self.units[argv[-1]] = {"start": "active", "stop": "inactive"}[argv[1]]
        return 0, "", ""


ARM = (
    "systemd-run --quiet --collect --unit=haproof-heal-service_stop --on-active=30"
    " --timer-property=AccuracySec=100ms systemctl start nginx"
)
DISARM = "systemctl stop haproof-heal-service_stop.timer"


def nginx(systemd: Systemd) -> HealTimer:
    return HealTimer(systemd.run, "service_stop")


def test_the_timer_is_armed_before_the_fault() -> None:
    systemd = Systemd(nginx="active")
    inject(systemd.run, service_stop("nginx"), nginx(systemd), 30.0)
    assert systemd.commands == [ARM, "systemctl stop nginx"]
    assert nginx(systemd).armed()
    assert service_stop("nginx").injected(systemd.run)


def test_healing_comes_before_disarming() -> None:
    systemd = Systemd(nginx="inactive")
    systemd.timers.add("haproof-heal-service_stop.timer")
    heal(systemd.run, service_stop("nginx"), nginx(systemd))
    assert systemd.commands == ["systemctl start nginx", DISARM]
    assert not service_stop("nginx").injected(systemd.run)


def test_a_timer_that_was_left_is_renewed() -> None:
    systemd = Systemd(nginx="active")
    systemd.timers.add("haproof-heal-service_stop.timer")
    inject(systemd.run, service_stop("nginx"), nginx(systemd), 30.0)
    assert systemd.commands == [DISARM, ARM, "systemctl stop nginx"]


def test_nothing_is_injected_without_a_timer() -> None:
    systemd = Systemd(nginx="active")
    systemd.refuses = {"systemd-run"}
    with pytest.raises(FaultError, match="cannot arm the timer haproof-heal-service_stop"):
        inject(systemd.run, service_stop("nginx"), nginx(systemd), 30.0)
    assert systemd.commands == [ARM]


def test_a_fault_that_fails_half_way_is_healed_at_once() -> None:
    systemd = Systemd(nginx="active")
    systemd.refuses = {"stop"}
    with pytest.raises(FaultError, match="cannot"):
        inject(systemd.run, service_stop("nginx"), nginx(systemd), 30.0)
    assert "systemctl start nginx" in systemd.commands


def test_while_healing_fails_the_timer_stays() -> None:
    systemd = Systemd(nginx="inactive")
    systemd.timers.add("haproof-heal-service_stop.timer")
    systemd.refuses = {"start"}
    with pytest.raises(FaultError, match="cannot heal the fault: systemctl: refused") as failure:
        heal(systemd.run, service_stop("nginx"), nginx(systemd))
    assert failure.value.cmd == ["systemctl", "start", "nginx"]
    assert failure.value.rc == 1
    assert nginx(systemd).armed()


def test_a_unit_that_is_not_there() -> None:
    with pytest.raises(FaultError, match="unit ngnix is not on this host"):
        unit_state(Systemd().run, "ngnix")


@pytest.mark.parametrize("state", ["inactive", "failed", "activating", "deactivating"])
def test_only_an_active_unit_is_healed(state: str) -> None:
    assert service_stop("nginx").injected(Systemd(nginx=state).run)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_can_be_healed_by_a_command(name: str) -> None:
    fault = FAULTS[name](DEFAULT_UNITS.get(name, "nginx"))
    assert fault.heal
    assert fault.heal != fault.inject
