# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was written by hand becomes variables that give the same configuration again."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.adopt import difference, variables
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.findings import findings
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.parse import parse
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.tree import NOTHING, tree
from hypothesis import given
from hypothesis import strategies as st

HAND_MADE = (Path(__file__).parent / "fixtures/nginx_hand_made.conf").read_text(encoding="utf-8")
OFF = {"nginx_base": False, "nginx_proxy_headers": False, "nginx_health_listen": ""}


def test_variables() -> None:
    found = variables(parse(HAND_MADE))
    assert list(found["nginx_main"]) == [
        "user",
        "worker_processes",
        "worker_cpu_affinity",
        "pid",
        "include",
        "worker_rlimit_nofile",
    ]
    assert found["nginx_events"] == {"use": "epoll", "worker_connections": 2048, "multi_accept": True}
    assert [upstream["name"] for upstream in found["nginx_upstreams"]] == ["web1", "web2"]
    assert [server["listen"] for server in found["nginx_servers"]] == ["80 default_server", 81]
    assert "server" not in found["nginx_http"]
    assert found.items() >= OFF.items()
    assert difference(found, parse(HAND_MADE)) == ""


@pytest.mark.parametrize(
    ("text", "http"),
    [
        ("server {} include a;", {"server": {}, "include": "a"}),
        (
            "upstream a { keepalive 1; least_conn; server b; }",
            {"upstream a": {"keepalive": 1, "least_conn": None, "server": "b"}},
        ),
        ("upstream a { server b; keepalive 1; server c; }", {}),
        ("upstream a { zone a 64k; }", {"upstream a": {"zone": "a 64k"}}),
        (
            "upstream b { server c; } upstream a { server b; ip_hash; }",
            {"upstream a": {"server": "b", "ip_hash": None}},
        ),
        ("upstream 'a b' { server c; }", {'upstream "a b"': {"server": "c"}}),
        ("upstream a; server;", {"upstream": "a", "server": None}),
    ],
)
def test_what_has_no_variable_of_its_own_stays_in_http(text: str, http: dict[str, object]) -> None:
    live = parse(f"events {{}} http {{ {text} }}")
    found = variables(live)
    assert found["nginx_http"] == http
    assert difference(found, live) == ""


def test_servers_apart_from_each_other_stay_in_order() -> None:
    found = variables(parse("http { server { listen 1; } map $a $b {} server { listen 2; } }"))
    assert found["nginx_servers"] == [{"listen": 1}, {"listen": 2}]


@pytest.mark.parametrize("text", ["stream { server { listen 1; } }", "stream {}", "events {}", "mail {}"])
def test_other_blocks(text: str) -> None:
    live = parse(f"events {{}} {text}".replace("events {} events {}", "events {}"))
    assert difference(variables(live), live) == ""


def test_the_first_line_that_differs_is_named() -> None:
    found = variables(parse("events {} user a; http { server { listen 1; location / { return 200 'x y'; } } }"))
    for text, line in (
        ("user b; events {}", "user b"),
        ("user a; events {} http {}", "http:"),
        ("user a; events {} http { gzip on; }", "http: gzip on"),
        (
            "user a; events {} http { server { listen 1; location / { return 404; } } }",
            "http: server: location /: return 404",
        ),
        ("user a; http { server { listen 1; location / { return 200 'x y'; } } }", "http:"),
    ):
        assert difference(found, parse(text)) == line


def test_where_an_include_has_the_events_there_are_none() -> None:
    found = variables(parse("include a; http {}"))
    assert found["nginx_events"] is None
    for nothing in (None, ""):
        settings = {**NOTHING, "main": {"include": "a"}, "events": nothing}
        assert list(findings(settings, "/etc/nginx/nginx.conf")) == []
        assert "events" not in tree(settings, {"main": {}, "events": {}, "http": {}, "upstream": {}, "servers": []})
    assert variables(parse("events {} http {}"))["nginx_events"] == {}


def test_findings_of_the_file_are_accepted() -> None:
    text = "upstream a { ip_hash; least_conn; server b; } server { location / { proxy_pass http://web; } }"
    found = variables(parse(f"events {{}} http {{ {text} }}"))
    assert found["nginx_accept"] == ["method", "proxy_pass"]
    settings = {**NOTHING, **{name.partition("_")[2]: value for name, value in found.items()}}
    assert list(findings(settings, "/etc/nginx/nginx.conf")) == []
    refused = list(findings({**settings, "accept": []}, "/etc/nginx/nginx.conf"))
    assert [text.partition(" (")[2].partition(" (")[2] for text in refused] == [
        "if this is intended, set nginx_accept: [method])",
        "if this is intended, set nginx_accept: [proxy_pass])",
    ]


STATEMENTS = st.sampled_from(
    ["server { listen 1; }", "server { listen 2; }", "upstream a { server b; }", "include c;", "map $a $b { c d; }"]
)


# nginx takes an upstream once.
@given(st.lists(STATEMENTS, max_size=6).map(" ".join).filter(lambda text: text.count("upstream") < 2))
def test_any_order_in_http_is_reproduced(text: str) -> None:
    live = parse(f"user a; events {{}} http {{ {text} }}")
    assert difference(variables(live), live) == ""
