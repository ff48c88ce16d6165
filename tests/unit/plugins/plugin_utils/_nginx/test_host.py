# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a configuration needs of its host."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.host import unit

UNITS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"worker_rlimit_nofile": 102400}, {"nofile": 102400}),
    ({"events": {"worker_connections": 102400}}, {"nofile": 204800}),
    ({"worker_rlimit_nofile": 5, "events": {"worker_connections": 2}}, {"nofile": 5}),
    ({"worker_priority": -5}, {"capabilities": ["CAP_SYS_NICE"]}),
    (
        {"http": {"server": [{"location /": {"proxy_bind": "$remote_addr transparent"}}]}},
        {"capabilities": ["CAP_NET_RAW"]},
    ),
    (
        {
            "error_log": "/var/log/nginx/error.log",
            "pid": "/run/nginx.pid",
            "http": {
                "access_log": ["/usr/local/logs/a.log main", "off", "syslog:server=192.0.2.1"],
                "proxy_cache_path /home/cache/nginx keys_zone=a:1m": None,
                "client_body_temp_path": "/etc/tmp/body 1 2",
                "server": [{"location /": {"access_log": "/usr/logs/$host/a.log"}}, {"access_log": False}],
            },
        },
        {"paths": ["/etc/tmp", "/home/cache", "/usr/local/logs", "/usr/logs"]},
    ),
    ({"error_log": "logs/error.log"}, {"paths": ["/etc/nginx/logs", "/usr/share/nginx/logs"]}),
    ({"error_log": "error.log warn"}, {"paths": ["/etc/nginx", "/usr/share/nginx"]}),
]


@pytest.mark.parametrize(("tree", "expected"), UNITS)
def test_unit(tree: dict[str, Any], expected: dict[str, Any]) -> None:
    assert unit(tree) == {"nofile": 16384, "capabilities": [], "paths": [], **expected}
