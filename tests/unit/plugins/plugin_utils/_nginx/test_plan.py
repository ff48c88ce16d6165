# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the role's variables to what it puts on a host, with the role's own tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_plan import Inventory
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.plan import Plan, plan
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.tree import NOTHING

CHECKOUT = Path(__file__).parents[5]
VARS = yaml.safe_load((CHECKOUT / "roles/nginx/vars/main.yml").read_text())
TABLES = {
    "base": {name: VARS[f"__nginx_{name}_base"] for name in ("main", "events", "http", "upstream")}
    | {"health_server": VARS["__nginx_health_server"]},
    "families": VARS["__nginx_families"],
}
SETTINGS = {
    **NOTHING,
    "base": True,
    "tls": {},
    "health_listen": "",
    "extra_packages": [],
    "vendor_url": "",
    "vendor_key_url": "",
}
DEBIAN = {"os_family": "Debian", "distribution": "Debian", "distribution_release": "bookworm"}
REDHAT = {"os_family": "RedHat", "distribution": "Rocky", "distribution_major_version": "9"}
CHECKSUM = "sha256:" + 64 * "0"


def planned(facts: dict[str, Any] | None = None, **settings: Any) -> Plan:
    """Return the plan of lb01."""
    inventory = Inventory("lb01", {}, {"lb01": {"ansible_facts": DEBIAN if facts is None else facts}})
    return plan({**SETTINGS, **settings}, TABLES, inventory)


def test_the_roles_own_directives_are_those_of_the_distribution() -> None:
    assert planned()["conf"].startswith(
        "user www-data;\ninclude /etc/nginx/modules-enabled/*.conf;\nworker_processes auto;"
    )
    assert planned(REDHAT)["conf"].startswith("user nginx;\ninclude /usr/share/nginx/modules/*.conf;\n")
    assert "ssl_protocols" not in planned(base=False)["conf"]
    assert planned(base="no")["conf"] == planned(base=False)["conf"] == "events {\n}\n"


def test_tls_follows_the_base_and_the_user() -> None:
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in planned()["conf"]
    assert "ssl_protocols" not in planned(tls={"profile": "none"})["conf"]
    assert "ssl_protocols" in planned(base=False, tls={"profile": "intermediate"})["conf"]


def test_a_server_for_the_local_check() -> None:
    assert "listen 127.0.0.1:8099;\n" in planned(health_listen="127.0.0.1:8099")["conf"]
    assert "server {" not in planned()["conf"]
    assert "return 200 " in planned(base=False, health_listen="[::1]:80")["conf"]


@pytest.mark.parametrize(
    ("said", "directive"), [("nginx version: nginx/1.22.1", False), ("nginx version: nginx/1.26.3", True), ("", True)]
)
def test_http2_by_the_version_that_nginx_printed(said: str, directive: bool) -> None:
    conf = planned(http2=True, version=said, servers=[{"listen": "443 ssl"}])["conf"]
    assert ("http2 on;" in conf, "listen 443 ssl http2;" in conf) == (directive, not directive)


@pytest.mark.parametrize(
    ("said", "kept"),
    [("", False), ("nginx/1.9.1", False), ("nginx/1.27.3", False), ("nginx/1.27.4", True), ("nginx/1.30.0", True)],
)
def test_kept_connections_outlive_a_reload_if_nginx_can(said: str, kept: bool) -> None:
    assert ("\n    keepalive_min_timeout 10s;\n" in planned(version=said)["conf"]) == kept
    own = planned(version=said, http={"keepalive_min_timeout": "1m"})["conf"]
    assert own.count("keepalive_min_timeout 1m;") == own.count("keepalive_min_timeout") == 1
    assert "keepalive_min_timeout" not in planned(version=said, base=False)["conf"]


def test_a_program_of_the_users() -> None:
    program, path = "/usr/local/nginx/sbin/nginx", "/usr/local/nginx/conf/nginx.conf"
    found = planned(program=program, conf_path=path, stream={"server": {"listen": 25}})
    assert (found["dest"], found["packages"], found["installation"]["names"]) == (path, [], [])
    # Its logs and process id are in its prefix, and its modules are its own.
    assert found["paths"] == ['"-/usr/local/nginx"']
    assert found["conf"].startswith("user www-data;\nworker_processes auto;")
    assert "\npid " not in found["conf"]
    vendor = planned(program=program, package_source="vendor", vendor_key_checksum=CHECKSUM)
    assert vendor["findings"] == [
        f"lb01: nginx_program is {program}, but nginx_package_source: vendor installs another; set only one"
    ]


