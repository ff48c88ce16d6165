# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each switch adds what it promises, to the servers it is for, and the user's own directives win."""

from __future__ import annotations

import copy
from typing import Any

import crossplane
import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.parse import normal, parse
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.plan import preflight
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.tree import NOTHING, tree

NO_DEFAULTS: dict[str, Any] = {"main": {}, "events": {}, "http": {}, "upstream": {}, "servers": []}
WWW = {"listen": ["80", "443 ssl"], "server_name": "www.example.com example.com"}
APP = {"listen": "80", "server_name": "app.example.com", "location /": {"proxy_pass": "http://127.0.0.1:81"}}
EVERYTHING: dict[str, Any] = {
    "gzip": True,
    "http2": True,
    "proxy_headers": True,
    "websocket": True,
    "tls": {"profile": "intermediate", "hsts": 60, "redirect": True},
    "cache": {"size": "1g", "valid": "1m"},
    "degraded": {"content": "$5; {}", "retry_after": 30},
    "hotlink": {"extensions": ["png"], "referers": ["*.example.net"]},
    "limits": {"rate": "20r/s", "connections": 64},
    "static": {"root": "/srv/static"},
    "canonical_host": ["www.example.com"],
    "real_ip": ["192.0.2.0/24", "2001:db8::/32"],
}


def http(**settings: Any) -> dict[str, Any]:
    """The http block that settings give without defaults."""
    found: dict[str, Any] = tree({**NOTHING, **settings}, NO_DEFAULTS)["http"]
    return found


