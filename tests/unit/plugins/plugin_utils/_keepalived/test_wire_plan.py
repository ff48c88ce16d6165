# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a configuration means for the link, and when it has to be looked at again."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.wire_plan import (
    fingerprint,
    link_known,
    planned,
)

from .cluster_facts import CLUSTER

TREE: dict[str, Any] = {
    "global_defs": {"router_id": "lb01", "vrrp_version": 3},
    "vrrp_instance VI_1": {
        "interface": "eth0",
        "virtual_router_id": 51,
        "priority": 254,
        "advert_int": 0.2,
        "virtual_ipaddress": ["192.0.2.100/24 dev eth0"],
    },
}


def with_(**directives: Any) -> dict[str, Any]:
    tree = copy.deepcopy(TREE)
    tree["vrrp_instance VI_1"].update(directives)
    return tree


def test_multicast() -> None:
    (found,) = planned(TREE, CLUSTER)
    assert found == {
        "name": "VI_1",
        "vrid": 51,
        "interface": "eth0",
        "addresses": ["192.0.2.100"],
        "advert_int_s": 0.2,
        "multicast": True,
        "source": None,
        "peers": [
            {"name": "lb02", "addresses": ["192.0.2.12", "192.0.2.10"]},
            {"name": "lb03", "addresses": ["192.0.2.13", "192.0.2.10"]},
        ],
    }


def test_virtual_addresses_are_no_peers() -> None:
    (found,) = planned(TREE, CLUSTER._replace(moving=["192.0.2.10"]))
    assert [peer["addresses"] for peer in found["peers"]] == [["192.0.2.12"], ["192.0.2.13"]]


def test_unicast() -> None:
    (found,) = planned(with_(unicast_src_ip="192.0.2.11", unicast_peer=["192.0.2.12"]), CLUSTER)
    assert (found["multicast"], found["source"]) == (False, "192.0.2.11")
    assert found["peers"] == [{"name": "lb02", "addresses": ["192.0.2.12"]}]


def test_ah_is_not_probed() -> None:
    (found,) = planned(with_(authentication={"auth_type": "AH", "auth_pass": "secret"}), CLUSTER)
    assert found["peers"] == []


def test_an_interface_that_does_not_exist_is_left_out() -> None:
    assert planned(with_(interface="vrrp.51"), CLUSTER) == []


@pytest.mark.parametrize(
    "change",
    [
        {"virtual_router_id": 52},
        {"interface": "br-lan"},
        {"virtual_ipaddress": ["192.0.2.101/24"]},
        {"unicast_peer": ["192.0.2.12"]},
        {"version": 2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_the_link_sees_changes_the_mark(change: dict[str, Any]) -> None:
    assert fingerprint(with_(**change)) != fingerprint(TREE)


def as_lines(**directives: Any) -> dict[str, Any]:
    """Return TREE with its instance as a list of lines."""
    body = {**TREE["vrrp_instance VI_1"], **directives}
    return {**TREE, "vrrp_instance VI_1": [{k: v} if isinstance(v, list) else f"{k} {v}" for k, v in body.items()]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (as_lines(), as_lines(interface="eth1")),
        (as_lines(), as_lines(virtual_router_id=52)),
        (as_lines(), as_lines(virtual_ipaddress=["192.0.2.101/24"])),
        ({"$IF=eth0": True, **with_(interface="$IF")}, {"$IF=eth1": True, **with_(interface="$IF")}),
        (with_(**{"@lb01 interface": "eth0"}), with_(**{"@lb01 interface": "eth1"})),
        ({"@a $IF=eth0": True, **with_(interface="$IF")}, {"@a $IF=eth1": True, **with_(interface="$IF")}),
        (with_(virtual_ipaddress=["@a 192.0.2.1"]), with_(virtual_ipaddress=["@b 192.0.2.1"])),
        (with_(**{"@a unicast_peer": ["192.0.2.12"]}), with_(**{"@a unicast_peer": ["192.0.2.13"]})),
    ],
)
def test_the_mark_changes_in_any_spelling(one: Any, other: Any) -> None:
    assert fingerprint(one) != fingerprint(other)


def test_the_spelling_changes_nothing() -> None:
    assert fingerprint(as_lines()) == fingerprint(TREE)
    assert planned(as_lines(), CLUSTER) == planned(TREE, CLUSTER)


def test_definitions_and_conditions_are_resolved() -> None:
    tree = {
        "$IF=eth0": True,
        "@lb01 $ID=51": True,
        **with_(**{"interface": "$IF", "virtual_router_id": "$ID", "@lb02 advert_int": 7}),
    }
    assert planned(tree, CLUSTER) == planned(TREE, CLUSTER)


@pytest.mark.parametrize("directive", ["virtual_router_id", "advert_int"])
def test_what_only_keepalived_knows_is_left_out(directive: str) -> None:
    assert planned(with_(**{directive: "$NONE"}), CLUSTER) == []


def test_what_the_link_does_not_see_changes_nothing() -> None:
    assert fingerprint(with_(notify="/x", priority=1, track_script=["a"])) == fingerprint(TREE)


def held(host: str, mark: str, *hosts_with_vip: str) -> dict[str, Any]:
    addresses = [{"address": "192.0.2.100", "prefix": "24"}] if host in hosts_with_vip else []
    link = {"device": "eth0", "ipv4": {"address": "192.0.2.11", "prefix": "24"}, "ipv4_secondaries": addresses}
    return {"interfaces": ["eth0"], "eth0": link, "ansible_local": {"haproof": {"keepalived_link": mark}}}


KNOWN_CASES: list[tuple[str, list[str], list[str], bool]] = [
    ("runs", ["same", "same"], ["lb01"], True),
    ("changed on one", ["same", "other"], ["lb01"], False),
    ("nobody holds it", ["same", "same"], [], False),
    ("two hold it", ["same", "same"], ["lb01", "lb02"], False),
]


@pytest.mark.parametrize(
    ("marks", "holders", "expected"), [c[1:] for c in KNOWN_CASES], ids=[c[0] for c in KNOWN_CASES]
)
def test_known(marks: list[str], holders: list[str], expected: bool) -> None:
    real = {"same": fingerprint(TREE), "other": "0"}
    facts = {host: held(host, real[mark], *holders) for host, mark in zip(("lb01", "lb02"), marks)}
    assert all(link_known(TREE, host, facts) for host in facts) is expected


@pytest.mark.parametrize("local", [{}, {"haproof": "not JSON"}, {"haproof": {}}])
def test_a_host_without_a_mark(local: dict[str, Any]) -> None:
    assert not link_known(TREE, "lb01", {"lb01": {**held("lb01", "", "lb01"), "ansible_local": local}})


def test_no_facts() -> None:
    assert planned(TREE, Cluster("lb01", ["lb01"], {})) == []
    assert not link_known(TREE, "lb01", {})
