# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From keepalived's configuration to what vrrp_probe is to look at. Pure functions."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived_cluster import vrrp_instances
from ansible_collections.haproof.balancer.plugins.module_utils._vips import Cluster, interfaces


def planned(tree: Mapping[str, Any], cluster: Cluster) -> list[dict[str, Any]]:
    """Return the instances of the configuration *tree* as options of vrrp_probe, each with its ``name`` and ``vrid``.

    Left out are those whose interface does not exist yet or has a name that only keepalived knows. ``cluster.facts``
    give the peers' addresses.
    """
    found = []
    here = interfaces(cluster.facts.get(cluster.host, {}))
    for name, body in vrrp_instances(tree).items():
        interface = str(body.get("interface", ""))
        if interface not in here:
            continue
        vips = addresses_of(body)
        unicast = [address for line in body.get("unicast_peer") or () for address in bare(str(line))]
        found.append(
            {
                "name": name,
                "vrid": int(body.get("virtual_router_id", 0)),
                "interface": interface,
                "addresses": vips,
                "advert_int_s": float(body["advert_int"]),
                "multicast": not unicast,
                "source": next(iter(bare(str(body.get("unicast_src_ip") or body.get("mcast_src_ip") or ""))), None),
                # A firewall sees the protocol AH then, of which a probe says nothing.
                "peers": [] if _uses_ah(body) else _peers(interface, vips, unicast, cluster),
            }
        )
    return found


def fingerprint(tree: Mapping[str, Any]) -> str:
    """Return a mark of all that the link sees of a configuration, which changes when a look at the link is due."""
    shown = ("interface", "virtual_router_id", "version", "unicast_peer", "unicast_src_ip", "mcast_src_ip")
    seen = [
        [name, addresses_of(body), [str(body.get(key)) for key in shown]] for name, body in vrrp_instances(tree).items()
    ]
    return hashlib.sha256(json.dumps(sorted(seen)).encode()).hexdigest()[:16]


def link_known(trees: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether every host has the mark of its configuration in its local facts, and each VIP has one holder.

    *trees* and *facts* are by host.
    """
    for host, tree in trees.items():
        noted = facts.get(host, {}).get("ansible_local", {}).get("haproof", {})
        if not isinstance(noted, Mapping) or noted.get("keepalived_link") != fingerprint(tree):
            return False
    held = [str(address.ip) for host in trees for links in interfaces(facts[host]).values() for address in links]
    vips = {vip for tree in trees.values() for body in vrrp_instances(tree).values() for vip in addresses_of(body)}
    return all(held.count(vip) == 1 for vip in vips)


def addresses_of(body: Mapping[str, Any]) -> list[str]:
    """Return an instance's virtual addresses without prefix, in order, the excluded ones too."""
    lines = [line for key in ("virtual_ipaddress", "virtual_ipaddress_excluded") for line in body.get(key) or ()]
    return [address for line in lines for address in bare(str(line).split()[0])]


def bare(word: str) -> list[str]:
    """Return the address that the word is, without prefix; nothing when it is none (a keyword, a variable)."""
    try:
        return [str(ipaddress.ip_interface(word.split()[0].strip("\"'")).ip)] if word else []
    except ValueError:
        return []


def _uses_ah(body: Mapping[str, Any]) -> bool:
    authentication = body.get("authentication")
    return isinstance(authentication, Mapping) and authentication.get("auth_type") == "AH"


def _peers(interface: str, vips: Sequence[str], unicast: Sequence[str], cluster: Cluster) -> list[dict[str, Any]]:
    """Return the other hosts, each with the addresses of the instance's family that it has on the instance's link."""
    version = ipaddress.ip_address(vips[0]).version if vips else 4
    links = interfaces(cluster.facts.get(cluster.host, {}))[interface]
    networks = {address.network for address in links if address.version == version and not address.is_link_local}
    found = []
    for host in cluster.hosts:
        if host == cluster.host:
            continue
        theirs = [
            address
            for addresses in interfaces(cluster.facts.get(host, {})).values()
            for address in addresses
            if address.version == version and not address.is_loopback
        ]
        if unicast:
            known = [str(address.ip) for address in theirs if str(address.ip) in unicast]
        elif version == 6:
            known = [str(address.ip) for address in theirs if address.is_link_local]
        else:
            known = [str(address.ip) for address in theirs if address.network in networks]
        known = _without(known, [*vips, *cluster.moving])
        if known:
            found.append({"name": host, "addresses": known})
    return found


def _without(addresses: Iterable[str], left_out: Sequence[str]) -> list[str]:
    return [address for address in addresses if address not in left_out]
