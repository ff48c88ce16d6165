# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nginx role's variables: one tree in the right order, and every finding names host, variable and value."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.plan import preflight
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.tree import NOTHING, tree

DEFAULTS: dict[str, Any] = {
    "main": {"user": "www-data", "pid": "/run/nginx.pid"},
    "events": {"worker_connections": 512},
    "http": {"access_log": "/a.log", "sendfile": True},
    "upstream": {},
    "servers": [{"listen": "127.0.0.1:8099"}],
}
KEPT = {"keepalive": 64, "keepalive_timeout": "4s"}

FINDINGS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"upstreams": [{"name": "web", "server": ["192.0.2.21:80"], "ip_hash": None}]}, []),
    (
        {"upstreams": [{"name": "web"}, {"name": "app", "server": []}]},
        [
            "nginx_upstreams[0] (web): no server; give at least one under 'server', e.g. 192.0.2.21:80",
            "nginx_upstreams[1] (app): no server; give at least one under 'server', e.g. 192.0.2.21:80",
        ],
    ),
    ({"upstreams": [{"server": "a"}]}, ["nginx_upstreams[0]: no name; give one, e.g. 'name: web'"]),
    (
        {"upstreams": [{"name": "web", "server": "a"}, {"name": "web", "server": "b"}]},
        ["nginx_upstreams[1] (web): the name is already used by nginx_upstreams[0]; rename one of them"],
    ),
    (
        {"upstreams": [{"name": "web app", "server": "a"}]},
        ["nginx_upstreams[0]: the name 'web app' contains spaces; use e.g. 'web-app'"],
    ),
    (
        {"upstreams": [{"name": "web", "server": ["a", {"weight": 2}]}]},
        ["nginx_upstreams[0] (web).server[1]: no address; give one, e.g. 'address: 192.0.2.21:80'"],
    ),
    (
        {"upstreams": [{"name": "web", "server": ["a;"]}]},
        [
            "nginx_upstreams[0] (web).server[0]: an unquoted ';' ends the directive; drop it, or quote the argument if "
            "it is literal text (value: 'a;')"
        ],
    ),
    (
        {"http": {"http": {"gzip": {}, "map $a $b": {True: 1}}}, "servers": [{}, {"location /": {"return": "200 #"}}]},
        [
            "nginx_http.http.map $a $b.True: the directive True is not a string; quote it (YAML reads a bare on, off, "
            "yes, no as boolean) (value: 1)",
            "nginx_servers[1].location /.return: '#' begins a comment in nginx.conf; quote the argument if it is "
            "literal text (value: '200 #')",
        ],
    ),
    (
        {"main": {"http": {}}},
        ["nginx_main.http: the role writes this block; put its directives into nginx_http"],
    ),
    (
        {"files": [{"dest": "a"}, {"dest": "/a"}, {"dest": "/a"}, {"dest": "/etc/nginx/nginx.conf"}]},
        [
            "nginx_files[0]: dest 'a' is not an absolute path",
            "nginx_files[2]: dest /a is already used by nginx_files[1]; remove one of them",
            "nginx_files[3]: dest /etc/nginx/nginx.conf is this collection's own file; use the roles' other variables "
            "for its content",
        ],
    ),
]


@pytest.mark.parametrize(("settings", "expected"), FINDINGS)
def test_findings(settings: dict[str, Any], expected: list[str]) -> None:
    messages = preflight({**NOTHING, **settings}, "lb01")
    assert messages == [f"lb01: {message}" for message in expected]


def test_defaults_alone() -> None:
    assert tree(NOTHING, DEFAULTS) == {
        "user": "www-data",
        "pid": "/run/nginx.pid",
        "events": {"worker_connections": 512},
        "http": {"access_log": "/a.log", "sendfile": True, "server": [{"listen": "127.0.0.1:8099"}]},
    }


def test_users_directives_win_and_keep_their_order() -> None:
    own = {"log_format": "main $uri", "access_log": "/b.log main"}
    conf = tree({**NOTHING, "http": own, "main": {"user": "web"}}, DEFAULTS)
    assert list(conf["http"].items())[:3] == [("sendfile", True), *own.items()]
    assert conf["user"] == "web"


@pytest.mark.parametrize(
    ("include", "kept"),
    [("/etc/nginx/conf.d/*.conf", True), ("mime.types", False), (["a", "mime.types"], False), (None, True)],
)
def test_default_include_stays_beside_the_users(include: Any, kept: bool) -> None:
    defaults = {**DEFAULTS, "http": {"include mime.types": None}}
    http = tree({**NOTHING, "http": {"include": include}}, defaults)["http"]
    assert ("include mime.types" in http) is kept
    assert http["include"] == include