def server(own: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """One server block with what settings add to it."""
    found: dict[str, Any] = http(servers=[own], **settings)["server"][0]
    return found


def test_nothing_adds_nothing() -> None:
    assert http(servers=[WWW, APP]) == {"server": [WWW, APP]}
    assert tree(NOTHING, NO_DEFAULTS) == {"events": {}}


def test_input_stays_as_it_is() -> None:
    settings = {**NOTHING, **EVERYTHING, "servers": [copy.deepcopy(WWW), copy.deepcopy(APP)]}
    before = copy.deepcopy(settings)
    tree(settings, NO_DEFAULTS)
    assert settings == before


def test_everything_is_read_back_and_known_to_crossplane(tmp_path: Any) -> None:
    conf = tree({**NOTHING, **EVERYTHING, "servers": [WWW, APP]}, NO_DEFAULTS)
    assert normal(parse(render(conf))) == normal(conf)
    path = tmp_path / "nginx.conf"
    path.write_text(render(conf), encoding="utf-8")
    # It knows where each directive may stand, and how many arguments it takes.
    found = crossplane.parse(str(path), single=True)
    assert [error["error"] for error in found["errors"]] == []


@pytest.mark.parametrize("switch", ["cache", "degraded", "hotlink", "limits", "static"])
def test_switch_is_for_the_servers_that_it_names(switch: str) -> None:
    options = {**EVERYTHING[switch], "servers": ["example.com"]}
    www, app = http(servers=[WWW, APP], **{switch: options})["server"]
    assert www != WWW
    assert app == APP
    both = http(servers=[WWW, APP], **{switch: EVERYTHING[switch]})["server"]
    assert both[0] == www
    assert both[1] != APP


def test_health_server_gets_nothing() -> None:
    health = {"listen": "127.0.0.1:8099"}
    conf = tree({**NOTHING, **EVERYTHING, "servers": [WWW]}, {**NO_DEFAULTS, "servers": [health]})
    assert conf["http"]["server"][1] == health


def test_proxy_headers_and_websocket() -> None:
    connection = ["Connection", ""]
    plain = http(proxy_headers=True)
    assert plain["proxy_http_version"] == "1.1"
    assert [line[0] for line in plain["proxy_set_header"]] == [
        "Host",
        "X-Real-IP",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "Connection",
    ]
    assert connection in plain["proxy_set_header"]
    both = http(proxy_headers=True, websocket=True)
    assert connection not in both["proxy_set_header"]
    assert ["Connection", "$haproof_connection"] in both["proxy_set_header"]
    assert both["map $http_upgrade $haproof_connection"] == {"default": "upgrade", '""': '""'}


@pytest.mark.parametrize(
    ("own", "kept"),
    [
        ({"proxy_set_header": "X-Own a"}, ["X-Own a"]),
        ({"proxy_set_header": ["X-Own a", ["x-own-2", "b"]]}, ["X-Own a", ["x-own-2", "b"]]),
        ({"proxy_set_header X-Own a": None}, []),
    ],
)
def test_own_header_does_not_lose_the_others(own: dict[str, Any], kept: list[Any]) -> None:
    nested = {"location /a": {"location /a/b": own}, "location /": {}}
    found = server(nested, proxy_headers=True)
    lines = found["location /a"]["location /a/b"]["proxy_set_header"]
    assert lines[: len(kept)] == kept
    assert [line[0] for line in lines[len(kept) :]] == [
        "Host",
        "X-Real-IP",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "Connection",
    ]
    # What nginx inherits is not repeated.
    assert found["location /"] == {}
    assert "proxy_set_header" not in found["location /a"]


def test_own_header_stays_the_users_own() -> None:
    found = server({"location /": {"proxy_set_header": ["host example.com", 'x-real-ip ""']}}, proxy_headers=True)
    names = [line if isinstance(line, str) else line[0] for line in found["location /"]["proxy_set_header"]]
    assert names == ["host example.com", 'x-real-ip ""', "X-Forwarded-For", "X-Forwarded-Proto", "Connection"]
    assert http(proxy_headers=True, http={"proxy_set_header": "Host a"})["proxy_set_header"][0] == "Host a"


def test_hsts_reaches_every_block_that_adds_headers() -> None:
    tls = {"profile": "none", "hsts": 60}
    hsts = ["Strict-Transport-Security", "$haproof_hsts", "always"]
    block = http(tls=tls, http={"add_header": "X-A a"}, servers=[{"location /": {"add_header": "X-B b"}}, {}])
    assert block["add_header"] == ["X-A a", hsts]
    assert block["server"] == [{"location /": {"add_header": ["X-B b", hsts]}}, {}]
    assert block["map $https $haproof_hsts"] == {"on": "max-age=60"}


@pytest.mark.parametrize(
    ("profile", "protocols", "ciphers"),
    [("intermediate", "TLSv1.2 TLSv1.3", True), ("modern", "TLSv1.3", False), ("none", None, False)],
)
def test_tls_profiles(profile: str, protocols: str | None, ciphers: bool) -> None:
    found = http(tls={"profile": profile}, gzip=True)
    assert found.get("ssl_protocols") == protocols
    assert ("ssl_ciphers" in found) is ciphers


def test_users_directives_win() -> None:
    own = {"ssl_protocols": "TLSv1.3", "gzip_types": "*", "real_ip_header": "proxy_protocol"}
    assert http(http=own, **EVERYTHING).items() >= own.items()
    mine = {
        "listen": "80",
        "limit_req": "zone=mine",
        "proxy_cache": False,
        "limit_conn mine 1": None,
        "location = /haproof-degraded.html": {"return": 404},
        "location ~* \\.(png)$": {"root": "/b"},
        "if ($haproof_hotlink)": {"return": 402},
    }
    found = server(mine, **{**EVERYTHING, "static": {"root": "/a", "extensions": ["png"]}, "tls": {"profile": "none"}})
    assert found.items() >= mine.items()
    assert "limit_conn" not in found


def test_zones_and_caches_of_the_user_stay_beside() -> None:
    own = {"limit_req_zone": "$uri zone=mine:1m rate=1r/s", "proxy_cache_path": "/a keys_zone=a:1m"}
    found = http(http=own, limits={"rate": "20r/s"}, cache={"size": "1g"})
    assert found.items() >= own.items()
    assert "limit_req_zone $binary_remote_addr zone=haproof_requests:10m rate=20r/s" in found
    assert sum(key.startswith("proxy_cache_path") for key in found) == 2


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ({"rate": "20r/s"}, {"limit_req": [["zone=haproof_requests", "burst=20", "nodelay"]]}),
        ({"rate": "90r/m", "burst": 5}, {"limit_req": [["zone=haproof_requests", "burst=5", "nodelay"]]}),
        ({"rate": "20r/s", "burst": 0}, {"limit_req": [["zone=haproof_requests"]]}),
        ({"connections": 64}, {"limit_conn": [["haproof_connections", "64"]]}),
    ],
)
def test_limits(options: dict[str, Any], lines: dict[str, Any]) -> None:
    assert server({}, limits=options) == lines


def test_redirects() -> None:
    tls = {"profile": "none", "redirect": True}
    canonical = {"if ($host != www.example.com)": {"return": [["301", "$scheme://www.example.com$request_uri"]]}}
    to_tls = 'if ($https = "")'
    assert server(APP, tls=tls) == APP
    assert server(WWW, tls=tls)[to_tls] == {"return": [["301", "https://$host$request_uri"]]}
    assert server(WWW, canonical_host=["www.example.com"]) == {**canonical, **WWW}
    both = server({**WWW, "return": 404}, canonical_host=["www.example.com"], tls=tls)
    assert list(both)[:2] == [to_tls, *canonical]
    assert both[to_tls] == {"return": [["301", "https://www.example.com$request_uri"]]}


