# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is let in, and which kernel parameters follow from a configuration."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._firewall.firewall import Allow
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.peers import (
    allows,
    binds,
    members,
    sysctl,
    vrrp_interfaces,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster


def host(byte: int, service: str = "eth1") -> dict[str, Any]:
    """Return the facts of a host with a management and a service network; the VIP is on the first one."""
    vip = [{"address": "198.18.1.10", "prefix": "24"}] if byte == 11 else []
    return {
        "interfaces": ["lo", "eth0", service],
        "lo": {"device": "lo", "ipv4": {"address": "127.0.0.1", "prefix": "8"}},
        "eth0": {"device": "eth0", "ipv4": {"address": f"198.18.0.{byte}", "prefix": "24"}},
        service: {
            "device": service,
            "ipv4": {"address": f"198.18.1.{byte}", "prefix": "24"},
            "ipv4_secondaries": vip,
            "ipv6": [
                {"address": f"2001:db8::{byte}", "prefix": "64", "scope": "global"},
                {"address": f"fe80::{byte}", "prefix": "64", "scope": "link"},
            ],
        },
    }


THREE = Cluster("lb02", ["lb01", "lb02", "lb03"], {"lb01": host(11), "lb02": host(12), "lb03": host(13, "ens3")})
V4 = {"interface": "eth1", "virtual_ipaddress": ["198.18.1.10/24 dev eth1"]}
V6 = {"interface": "eth1", "virtual_ipaddress": ["2001:db8::10/64"]}
UNICAST = {"unicast_peer": ["198.18.0.11", "198.18.0.13 min_ttl 1"]}

MEMBER_CASES: list[tuple[str, Any, list[list[str]]]] = [
    ("no instance", {}, []),
    # lb01 holds a virtual IP of a former configuration.
    (
        "IPv4",
        {"vrrp_instance a": {**V4, "virtual_ipaddress": ["198.18.1.9/24"]}},
        [[f"198.18.1.{n}"] for n in (11, 12, 13)],
    ),
    ("both", {"vrrp_instance a": V4, "vrrp_instance b": V6}, [[f"198.18.1.{n}", f"fe80::{n}"] for n in (11, 12, 13)]),
]


@pytest.mark.parametrize(("tree", "addresses"), [case[1:] for case in MEMBER_CASES], ids=[c[0] for c in MEMBER_CASES])
def test_the_members_with_the_addresses_that_their_adverts_come_from(tree: Any, addresses: list[list[str]]) -> None:
    assert members(tree, THREE) == dict(zip(THREE.hosts, addresses))


def test_a_member_whose_facts_are_unknown_has_no_address() -> None:
    alone = THREE._replace(facts={"lb02": host(12)})
    assert members({"vrrp_instance a": V4}, alone) == {"lb01": [], "lb02": ["198.18.1.12"], "lb03": []}


ALLOW_CASES: list[tuple[str, Any, list[Allow]]] = [
    ("multicast", {"vrrp_instance a": V4}, [Allow("vrrp", "198.18.1.11"), Allow("vrrp", "198.18.1.13")]),
    ("IPv6", {"vrrp_instance a": V6}, [Allow("vrrp", "fe80::11"), Allow("vrrp", "fe80::13")]),
    ("twice", {"vrrp_instance a": V4, "vrrp_instance b": V4}, [Allow("vrrp", f"198.18.1.{n}") for n in (11, 13)]),
    ("unicast", {"vrrp_instance a": {**V4, **UNICAST}}, [Allow("vrrp", f"198.18.0.{n}") for n in (11, 13)]),
    (
        "AH",
        {"vrrp_instance a": {**V4, "unicast_peer": ["198.18.0.11"], "authentication": {"auth_type": "AH"}}},
        [Allow("vrrp", "198.18.0.11"), Allow("ah", "198.18.0.11")],
    ),
    (
        "PASS",
        {"vrrp_instance a": {**V4, "unicast_peer": ["198.18.0.11"], "authentication": {"auth_type": "PASS"}}},
        [Allow("vrrp", "198.18.0.11")],
    ),
    (
        "AH as a list of lines",
        {"vrrp_instance a": {**V4, "unicast_peer": ["198.18.0.11"], "authentication": ["auth_type AH", "auth_pass x"]}},
        [Allow("vrrp", "198.18.0.11"), Allow("ah", "198.18.0.11")],
    ),
    ("BFD", {"bfd_instance b": {"neighbor_ip": "198.18.0.11"}}, [Allow("bfd", "198.18.0.11")]),
    ("BFD, spelled otherwise", {"bfd_instance b": {"neighbour_ip": "fe80::11"}}, [Allow("bfd", "fe80::11")]),
    (
        "lines that repeat",
        {"vrrp_instance a": [{"interface": "eth1"}, "unicast_peer 1", {"unicast_peer": {"198.18.0.11": None}}]},
        [Allow("vrrp", "198.18.0.11")],
    ),
    (
        "another host's peers, too",
        [{"vrrp_instance a": {**V4, "@lb01 unicast_peer": ["198.18.0.12"], "@^lb01 unicast_peer": ["198.18.0.11"]}}],
        [Allow("vrrp", "198.18.0.12"), Allow("vrrp", "198.18.0.11")],
    ),
    (
        "definitions",
        {
            "$NET=198.18.1": True,
            "$IF=eth1": True,
            "vrrp_instance a": {"interface": "$IF", "virtual_ipaddress": ["${NET}.10"]},
            "bfd_instance b": ["neighbor_ip ${NET}.77"],
        },
        [Allow("vrrp", "198.18.1.11"), Allow("vrrp", "198.18.1.13"), Allow("bfd", "198.18.1.77")],
    ),
    (
        "an interface that only keepalived knows",
        {"$IF": "eth1", "vrrp_instance a": {**V4, "interface": "$IF"}},
        [Allow("vrrp", f"198.18.{net}.{n}") for n in (11, 13) for net in (0, 1)],
    ),
    (
        "a peer that is defined by host",
        {"@lb02 $PEER=203.0.113.1": True, "vrrp_instance a": {**V4, "unicast_peer": ["$PEER"]}},
        [Allow("vrrp", f"198.18.1.{n}") for n in (11, 13)] + [Allow("vrrp", "203.0.113.1")],
    ),
    ("LVS alone", {"virtual_server 198.18.1.10 80": {}}, []),
    ("nothing", {"global_defs": {}}, []),
]


@pytest.mark.parametrize(("tree", "expected"), [case[1:] for case in ALLOW_CASES], ids=[c[0] for c in ALLOW_CASES])
def test_allows(tree: Any, expected: list[Allow]) -> None:
    assert allows(tree, THREE) == expected


BIND_CASES: list[tuple[str, Any, list[str]]] = [
    ("nginx", {"nginx_servers": [{"listen": "198.18.1.10:80 default_server"}]}, ["198.18.1.10"]),
    ("nginx, several", {"nginx_servers": [{"listen": ["80", "198.18.1.10:443 ssl"]}]}, ["198.18.1.10"]),
    ("nginx, IPv6", {"nginx_servers": [{"listen": "[2001:db8::10]:80"}]}, ["2001:db8::10"]),
    ("haproxy", {"haproxy_frontends": [{"name": "a", "bind": "198.18.1.10:80,:::443"}]}, ["198.18.1.10"]),
    ("haproxy, in the key", {"haproxy_frontends": [{"bind 198.18.1.10:80": True}]}, ["198.18.1.10"]),
    ("haproxy, as a mapping", {"haproxy_frontends": [{"bind": {"198.18.1.10:80": "ssl"}}]}, ["198.18.1.10"]),
    ("a health check", {"nginx_health_listen": "198.18.1.10:8099"}, ["198.18.1.10"]),
    ("raw lines", {"haproxy_conf": "frontend a\n  bind 198.18.1.10:80\n"}, ["198.18.1.10"]),
    ("any address", {"nginx_servers": [{"listen": "80"}]}, []),
    ("a longer address", {"nginx_servers": [{"listen": "198.18.1.100:80"}]}, []),
    ("a longer IPv6 address", {"nginx_servers": [{"listen": "[2001:db8::10:1]:80"}]}, []),
    ("another directive", {"nginx_servers": [{"allow": "198.18.1.10"}]}, []),
    ("nothing", {}, []),
]


@pytest.mark.parametrize(("variables", "expected"), [case[1:] for case in BIND_CASES], ids=[c[0] for c in BIND_CASES])
def test_binds(variables: Any, expected: list[str]) -> None:
    assert binds(variables, ["198.18.1.10", "2001:db8::10"]) == expected


BOTH = {"vrrp_instance a": V4, "vrrp_instance b": V6}
SYSCTL_CASES: list[tuple[str, Any, list[int]]] = [
    ("always", {}, [4, 6]),
    ("never", {"nginx_servers": [{"listen": "198.18.1.10:80"}]}, []),
    ("auto", {"nginx_servers": [{"listen": "198.18.1.10:80"}]}, [4]),
    ("auto", {"nginx_servers": [{"listen": "[2001:db8::10]:80"}]}, [6]),
    ("auto", {"nginx_servers": [{"listen": "80"}]}, []),
]


@pytest.mark.parametrize(("nonlocal_bind", "variables", "versions"), SYSCTL_CASES)
def test_sysctl(nonlocal_bind: str, variables: Any, versions: list[int]) -> None:
    expected = {f"net.ipv{version}.ip_nonlocal_bind": 1 for version in versions}
    assert sysctl(BOTH, nonlocal_bind, variables) == expected


def test_vrrp_interfaces() -> None:
    tree = {**BOTH, "vrrp_instance c": ["interface eth0", "priority 254"], "vrrp_instance d": {"state": "BACKUP"}}
    assert vrrp_interfaces(tree, THREE) == ["eth1", "eth0"]
    by_host = {
        "@lb02 $IF=eth2": True,
        "@lb01 $IF=eth3": True,
        "vrrp_instance e": ["@lb01 interface eth4", "interface $IF"],
    }
    assert vrrp_interfaces(by_host, THREE) == ["eth4", "eth2"]
