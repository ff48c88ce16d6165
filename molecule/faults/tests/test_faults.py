# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault takes effect, and the node recovers when healed, or else at the deadline."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple

import pytest

from nodes import CLIENT, PROJECT, eventually, inventory_balancers, run_playbook

if TYPE_CHECKING:
    from testinfra.host import Host

    from nodes import Lab

NODE = "lb02"
"""The standby, since most faults there cost nothing."""
LINK = "eth1"
CONF = "/etc/keepalived/keepalived.conf"
DISK = "/mnt/haproof-small"
FOLDER = "/run/haproof-drill"
DEADLINE_S = 3.5
# Allowance for a busy machine, and for the commands that poll.
SLACK_S = 5.0

STANDS_STILL = 'grep -q "^State:.T" /proc/$(systemctl show --property=MainPID --value {})/status'
SAMPLES = (
    "pid=$(systemctl show --property=MainPID --value {unit}); for i in $(seq 40); do"
    " sed -n 's/^State:.//p' /proc/$pid/status; sleep 0.02; done"
    " | cut -c1 | sort -u | tr -d '\\n' | grep -qx '{states}'"
)
TABLE = "nft list table netdev haproof_drill"


class Case(NamedTuple):
    """A fault, the commands that succeed while it is present and once it is gone, and commands before and after."""

    fault: str
    options: dict[str, Any]
    there: str
    gone: str
    before: str = "true"
    after: str = "true"


def unit_case(fault: str, unit: str, there: str) -> Case:
    """Return the case of a unit's fault, after which the unit runs again."""
    gone = f"systemctl is-active {unit} && ! {STANDS_STILL.format(unit)}"
    return Case(fault, {} if unit == "keepalived" else {"service": unit}, there, gone)


def vrrp_case(fault: str, hooks: set[str]) -> Case:
    """Return the case of a table with these chains."""
    chains = " && ".join(
        f"{'' if hook in hooks else '! '}{TABLE} | grep -q 'chain {hook}'" for hook in ("ingress", "egress")
    )
    return Case(fault, {}, f"{TABLE} && {chains}", f"! {TABLE}")


CASES = [
    unit_case("service_stop", "nginx", "! systemctl is-active nginx"),
    unit_case("service_kill", "nginx", "! kill -0 $(cat /run/pid.before)"),
    unit_case("service_hang", "nginx", STANDS_STILL.format("nginx")),
    Case(
        "service_slow",
        {"service": "nginx"},
        SAMPLES.format(unit="nginx", states="ST"),
        f"systemctl is-active nginx && {SAMPLES.format(unit='nginx', states='S')}",
    ),
    unit_case("keepalived_stop", "keepalived", "! systemctl is-active keepalived"),
    unit_case("keepalived_kill", "keepalived", "! kill -0 $(cat /run/pid.before)"),
    unit_case("keepalived_hang", "keepalived", STANDS_STILL.format("keepalived")),
    unit_case("keepalived_reload", "keepalived", "journalctl --unit=keepalived --since=-10s | grep -q Reloaded"),
    Case("keepalived_bad_config", {}, f"grep -q interfce {CONF}", f"! grep -q interfce {CONF}"),
    Case(
        "link_down",
        {"interface": LINK},
        f"! ip link show up dev {LINK} | grep .",
        f"ip link show up dev {LINK} | grep .",
    ),
    vrrp_case("vrrp_block", {"ingress", "egress"}),
    vrrp_case("vrrp_block_in", {"ingress"}),
    vrrp_case("vrrp_block_out", {"egress"}),
    Case(
        "cpu_starve",
        {},
        "test $(systemctl show --property=TasksCurrent --value haproof-fault-cpu_starve) -gt $((2 * $(nproc)))",
        "! systemctl is-active haproof-fault-cpu_starve",
    ),
    Case(
        "disk_full",
        {"path": DISK},
        f"! echo more >{DISK}/file",
        f"echo more >{DISK}/file && rm {DISK}/file",
        before=f"mkdir -p {DISK} && mount -t tmpfs -o size=8m none {DISK}",
        after=f"umount {DISK} && rmdir {DISK}",
    ),
]
OTHER_TESTS = {
    "network_cut": "test_cut_node_comes_back_and_reports_when_it_was_cut",
    "vip_duplicate": "test_duplicate_vip_is_removed_and_keepalived_keeps_its_own",
    "node_freeze": "test_guard_heals_when_the_controller_is_killed",
    "node_power_off": "test_killed_node_recovers_completely",
    "node_reboot": "test_killed_node_recovers_completely",
    # A container has no clock of its own.
    "clock_jump": "test_unsupported_faults",
}
"""Faults without a case, which need more than one node's shell."""


