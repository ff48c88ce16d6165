# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The haproxy role's variables: sections in the right order, and every finding names host, variable and value."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.filter.haproxy_findings import haproxy_findings
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy_tree import sections

NONE: dict[str, Any] = {
    "global": {},
    "defaults": {},
    "sections": {},
    "frontends": [],
    "backends": [],
    "listens": [],
    "files": [],
}
DEFAULTS: dict[str, Any] = {
    "global": {"user": "haproxy", "stats": {"timeout": "30s"}},
    "defaults": {"mode": "http", "option": {"dontlognull": True}, "timeout": {"connect": "2s", "client": "30s"}},
    "frontends": [{"name": "stats", "bind": "127.0.0.1:8404"}],
}
SERVER = {"server": ["a 192.0.2.21:80"]}

FINDINGS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"frontends": [{"name": "web", "bind": ":80"}], "backends": [{"name": "web", **SERVER}]}, []),
    ({"backends": [{"name": "gone", "http-request return status 503": None}]}, []),
    ({"backends": [{"name": "web", "server-template w 1-3 web.example.com:80": None}]}, []),
    (
        {"backends": [{"name": "web", "balance": "source"}], "listens": [{"name": "tcp", "server": [], "stats": None}]},
        [
            "haproxy_listens[0] (tcp): no server; give at least one under 'server', e.g. web01 192.0.2.21:80 check",
            "haproxy_backends[0] (web): no server; give at least one under 'server', e.g. web01 192.0.2.21:80 check",
        ],
    ),
    ({"listens": [SERVER]}, ["haproxy_listens[0]: no name; give one, e.g. 'name: web'"]),
    (
        {"listens": [{"name": "web", **SERVER}], "backends": [{"name": "web", **SERVER}, {"name": "web", **SERVER}]},
        [
            "haproxy_backends[0] (web): the name is already that of haproxy_listens[0]; rename one of them",
            "haproxy_backends[1] (web): the name is already that of haproxy_listens[0]; rename one of them",
        ],
    ),
    (
        {"listens": [{"name": "stats", "stats": {"enable": None}}]},
        ["haproxy_listens[0] (stats): the name is already that of haproxy_stats_bind; rename one of them"],
    ),
    (
        {"frontends": [{"name": "web", "bind": [":80", ":81\n    user root"]}]},
        [
            "haproxy_frontends[0] (web).bind[1]: a newline cannot stand in a haproxy.cfg line; use a list for several "
            "lines (value: ':81\\n    user root')"
        ],
    ),
    (
        {"global": {"user": ""}, "defaults": {"mode": "tcp # mail"}, "sections": {"peers 'a": {}, "global": {}}},
        [
            "haproxy_sections.global: the role writes this section; use haproxy_global",
            "haproxy_global.user: is empty; use null for a keyword alone, '\"\"' for an empty argument",
            "haproxy_defaults.mode: haproxy would take '# mail' for a comment; write \\# or quote it "
            "(value: 'tcp # mail')",
            "haproxy_sections.peers 'a: the quote 'a is not closed (value: \"peers 'a\")",
        ],
    ),
    ({"files": [{"dest": "maps"}]}, ["haproxy_files[0]: dest is 'maps'; give an absolute path"]),
]


@pytest.mark.parametrize(("settings", "expected"), FINDINGS)
def test_findings(settings: dict[str, Any], expected: list[str]) -> None:
    messages = haproxy_findings({**NONE, **settings}, DEFAULTS, "lb01", "/etc/haproxy/haproxy.cfg")
    assert messages == [f"lb01: {message}" for message in expected]


def test_order_of_sections() -> None:
    settings = {
        **NONE,
        "sections": {"peers lab": {"peer": "lb01 192.0.2.11:10000"}},
        "backends": [{"name": "web", **SERVER}],
        "frontends": [{"name": "web", "from": "tcp", "bind": ":80"}],
        "listens": [{"name": "mail", **SERVER}],
    }
    cfg = sections(settings, DEFAULTS)
    assert list(cfg) == [
        "global",
        "defaults",
        "peers lab",
        "frontend stats",
        "frontend web from tcp",
        "listen mail",
        "backend web",
    ]
    assert cfg["frontend web from tcp"] == {"bind": ":80"}


def test_users_keywords_win_key_by_key() -> None:
    own = {"timeout": {"client": "1h"}, "option": ["tcplog"], "retries": 5}
    cfg = sections({**NONE, "defaults": own, "global": {"stats": {"socket": "/s"}}}, DEFAULTS)
    assert cfg["defaults"] == {
        "mode": "http",
        "option": ["tcplog"],
        "timeout": {"connect": "2s", "client": "1h"},
        "retries": 5,
    }
    assert cfg["global"]["stats"] == {"timeout": "30s", "socket": "/s"}
