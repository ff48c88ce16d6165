# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A thousand virtual hosts, servers or instances take ten times the work of a hundred, not a hundred times."""

from __future__ import annotations

import sys
from typing import Any, Callable

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.adopt import adopt
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy import findings as haproxy_findings
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy import render as haproxy_render
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy import tree as haproxy_tree
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx import findings as nginx_findings
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx import render as nginx_render
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx import tree as nginx_tree


def nginx_settings(count: int) -> dict[str, Any]:
    """Return so many virtual hosts, each with an upstream and a file of its own."""
    return {
        **nginx_tree.NOTHING,
        "upstreams": [{"name": f"pool{number}", "server": [f"192.0.2.1:{number + 1}"]} for number in range(count)],
        "servers": [
            {
                "listen": 80,
                "server_name": f"site{number}.example.com",
                "location /": {"proxy_pass": f"http://pool{number}"},
            }
            for number in range(count)
        ],
        "files": [{"dest": f"/srv/www/{number}.html", "content": ""} for number in range(count)],
    }


def nginx(count: int) -> str:
    """Check and render virtual hosts."""
    settings = nginx_settings(count)
    base: dict[str, Any] = {"main": {}, "events": {}, "http": {}, "upstream": {}, "servers": []}
    assert not list(nginx_findings.findings(settings, "/etc/nginx/nginx.conf"))
    return nginx_render.render(nginx_tree.tree(settings, base))


def haproxy_settings(count: int) -> dict[str, Any]:
    """Return so many servers of one backend, and as many other backends."""
    servers = [f"web{number} 192.0.2.1:{number + 1} check" for number in range(count)]
    return {
        **{name: {} for name in ("global", "defaults", "sections")},
        "frontends": [{"name": "http", "bind": "*:80", "default_backend": "web"}],
        "backends": [{"name": "web", "server": servers}]
        + [{"name": f"backend{number}", "server": servers[:1]} for number in range(count)],
        "listens": [],
        "files": [{"dest": f"/etc/haproxy/{number}.map", "content": ""} for number in range(count)],
    }


def haproxy(count: int) -> str:
    """Check and render servers and backends."""
    settings = haproxy_settings(count)
    base: dict[str, Any] = {"global": {}, "defaults": {}, "frontends": []}
    assert not list(haproxy_findings.findings(settings, base, "/etc/haproxy/haproxy.cfg"))
    return haproxy_render.render(haproxy_tree.sections(settings, base))


def keepalived(count: int) -> str:
    """Adopt a pair with so many instances, each with a check and beside an include."""
    text = "".join(
        f"""vrrp_script check{number} {{
    script /bin/true
    weight -10
}}
vrrp_instance VI_{number} {{
    interface eth0
    virtual_router_id {number % 255 + 1}
    virtual_ipaddress {{
        10.0.{number >> 8}.{number & 255}
    }}
    track_script {{
        check{number}
    }}
    priority 100
}}
include /etc/keepalived/{number}.conf
"""
        for number in range(count)
    )
    standby = text.replace("priority 100", "priority 99")
    return repr(adopt("keepalived", {"lb01": text.encode(), "lb02": standby.encode()}))


def calls(function: Callable[[int], str], count: int) -> int:
    """Count the calls, Python's own functions among them, that it takes; the clock says more about the machine."""
    seen = 0

    def note(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal seen
        seen += event in ("call", "c_call")

    former = sys.getprofile()
    sys.setprofile(note)
    try:
        function(count)
    finally:
        sys.setprofile(former)
    return seen


@pytest.mark.parametrize("function", [nginx, haproxy, keepalived])
def test_work_grows_with_the_number_of_hosts_only(function: Callable[[int], str]) -> None:
    hundred, thousand = calls(function, 100), calls(function, 1000)
    assert hundred > 1000
    assert thousand < 11 * hundred


@pytest.mark.parametrize("function", [nginx, haproxy])
def test_all_of_them_are_written(function: Callable[[int], str]) -> None:
    text = function(1000)
    assert text.count("192.0.2.1:") >= 1000
    assert "192.0.2.1:1000" in text
