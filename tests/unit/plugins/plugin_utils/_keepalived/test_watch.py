# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._watch.vip import Vip
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.watch import (
    release_file,
    release_tracker,
    watched,
)

TREE: dict[str, Any] = {
    "global_defs": {"vrrp_version": 3, "vrrp_down_timer_adverts": 5},
    "vrrp_instance VI_192.0.2.10": {
        "interface": "eth0",
        "virtual_router_id": 10,
        "priority": 253,
        "advert_int": 0.2,
        "virtual_ipaddress": ["192.0.2.10/24 dev eth0 label eth0:vip", "192.0.2.20/24"],
        "virtual_ipaddress_excluded": ["2001:DB8::20/64 dev eth1", "198.51.100.1/32 dev lo"],
    },
}
BASE = {
    "name": "VI_192.0.2.10",
    "link": "eth0",
    "vrid": 10,
    "family": 4,
    "priority": 253,
    "failover_s": 1.199,
    "release": "",
}


def test_each_address_is_watched_where_it_lives() -> None:
    assert watched(TREE) == [
        {**BASE, "address": "192.0.2.10", "interface": "eth0", "first": True},
        {**BASE, "address": "192.0.2.20", "interface": "eth0", "first": False},
        {**BASE, "address": "2001:db8::20", "interface": "eth1", "first": False},
    ]


def test_what_is_configured_is_what_the_watch_takes() -> None:
    for entry in watched(TREE, release=True):
        assert entry.pop("release") == "/run/keepalived-watch/VI_192.0.2.10.release"
        assert Vip(**entry)


# An instance, and the seconds in which it is taken over.
TIMES: list[tuple[dict[str, Any], float]] = [
    ({}, 4.996),
    ({"advert_int": 0.05, "version": 3}, 0.3),
    ({"advert_int": 1, "version": 2}, 5.996),
    ({"down_timer_adverts": 3, "version": 2}, 3.996),
    ({"advert_int": "$INTERVAL"}, 3.996),
    ({"advert_int": 0.2, "version": 4}, 3.996),
    ({"advert_int": 0.2, "down_timer_adverts": "$N"}, 3.996),
    ({"advert_int": 0.2, "include x": True}, 3.996),
]


@pytest.mark.parametrize(("directives", "seconds"), TIMES)
def test_how_long_a_failover_may_take(directives: dict[str, Any], seconds: float) -> None:
    block = {"interface": "eth0", "virtual_router_id": 1, "virtual_ipaddress": ["192.0.2.1/24"], **directives}
    tree = {"global_defs": {"vrrp_down_timer_adverts": 5}, "vrrp_instance VI_1": block}
    if "version" not in directives and directives.get("advert_int") is None:
        block["advert_int"] = 1
    assert watched(tree)[0]["failover_s"] == pytest.approx(seconds, abs=1.0 if not directives else 0.01)


LEFT_OUT: list[dict[str, Any]] = [
    {"interface": "$IF", "virtual_router_id": 1, "virtual_ipaddress": ["192.0.2.1/24"]},
    {"interface": "eth0", "virtual_router_id": "$ID", "virtual_ipaddress": ["192.0.2.1/24"]},
    {"interface": "eth0", "virtual_router_id": 1, "virtual_ipaddress": ["192.0.2.1/24 dev $IF"]},
    {"interface": "eth0", "virtual_router_id": 1, "virtual_ipaddress": ["@lb02 192.0.2.1/24", "@other 192.0.2.2"]},
    {"interface": "eth0", "virtual_router_id": 1},
    {"interface": "eth0", "virtual_router_id": 1, "virtual_ipaddress": ["$VIP dev eth0"]},
    {"interface": "eth0", "virtual_ipaddress": ["192.0.2.1/24"]},
    {"virtual_router_id": 1, "virtual_ipaddress": ["192.0.2.1/24"]},
]


@pytest.mark.parametrize("block", LEFT_OUT)
def test_what_cannot_be_watched_is_left_out(block: dict[str, Any]) -> None:
    tree = {"vrrp_instance VI_1": block, "vrrp_script x": {"script": "x"}}
    assert watched(tree, host="lb01", hosts=["lb01", "lb02"]) == []


def test_a_list_of_directives_and_a_quoted_name_are_read_too() -> None:
    block = [{"interface": "eth0"}, "virtual_router_id 7", {"virtual_ipaddress": {"2001:db8::1/64": True}}]
    (entry,) = watched([{'vrrp_instance "VI_1"': block}])
    assert (entry["name"], entry["address"], entry["family"]) == ("VI_1", "2001:db8::1", 6)


def test_definitions_and_conditions_are_resolved() -> None:
    block = {"interface": "$IF", "@lb01 virtual_router_id": 10, "@lb02 virtual_router_id": 11}
    vips = ["192.0.2.10/24 dev $IF label eth0:vip", "@^lb02 192.0.2.20/24", "@lb02 192.0.2.30/24"]
    tree = {"$IF=eth0": True, "vrrp_instance VI_1": {**block, "virtual_ipaddress": vips}}
    found = watched(tree, host="lb01.example.com", hosts=["lb01.example.com", "lb02.example.com"])
    assert [(entry["address"], entry["interface"], entry["link"], entry["vrid"]) for entry in found] == [
        ("192.0.2.10", "eth0", "eth0", 10),
        ("192.0.2.20", "eth0", "eth0", 10),
    ]


def test_names_of_files_hold_nothing_that_means_something_else() -> None:
    assert release_tracker("VI_2001:db8::10") == "watch_VI_2001=3Adb8=3A=3A10"
    assert release_file("../x y") == "/run/keepalived-watch/..=2Fx=20y.release"
    assert release_file("VI_192.0.2.10") == "/run/keepalived-watch/VI_192.0.2.10.release"
