# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual IP's settings on each host of a group."""

from __future__ import annotations

import ipaddress
from typing import Any, Collection, Mapping, NamedTuple, Sequence, Union

Interface = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]

HIGHEST_PRIORITY = 254
"""255 is for a router that owns the address permanently (RFC 9568 section 5.2.4)."""


class Cluster(NamedTuple):
    """The hosts of a group, and the host in question.

    ``facts`` maps each host to its network facts (``interfaces``, and per interface ``ipv4``, ``ipv6``).
    ``moving`` are all virtual IPs, without prefix.
    """

    host: str
    hosts: Sequence[str]
    facts: Mapping[str, Mapping[str, Any]]
    moving: Collection[str] = ()


def vrid(vip: Mapping[str, Any]) -> int:
    """Return the VIP's VRRP router id: its own, or the last byte of its address."""
    if vip.get("vrid") is not None:
        return int(vip["vrid"])
    return ipaddress.ip_interface(vip["address"]).ip.packed[-1]


def priority(vip: Mapping[str, Any], host: str, hosts: Sequence[str]) -> int:
    """Return *host*'s priority for *vip*: the owner (else the first host) has 254, the others follow in order."""
    owner = vip.get("owner") or hosts[0]
    ranking = [owner, *(other for other in hosts if other != owner)]
    return HIGHEST_PRIORITY - ranking.index(host)


def interfaces(facts: Mapping[str, Any]) -> dict[str, list[Interface]]:
    """Return the addresses of each interface in Ansible's network facts."""
    found: dict[str, list[Interface]] = {}
    for name in facts.get("interfaces", ()):
        link = facts.get(name.replace("-", "_").replace(":", "_"), {})
        if "device" not in link:
            # Facts list an address label like an interface.
            continue
        addresses = [link.get("ipv4", {}), *link.get("ipv4_secondaries", ()), *link.get("ipv6", ())]
        found[name] = [
            ipaddress.ip_interface(f"{entry['address']}/{entry.get('prefix') or entry['netmask']}")
            for entry in addresses
            if "address" in entry
        ]
    return found


def own_address(
    vip: Mapping[str, Any], facts: Mapping[str, Any], moving: Collection[str] = ()
) -> tuple[str, Interface] | None:
    """Return the interface, and the host's own address on it, whose subnet has the VIP.

    Ignores addresses in *moving*: facts include the virtual IPs that a host holds, IPv6 ones even first.
    """
    wanted = ipaddress.ip_interface(vip["address"])
    for name, addresses in interfaces(facts).items():
        if vip.get("interface") not in (None, "", name):
            continue
        for address in addresses:
            moves = address.ip == wanted.ip or str(address.ip) in moving
            if address.version == wanted.version and wanted.ip in address.network and not moves:
                return name, address
    return None


def nowhere(vip: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Return why :func:`own_address` finds nothing, for a message that starts with the address."""
    links = interfaces(facts)
    has = ", ".join(f"{name} {address}" for name, addresses in links.items() for address in addresses)
    where = f"not in the subnet of {vip['interface']}" if vip.get("interface") else "in no subnet of this host"
    return f"is {where} (it has {has or 'no known address'})"


def instance_name(vip: Mapping[str, Any]) -> str:
    """Return the name of the VIP's vrrp_instance, derived from its address."""
    return "VI_" + str(ipaddress.ip_interface(vip["address"]).ip)


def instance(vip: Mapping[str, Any], cluster: Cluster, advert_int: float, unicast: bool) -> dict[str, Any]:
    """Return the directives of the VIP's vrrp_instance on ``cluster.host``.

    ``advert_int`` is in seconds. Raises ValueError when an address of this host, or with *unicast* of a peer, is not
    known.
    """
    here = own_address(vip, cluster.facts.get(cluster.host, {}), cluster.moving)
    interface = vip.get("interface") or (here and here[0])
    if not interface:
        raise ValueError(f"{cluster.host}: {vip['address']} {nowhere(vip, cluster.facts.get(cluster.host, {}))}")
    label = f" label {vip['label']}" if vip.get("label") else ""
    directives: dict[str, Any] = {
        "state": "BACKUP",
        "interface": interface,
        "virtual_router_id": vrid(vip),
        "priority": priority(vip, cluster.host, cluster.hosts),
        "advert_int": advert_int,
        "virtual_ipaddress": [f"{vip['address']} dev {interface}{label}"],
    }
    if unicast:
        directives.update(unicast_between(vip, cluster))
    return directives


def unicast_between(vip: Mapping[str, Any], cluster: Cluster) -> dict[str, Any]:
    """Return the directives that send the adverts for *vip* to each peer. Raises ValueError for an unknown address."""
    peers = [peer for peer in cluster.hosts if peer != cluster.host]
    return {
        "unicast_src_ip": _address(vip, cluster, cluster.host),
        "unicast_peer": [_address(vip, cluster, peer) for peer in peers],
    }


def _address(vip: Mapping[str, Any], cluster: Cluster, host: str) -> str:
    facts = cluster.facts.get(host, {})
    found = own_address(vip, facts, cluster.moving)
    if found:
        return str(found[1].ip)
    if "interfaces" in facts:
        raise ValueError(f"{cluster.host}: unicast: on {host} {vip['address']} {nowhere(vip, facts)}")
    raise ValueError(
        f"{cluster.host}: unicast needs the address of {host}, whose network facts were not gathered; "
        f"run without --limit, or with --limit {','.join(cluster.hosts)}"
    )