@pytest.fixture(scope="module", autouse=True)
def healed_at_the_end(lab: Lab) -> Iterator[None]:
    """Always leave the node without faults."""
    yield
    lab.module(NODE, "node_fault", {"state": "healed"})


def holds(node: Host, command: str) -> bool:
    """Return whether a shell command succeeds on the node."""
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
    """Return whether a fault is neither recorded nor scheduled to heal."""
    return holds(node, healed_command(name))


def healed_command(name: str) -> str:
    """Return a command that succeeds if a fault is neither recorded nor scheduled to heal."""
    return f"! test -e {FOLDER}/{name}/record.json && ! systemctl is-active haproof-heal-{name}.timer"


def whole(lab: Lab, case: Case) -> bool:
    """Return whether a fault has left no traces."""
    # One command, since each costs half a second.
    return holds(lab.nodes[NODE], f"{healed_command(case.fault)} && {case.gone}") and not lab.holds(NODE)


def paused(container: str) -> bool:
    """Return whether a whole node is frozen."""
    command = ["docker", "inspect", "--format", "{{.State.Paused}}", container]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip() == "true"


def address_of(lab: Lab, name: str) -> str:
    """Return a balancer's address in the service network."""
    return str(inventory_balancers(lab.inventory)[name]["backend_address"])


def answers(lab: Lab) -> bool:
    """Return whether Ansible reaches the node, and systemd is up there."""
    command = ["ansible", NODE, "-i", str(lab.inventory), "-m", "ansible.builtin.command", "-a"]
    up = subprocess.run([*command, "systemctl is-system-running"], cwd=PROJECT, capture_output=True, check=False)
    return up.returncode == 0


