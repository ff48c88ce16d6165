# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair set up by hand, what is proposed for it, and what that would gain."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import parse
from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.proposal import gains, proposed

STANDARD = {"version": 3, "advert_int": 0.2, "down_timer_adverts": 5}
TEXT = """
vrrp_script chk {
    script "killall -0 haproxy"
    interval 2
    weight -20
    fall 3
}
vrrp_instance VI_1 {
    state MASTER
    interface eth1
    virtual_router_id 51
    priority %s
    advert_int 1
    virtual_ipaddress {
        192.0.2.10
        192.0.2.11/25 dev eth2
    }
    track_script {
        chk
    }
}
"""
ADDRESSES = {
    "lb01": [
        {"address": "127.0.0.1", "prefix": 8, "scope": "host"},
        {"address": "192.0.2.10", "prefix": 32, "scope": "global"},
        {"address": "192.0.2.1", "prefix": 24, "scope": "global"},
    ]
}


def pair(*changes: tuple[str, str]) -> dict[str, Any]:
    """Return the configurations of a pair, after replacements in both."""
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return {host: parse(text % priority) for host, priority in (("lb02", 90), ("lb01", 100))}


def test_the_same_virtual_ips_with_the_collections_own_settings() -> None:
    assert proposed(pair(), ADDRESSES, "haproxy") == {
        "keepalived_profile": "standard",
        "keepalived_vips": [
            {"address": "192.0.2.10/24", "interface": "eth1", "vrid": 51, "owner": "lb01"},
            {"address": "192.0.2.11/24", "interface": "eth2", "owner": "lb01"},
        ],
        "keepalived_track_services": ["haproxy"],
        "haproxy_health_bind": "127.0.0.1:8099",
        "keepalived_check_url": "http://127.0.0.1:8099/",
        "haproxy_unit": True,
    }


def test_without_a_known_engine_subnet_or_owner() -> None:
    assert proposed(pair(("advert_int 1", "nopreempt")), {}, "") == {
        "keepalived_profile": "standard",
        "keepalived_vips": [
            {"address": "192.0.2.10/32", "interface": "eth1", "vrid": 51},
            {"address": "192.0.2.11/25", "interface": "eth2"},
        ],
    }


def test_the_table() -> None:
    table = gains(pair(), STANDARD)
    assert table == [
        "longest outage                today       proposed           gain",
        "VI_1, 192.0.2.10, 192.0.2.11",
        "  service stops            9,668 ms          22 ms       9,646 ms",
        "  host dies                3,668 ms       1,022 ms       2,646 ms",
        "  keepalived stops           668 ms          22 ms         646 ms",
    ]


# A change of both hosts, and how long the virtual IP may be away today when the service stops.
SERVICE: list[tuple[list[tuple[str, str]], str]] = [
    ([("weight -20", "weight 0")], "6,668 ms"),
    ([("weight -20", "weight -2")], "the VIP stays"),
    ([("weight -20", "weight 2")], "the VIP stays"),
    ([("weight -20", "weight -2"), ("        chk", "        chk weight -30")], "9,668 ms"),
    ([("advert_int 1", "nopreempt")], "the VIP stays"),
    ([("fall 3", "fall 1")], "5,668 ms"),
    ([("track_script {\n        chk\n    }", "")], "the VIP stays"),
]


@pytest.mark.parametrize(("changes", "expected"), SERVICE)
def test_a_stopped_service(changes: list[tuple[str, str]], expected: str) -> None:
    (row,) = (line for line in gains(pair(*changes), STANDARD) if "service stops" in line)
    assert row[20:35].strip() == expected


def test_included_files_are_left_out() -> None:
    beside = gains(pair(("\nvrrp_script chk {", "\ninclude conf.d/*\nvrrp_script chk {")), STANDARD)
    assert beside == [*gains(pair(), STANDARD), "What included files say is not known here."]


def test_what_only_keepalived_knows_and_a_host_alone() -> None:
    unknown = gains(pair(("priority", "@elsewhere priority")), STANDARD)
    assert unknown[1:] == ["VI_1: its timers depend on what only keepalived knows"]
    assert gains({"lb01": parse(TEXT % 100)}, STANDARD)[1:] == []
