# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the role's variables to what it puts on a host, with the role's own tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_plan import Inventory
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.plan import MANIFEST, Plan, plan

CHECKOUT = Path(__file__).parents[5]
VARS = yaml.safe_load((CHECKOUT / "roles/haproxy/vars/main.yml").read_text())
TABLES = {
    "base": {
        "global": VARS["__haproxy_global_base"],
        "defaults": VARS["__haproxy_defaults_base"],
        "stats_frontend": VARS["__haproxy_stats_frontend"],
        "health_frontend": VARS["__haproxy_health_frontend"],
    },
    "families": VARS["__haproxy_families"],
}
SETTINGS: dict[str, Any] = {
    "base": True,
    "global": {},
    "defaults": {},
    "sections": {},
    "frontends": [],
    "backends": [],
    "listens": [],
    "stats_bind": "",
    "health_bind": "",
    "prometheus": False,
    "server_state": True,
    "unit": True,
    "peers_port": 0,
    "peers_group": "balancers",
    "files": [],
    "secrets": [],
    "program": "",
    "conf_path": "/etc/haproxy/haproxy.cfg",
    "extra_packages": [],
}
HOSTVARS = {
    "lb01": {"ansible_facts": {"os_family": "Debian"}, "ansible_host": "192.0.2.11"},
    "lb02": {"ansible_facts": {"os_family": "RedHat"}, "backend_address": "2001:db8::12"},
}


def planned(host: str = "lb01", **settings: Any) -> Plan:
    """Return the plan of a host."""
    return plan({**SETTINGS, **settings}, TABLES, Inventory(host, {"balancers": ["lb01", "lb02"]}, HOSTVARS))


def test_server_states_need_the_unit() -> None:
    assert "server-state-file" in planned()["conf"]
    assert "server-state-file" not in planned(unit="no")["conf"]


def test_the_roles_own_keywords_are_those_of_the_distribution() -> None:
    assert "    log /dev/log local0\n    log /dev/log local1 notice\n" in planned()["conf"]
    assert "    log stdout format short local0\n" in planned("lb02")["conf"]
    assert "    user haproxy\n" in planned()["conf"]
    assert planned(base=False)["conf"] == planned(base="no")["conf"] == ""


def test_servers_keep_their_states() -> None:
    for host, socket in (("lb01", "/run/haproxy/admin.sock"), ("lb02", "/var/lib/haproxy/stats")):
        assert planned(host)["state"] == [f'"{socket}"', '"/run/haproxy-state/servers"']
        assert "    load-server-state-from-file global\n" in planned(host)["conf"]
    assert planned(**{"global": {"server-state-file": "/srv/$x"}})["state"][1] == '"/srv/$$x"'
    off = planned(server_state="no")
    assert (off["state"], "state-file" in off["conf"]) == ([], False)


def test_frontends_of_the_role() -> None:
    stats = planned(stats_bind="127.0.0.1:8404")["conf"]
    assert "frontend stats\n    bind 127.0.0.1:8404\n" in stats
    assert "prometheus-exporter" not in stats
    metrics = planned(stats_bind=":1", prometheus=True, base=False)["conf"]
    assert "    http-request use-service prometheus-exporter if { path /metrics }\n" in metrics
    assert "prometheus" not in planned(prometheus=True)["conf"]
    assert "frontend health\n    bind [::1]:80\n" in planned(health_bind="[::1]:80")["conf"]


def test_peers() -> None:
    conf = planned("lb02", peers_port="10000", base=False)["conf"]
    assert "    localpeer lb02\n" in conf
    assert "peers balancers\n    peer lb01 192.0.2.11:10000\n    peer lb02 [2001:db8::12]:10000\n" in conf
    assert "peer" not in planned()["conf"]
    assert planned(peers_port=1, peers_group="lbs") == {
        "findings": ["lb01: haproxy_peers_group: the inventory has no group 'lbs'"]
    }


@pytest.mark.parametrize(("maxconn", "nofile"), [({}, 0), ({"maxconn": 100}, 524288), ({"ulimit-n": 900000}, 900000)])
def test_open_files(maxconn: dict[str, int], nofile: int) -> None:
    assert planned(**{"global": maxconn})["nofile"] == nofile


@pytest.mark.parametrize(
    ("settings", "needs"),
    [
        ({}, set()),
        ({"global": {"stats": {"socket": "/tmp/s"}}}, {"tmp"}),  # noqa: S108 - text of a configuration
        ({"sections": {"program x": {"command": "/bin/true"}}}, {"programs"}),
        (
            {"backends": [{"name": "b", "option": {"external-check": True}, "server": ["a [::1]:1 check"]}]},
            {"programs"},
        ),
        ({"backends": [{"name": "b", "server": ["a 192.0.2.21:80 namespace blue"]}]}, {"namespaces"}),
    ],
)
def test_what_systemd_must_grant(settings: dict[str, Any], needs: set[str]) -> None:
    found = planned(**settings)
    assert {name for name in ("tmp", "programs", "namespaces") if found[name]} == needs  # type: ignore[literal-required]  # its keys


def test_a_program_of_the_users() -> None:
    program, path = "/usr/local/haproxy/sbin/haproxy", "/usr/local/haproxy/haproxy.cfg"
    found = planned(program=program, conf_path=path)
    assert (found["dest"], found["packages"], found["installation"]["names"]) == (path, [], [])
    assert found["packaged_check"] == f"{program} -c -q -f {path}"


def test_packages() -> None:
    assert (planned()["packages"], planned()["sebooleans"]) == (["haproxy"], [])
    assert planned("lb02")["sebooleans"] == ["haproxy_connect_any"]
    assert planned("lb02", extra_packages=["a"])["installation"] == {"names": ["haproxy", "a"], "database": "rpm"}
    assert planned()["installation"] == {"names": ["haproxy"], "database": "dpkg"}
    assert planned()["scripts"] == "/usr/local/libexec/haproxy"


def test_the_manifest_lists_the_files_of_the_user() -> None:
    page = {"dest": "/etc/haproxy/503.http", "content": "HTTP/1.0 503 Gone"}
    assert planned(files=[page])["files"] == [page, {"dest": MANIFEST, "content": "/etc/haproxy/503.http\n"}]
    assert planned()["files"] == [{"dest": MANIFEST, "state": "absent"}]


def test_findings_alone() -> None:
    assert planned(stats_bind="a\nb", peers_port=70000)["findings"] == [
        r"lb01: haproxy_stats_bind: 'a\nb' holds a line break or control character; write it in one line",
        "lb01: haproxy_peers_port: 70000 is not a port; use 1 to 65535, or 0 for no peers",
    ]


@pytest.mark.parametrize(
    ("frontend", "ports"),
    [
        ({"bind": "*:443 ssl crt /x.pem"}, {"443": True}),
        ({"bind": ["*:80,:::80", ":443 ssl crt /x.pem"]}, {"80": False, "443": True}),
        ({"bind": ["192.0.2.10:8443 ssl crt /x.pem", "192.0.2.11:8443"]}, {"8443": False}),
        ({"bind": ["127.0.0.1:81", "quic4@:443 ssl crt /x.pem", "/run/x"]}, {}),
        ({"bind": ":443 ssl crt /x.pem", "mode": "tcp"}, {}),
    ],
)
def test_where_only_tls_is_spoken(frontend: dict[str, Any], ports: dict[str, bool]) -> None:
    assert planned(frontends=[{"name": "http", **frontend}], health_bind="127.0.0.1:8099")["ports"] == ports