def test_degraded_keeps_other_error_pages() -> None:
    page = ["502", "504", "=503", "/haproof-degraded.html"]
    own = {"location /": {"error_page": "404 /a"}, "location /b": {}}
    block = http(servers=[own], http={"error_page": ["403 /x"]}, degraded={"content": "a"})
    (found,) = block["server"]
    assert block["error_page"] == ["403 /x"]
    assert found["error_page"] == [["403", "/x"], page]
    assert found["location /"] == {"error_page": ["404 /a", page]}
    assert found["location /b"] == {}
    assert server({"error_page": "502 /c"}, degraded={"content": "a", "status": 200})["error_page"] == [
        "502 /c",
        ["502", "504", "=200", "/haproof-degraded.html"],
    ]


@pytest.mark.parametrize(
    ("version", "own", "expected"),
    [
        ("1.26.3", {"listen": "443 ssl"}, {"http2": True, "listen": "443 ssl"}),
        ("", {"listen": "443 ssl"}, {"http2": True, "listen": "443 ssl"}),
        ("1.25.1", {"listen": "443 ssl", "http2": False}, {"listen": "443 ssl", "http2": False}),
        ("1.25.0", {"listen": "443 ssl"}, {"listen": [["443", "ssl", "http2"]]}),
        (
            "1.22.1",
            {"listen": [80, "443 ssl", ["[::]:443", "ssl"], "8443 ssl http2"]},
            {"listen": [["80"], ["443", "ssl", "http2"], ["[::]:443", "ssl", "http2"], ["8443", "ssl", "http2"]]},
        ),
        ("1.22.1", {"listen": 80}, {"listen": 80}),
        ("1.26.3", {"listen": 80}, {"listen": 80}),
    ],
)
def test_http2(version: str, own: dict[str, Any], expected: dict[str, Any]) -> None:
    assert server(own, http2=True, version=version) == expected


def test_static_comes_after_the_users_expressions() -> None:
    found = server({"location ~ \\.css$": {}, "location /": {}}, static={"root": "/a b", "extensions": ["css", "js"]})
    assert list(found) == ["location ~ \\.css$", "location /", "location ~* \\.(css|js)$"]
    assert found["location ~* \\.(css|js)$"] == {"root": [["/a b"]], "expires": "30d"}


def test_connections_and_open_files_follow_each_other() -> None:
    defaults = {**NO_DEFAULTS, "main": {"worker_rlimit_nofile": 16384}, "events": {"worker_connections": 8192}}

    def numbers(main: dict[str, Any], events: dict[str, Any]) -> tuple[Any, Any]:
        conf = tree({**NOTHING, "main": main, "events": events}, defaults)
        return conf["worker_rlimit_nofile"], conf["events"]["worker_connections"]

    assert numbers({}, {}) == (16384, 8192)
    assert numbers({"worker_rlimit_nofile": 102400}, {}) == (102400, 51200)
    assert numbers({}, {"worker_connections": 102400}) == (204800, 102400)
    assert numbers({}, {"worker_connections": 100}) == (16384, 100)
    assert numbers({"worker_rlimit_nofile": 5}, {"worker_connections": 7}) == (5, 7)


