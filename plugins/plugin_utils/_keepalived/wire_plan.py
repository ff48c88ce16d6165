# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""vrrp_probe's options, from keepalived's configuration. Pure functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    ADDRESSES,
    Instance,
    bare,
    defines,
    one_of,
    read,
    virtual_addresses,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import parse
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster, Interface, interfaces


def planned(tree: Any, cluster: Cluster) -> list[dict[str, Any]]:
    """Return the instances of the configuration *tree* as options of vrrp_probe, each with its ``name`` and ``vrid``.

    Left out are those whose interface does not exist yet, or whose interface, router id or interval only keepalived
    knows. ``cluster.facts`` have the peers' addresses.
    """
    found = []
    here = interfaces(cluster.facts.get(cluster.host, {}))
    for instance in read(tree, one_of(cluster.host, cluster.hosts)).instances:
        interface, vrid = instance.value("interface"), instance.number("virtual_router_id")
        if interface not in here or vrid is None or instance.advert_int_s is None:
            continue
        source = instance.value("unicast_src_ip") or instance.value("mcast_src_ip") or ""
        found.append(
            {
                "name": instance.name,
                "vrid": int(vrid),
                "interface": interface,
                "addresses": [vip.address for vip in instance.vips],
                "advert_int_s": instance.advert_int_s,
                "multicast": not instance.entries("unicast_peer"),
                "source": next(iter(bare(source)), None),
                # A firewall sees protocol AH then, which the probe does not test.
                "peers": [] if instance.uses_ah else _peers(instance, here[interface], cluster),
            }
        )
    return found


def fingerprint(tree: Any) -> str:
    """Return a hash of the settings that matter on the link, which changes when the link must be probed again."""
    shown = ("interface", "virtual_router_id", "unicast_src_ip", "mcast_src_ip")
    seen = []
    for instance in read(tree).instances:
        lines = [line.text for line in (*instance.named(*shown), *instance.entries("unicast_peer"))]
        vips = [f"{line.condition} {line.word(0)}" for line in instance.entries(*ADDRESSES)]
        seen.append([instance.name, vips, str(instance.version), lines])
    # Only the host knows which of these apply.
    by_host = [line for line in map(str.strip, render(tree).split("\n")) if line.startswith("@") and defines(line)]
    return hashlib.sha256(json.dumps([*sorted(seen), by_host]).encode()).hexdigest()[:16]


def link_known(tree: Any, host: str, facts: Mapping[str, Mapping[str, Any]], live: str = "") -> bool:
    """Return whether the link sees nothing new of the configuration *tree*, and each of its VIPs has one holder.

    The fingerprint so far is in *host*'s local facts, or that of *live*, the text of its keepalived.conf. *facts* are
    those of all hosts that can hold a VIP, by host.
    """
    noted = facts.get(host, {}).get("ansible_local", {}).get("haproof", {})
    recorded = noted.get("keepalived_link") if isinstance(noted, Mapping) else None
    if fingerprint(tree) not in (recorded, _fingerprint_of(live)):
        return False
    held = [str(address.ip) for each in facts.values() for links in interfaces(each).values() for address in links]
    return all(held.count(vip) == 1 for vip in virtual_addresses(tree))


def _fingerprint_of(live: str) -> str:
    with suppress(ParseError):
        return fingerprint(parse(live)) if live else ""
    return ""


def _peers(instance: Instance, link: Sequence[Interface], cluster: Cluster) -> list[dict[str, Any]]:
    """Return the other hosts, each with the addresses of the instance's family that it has on the instance's *link*."""
    version = instance.family
    vips = [vip.address for vip in instance.vips]
    unicast = [peer.address for peer in instance.addresses("unicast_peer")]
    networks = {address.network for address in link if address.version == version and not address.is_link_local}
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
