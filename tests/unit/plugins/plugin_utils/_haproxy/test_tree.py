# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The haproxy role's variables: sections in the right order, and every finding names host, variable and value."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.plan import preflight
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.tree import sections, unit

NONE: dict[str, Any] = {
    "global": {},
    "defaults": {},
    "sections": {},
    "frontends": [],
    "backends": [],
    "listens": [],
    "conf_path": "",
    "files": [],
}
DEFAULTS: dict[str, Any] = {
    "global": {"user": "haproxy", "stats": {"timeout": "30s"}},
    "defaults": {"mode": "http", "option": {"dontlognull": True}, "timeout": {"connect": "2s", "client": "30s"}},
    "frontends": [{"name": "stats", "bind": "127.0.0.1:8404"}],
}
SERVER = {"server": ["a 192.0.2.21:80"]}


def meant(kind: str) -> str:
    return f" (if this is intended, set haproxy_accept: [{kind}])"


FINDINGS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"frontends": [{"name": "web", "bind": ":80"}], "backends": [{"name": "web", **SERVER}]}, []),
    ({"backends": [{"name": "gone", "http-request return status 503": None}]}, []),
    ({"backends": [{"name": "web", "server-template w 1-3 web.example.com:80": None}]}, []),
    (
        {"backends": [{"name": "web", "balance": "source"}], "listens": [{"name": "tcp", "server": [], "stats": None}]},
        [
            "haproxy_listens[0] (tcp): no server; give at least one under 'server', e.g. web01 192.0.2.21:80 check"
            + meant("server"),
            "haproxy_backends[0] (web): no server; give at least one under 'server', e.g. web01 192.0.2.21:80 check"
            + meant("server"),
        ],
    ),
    ({"listens": [SERVER]}, ["haproxy_listens[0]: no name; give one, e.g. 'name: web'"]),
    (
        {"listens": [{"name": "web", **SERVER}], "backends": [{"name": "web", **SERVER}, {"name": "web", **SERVER}]},
        [
            "haproxy_backends[0] (web): the name is already used by haproxy_listens[0]; rename one of them",
            "haproxy_backends[1] (web): the name is already used by haproxy_listens[0]; rename one of them",
        ],
    ),
    (
        {"listens": [{"name": "stats", "stats": {"enable": None}}]},
        ["haproxy_listens[0] (stats): the name is already used by haproxy_stats_bind; rename one of them"],
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
    ({"files": [{"dest": "maps", "content": ""}]}, ["haproxy_files[0]: dest 'maps' is not an absolute path"]),
    (
        {
            "files": [
                {"dest": "/c", "content": "key", "secret": True},
                {"dest": "/d", "content": "key", "secret": True, "mode": "0640"},
                {"dest": "/e", "content": "key", "secret": True, "mode": "0644"},
                {"dest": "/f", "content": "key", "secret": True, "mode": "0660"},
            ]
        },
        [
            "haproxy_files[2]: mode 0644 is too open for the secret /e; use 0640 or tighter",
            "haproxy_files[3]: mode 0660 is too open for the secret /f; use 0640 or tighter",
        ],
    ),
    (
        {
            "sections": {
                "userlist ops": {
                    "user": [
                        'a insecure-password "pa$word"',
                        "b insecure-password 'pa$word'",
                        "c insecure-password pa$word",
                        'd password "$5$salt$hash"',
                        'e insecure-password "$PASSWORD"',
                        'f insecure-password "${PASSWORD}"',
                        'g insecure-password "pa${word}"',
                        'h insecure-password "pa\\$word"',
                        'i insecure-password "5$"',
                        'j insecure-password "$5"',
                    ]
                }
            },
            "listens": [{"name": "s", "bind": ":1", "stats": {"enable": True, "auth": 'a:"b$c"'}}],
        },
        [
            f"{path}: the password holds a '$' in double quotes, which haproxy takes for a variable of its environment;"
            " put it in single quotes" + meant("password")
            for path in (
                "haproxy_sections.userlist ops.user[0]",
                "haproxy_sections.userlist ops.user[3]",
                "haproxy_sections.userlist ops.user[6]",
                "haproxy_listens[0] (s).stats.auth",
            )
        ],
    ),
    (
        {"frontends": [{"name": "web", "mode": "tcp"}]},
        ["haproxy_frontends[0] (web): no bind; give an address, e.g. 'bind: \"*:80\"'" + meant("bind")],
    ),
    (
        {
            "frontends": [
                {
                    "name": "web",
                    "bind": ":80",
                    "use_backend": ["api if { path /api }", "%[req.hdr(host)]"],
                    "default_backend": "wbe",
                }
            ],
            "backends": [{"name": "web", **SERVER}],
        },
        [
            "haproxy_frontends[0] (web).use_backend[0]: backend or listen 'api' is not defined; defined are: web",
            "haproxy_frontends[0] (web).default_backend: backend or listen 'wbe' is not defined; defined are: web",
        ],
    ),
    (
        {"frontends": [{"name": "web", "bind": ":80", "default_backend": "b"}], "sections": {"backend b": {}}},
        [],
    ),
    (
        {"backends": [{"name": "web", "server": ["a 192.0.2.1:80", {"name": "a", "address": "192.0.2.2:80"}]}]},
        [
            "haproxy_backends[0] (web).server[1]: the server name a is already used by "
            "haproxy_backends[0] (web).server[0]; rename one of them"
        ],
    ),
    (
        {
            "frontends": [
                {"name": "a", "bind": ["*:80", "192.0.2.1:80,192.0.2.2:8000-8009"]},
                {"name": "b", "bind": [":80", {"address": "192.0.2.2:8005", "ssl": True}, "127.0.0.1:8404"]},
                {
                    "name": "c",
                    "bind": ["[::]:80", ":::80", "/run/x.sock", "${IP}:80", "quic4@:80", ":80 interface eth0"],
                },
            ]
        },
        [
            "haproxy_frontends[1] (b).bind[0]: 0.0.0.0:80 is also bound by haproxy_frontends[0] (a).bind[0]; "
            "each would get a part of the connections" + meant("bind"),
            "haproxy_frontends[1] (b).bind[1]: 192.0.2.2:8005 is also bound by haproxy_frontends[0] (a).bind[1]; "
            "each would get a part of the connections" + meant("bind"),
            "haproxy_frontends[1] (b).bind[2]: 127.0.0.1:8404 is also bound by haproxy_stats_bind.bind; "
            "each would get a part of the connections" + meant("bind"),
            "haproxy_frontends[2] (c).bind[1]: [::]:80 is also bound by haproxy_frontends[2] (c).bind[0]; "
            "each would get a part of the connections" + meant("bind"),
        ],
    ),
    (
        {"backends": [{"name": "web", "option": {"httpchk": "GET /"}, **SERVER}]},
        [
            "haproxy_backends[0] (web).option.httpchk: httpchk checks nothing, for no server of web says 'check'; "
            "add it" + meant("check"),
        ],
    ),
    ({"backends": [{"name": "web", "option httpchk": None, "default-server": "check", **SERVER}]}, []),
    ({"backends": [{"name": "web", "option httpchk": None, "server": ["a 192.0.2.1 track b/c"]}]}, []),
    (
        {
            "defaults": {"default-server": {"check": True}},
            "backends": [{"name": "web", "option httpchk": None, **SERVER}],
        },
        [],
    ),
    (
        {"defaults": {"timeout": {"client": 30, "server": "90", "queue": "30ms", "check": 0, "connect": 5000}}},
        [
            "haproxy_defaults.timeout.client: 30 means 30 ms; write 30s for seconds, or 30ms" + meant("timeout"),
            "haproxy_defaults.timeout.server: 90 means 90 ms; write 90s for seconds, or 90ms" + meant("timeout"),
        ],
    ),
    ({"peers_port": 70000}, ["haproxy_peers_port: 70000 is not a port; use 1 to 65535, or 0 for no peers"]),
    (
        {"frontends": [{"name": "a", "bind": ":80"}], "sections": {"frontend a from tcp": {"bind": ":81"}, "": {}}},
        [
            "haproxy_sections: a header is empty; name the section, e.g. 'peers lab'",
            "haproxy_frontends[0] (a): the name is already used by haproxy_sections.frontend a from tcp; "
            "rename one of them",
        ],
    ),
]