NAMED = {"servers": [WWW, APP]}
FINDINGS: list[tuple[dict[str, Any], list[str]]] = [
    ({**NAMED, **EVERYTHING}, []),
    ({"static": {"expires": "1d"}}, ["nginx_static: has no root, and has no effect without it"]),
    ({"limits": {"burst": 1}}, ["nginx_limits: has no rate or connections, and has no effect without it"]),
    ({"limits": {"rate": "20"}}, ["nginx_limits.rate: '20' is not a rate; write e.g. 20r/s or 90r/m"]),
    (
        {"hotlink": {"extensions": ["p|ng"]}},
        ["nginx_hotlink.extensions: 'p|ng' is not an extension; write it without a dot, e.g. png"],
    ),
    (
        {**NAMED, "cache": {"size": "1g", "servers": ["a.example.com"]}},
        ["nginx_cache.servers: no server has the server_name 'a.example.com'"],
    ),
    (
        {**NAMED, "canonical_host": ["www.example.com", "example.com", "a.example.com", "http://b"]},
        [
            "nginx_canonical_host[1]: another canonical host belongs to the server of example.com too; keep one of "
            "them",
            "nginx_canonical_host[2]: no server has the server_name 'a.example.com'",
            "nginx_canonical_host[3]: 'http://b' is not a host name; write it in lower case, without scheme or port",
        ],
    ),
    (
        {"servers": [APP], "tls": {"profile": "none", "redirect": True}},
        ["nginx_tls.redirect: no server listens both with ssl and without, so there is nothing to redirect"],
    ),
    (
        {"real_ip": ["192.0.2.1", "proxy", "0.0.0.0/0", "unix:"]},
        [
            "nginx_real_ip[1]: 'proxy' is not an address or network; set a proxy's, e.g. 192.0.2.0/24",
            "nginx_real_ip[2]: 0.0.0.0/0 covers every client, and each could forge its address; set only "
            "the proxies' networks",
        ],
    ),
    (
        {"servers": [{"location /": {"proxy_pass": "http://wbe"}}], "upstreams": [{"name": "web", "server": "a"}]},
        [
            "nginx_servers[0].location /.proxy_pass: wbe is not an upstream, so nginx would look it up in DNS; "
            "add it to nginx_upstreams, or write the port if it is a host (wbe:80)"
            " (if this is intended, set nginx_accept: [proxy_pass])"
        ],
    ),
    *(
        ({"servers": [{"location /": {"proxy_pass": target}}], "http": own}, [])
        for target, own in (
            ("http://app:80", {}),
            ("http://app.example.com", {}),
            ("http://$app", {}),
            ("http://localhost/", {}),
            ("http://app/", {"upstream app": {"server": "a"}}),
            ("http://app", {"include": ["mime.types", "conf.d/*.conf"]}),
        )
    ),
    (
        {"upstreams": [{"name": "web", "server": "a"}], "http": {"upstream web": {"server": "b"}}},
        ["nginx_upstreams[0] (web): the name is already used by an upstream in nginx_http; rename one of them"],
    ),
    (
        {"upstreams": [{"name": "web", "server": "a", "ip_hash": None, "least_conn": None}]},
        [
            "nginx_upstreams[0] (web): ip_hash and least_conn; nginx would take the last one only, so keep one"
            " (if this is intended, set nginx_accept: [method])"
        ],
    ),
    (
        {"upstreams": [{"name": "web", "server": ["a", "b backup"], "ip_hash": None}]},
        [
            "nginx_upstreams[0] (web).server[1]: ip_hash supports no backups; use another method, or weights",
        ],
    ),
    (
        {
            "upstreams": [
                {
                    "name": "web",
                    "server": [
                        {"address": "a", "weight": 0, "max_fails": True, "fail_timeout": "soon", "backup": "yes"},
                        {"address": "b", "weight": "2", "max_fails": 0, "fail_timeout": "1m 30s", "new": "thing"},
                        {"address": "c", "fail_timeout": 10, "slow_start": "1m30s", "down": True},
                    ],
                }
            ]
        },
        [
            "nginx_upstreams[0] (web).server[0].weight: 0 is not a whole number from 1 up",
            "nginx_upstreams[0] (web).server[0].max_fails: True is not a whole number from 0 up",
            "nginx_upstreams[0] (web).server[0].fail_timeout: 'soon' is not a time; give one, e.g. 10s",
            "nginx_upstreams[0] (web).server[0].backup: 'yes' is neither true nor false",
            "nginx_upstreams[0] (web).server[1].fail_timeout: '1m 30s' is not a time; give one, e.g. 10s",
        ],
    ),
    (
        {"events": ["use epoll"]},
        ["nginx_events: a mapping of directives is needed, not ['use epoll']"],
    ),
    (
        {"main": {"worker_rlimit_nofile": "10k"}, "events": {"worker_connections": "many more"}},
        [
            "nginx_main.worker_rlimit_nofile: '10k' is not a whole number",
            "nginx_events.worker_connections: 'many more' is not a whole number",
        ],
    ),
    (
        {
            "files": [
                {"dest": "/a", "secret": True, "mode": "0644"},
                {"dest": "/b", "secret": True, "mode": "0640"},
                {"dest": "/c", "secret": True},
                {"dest": "/d", "mode": "0644"},
            ]
        },
        ["nginx_files[0]: mode 0644 is too open for the secret /a; use 0640 or tighter"],
    ),
    (
        {"package_source": "vendor"},
        [
            "nginx_vendor_key_checksum: the vendor's key must be pinned; fetch it, compare its fingerprints with those "
            "published by the vendor, and set its checksum, e.g. sha256:0123..."
        ],
    ),
    ({"package_source": "vendor", "vendor_key_checksum": "sha256:" + "0" * 64}, []),
]


@pytest.mark.parametrize(("settings", "expected"), FINDINGS)
def test_findings(settings: dict[str, Any], expected: list[str]) -> None:
    messages = preflight({**NOTHING, **settings}, "lb01")
    assert messages == [f"lb01: {message}" for message in expected]


def test_upstream_method_comes_first_and_zero_is_a_value() -> None:
    upstream = {
        "name": "web",
        "keepalive": 8,
        "server": [{"address": "a", "max_fails": 0, "backup": False}],
        "hash $request_uri consistent": None,
    }
    found = http(upstreams=[upstream])["upstream web"]
    assert list(found.items()) == [
        ("hash $request_uri consistent", None),
        ("keepalive", 8),
        ("server", [["a", "max_fails=0"]]),
    ]
