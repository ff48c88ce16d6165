# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes by ``site`` cost clients no request, not even on kept connections. The tests run in this order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nodes import BALANCERS, CLIENT, apply_site, eventually
from witness import at_rest, check, witnessed

if TYPE_CHECKING:
    from nodes import Lab

HOLDER = BALANCERS[0]
KEPT = 100
"""Each makes ten requests per second."""
METRICS = "/run/keepalived-watch/haproof.prom"
# A client that has sent half a request, for which either engine waits for 10 s at least.
SLOW = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], 80))
connection.sendall(b"GET / HTTP/1.1\\r\\n")
time.sleep(30)
"""
HTTP = {"keepalive_time": "10s"}
NGINX = {"site_drained_reloads": True, "nginx_http": HTTP}
NEW_SERVER = {"listen": 8081, "server_name": "new.example", "location /": {"proxy_pass": "http://new"}}
CHANGES: dict[str, dict[str, Any]] = {
    "directive changed": {"nginx_http": {**HTTP, "client_max_body_size": "8m"}},
    "upstream and virtual host added": {
        "nginx_upstreams": "{{ __site_nginx_upstreams + [__site_upstream | combine({'name': 'new'})] }}",
        "nginx_servers": f"{{{{ __site_nginx_servers + [{NEW_SERVER}] }}}}",
    },
    "upstream and virtual host removed": {},
}


def apply_under_load(lab: Lab, name: str, variables: dict[str, Any]) -> str:
    """Apply variables, assert that no client noticed, and return the output."""
    with witnessed(lab, [lab.vip], KEPT) as seen:
        run = apply_site(lab, variables)
        assert run.returncode == 0, run.stdout + run.stderr
        assert at_rest(lab, [lab.vip])
    check(name, seen)
    return " ".join(run.stdout.split())


def old_processes(lab: Lab, name: str, engine: str) -> int:
    """Return how many processes a reload left behind, by the watch's metric."""
    text = lab.nodes[name].check_output("cat %s", METRICS)
    sample = f'haproof_engine_old_processes{{engine="{engine}"}} '
    return next(int(line[len(sample) :]) for line in text.splitlines() if line.startswith(sample))


def assert_counted(lab: Lab, engine: str) -> None:
    """Reload the holder's engine with an open request, and assert that the metric counts its process until it ends."""
    client = lab.nodes[CLIENT]
    assert eventually(lambda: old_processes(lab, HOLDER, engine) == 0, within_s=60)
    client.check_output("systemd-run --quiet --collect --unit=haproof-slow /usr/bin/python3 -c %s %s", SLOW, lab.vip)
    try:
        established = "ss --no-header --tcp state established dst %s dport = :80"
        assert eventually(lambda: bool(client.check_output(established, lab.vip)), within_s=10)
        lab.nodes[HOLDER].check_output("systemctl reload %s", engine)
        assert eventually(lambda: old_processes(lab, HOLDER, engine) == 1, within_s=10)
    finally:
        client.check_output("systemctl stop haproof-slow")
    assert eventually(lambda: old_processes(lab, HOLDER, engine) == 0, within_s=10)


def test_connections_have_an_age(lab: Lab) -> None:
    run = apply_site(lab, NGINX)
    assert run.returncode == 0, run.stdout + run.stderr
    assert lab.holders() == [HOLDER]


@pytest.mark.parametrize("name", CHANGES)
def test_no_client_notices(lab: Lab, name: str) -> None:
    said = apply_under_load(lab, name, {**NGINX, **CHANGES[name]})
    for balancer in BALANCERS:
        assert f"{balancer} nginx (reload)" in said, said
    assert lab.holders() == [HOLDER]


def test_nginx_processes_that_a_reload_left_behind_are_counted(lab: Lab) -> None:
    assert_counted(lab, "nginx")


def test_haproxy_is_reloaded_with_its_clients(lab: Lab) -> None:
    engine = {"balancer_engine": "haproxy"}
    run = apply_site(lab, engine)
    assert run.returncode == 0, run.stdout + run.stderr
    try:
        said = apply_under_load(lab, "haproxy reload", {**engine, "haproxy_defaults": {"timeout": {"client": "31s"}}})
        assert_counted(lab, "haproxy")
    finally:
        back = apply_site(lab, {})
    assert back.returncode == 0, back.stdout + back.stderr
    for name in BALANCERS:
        assert f"{name} haproxy (reload)" in said, said
