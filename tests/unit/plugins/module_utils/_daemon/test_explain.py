# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Complaints as nginx 1.22, haproxy 2.6 and keepalived 2.2.7 print them."""

from __future__ import annotations

import os
import socket

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.explain import (
    port_users,
    ports_in_use,
    quoted_lines,
)

NGINX = '2026/11/26 19:49:48 [emerg] 4621#4621: unknown directive "sise" in /etc/nginx/nginx.conf:3'
HAPROXY = """[ALERT]    (1) : config : parsing [/etc/haproxy/haproxy.cfg:2] : unknown keyword 'mod' in 'defaults'
[ALERT]    (1) : config : Error(s) found in configuration file : /etc/haproxy/haproxy.cfg"""
KEEPALIVED = """(/etc/keepalived/keepalived.conf: Line 2) Unknown keyword 'foo'
(VI) the virtual router id must be set"""


@pytest.mark.parametrize(
    ("output", "path", "text", "expected"),
    [
        (NGINX, "/etc/nginx/nginx.conf", "events {}\nhttp {\n  sise 8m;\n}\n", ["/etc/nginx/nginx.conf:3: sise 8m;"]),
        (HAPROXY, "/etc/haproxy/haproxy.cfg", "defaults\n  mod tcp\n", ["/etc/haproxy/haproxy.cfg:2: mod tcp"]),
        (
            KEEPALIVED,
            "/etc/keepalived/keepalived.conf",
            "vrrp_instance VI {\n  foo bar\n}\n",
            ["/etc/keepalived/keepalived.conf:2: foo bar"],
        ),
        # Another file, and a line that the file does not have.
        (NGINX, "/etc/nginx/nginx.conf.d", "a\nb\nc\n", []),
        (NGINX, "/etc/nginx/nginx.conf", "a\n", []),
    ],
)
def test_lines(output: str, path: str, text: str, expected: list[str]) -> None:
    assert quoted_lines(output, {path: text}) == expected


def test_at_most_ten_lines() -> None:
    output = "\n".join(f"/a:{number}" for number in range(1, 30))
    assert len(quoted_lines(output, {"/a": "x\n" * 30})) == 10


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)", [80]),
        ("nginx: [emerg] bind() to [::]:443 failed (98: Address already in use)\nnginx: still could not bind()", [443]),
        ("Starting frontend http: cannot bind socket (Address already in use) [0.0.0.0:80]", [80]),
        ("Starting frontend http: cannot bind socket (Address already in use) for [*:8080]", [8080]),
        ("haproxy cannot listen on 0.0.0.0:81, 127.0.0.1:82 (Address already in use); all changes were", [81, 82]),
        ("cannot listen on 192.0.2.1:80 (Cannot assign requested address)", []),
    ],
)
def test_ports(output: str, expected: list[int]) -> None:
    assert ports_in_use(output) == expected


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_who_has_a_port(family: int, host: str) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as own:
        own.bind((host, 0))
        port = own.getsockname()[1]
        assert port_users([port]) == []
        own.listen()
        (found,) = port_users([port])
        assert found.startswith(f"port {port} is in use by ")
        assert found.endswith(f" (process {os.getpid()})")
    assert port_users([]) == []
