# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was written by hand becomes variables that give the same configuration again."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.adopt import reproduces, variables
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.parse import parse
from hypothesis import given
from hypothesis import strategies as st

HAND_MADE = (Path(__file__).parent / "fixtures/nginx_hand_made.conf").read_text(encoding="utf-8")
OFF = {"nginx_defaults": False, "nginx_proxy_headers": False, "nginx_health_listen": ""}


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
    assert reproduces(found, parse(HAND_MADE))


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
        ("upstream 'a b' { server c; }", {'upstream "a b"': {"server": "c"}}),
        ("upstream a; server;", {"upstream": "a", "server": None}),
    ],
)
def test_what_has_no_variable_of_its_own_stays_in_http(text: str, http: dict[str, object]) -> None:
    live = parse(f"events {{}} http {{ {text} }}")
    found = variables(live)
    assert found["nginx_http"] == http
    assert reproduces(found, live)


def test_servers_apart_from_each_other_stay_in_order() -> None:
    found = variables(parse("http { server { listen 1; } map $a $b {} server { listen 2; } }"))
    assert found["nginx_servers"] == [{"listen": 1}, {"listen": 2}]


@pytest.mark.parametrize("text", ["stream { server { listen 1; } }", "events {}", "mail {}", "http {} http {}"])
def test_other_blocks(text: str) -> None:
    assert reproduces(variables(parse(text)), parse(f"events {{}} {text.replace('events {}', '')}"))


def test_variables_that_differ_do_not_reproduce() -> None:
    assert not reproduces(variables(parse("events {} user a;")), parse("events {} user b;"))


STATEMENTS = st.sampled_from(
    ["server { listen 1; }", "server { listen 2; }", "upstream a { server b; }", "include c;", "map $a $b { c d; }"]
)


# nginx takes an upstream once.
@given(st.lists(STATEMENTS, max_size=6).map(" ".join).filter(lambda text: text.count("upstream") < 2))
def test_any_order_in_http_is_reproduced(text: str) -> None:
    live = parse(f"user a; events {{}} http {{ {text} }}")
    assert reproduces(variables(live), live)
