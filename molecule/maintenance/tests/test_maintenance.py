# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A balancer goes into maintenance and comes back. The tests run in this order, and the last one heals."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

from nodes import CLIENT, apply_site, eventually, inventory_balancers, run_playbook, unchanged
from watching import WAIT_S, metrics

if TYPE_CHECKING:
    from pathlib import Path

    from nodes import Lab

FILE = "/etc/systemd/system/keepalived.service.d/maintenance.conf"
COST = r"client: (\d+) requests, (\d+) failed.*, longest outage (\d+\.\d+) s"


def maintain(lab: Lab, state: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run the playbook for lb01."""
    settings = {"maintenance_host": "lb01", "maintenance_state": state, **variables}
    return run_playbook("haproof.balancer.maintenance", lab.inventory, "--extra-vars", json.dumps(settings))


def report(run: subprocess.CompletedProcess[str]) -> str:
    """Return the output without line breaks, which Ansible adds to long messages."""
    return " ".join(run.stdout.split())


def in_maintenance(lab: Lab) -> bool:
    """Return whether keepalived of lb01 is stopped and lb02 has the VIP."""
    return not lab.nodes["lb01"].service("keepalived").is_running and lab.holders() == ["lb02"]


def shows(lab: Lab, value: float) -> bool:
    """Wait until the metric of lb01 has this value; return whether it does."""
    return eventually(lambda: metrics(lab, "lb01", "haproof_maintenance") == [value], within_s=WAIT_S)


def test_refused_while_the_standby_is_not_ready(lab: Lab) -> None:
    assert shows(lab, 0)
    with lab.stopped("lb02", "keepalived"):
        run = maintain(lab, "on")
    assert run.returncode == 2, run.stdout
    refusal = f"lb01 must stay in service, since no other host could hold {lab.vip}: lb02: keepalived is not running"
    assert refusal in report(run), run.stdout
    assert lab.holders() == ["lb01"]
    assert not lab.nodes["lb01"].file(FILE).exists


def test_the_vip_moves_and_the_cost_is_reported(lab: Lab) -> None:
    run = maintain(lab, "on", probe_client=CLIENT)
    assert run.returncode == 0, run.stdout
    assert in_maintenance(lab)
    assert (
        f"lb01 is in maintenance until maintenance_state=off, also over reboots and site: {lab.vip} is on lb02 now"
        in (report(run))
    )
    cost = re.search(COST, report(run))
    assert cost is not None, run.stdout
    requests, failed, outage_s = int(cost[1]), int(cost[2]), float(cost[3])
    assert requests > 0
    # keepalived sends priority 0, so no client waits the second until a dead peer is detected.
    assert outage_s < 1, cost[0]
    assert (failed > 0) == (outage_s > 0), cost[0]


def test_again_changes_nothing(lab: Lab) -> None:
    run = maintain(lab, "on")
    assert run.returncode == 0, run.stdout
    assert unchanged(run.stdout), run.stdout


def test_audit_and_metrics_show_it(lab: Lab) -> None:
    assert shows(lab, 1)
    accepted = json.dumps({"audit_accepted_findings": ["maintenance"]})
    run = run_playbook("haproof.balancer.audit", lab.inventory, "--extra-vars", accepted)
    assert run.returncode == 0, run.stdout
    assert re.search(rf"{lab.vip} +lb02 .* maintenance$", run.stdout, re.MULTILINE), run.stdout


def test_site_leaves_it_in_maintenance(lab: Lab) -> None:
    run = apply_site(lab, {})
    assert run.returncode == 0, run.stdout
    assert unchanged(run.stdout), run.stdout
    # A changed configuration is installed, and does not start keepalived either.
    run = apply_site(lab, {"keepalived_vrrp_instance": {"garp_master_repeat": 3}})
    assert run.returncode == 0, run.stdout
    assert "garp_master_repeat 3" in lab.nodes["lb01"].file("/etc/keepalived/keepalived.conf").content_string
    assert in_maintenance(lab)


def test_it_outlives_a_reboot(lab: Lab) -> None:
    container = inventory_balancers(lab.inventory)["lb01"]["lab_container"]
    subprocess.run(["docker", "restart", container], check=True, stdout=subprocess.DEVNULL)
    booted = ["docker", "exec", container, "systemctl", "is-system-running", "--wait"]
    assert eventually(lambda: subprocess.run(booted, check=False, timeout=WAIT_S).returncode == 0, within_s=WAIT_S)
    assert in_maintenance(lab)
    assert shows(lab, 1)


def test_it_waits_for_the_service(lab: Lab) -> None:
    with lab.stopped("lb01", "nginx"):
        run = maintain(lab, "off", maintenance_timeout_s=1)
    assert run.returncode == 2, run.stdout
    assert "TCP port 80: connection refused" in report(run), run.stdout
    assert in_maintenance(lab)


def test_it_takes_the_vip_back(lab: Lab) -> None:
    run = maintain(lab, "off", probe_client=CLIENT)
    assert run.returncode == 0, run.stdout
    assert lab.holders() == ["lb01"]
    assert f"lb01 is back: it holds {lab.vip}" in report(run), run.stdout
    assert re.search(COST, report(run)), run.stdout
    assert not lab.nodes["lb01"].file(FILE).exists
    assert shows(lab, 0)
    run = maintain(lab, "off")
    assert run.returncode == 0, run.stdout
    assert unchanged(run.stdout), run.stdout


def test_site_ends_with_what_answers(lab: Lab) -> None:
    with lab.stopped("web01", "nginx"), lab.stopped("web02", "nginx"):
        # A run that changes something would start them again.
        run = apply_site(lab, {}, "--check")
    assert run.returncode == 0, run.stdout
    closing = report(run)
    assert (
        f"- {lab.vip} is on lb01, standby lb02 - {lab.vip} answers 502, which is an error - 'would change:" in closing
    )


def test_a_service_that_speaks_only_tls_answers(lab: Lab, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    request = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    names = ["-subj", "/CN=www.example.test", "-keyout", key, "-out", certificate]
    subprocess.run([*request, *names], check=True, capture_output=True)
    server = {
        "listen": "443 ssl",
        "ssl_certificate": "/etc/nginx/tls/crt",
        "ssl_certificate_key": "/etc/nginx/tls/key",
        "return": "204",
    }
    files = [
        {"dest": "/etc/nginx/tls/crt", "content": certificate.read_text()},
        {"dest": "/etc/nginx/tls/key", "content": key.read_text(), "secret": True},
    ]
    run = apply_site(lab, {"nginx_servers": [server], "nginx_files": files})
    assert run.returncode == 0, run.stdout
    try:
        audit = run_playbook("haproof.balancer.audit", lab.inventory)
        assert audit.returncode == 0, audit.stdout
        with lab.stopped("lb02", "nginx"):
            audit = run_playbook("haproof.balancer.audit", lab.inventory)
        assert "lb02: its service does not answer" in report(audit), audit.stdout
    finally:
        run = apply_site(lab, {})
    assert run.returncode == 0, run.stdout