@pytest.mark.parametrize(("settings", "expected"), FINDINGS)
def test_findings(settings: dict[str, Any], expected: list[str]) -> None:
    messages = preflight({**NONE, **settings}, DEFAULTS, "lb01")
    assert messages == [f"lb01: {message}" for message in expected]


def test_order_of_sections() -> None:
    settings = {
        **NONE,
        "sections": {"peers lab": {"peer": "lb01 192.0.2.11:10000"}, "defaults tcp": {"mode": "tcp"}},
        "backends": [{"name": "web", **SERVER}],
        "frontends": [{"name": "web", "from": "tcp", "bind": ":80"}],
        "listens": [{"name": "mail", **SERVER}],
    }
    cfg = sections(settings, {**DEFAULTS, "sections": {"peers balancers": {}}})
    assert list(cfg) == [
        "global",
        # The last defaults section is the one of all proxies that name none.
        "defaults tcp",
        "defaults",
        "peers lab",
        "peers balancers",
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


HTTP_LOG = {"option httplog": None, "option dontlog-normal": None}
TCP_LOG = {"option tcplog": None, "option dontlog-normal": None}
LOGS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({}, {}, HTTP_LOG),
    ({}, {"mode": "http"}, HTTP_LOG),
    ({}, {"mode": "tcp"}, TCP_LOG),
    ({"mode": "tcp"}, {}, TCP_LOG),
    ({"mode": "tcp"}, {"mode": "http"}, HTTP_LOG),
    ({}, {"option": {"forwardfor": True}}, HTTP_LOG),
    ({}, {"option": ["httplog"]}, {}),
    ({}, {"option": {"httplog": False}}, {}),
    ({}, {"option dontlog-normal": None}, {}),
    ({}, {"log-format": "%ci"}, {}),
    ({}, {"log": False}, {}),
    ({}, {"log": "global"}, HTTP_LOG),
    ({}, {"from": "other"}, {}),
    ({"option": {"dontlog-normal": False}}, {}, {}),
    ({"option": ["tcplog"]}, {"mode": "http"}, {}),
    ({"log-format": "%ci"}, {}, {}),
]