def test_packages() -> None:
    assert planned()["packages"] == ["nginx"]
    assert planned(stream={"server": {"listen": 25}})["packages"] == ["nginx", "libnginx-mod-stream"]
    assert planned(REDHAT, stream={"server": {"listen": 25}})["packages"] == ["nginx", "nginx-mod-stream"]
    vendor = planned(stream={"a": 1}, package_source="vendor", vendor_key_checksum=CHECKSUM)
    assert vendor["packages"] == ["nginx"]
    assert planned(REDHAT, extra_packages=["mine"])["installation"] == {
        "names": ["nginx", "mine"],
        "database": "rpm",
        "source": "/etc/yum.repos.d/haproof-nginx.repo",
        "source_text": "",
    }
    assert planned()["installation"]["database"] == "dpkg"
    assert vendor["installation"]["source_text"] == vendor["source"]["used"]
    assert (planned()["sebooleans"], planned(REDHAT)["sebooleans"]) == ([], ["httpd_can_network_connect"])


def test_the_distributions_packages_have_no_source() -> None:
    source = planned()["source"]
    assert (source["text"], source["used"]) == ("", "")
    assert source["path"] == "/etc/apt/sources.list.d/haproof-nginx.sources"


@pytest.mark.parametrize(
    ("facts", "url", "text"),
    [
        (
            DEBIAN,
            "",
            f"# The key is {CHECKSUM}\nTypes: deb\nURIs: https://nginx.org/packages/debian\nSuites: bookworm\n"
            "Components: nginx\nSigned-By: /etc/apt/keyrings/haproof-nginx.asc\n",
        ),
        (
            REDHAT,
            "",
            f"# The key is {CHECKSUM}\n[haproof-nginx]\nname=nginx from its vendor\n"
            "baseurl=https://nginx.org/packages/rhel/9/$basearch/\ngpgcheck=1\n"
            "gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-haproof-nginx\nmodule_hotfixes=1\npriority=90\nskip_if_unavailable=0\n",
        ),
        (
            DEBIAN,
            "https://mirror.example.com/{nginx}",
            f"# The key is {CHECKSUM}\nTypes: deb\nURIs: https://mirror.example.com/{{nginx}}\nSuites: bookworm\n"
            "Components: nginx\nSigned-By: /etc/apt/keyrings/haproof-nginx.asc\n",
        ),
    ],
)
def test_the_vendors_source(facts: dict[str, Any], url: str, text: str) -> None:
    source = planned(facts, package_source="vendor", vendor_key_checksum=CHECKSUM, vendor_url=url)["source"]
    assert source["text"] == text
    assert source["used"] == f"# Written by the role haproof.balancer.nginx.\n{text}"


def test_folders_are_words_of_a_unit() -> None:
    assert planned(http={"access_log": '"/usr/my logs/100%/a.log"'})["paths"] == ['"-/usr/my logs/100%%"']


def test_findings_alone() -> None:
    assert planned(health_listen="a\nb") == {
        "findings": [r"lb01: nginx_health_listen: 'a\nb' holds a line break or control character; write it in one line"]
    }
    assert planned(upstreams=[{"name": "web"}]) == {
        "findings": ["lb01: nginx_upstreams[0] (web): no server; give at least one under 'server', e.g. 192.0.2.21:80"]
    }


@pytest.mark.parametrize(("facts", "found"), [({"os_family": "Suse"}, "Suse"), ({}, "this fact was not gathered")])
def test_an_unknown_distribution(facts: dict[str, Any], found: str) -> None:
    assert planned(facts) == {"findings": [f"lb01: os_family: {found}; the role knows Debian, RedHat"]}


@pytest.mark.parametrize(
    ("servers", "ports"),
    [
        ([], {}),
        ([{"listen": "443 ssl"}], {"443": True}),
        ([{"listen": ["80", "[::]:80", "443 ssl"]}], {"80": False, "443": True}),
        ([{"listen": ["192.0.2.10:8443 ssl", "*:8443"]}], {"8443": False}),
        ([{"listen": ["192.0.2.10", "443 quic", "unix:/run/x", "[::1]:8080"]}], {"80": False}),
        ([{"server_name": "a"}], {"80": False}),
    ],
)
def test_where_only_tls_is_spoken(servers: list[dict[str, Any]], ports: dict[str, bool]) -> None:
    assert planned(servers=servers, health_listen="127.0.0.1:8099")["ports"] == ports
