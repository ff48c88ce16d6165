# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault is really there, and the node is whole again at its deadline, or when somebody heals it before."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Iterator, NamedTuple

import pytest

from nodes import CLIENT, PROJECT, eventually, inventory_balancers

if TYPE_CHECKING:
    from nodes import Lab
    from testinfra.host import Host

NODE = "lb02"
"""The standby: most of what happens to it costs nothing."""
LINK = "eth1"
CONF = "/etc/keepalived/keepalived.conf"
DISK = "/mnt/haproof-small"
FOLDER = "/run/haproof-drill"
DEADLINE_S = 4.0
# A machine that does a lot besides, and the commands that ask.
SLACK_S = 5.0

STANDS_STILL = 'grep -q "^State:.T" /proc/$(systemctl show --property=MainPID --value {})/status'
SAMPLES = (
    "pid=$(systemctl show --property=MainPID --value {unit}); for i in $(seq 40); do"
    " sed -n 's/^State:.//p' /proc/$pid/status; sleep 0.02; done | cut -c1 | sort -u | tr -d '\\n' | grep -qx '{states}'"
)
TABLE = "nft list table inet haproof_drill"


class Case(NamedTuple):
    """A fault, and the shell commands that succeed while it is there and when it is gone."""

    fault: str
    options: dict[str, Any]
    there: str
    gone: str


def unit_case(fault: str, unit: str, there: str) -> Case:
    """Return the case of a fault of a unit, which runs again afterwards."""
    gone = f"systemctl is-active {unit} && ! {STANDS_STILL.format(unit)}"
    return Case(fault, {} if unit == "keepalived" else {"service": unit}, there, gone)


def vrrp_case(fault: str, hooks: set[str]) -> Case:
    """Return the case of a table with these chains."""
    chains = " && ".join(
        f"{'' if hook in hooks else '! '}{TABLE} | grep -q 'chain {hook}'" for hook in ("input", "output")
    )
    return Case(fault, {}, f"{TABLE} && {chains}", f"! {TABLE}")


CASES = [
    unit_case("service_stop", "nginx", "! systemctl is-active nginx"),
    unit_case("service_kill", "nginx", "! kill -0 $(cat /run/pid.before)"),
    unit_case("service_hang", "nginx", STANDS_STILL.format("nginx")),
    unit_case("service_slow", "nginx", SAMPLES.format(unit="nginx", states="ST")),
    unit_case("keepalived_stop", "keepalived", "! systemctl is-active keepalived"),
    unit_case("keepalived_kill", "keepalived", "! kill -0 $(cat /run/pid.before)"),
    unit_case("keepalived_hang", "keepalived", STANDS_STILL.format("keepalived")),
    unit_case("keepalived_reload", "keepalived", "journalctl --unit=keepalived --since=-10s | grep -q Reloaded"),
    Case("keepalived_bad_config", {}, f"grep -q interfce {CONF}", f"! grep -q interfce {CONF}"),
    Case("link_down", {"interface": LINK}, f"! ip link show up dev {LINK} | grep .", f"ip link show up dev {LINK} | grep ."),
    vrrp_case("vrrp_block", {"input", "output"}),
    vrrp_case("vrrp_block_in", {"input"}),
    vrrp_case("vrrp_block_out", {"output"}),
    Case(
        "cpu_starve",
        {},
        "test $(systemctl show --property=TasksCurrent --value haproof-fault-cpu_starve) -gt $((2 * $(nproc)))",
        "! systemctl is-active haproof-fault-cpu_starve",
    ),
    Case("disk_full", {"path": DISK}, f"! echo more >{DISK}/file", f"echo more >{DISK}/file && rm {DISK}/file"),
]


@pytest.fixture(scope="module", autouse=True)
def prepared(lab: Lab) -> Iterator[None]:
    """Give the node what the faults need, and heal it at the end."""
    node = lab.nodes[NODE]
    node.check_output(f"mkdir -p {DISK} && mount -t tmpfs -o size=8m none {DISK}")
    yield
    lab.module(NODE, "node_fault", {"state": "healed"})
    node.check_output(f"umount {DISK} && rmdir {DISK}")


def holds(node: Host, command: str) -> bool:
    """Say whether a shell command succeeds on the node."""
    return bool(node.run(command).rc == 0)


def fault(lab: Lab, name: str, **arguments: Any) -> dict[str, Any]:
    """Run node_fault on a node."""
    return lab.module(name, "node_fault", arguments)[name]


def inject(lab: Lab, case: Case, deadline_s: float = DEADLINE_S) -> dict[str, Any]:
    """Inject the fault of a case into the node."""
    result = fault(lab, NODE, fault=case.fault, deadline=deadline_s, **case.options)
    assert result.get("changed"), result
    return result


def healed(node: Host, name: str) -> bool:
    """Say whether a fault is neither recorded nor waited for."""
    timer = f"haproof-heal-{name}.timer"
    return holds(node, f"! test -e {FOLDER}/{name}/record.json && ! systemctl is-active {timer}")


def whole(lab: Lab, case: Case) -> bool:
    """Say whether nothing of a fault is left."""
    node = lab.nodes[NODE]
    return healed(node, case.fault) and holds(node, case.gone) and lab.holders() == ["lb01"]


def case_of(name: str) -> Case:
    """Return the case of a fault."""
    return next(case for case in CASES if case.fault == name)


@contextmanager
def masked(node: Host, unit: str) -> Iterator[None]:
    """Keep a unit from starting."""
    node.check_output("systemctl mask --runtime %s", unit)
    try:
        yield
    finally:
        node.check_output("systemctl unmask --runtime %s", unit)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault)
def test_fault_is_there_and_heals_at_its_deadline(lab: Lab, case: Case) -> None:
    node = lab.nodes[NODE]
    unit = case.options.get("service", "keepalived")
    node.check_output(f"systemctl show --property=MainPID --value {unit} >/run/pid.before")
    before = node.check_output(f"stat --format='%a %u %g %s %Y' {CONF}; cat {CONF}")
    result = inject(lab, case)
    assert holds(node, case.there), result
    assert eventually(lambda: whole(lab, case), within_s=DEADLINE_S + SLACK_S), result
    assert node.check_output(f"stat --format='%a %u %g %s %Y' {CONF}; cat {CONF}") == before