def run_heal(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the playbook heal."""
    return run_playbook("haproof.balancer.heal", lab.inventory, *arguments)


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
def test_fault_takes_effect_and_heals_at_its_deadline(lab: Lab, case: Case) -> None:
    node = lab.nodes[NODE]
    unit = case.options.get("service", "keepalived")
    conf = f"stat --format='%a %u %g %s %Y' {CONF}; cat {CONF}"
    pid = f"systemctl show --property=MainPID --value {unit} >/run/pid.before"
    before = node.check_output(f"{pid}; {case.before}; {conf}")
    result = inject(lab, case)
    assert holds(node, case.there), result
    assert eventually(lambda: whole(lab, case), within_s=DEADLINE_S + SLACK_S), result
    assert node.check_output(f"{case.after}; {conf}") == before


def test_link_comes_back_with_its_addresses_and_routes(lab: Lab) -> None:
    node = lab.nodes[NODE]
    # Docker disables IPv6 on a network without it.
    ipv6 = f"sysctl -w net.ipv6.conf.{LINK}.keep_addr_on_down=0 net.ipv6.conf.{LINK}.disable_ipv6="
    node.check_output(f"{ipv6}0")
    node.check_output(
        f"ip address add fd00:db8::2/64 dev {LINK} nodad && ip route add 203.0.113.0/24 dev {LINK} metric 7"
    )
    node.check_output(f"ip -6 route add fd00:db9::/64 via fd00:db8::1 dev {LINK}")
    addresses = f"ip -oneline address show dev {LINK} scope global | cut -d '\\' -f 1; ip route show dev {LINK}"
    # The kernel appends the link's state.
    state = (
        f"{addresses}; ip -6 route show dev {LINK} | grep -v fe80; cat /proc/sys/net/ipv6/conf/{LINK}/keep_addr_on_down"
    )
    try:
        before = node.check_output(state)
        inject(lab, case_of("link_down"), deadline_s=30)
        assert node.check_output(state) != before
        assert fault(lab, NODE, state="healed")["faults"] == ["link_down"]
        assert node.check_output(state) == before
    finally:
        # This also removes the addresses.
        node.check_output(f"ip route flush 203.0.113.0/24 dev {LINK}; {ipv6}1")
    assert eventually(lambda: lab.holders() == ["lb01"], within_s=SLACK_S), lab.holders()


def test_duplicate_vip_is_removed_and_keepalived_keeps_its_own(lab: Lab) -> None:
    node = lab.nodes[NODE]
    by_hand = f"ip address show dynamic to {lab.vip} | grep ."
    result = fault(lab, NODE, fault="vip_duplicate", vip=lab.vip, interface=LINK, deadline=30)
    assert result["changed"]
    assert lab.holders() == ["lb01", NODE]
    assert holds(node, by_hand)
    with lab.stopped("lb01", "keepalived"):
        # Its own address has no lifetime.
        assert eventually(lambda: holds(node, f"ip address show permanent to {lab.vip} | grep ."), within_s=5)
        assert fault(lab, NODE, state="healed")["changed"]
        assert not holds(node, by_hand)
        assert lab.moved_to(NODE), lab.holders()
    assert lab.moved_to("lb01"), lab.holders()


def test_cut_node_comes_back_and_reports_when_it_was_cut(lab: Lab) -> None:
    reaches = f"ping -c 1 -W 1 {address_of(lab, NODE)}"
    client = lab.nodes[CLIENT]
    result = fault(lab, NODE, fault="network_cut", deadline=DEADLINE_S)
    assert result["changed"]
    assert result["injected_s"] is None
    assert eventually(lambda: not holds(client, reaches), within_s=SLACK_S)
    # ARP is dropped, too.
    assert not holds(client, f"arping -c 1 -w 1 -I {LINK} {address_of(lab, NODE)}")
    assert eventually(lambda: holds(client, reaches), within_s=DEADLINE_S + SLACK_S)
    assert eventually(lambda: healed(lab.nodes[NODE], "network_cut"), within_s=SLACK_S)
    assert holds(lab.nodes[NODE], "! nft list tables | grep haproof")
    later = fault(lab, NODE, fault="network_cut", state="healed")
    assert not later["changed"], "the node had healed itself"
    assert 0 < later["healed_s"] - later["injected_s"] < DEADLINE_S
    assert eventually(lambda: lab.holders() == ["lb01"], within_s=SLACK_S), lab.holders()


def test_fault_healed_before_its_deadline(lab: Lab) -> None:
    node = lab.nodes[NODE]
    case = case_of("service_stop")
    assert fault(lab, NODE, fault="service_stop", service="nginx", deadline=30)["changed"]
    first = fault(lab, NODE, fault="service_stop", service="nginx", deadline=30)
    assert not first["changed"], "it was there already"
    refused = fault(lab, NODE, fault="keepalived_stop", deadline=30)
    assert "this host has the fault service_stop (service=nginx) already, which heals in" in refused["msg"]
    assert holds(node, "systemctl is-active keepalived")
    # As the engineer on call does.
    node.check_output(shlex.join(first["heal_command"]))
    assert whole(lab, case)
    assert node.check_output(shlex.join(first["heal_command"])) == "healed already"
    later = fault(lab, NODE, fault="service_stop", service="nginx", state="healed")
    assert not later["changed"]
    assert later["injected_s"] < later["healed_s"]
    assert not holds(node, f"test -e {FOLDER}/service_stop")


def test_failed_heal_is_retried(lab: Lab) -> None:
    node = lab.nodes[NODE]
    case = case_of("service_stop")
    inject(lab, case, deadline_s=4)
    with masked(node, "nginx"):
        failed = fault(lab, NODE, state="healed")
        assert "fault service_stop is not healed" in failed["msg"]
        assert "masked" in failed["msg"]
        ran = "journalctl --unit=haproof-heal-service_stop --since=-20s | grep -q 'is NOT healed'"
        assert eventually(lambda: holds(node, ran), within_s=12), "the deadline passed without an attempt"
        assert holds(node, "systemctl is-active haproof-heal-service_stop.timer")
    assert eventually(lambda: whole(lab, case), within_s=5 + SLACK_S)


def test_unsupported_faults(lab: Lab) -> None:
    jump = fault(lab, NODE, fault="clock_jump", deadline=5)
    assert (jump["changed"], jump["supported"]) == (False, False)
    assert jump["reason"] == "this host is a container (docker): its clock is that of its host"
    root = fault(lab, NODE, fault="disk_full", path="/", deadline=5)
    assert root["msg"] == "path is /: the root file system is never filled, name a small separate one"
    unknown = fault(lab, NODE, fault="service_stop", service="ngnix", deadline=5)
    assert unknown["msg"] == "unit ngnix is not on this host (systemd: not-found)"
    assert not holds(lab.nodes[NODE], f"ls {FOLDER}/*/record.json")


def test_guard_heals_when_the_controller_is_killed(lab: Lab) -> None:
    container = inventory_balancers(lab.inventory)[NODE]["lab_container"]
    commands = {
        # The module is still running when its controller is killed.
        "inject": [["docker", "pause", container], ["sleep", "20"]],
        "heal": [["docker", "unpause", container]],
    }
    arguments = {"fault": "node_freeze", "node": container, "commands": commands, "deadline": 6}
    command = ["ansible", "localhost", "-m", "haproof.balancer.node_fault", "-a", json.dumps(arguments)]
    controller = subprocess.Popen(command, cwd=PROJECT, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        assert eventually(lambda: paused(container), within_s=5), "the node was never frozen"
    finally:
        os.killpg(controller.pid, signal.SIGKILL)
        controller.wait()
    assert paused(container)
    assert eventually(lambda: not paused(container), within_s=6 + SLACK_S), "the node was not thawed"
    again = lab.module("localhost", "node_fault", {"state": "healed", "node": container})["localhost"]
    assert not again["changed"], "the guard had healed it"
    assert again["injected_s"] < again["healed_s"]
    assert eventually(lambda: lab.holders() == ["lb01"], within_s=SLACK_S), lab.holders()


@pytest.mark.parametrize(("name", "ends"), [("node_power_off", "kill"), ("node_reboot", "restart")])
def test_killed_node_recovers_completely(lab: Lab, name: str, ends: str) -> None:
    container = inventory_balancers(lab.inventory)[NODE]["lab_container"]
    commands = {"inject": [["docker", ends, container]], "heal": [["docker", "start", container]]}
    arguments = {"fault": name, "node": container, "commands": commands, "deadline": 60}
    addresses = "ip -oneline -4 address show scope global | awk '{ print $2, $4 }' | sort"
    before = lab.nodes[NODE].check_output(addresses)
    off = lab.module("localhost", "node_fault", arguments)["localhost"]
    assert off["changed"]
    done = run_heal(lab)
    # The driver starts it first; it may answer a moment later.
    assert not lab.module("localhost", "node_fault", {"state": "healed", "node": container})["localhost"]["changed"]
    assert done.returncode == 0 or f"{NODE} is not healed" in done.stdout, done.stdout
    assert eventually(lambda: answers(lab), within_s=20), "the node does not answer again"
    assert lab.nodes[NODE].check_output(addresses) == before


def test_playbook_heals_everything_at_once(lab: Lab, tmp_path: Path) -> None:
    inject(lab, case_of("service_slow"), deadline_s=60)
    fault(lab, "web01", fault="service_stop", service="nginx", deadline=60)
    lab.nodes[CLIENT].check_output(f"mkdir -p {FOLDER} && touch {FOLDER}/probe.run")
    # web02 has an address where no host answers.
    away = {"all": {"hosts": {"web02": {"ansible_host": "127.0.0.1", "ansible_port": 9}}}}
    (tmp_path / "away.json").write_text(json.dumps(away))
    done = run_heal(lab, f"--inventory={tmp_path / 'away.json'}")
    assert done.returncode != 0
    assert "web02 is not healed: " in done.stdout
    assert "lb01 is not healed" not in done.stdout
    assert whole(lab, case_of("service_slow"))
    assert holds(lab.nodes["web01"], "systemctl is-active nginx")
    assert not holds(lab.nodes[CLIENT], f"test -e {FOLDER}/probe.run")


PLANT = """
set -e
id mallory >/dev/null 2>&1 || useradd --no-create-home mallory
id ops >/dev/null 2>&1 || useradd --no-create-home --home-dir /nonexistent ops
planted=/tmp/haproof-drill-$(id -u ops)
[ "$1" != root ] || planted={folder}
folder=$planted/node_freeze-lb09
mkdir -p -m 700 "$folder"
record='{{"fault": "node_freeze", "node": "lb09", "unit": null, "options": {{}}, "present": [], "deadline_s": 1e9,'
echo "$record"' "injected_s": 1.0, "delayed": false}}' >"$folder/record.json"
echo 'id -un >/run/lock/haproof-owned; mv "${{0%/*}}/record.json" "${{0%/*}}/healed.json"' >"$folder/heal"
chmod -R go+rX "$planted" && chown -R mallory "$planted"
"""
REMOVE_PLANTED = "rm -rf /tmp/haproof-drill-$(id -u ops) /run/haproof-drill /run/lock/haproof-owned"


@pytest.mark.parametrize("victim", ["ops", "root"])
def test_heal_script_of_another_user_is_not_run(lab: Lab, victim: str) -> None:
    node = lab.nodes[NODE]
    node.check_output("sh -c %s plant %s", PLANT.format(folder=FOLDER), victim)
    become = json.dumps({"ansible_become": True, "ansible_become_user": victim, "ansible_become_method": "su"})
    command = ["ansible", NODE, "-i", str(lab.inventory), "-m", "haproof.balancer.node_fault", "-e", become]
    try:
        done = subprocess.run(
            [*command, "-a", "state=healed"], cwd=PROJECT, capture_output=True, check=False, text=True
        )
        assert not holds(node, "cat /run/lock/haproof-owned"), done.stdout
        assert done.returncode != 0
        assert "belongs to mallory" in done.stdout, done.stdout
    finally:
        node.check_output(REMOVE_PLANTED)


def test_broken_file_does_not_survive_a_reboot(lab: Lab) -> None:
    """A reboot clears /run and leaves the broken keepalived.conf, so the heal must survive it."""
    node = lab.nodes[NODE]
    container = inventory_balancers(lab.inventory)[NODE]["lab_container"]
    before = node.check_output("sha256sum %s", CONF)
    inject(lab, case_of("keepalived_bad_config"), deadline_s=3600)
    assert node.check_output("sha256sum %s", CONF) != before
    subprocess.run(["docker", "restart", container], check=True, stdout=subprocess.DEVNULL)
    assert eventually(lambda: answers(lab), within_s=30), "the node does not answer again"
    assert node.check_output("sha256sum %s", CONF) == before
    loaded = "journalctl _SYSTEMD_INVOCATION_ID=$(systemctl show --property=InvocationID --value keepalived)"
    assert holds(node, f"{loaded} | grep -q 'Starting VRRP child' && ! {loaded} | grep interfce")
    assert not holds(node, "ls /etc/systemd/system/*haproof*heal* /etc/systemd/system/*/*haproof*heal*")
    assert not holds(node, "ls -d /var/lib/haproof-drill/*/record.json")
    again = fault(lab, NODE, state="healed")
    assert not again["changed"], again
    assert eventually(lambda: lab.holders() == ["lb01"], within_s=SLACK_S), lab.holders()
