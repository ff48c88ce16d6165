# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine is changed and changed back under load. The tests run in this order, and the last one ends with nginx."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator

from long_lived import Scale, long_lived

from nodes import BALANCERS, apply_site, eventually, unchanged

if TYPE_CHECKING:
    from long_lived import Load

    from nodes import Lab

HOLDER, STANDBY = BALANCERS
SCALE = Scale(kept=20, streams=0, downloads=0, new_per_s=50)
TO_HAPROXY = {"balancer_engine": "haproxy"}
STATS_PORT = 8404
LISTENER = f"""
import socket, time
listener = socket.create_server(("", {STATS_PORT}))
time.sleep(600)
"""


def report(run: subprocess.CompletedProcess[str]) -> str:
    """Return the output without line breaks, which Ansible adds to long messages."""
    return " ".join(run.stdout.split())


def engines(lab: Lab) -> dict[str, str]:
    """Return the engine that runs on each balancer, with those that start at boot and that keepalived tracks."""
    script = (
        "for unit in nginx haproxy; do systemctl is-active --quiet $unit && echo $unit; done;"
        "for unit in nginx haproxy; do"
        " systemctl is-enabled --quiet $unit && echo enabled $unit;"
        " systemctl is-enabled --quiet keepalived-track@$unit && echo tracked $unit; done; true"
    )
    return {name: " ".join(lab.nodes[name].check_output(script).split()) for name in lab.balancers}


def only(engine: str) -> str:
    return f"{engine} enabled {engine} tracked {engine}"


@contextmanager
def foreign_listener(lab: Lab, name: str) -> Iterator[None]:
    """Let another process have a port on a balancer."""
    node = lab.nodes[name]
    node.check_output("systemd-run --quiet --collect --unit=haproof-foreign /usr/bin/python3 -c %s", LISTENER)
    try:
        assert eventually(lambda: node.socket(f"tcp://0.0.0.0:{STATS_PORT}").is_listening, within_s=10)
        yield
    finally:
        node.check_output("systemctl stop haproof-foreign")


@contextmanager
def loaded(lab: Lab) -> Iterator[Load]:
    """Keep new and kept requests going through the VIP, and assert that none failed."""
    with long_lived(lab, scale=SCALE) as load:
        yield load
        assert load.goes_on()
        seen = load.seen()
    print(f"load: {seen}")
    assert (seen["failed"], seen["silent"], seen["wrong"]) == (0, 0, 0), seen


def test_check_reports_the_change_and_makes_none(lab: Lab) -> None:
    run = apply_site(lab, {**TO_HAPROXY, "nginx_gzip": False}, "--check")
    assert run.returncode == 0, run.stdout + run.stderr
    closing = report(run)
    for name in BALANCERS:
        assert f"{name} haproxy (start instead of nginx), keepalived (restart)" in closing, run.stdout
    assert "nginx_gzip no longer act on balancers, which do not run nginx" in closing, run.stdout
    assert engines(lab) == dict.fromkeys(BALANCERS, only("nginx"))


def test_a_holder_alone_is_refused(lab: Lab) -> None:
    for options in (["--check"], []):
        run = apply_site(lab, TO_HAPROXY, f"--limit={HOLDER}", *options)
        assert run.returncode == 2, run.stdout
        assert f"{HOLDER} must stay in service, since no other host could hold {lab.vip}" in report(run), run.stdout
        assert "set site_accepted_findings: [engine_change]" in report(run), run.stdout
    assert engines(lab) == dict.fromkeys(BALANCERS, only("nginx"))
    assert lab.holders() == [HOLDER]


def test_an_engine_that_cannot_start_leaves_the_pair_as_it_was(lab: Lab) -> None:
    variables = {**TO_HAPROXY, "haproxy_stats_bind": f"*:{STATS_PORT}"}
    with foreign_listener(lab, STANDBY):
        run = apply_site(lab, variables, "--check")
        assert run.returncode == 2, run.stdout
        assert f"haproxy cannot start: port {STATS_PORT} is in use by python3" in report(run), run.stdout
        with loaded(lab) as load:
            run = apply_site(lab, variables)
        assert run.returncode == 2, run.stdout
        assert f"{STANDBY} serves with nginx again, because a task failed" in report(run), run.stdout
        assert f"port {STATS_PORT} is in use by python3" in report(run), run.stdout
    assert engines(lab) == dict.fromkeys(BALANCERS, only("nginx"))
    assert lab.moved_to(HOLDER)
    assert load.seen()["cut"] == 0
    assert lab.nodes[STANDBY].service("keepalived").is_running


def test_nginx_becomes_haproxy_under_load(lab: Lab) -> None:
    with loaded(lab):
        run = apply_site(lab, {**TO_HAPROXY, "nginx_gzip": False})
        assert run.returncode == 0, run.stdout + run.stderr
    assert engines(lab) == dict.fromkeys(BALANCERS, only("haproxy"))
    assert lab.holders() == [HOLDER]
    assert f"{HOLDER} haproxy (start instead of nginx), keepalived (restart)" in report(run), run.stdout
    assert "nginx_gzip no longer act on balancers, which do not run nginx" in report(run), run.stdout
    run = apply_site(lab, TO_HAPROXY)
    assert run.returncode == 0, run.stdout
    assert unchanged(run.stdout), run.stdout


def test_an_interrupted_change_back_is_completed_under_load(lab: Lab) -> None:
    with loaded(lab):
        kill_site_once(lab, lambda: not lab.nodes[STANDBY].service("haproxy").is_running)
        assert lab.holders() == [HOLDER]
        run = apply_site(lab, {})
        assert run.returncode == 0, run.stdout + run.stderr
        assert engines(lab) == dict.fromkeys(BALANCERS, only("nginx"))
        assert lab.holders() == [HOLDER]
    run = apply_site(lab, {})
    assert run.returncode == 0, run.stdout
    assert unchanged(run.stdout), run.stdout


def kill_site_once(lab: Lab, condition: Any) -> None:
    """Run site with the lab's own engine, and kill it with all its processes as soon as the condition is true."""
    command = ["ansible-playbook", "haproof.balancer.site", f"--inventory={lab.inventory}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as run:
        try:
            assert eventually(condition, within_s=300)
        finally:
            os.killpg(run.pid, signal.SIGKILL)