@pytest.mark.parametrize(("shared", "own", "added"), LOGS)
@pytest.mark.parametrize("kind", ["frontend", "listen"])
def test_a_proxy_that_chooses_no_log_logs_what_failed(
    shared: dict[str, Any], own: dict[str, Any], added: dict[str, Any], kind: str
) -> None:
    base = {**DEFAULTS, "defaults": {"log": "global", "mode": "http"}, "frontends": []}
    cfg = sections({**NONE, "defaults": shared, f"{kind}s": [{"name": "web", "bind": ":80", **own}]}, base)
    written = {key: value for key, value in own.items() if key != "from"}
    assert cfg[list(cfg)[-1]] == {**added, "bind": ":80", **written}


IDLE: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({}, {}, {}),
    ({}, {"mode": "tcp"}, {"no option idle-close-on-response": None}),
    ({"mode": "tcp"}, {}, {"no option idle-close-on-response": None}),
    ({"mode": "tcp"}, {"mode": "http"}, {}),
    ({"option": {"idle-close-on-response": False}}, {"mode": "tcp"}, {}),
    ({}, {"mode": "tcp", "from": "other"}, {}),
]


@pytest.mark.parametrize(("shared", "own", "added"), IDLE)
@pytest.mark.parametrize("kind", ["frontend", "listen"])
def test_a_proxy_for_tcp_has_no_option_for_http(
    shared: dict[str, Any], own: dict[str, Any], added: dict[str, Any], kind: str
) -> None:
    base = {"mode": "http", "option": {"idle-close-on-response": True}}
    settings = {**NONE, "defaults": shared, f"{kind}s": [{"name": "web", "bind": ":80", **own}]}
    cfg = sections(settings, {**DEFAULTS, "defaults": base, "frontends": []})
    written = {key: value for key, value in own.items() if key != "from"}
    assert cfg[list(cfg)[-1]] == {**added, "bind": ":80", **written}


def test_only_the_roles_own_defaults_choose_the_log() -> None:
    cfg = sections({**NONE, "frontends": [{"name": "web", "bind": ":80"}]}, {**DEFAULTS, "defaults": {}})
    assert cfg["frontend web"] == {"bind": ":80"}


def test_a_backend_has_no_log_of_its_own() -> None:
    base = {**DEFAULTS, "defaults": {"log": "global"}, "frontends": []}
    assert sections({**NONE, "backends": [{"name": "web", **SERVER}]}, base)["backend web"] == SERVER


def test_every_defaults_section_starts_without_dns() -> None:
    base = {**DEFAULTS, "defaults": {"default-server init-addr": "last,libc,none", "default-server": "inter 1s"}}
    given = {"defaults": {"default-server": "check"}, "sections": {"defaults tcp": {"mode": "tcp"}, "peers lab": {}}}
    cfg = sections({**NONE, **given}, base)
    assert cfg["defaults"] == {"default-server init-addr": "last,libc,none", "default-server": "check"}
    assert cfg["defaults tcp"] == {"default-server init-addr": "last,libc,none", "mode": "tcp"}
    assert cfg["peers lab"] == {}


def test_without_a_base_only_what_is_given_is_written() -> None:
    bare: dict[str, Any] = {"global": {}, "defaults": {}, "sections": {}, "frontends": []}
    given = {"backend b": {}, "defaults x": {}, "global": {"daemon": None}, "defaults": {}}
    assert list(sections({**NONE, "sections": given}, bare)) == list(given)


@pytest.mark.parametrize(
    ("cfg", "expected"),
    [
        ({}, {"state": "", "socket": "", "nofile": 0}),
        (
            {"global": {"stats": {"socket": "/run/s mode 660", "timeout": "1s"}, "server-state-file": "/run/state"}},
            {"state": "/run/state", "socket": "/run/s", "nofile": 0},
        ),
        ({"global": {"stats": ["socket :9999"], "server-state-file": "/s"}}, {"state": "", "socket": "", "nofile": 0}),
        (
            {"global": {"maxconn": 100}, "backend b": {"server": ["a 1:1", "b 1:1"]}},
            {"state": "", "socket": "", "nofile": 1252},
        ),
        ({"global": {"maxconn": 100, "ulimit-n": 999}}, {"state": "", "socket": "", "nofile": 999}),
    ],
)
def test_unit(cfg: dict[str, Any], expected: dict[str, Any]) -> None:
    assert unit(cfg) == expected
