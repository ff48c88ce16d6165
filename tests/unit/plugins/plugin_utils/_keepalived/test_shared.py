# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a change keepalived's peers must share."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.shared import shared_changes

HOSTS = ["lb01", "lb02"]
A, B, C = "192.0.2.10", "192.0.2.20", "192.0.2.30"
PASSWORD = {"auth_type": "PASS", "auth_pass": "hunter2"}


def instance(*addresses: str, **settings: Any) -> dict[str, Any]:
    return {
        "interface": "eth1",
        "virtual_router_id": 10,
        "priority": 254,
        "advert_int": 0.2,
        "virtual_ipaddress": [f"{address}/24 dev eth1" for address in addresses],
        **settings,
    }


def conf(version: int = 3, group: tuple[str, ...] = (), **instances: dict[str, Any]) -> dict[str, Any]:
    blocks: dict[str, Any] = {f"vrrp_instance {name}": block for name, block in instances.items()}
    if group:
        blocks["vrrp_sync_group G"] = {"group": list(group)}
    return {"global_defs": {"vrrp_version": version}, **blocks}


BASE = conf(X=instance(A))
PAIR = {"X": instance(A), "Y": instance(B, virtual_router_id=20)}
THREE = {**PAIR, "Z": instance(C, virtual_router_id=30)}
CASES: list[tuple[Any, Any, dict[str, list[str]]]] = [
    (BASE, BASE, {A: []}),
    # A host decides alone on these.
    (BASE, conf(X=instance(A, priority=100, state="MASTER", garp_master_repeat=3)), {A: []}),
    (BASE, {**BASE, "global_defs": {"vrrp_version": 3, "router_id": "other"}}, {A: []}),
    (BASE, conf(X=instance(A, virtual_router_id=11)), {A: ["virtual_router_id"]}),
    (BASE, conf(2, X=instance(A, advert_int=1)), {A: ["version", "advert_int"]}),
    (BASE, conf(X=instance(A, version=2)), {A: ["version"]}),
    (BASE, conf(X=instance(A, authentication=PASSWORD)), {A: ["authentication"]}),
    (
        conf(X=instance(A, authentication=PASSWORD)),
        conf(X=instance(A, authentication={**PASSWORD, "auth_pass": "other"})),
        {A: ["authentication"]},
    ),
    (BASE, conf(X=instance(A, auth_hmac={"key 1": "one", "active_key": 1})), {A: ["auth_hmac"]}),
    (
        conf(X=instance(A, auth_hmac={"key 1": "one", "active_key": 1})),
        conf(X=instance(A, auth_hmac={"key 1": "one", "key 2": "two", "active_key": 1})),
        {A: []},
    ),
    (BASE, conf(X=instance(A, unicast_peer=["192.0.2.2"])), {A: ["unicast_peer"]}),
    # Those who hear each other go on to.
    (
        conf(X=instance(A, unicast_peer=["192.0.2.2"])),
        conf(X=instance(A, unicast_peer=["192.0.2.2", "192.0.2.3"])),
        {A: []},
    ),
    (BASE, conf(X=instance(A, B)), {A: ["virtual_ipaddress"]}),
    (conf(X=instance(A, B)), BASE, {A: ["virtual_ipaddress"]}),
    (conf(X=instance(A, B)), conf(X=instance(B, A)), {B: [], A: []}),
    (BASE, conf(Y=instance(A)), {A: ["vrrp_instance"]}),
    # A virtual IP with an instance of its own concerns no other.
    (BASE, conf(**PAIR), {A: []}),
    (conf(**PAIR), BASE, {A: []}),
    (conf(**PAIR), conf(**PAIR, group=("X", "Y")), {A: ["vrrp_sync_group"], B: ["vrrp_sync_group"]}),
    (
        conf(**PAIR, group=("X", "Y")),
        conf(**THREE, group=("X", "Y", "Z")),
        {A: ["vrrp_sync_group"], B: ["vrrp_sync_group"]},
    ),
    (conf(**THREE, group=("X", "Y")), conf(**THREE, group=("Y", "X")), {A: [], B: [], C: []}),
    # An include on both sides is unknown, and no change.
    ([BASE, {"include": "more.conf"}], [BASE, {"include": "more.conf"}], {A: []}),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES)
def test_directives_by_virtual_ip(before: Any, after: Any, expected: dict[str, list[str]]) -> None:
    found = shared_changes(render(before), after, "lb01", HOSTS)
    assert {change.address: change.directives for change in found} == expected


def test_only_the_lines_of_this_host_count() -> None:
    before = render(BASE).replace("virtual_router_id 10", "virtual_router_id 10\n@lb02 virtual_router_id 11")
    assert [change.directives for change in shared_changes(before, BASE, "lb01", HOSTS)] == [[]]
    assert [change.directives for change in shared_changes(before, BASE, "lb02", HOSTS)] == [["virtual_router_id"]]


def test_the_interface_is_that_of_the_address_so_far() -> None:
    (change,) = shared_changes(render(conf(X=instance(A))), conf(X=instance(A, interface="eth2")), "lb01", HOSTS)
    assert change.interface == "eth1"


@pytest.mark.parametrize("before", ["", "vrrp_instance X {", "}"])
def test_nothing_is_known_without_a_readable_configuration(before: str) -> None:
    assert shared_changes(before, BASE, "lb01", HOSTS) == []
