# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages are upgraded, one balancer after the other. The tests run in this order, and each leaves both serving."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator

import pytest
from long_lived import long_lived

from nodes import CLIENT, PATIENT_S, apply_site, eventually, inventory_balancers, run_playbook, unchanged

if TYPE_CHECKING:
    from nodes import Lab

REPOSITORY = "/srv/newer"
SCRIPT = Path(__file__).parents[1] / "files/make-repository"
PACKAGES = {"nginx": ["nginx-common", "nginx"], "haproxy": ["haproxy"]}
PLAYBOOK = "haproof.balancer.upgrade"
FILE = "/etc/systemd/system/keepalived.service.d/maintenance.conf"
COST = r"client: (\d+) requests, (\d+) failed.*, longest outage (\d+\.\d+) s"
WAIT_S = 60


def upgrade(lab: Lab, *options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    settings = {"upgrade_drain_s": 20, "maintenance_timeout_s": 20, **variables}
    return run_playbook(PLAYBOOK, lab.inventory, "--extra-vars", json.dumps(settings), *options)


def report(run: subprocess.CompletedProcess[str]) -> str:
    """Return the output without line breaks, which Ansible adds to long messages."""
    return " ".join(run.stdout.split())


def offer(lab: Lab, suffix: str, fault: str = "none") -> None:
    """Provide the engine's and keepalived's packages to the balancers under a higher version."""
    packages = ["keepalived", *PACKAGES[lab.engine]]
    for name in lab.balancers:
        make = f"sh -c %s make-repository {REPOSITORY} {suffix} {fault} {' '.join(packages)}"
        lab.nodes[name].check_output(make, SCRIPT.read_text())


def version(lab: Lab, name: str, package: str) -> str:
    """Return the version of an installed package."""
    show = "dpkg-query --show --showformat='${db:Status-Status} ${Version}' %s"
    state, found = lab.nodes[name].check_output(show, package).split()
    assert state == "installed", (name, package, state)
    return str(found)


def versions(lab: Lab) -> set[str]:
    """Return the suffixes of all versions of the engine and keepalived on the balancers."""
    found = [version(lab, name, package) for name in lab.balancers for package in (lab.engine, "keepalived")]
    return {each.partition("+haproof")[2] for each in found}


def main_pid(lab: Lab, name: str, unit: str) -> str:
    return str(lab.nodes[name].check_output("systemctl show --value --property=MainPID %s", unit))


def outdated(lab: Lab) -> list[str]:
    """Return the daemons whose running program is not the installed one."""
    return [
        f"{unit} on {name}"
        for name in lab.balancers
        for unit in (lab.engine, "keepalived")
        if "deleted" in lab.nodes[name].check_output("readlink /proc/%s/exe", main_pid(lab, name, unit))
    ]


def serving(lab: Lab) -> bool:
    """Wait until the first balancer has the VIP, and the second one is its standby."""
    running = [
        lab.nodes[name].service(unit).is_running for name in lab.balancers for unit in (lab.engine, "keepalived")
    ]
    return all(running) and lab.moved_to("lb01", within_s=WAIT_S)


@pytest.fixture(autouse=True)
def _both_serve(lab: Lab) -> Iterator[None]:
    assert serving(lab)
    yield
    assert serving(lab)
    assert not any(lab.nodes[name].file(FILE).exists for name in lab.balancers)


def test_nothing_to_upgrade_moves_nothing(lab: Lab) -> None:
    before = [main_pid(lab, name, "keepalived") for name in lab.balancers]
    run = upgrade(lab)
    assert run.returncode == 0, run.stdout
    assert unchanged(run.stdout), run.stdout
    assert "lb01: nothing to upgrade (keepalived" in report(run)
    assert [main_pid(lab, name, "keepalived") for name in lab.balancers] == before


def test_check_mode_reports_the_versions(lab: Lab) -> None:
    old = version(lab, "lb01", lab.engine)
    offer(lab, "+haproof1")
    run = upgrade(lab, "--check")
    assert run.returncode == 0, run.stdout
    for name in lab.balancers:
        assert re.search(rf"{name}: keepalived \S+ -> \S+\+haproof1; {lab.engine}", report(run)), run.stdout
    assert f"{old} -> {old}+haproof1" in report(run)
    assert versions(lab) == {""}


def test_refused_while_the_standby_is_not_ready(lab: Lab) -> None:
    with lab.stopped("lb02", "keepalived"):
        run = upgrade(lab)
    assert run.returncode == 2, run.stdout
    refusal = f"lb01 must stay in service, since no other host could hold {lab.vip}: lb02: keepalived is not running"
    assert refusal in report(run), run.stdout
    assert versions(lab) == {""}


def test_the_holder_takes_the_vip_back_if_requests_fail_without_it(lab: Lab) -> None:
    # No request fails, but none is less than that.
    run = upgrade(lab, upgrade_hosts="lb01", probe_client=CLIENT, upgrade_failures=-1)
    assert run.returncode == 2, run.stdout
    assert "lb01 is back in service and was not upgraded, because the service failed without it: client: 0" in report(
        run
    )
    assert re.search(COST, report(run)), run.stdout
    assert lab.holders() == ["lb01"]
    assert versions(lab) == {""}


def test_under_load_nothing_fails_and_no_connection_is_cut(lab: Lab) -> None:
    with long_lived(lab) as load:
        run = upgrade(lab, probe_client=CLIENT, probe_connections=0)
        assert run.returncode == 0, run.stdout
        assert load.goes_on()
        seen = load.seen()
    cost = re.search(COST, report(run))
    assert cost is not None, run.stdout
    assert (int(cost[1]) > 0, int(cost[2])) == (True, 0), cost[0]
    assert (seen["cut"], seen["silent"], seen["wrong"], seen["failed"]) == (0, 0, 0, 0), seen
    assert re.search(r"lb02 is upgraded: keepalived \S+ -> \S+\+haproof1;.*lb01 is upgraded:", report(run)), run.stdout
    assert versions(lab) == {"1"}
    assert outdated(lab) == []
    again = upgrade(lab)
    assert again.returncode == 0, again.stdout
    assert unchanged(again.stdout), again.stdout


def test_one_in_maintenance_is_upgraded_and_stays_there(lab: Lab) -> None:
    offer(lab, "+haproof2")
    maintenance = ["haproof.balancer.maintenance", lab.inventory, "--extra-vars"]
    run = run_playbook(*maintenance, "maintenance_host=lb02 maintenance_state=on")
    assert run.returncode == 0, run.stdout
    try:
        # Not the other one, which has no standby.
        refused = upgrade(lab)
        run = upgrade(lab, upgrade_hosts="lb02")
        assert not lab.nodes["lb02"].service("keepalived").is_running
        assert lab.nodes["lb02"].file(FILE).exists
    finally:
        back = run_playbook(*maintenance, "maintenance_host=lb02 maintenance_state=off")
    assert back.returncode == 0, back.stdout
    assert refused.returncode == 2, refused.stdout
    assert "lb02: in maintenance since" in report(refused)
    assert run.returncode == 0, run.stdout
    assert [version(lab, name, lab.engine).partition("+haproof")[2] for name in lab.balancers] == ["1", "2"]
    assert outdated(lab) == []


def test_a_daemon_returns_to_a_named_version(lab: Lab) -> None:
    old = version(lab, "lb01", lab.engine).partition("+haproof")[0]
    run = upgrade(lab, upgrade_versions={lab.engine: old})
    assert run.returncode == 0, run.stdout
    assert {version(lab, name, package) for name in lab.balancers for package in PACKAGES[lab.engine]} == {old}
    # The other one gets the newest.
    assert version(lab, "lb01", "keepalived").endswith("+haproof2")
    assert outdated(lab) == []
    run = upgrade(lab, upgrade_versions={lab.engine: "0.1-1"})
    assert run.returncode == 2, run.stdout
    assert f"Version '0.1-1' for '{lab.engine}' was not found" in report(run)


@pytest.mark.parametrize(
    ("fault", "reason"), [("postinst", "out of luck"), ("binary", "Job for {engine}.service failed")]
)
def test_a_failure_stops_the_run_and_the_holder_serves(lab: Lab, fault: str, reason: str) -> None:
    old = version(lab, "lb01", lab.engine)
    offer(lab, "+haproof3", fault)
    with lab.probed(timeout_s=PATIENT_S) as probe:
        run = upgrade(lab)
        assert run.returncode == 2, run.stdout
        assert reason.format(engine=lab.engine) in report(run), run.stdout
        assert "lb02: the upgrade failed" in report(run)
        assert "It is out of service; the other balancers serve." in report(run)
        assert lab.holders() == ["lb01"]
        assert version(lab, "lb01", lab.engine) == old
        command = re.search(r"former version: ansible-playbook \S+ (-e \S+ -e [^\s']+)", report(run))
        assert command is not None, run.stdout
        # It also undoes an installation that dpkg could not complete.
        run = upgrade(lab, *command[1].split())
        assert run.returncode == 0, run.stdout
    assert probe["failed"] == 0
    assert version(lab, "lb02", lab.engine) == old
    assert outdated(lab) == []


def test_an_interrupted_run_is_completed_by_the_next_one(lab: Lab) -> None:
    offer(lab, "+haproof4")
    command = ["ansible-playbook", PLAYBOOK, f"--inventory={lab.inventory}", "-e", "upgrade_drain_s=1"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        assert eventually(lambda: not lab.nodes["lb02"].service("keepalived").is_running, within_s=300)
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    assert lab.holders() == ["lb01"]
    audit = run_playbook("haproof.balancer.audit", lab.inventory)
    assert "for an upgrade; if that no longer runs, complete it: ansible-playbook" in report(audit)
    # A task of the killed run may still be at work on the node; the package manager waits for it.
    done = upgrade(lab)
    assert done.returncode == 0, done.stdout
    assert versions(lab) == {"4"}
    assert outdated(lab) == []


def test_the_whole_system_is_upgraded_with_a_reboot(lab: Lab) -> None:
    def booted() -> list[str]:
        show = "systemctl show --property=UserspaceTimestamp --value"
        return [lab.nodes[name].check_output(show) for name in lab.balancers]

    offer(lab, "+haproof5")
    before = booted()
    containers = [host["lab_container"] for host in inventory_balancers(lab.inventory).values()]
    # A container that reboots ends.
    subprocess.run(["docker", "update", "--restart=always", *containers], check=True, stdout=subprocess.DEVNULL)
    try:
        run = upgrade(lab, upgrade_system=True, probe_client=CLIENT)
    finally:
        subprocess.run(["docker", "update", "--restart=no", *containers], check=True, stdout=subprocess.DEVNULL)
    assert run.returncode == 0, run.stdout
    cost = re.search(COST, report(run))
    assert cost is not None, run.stdout
    assert int(cost[2]) == 0, cost[0]
    assert versions(lab) == {"5"}
    assert all(now != then for now, then in zip(booted(), before, strict=True))


def test_without_the_hand_over_the_cost_is_reported(lab: Lab) -> None:
    run = apply_site(lab, {"keepalived_handover": False})
    assert run.returncode == 0, run.stdout
    offer(lab, "+haproof6")
    run = upgrade(lab, probe_client=CLIENT)
    assert run.returncode == 0, run.stdout
    cost = re.search(COST, report(run))
    assert cost is not None, run.stdout
    assert float(cost[3]) < 1, cost[0]
    assert versions(lab) == {"6"}