def test_stream_is_written_before_http_and_only_when_given() -> None:
    conf = tree({**NOTHING, "stream": {"server": {"listen": 25}}}, DEFAULTS)
    assert list(conf) == ["user", "pid", "events", "stream", "http"]


def test_upstream_servers_are_strings_or_mappings() -> None:
    upstream = {
        "name": "web",
        "least_conn": None,
        "server": [
            "a:80 weight=2",
            {"weight": 3, "address": "b:80", "backup": True, "down": False, "slow_start": None},
        ],
        "keepalive": 32,
    }
    http = tree({**NOTHING, "upstreams": [upstream]}, DEFAULTS)["http"]
    assert list(http["upstream web"].items()) == [
        ("least_conn", None),
        ("server", ["a:80 weight=2", ["b:80", "weight=3", "backup"]]),
        ("keepalive", 32),
    ]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, [("server", ["a"]), *KEPT.items()]),
        # After the method, which would switch them off, and after a method that only a module knows.
        ({"fair": None, "least_conn": None}, [("least_conn", None), ("server", ["a"]), ("fair", None), *KEPT.items()]),
        ({"keepalive": 8}, [("server", ["a"]), ("keepalive", 8), ("keepalive_timeout", "4s")]),
        ({"keepalive 8 ": None}, [("server", ["a"]), ("keepalive 8 ", None), ("keepalive_timeout", "4s")]),
        ({"keepalive_timeout": "50s"}, [("server", ["a"]), ("keepalive_timeout", "50s"), ("keepalive", 64)]),
        ({"keepalive": []}, [("server", ["a"]), ("keepalive", [])]),
        ({"zone": "web 64k"}, [("server", ["a"]), ("zone", "web 64k"), *KEPT.items()]),
    ],
)
def test_connections_to_an_upstream_are_kept_unless_it_says_otherwise(
    own: dict[str, Any], expected: list[tuple[str, Any]]
) -> None:
    conf = tree({**NOTHING, "upstreams": [{"name": "web", "server": "a", **own}]}, {**DEFAULTS, "upstream": KEPT})
    assert list(conf["http"]["upstream web"].items()) == expected


@pytest.mark.parametrize(
    ("own", "servers"),
    [
        ({}, ["a", "b weight=2", ["a", "F", "backup"], ["b", "weight=2", "F", "backup"]]),
        (
            {"least_conn": None, "zone": "web 64k"},
            ["a", "b weight=2", ["a", "F", "backup"], ["b", "weight=2", "F", "backup"]],
        ),
        ({"hash $uri": None}, [["a", "F"], ["b", "weight=2", "F"]]),
        ({"fair": None}, ["a", "b weight=2"]),
        ({"server": "a"}, ["a"]),
        ({"server": ["a", "b backup"]}, ["a", "b backup"]),
        ({"server": ["a", {"address": "b", "max_fails": 3}]}, ["a", ["b", "max_fails=3"]]),
        ({"server": ["a", "b fail_timeout=5s"]}, ["a", "b fail_timeout=5s"]),
    ],
)
def test_servers_are_asked_again_when_all_have_failed(own: dict[str, Any], servers: list[Any]) -> None:
    upstream = {"name": "web", "server": ["a", "b weight=2"], **own}
    conf = tree({**NOTHING, "upstreams": [upstream]}, {**DEFAULTS, "upstream": {"server": "F"}})
    assert conf["http"]["upstream web"]["server"] == servers


def test_connections_of_streams_and_of_the_users_own_blocks_are_left_alone() -> None:
    settings = {**NOTHING, "stream": {"upstream mail": {"server": "a:25"}}, "http": {"upstream app": {"server": "a"}}}
    conf = tree(settings, {**DEFAULTS, "upstream": KEPT})
    assert conf["stream"]["upstream mail"] == {"server": "a:25"}
    assert conf["http"]["upstream app"] == {"server": "a"}


def test_servers_of_nginx_http_come_before_nginx_servers() -> None:
    settings = {**NOTHING, "http": {"server": {"listen": 1}}, "servers": [{"listen": 2}]}
    servers = tree(settings, DEFAULTS)["http"]["server"]
    assert [server["listen"] for server in servers] == [1, 2, "127.0.0.1:8099"]
