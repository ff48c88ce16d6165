# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drills that do not start, with the reason, and drills that are interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from drilling import command, drill
from nodes import CLIENT, eventually

if TYPE_CHECKING:
    from nodes import Lab

REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"faults": "link_dwon"}, "link_dwon"),
    ({"allowed_hosts": ["lb01"]}, "lb02: not allowed to be broken. Add the host to drill_allowed_hosts in the"),
    ({"allowed_hosts": [], "confirm": "lb01"}, "or allow it for this run: -e drill_confirm=lb01,lb02"),
    ({"deadline_s": None}, "argument 'drill_deadline_s' is of type"),
    ({"deadline_s": 5}, "drill_deadline_s is 5: set it to 10 seconds or more"),
    ({"hold_s": 16}, "drill_hold_s is 16: set it to half of drill_deadline_s, 30, or less"),
    ({"hold_s": 0}, "drill_hold_s is 0: set it to 1 second or more"),
    ({"slo": {"service_stop": "abc"}}, 'drill_slo has "abc" for service_stop: set it to seconds, 0 or more'),
    ({"slo": {"service_stop": 1}, "timeout_s": 5}, "drill_timeout_s is 5, above the objective of service_stop, 1 s"),
    ({"faults": "link_down", "interval_s": 0.6}, "an outage above the objective of link_down"),
    ({"client": "lb02"}, "A drill needs two or more balancers and a client that is not one of them"),
    ({"vip": "192.0.2.0/x"}, 'drill_vip is "192.0.2.0/x": set it to an address without prefix'),
]


@pytest.mark.parametrize(("variables", "message"), REFUSALS)
def test_it_refuses(lab: Lab, variables: dict[str, Any], message: str) -> None:
    done = drill(lab, **{"faults": "service_stop", **variables})
    assert done.code != 0
    assert message in " ".join(done.output.split()), done.output
    assert done.drills == {}
    assert lab.holders() == ["lb01"]


def test_the_virtual_ip_is_found_on_a_pair_whose_variables_do_not_say_it(lab: Lab) -> None:
    unknown = ["--extra-vars", '{"keepalived_vips": []}', "--check"]
    run = subprocess.run([*command(lab), *unknown], capture_output=True, check=False, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr


NOTHING = [
    ["--limit", "lb01"],
    ["--tags", "nothing"],
    ["--skip-tags", "all"],
    ["--skip-tags", "all,always"],
    ["--start-at-task", "Report | Show the table"],
]


@pytest.mark.parametrize("options", NOTHING, ids=" ".join)
def test_a_run_without_drills_fails(lab: Lab, options: list[str]) -> None:
    run = subprocess.run([*command(lab), *options], capture_output=True, check=False, text=True, timeout=120)
    assert run.returncode != 0
    assert f"this playbook runs completely or not at all: remove {options[0]}" in " ".join(
        (run.stdout + run.stderr).split()
    )


@pytest.mark.parametrize("wrong", [{"deadline_s": ""}, {"faults": "link_dwon"}])
def test_a_rejected_run_leaves_no_previous_report(lab: Lab, wrong: dict[str, str]) -> None:
    folder = lab.inventory.parent / "drill"
    folder.mkdir(exist_ok=True)
    for form in ("json", "xml", "html"):
        (folder / f"report.{form}").write_text("{}")
    run = subprocess.run(command(lab, **wrong), capture_output=True, check=False, text=True, timeout=120)
    try:
        assert run.returncode != 0
        assert [path.name for path in folder.glob("report*")] == ["report.previous.json"]
    finally:
        (folder / "report.previous.json").unlink()


def test_confirming_is_enough(lab: Lab) -> None:
    done = drill(lab, faults="keepalived_stop", allowed_hosts=[], confirm="lb01,lb02")
    assert done.code == 0, done.output


def test_it_breaks_nothing_without_a_standby(lab: Lab) -> None:
    with lab.stopped("lb02", "keepalived"):
        done = drill(lab, faults="service_stop", deadline_s=10)
    assert done.drills["service_stop"]["reasons"] == [
        "lb02: keepalived does not run",
        f"{lab.vip} has no standby that could take over",
    ]
    assert done.drills["service_stop"]["requests"] == 0
    assert lab.nodes["lb01"].service(lab.engine).is_running


def test_two_drills_do_not_run_at_once(lab: Lab) -> None:
    hold = "flock /run/haproof-drill/lock sleep 60"
    node = lab.nodes["lb02"]
    node.check_output("mkdir -p -m 700 /run/haproof-drill; systemd-run --quiet --collect --unit=other-drill %s", "true")
    node.check_output(f"systemd-run --quiet --collect --unit=other-drill-2 {hold}")
    try:
        done = drill(lab, faults="service_stop")
    finally:
        node.check_output("systemctl stop other-drill-2")
    assert done.code != 0
    assert "another drill is running on this host" in done.output
    assert done.drills == {}
    assert lab.nodes["lb01"].service(lab.engine).is_running


def test_check_mode_only_checks_whether_a_drill_could_start(lab: Lab) -> None:
    run = subprocess.run([*command(lab), "--check"], capture_output=True, check=False, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    assert not (lab.inventory.parent / "drill/report.json").exists()


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL], ids=["ctrl_c", "killed"])
def test_an_interrupted_drill_heals_at_once(lab: Lab, kind: signal.Signals) -> None:
    node = lab.nodes["lb01"]
    running = subprocess.Popen(
        command(lab, faults="link_down", deadline_s=300), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert eventually(lambda: node.interface("eth1").exists and not link_is_up(lab), within_s=60)
        os.kill(running.pid, kind)
        # The nodes would heal themselves only after five minutes.
        assert eventually(lambda: link_is_up(lab), within_s=30), running.communicate()[0]
    finally:
        running.kill()
        running.communicate()
    assert lab.moved_to("lb01", within_s=20), lab.holders()
    assert eventually(lambda: node.run("ls /run/haproof-drill/*/heal").rc != 0, within_s=10)
    assert node.run("systemctl list-timers --no-legend haproof-heal-*").stdout == ""
    # The prober ends too.
    assert eventually(lambda: lab.nodes[CLIENT].run("ls /run/haproof-drill/*.run").rc != 0, within_s=10)


def link_is_up(lab: Lab) -> bool:
    """Return whether the interface of the VIP is up on lb01."""
    return "UP" in lab.nodes["lb01"].check_output("ip -oneline link show eth1").split("<")[1].split(">")[0].split(",")
