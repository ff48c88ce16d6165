# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packets that a host must accept, and its kernel parameters, from keepalived's configuration."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._firewall.firewall import Allow
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    Configuration,
    Instance,
    bare,
    one_of,
    read,
    virtual_addresses,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster, Interface, interfaces


def vrrp_interfaces(tree: Any, cluster: Cluster) -> list[str]:
    """Return the interfaces that the instances advertise on, each once."""
    instances = [instance for conf in _readings(tree, cluster) for instance in conf.instances]
    return list(dict.fromkeys(name for instance in instances for name in _interfaces(instance)))


def _readings(tree: Any, cluster: Cluster) -> tuple[Configuration, Configuration]:
    """Return the configuration with all conditions open, and as this host probably reads it.

    If its config-id is a different one, the host accepts one peer too many at worst.
    """
    return read(tree), read(tree, one_of(cluster.host, cluster.hosts))


def _interfaces(instance: Instance) -> list[str]:
    return [line.word(1) for line in instance.named("interface") if not line.unresolved]


def allows(tree: Any, cluster: Cluster) -> list[Allow]:
    """Return what this host must accept: VRRP, and AH if used, from its peers, and BFD from its neighbours.

    Peers are those of ``unicast_peer``, or else the addresses that the other hosts have on the instance's link.
    """
    readings = _readings(tree, cluster)
    vips = virtual_addresses(tree)
    found = []
    for instance in (each for conf in readings for each in conf.instances):
        # AH encloses VRRP, and a firewall sees the outer protocol.
        services = ["vrrp", "ah"] if instance.uses_ah else ["vrrp"]
        peers = peers_of(instance, vips, cluster)
        found += [Allow(service, peer) for peer in peers for service in services]
    for line in (each for conf in readings for each in conf.entries("bfd_instance")):
        if line.word(0) in ("neighbor_ip", "neighbour_ip"):
            found += [Allow("bfd", address) for address in bare(line.word(1))]
    return list(dict.fromkeys(found))


def peers_of(instance: Instance, vips: Sequence[str], cluster: Cluster) -> list[str]:
    """Return the addresses that the adverts of the instance's peers can come from."""
    named = [peer.address for peer in instance.addresses("unicast_peer")]
    return named or list(_neighbours(instance, vips, cluster))


def _neighbours(instance: Instance, vips: Sequence[str], cluster: Cluster) -> Iterator[str]:
    """Yield the addresses of the other hosts that the instance's adverts can come from."""
    for peer in cluster.hosts:
        for addresses in _on_link(instance, peer, vips, cluster) if peer != cluster.host else ():
            yield from addresses


def members(tree: Any, cluster: Cluster) -> dict[str, list[str]]:
    """Return the addresses that each host's adverts can come from; none without instances.

    Only the first of an interface's IPv4 addresses: a virtual IP that is about to go is among the others.
    """
    conf, vips = _readings(tree, cluster)[1], virtual_addresses(tree)
    if not conf.instances:
        return {}
    found: dict[str, list[str]] = {host: [] for host in cluster.hosts}
    # A thousand instances may share one link.
    links = {(instance.family, *_interfaces(instance)): instance for instance in conf.instances}
    for instance in links.values():
        for host, own in found.items():
            for addresses in _on_link(instance, host, vips, cluster):
                kept = addresses[:1] if instance.family == 4 else addresses
                own.extend(address for address in kept if address not in own)
    return found


def _on_link(instance: Instance, host: str, vips: Sequence[str], cluster: Cluster) -> Iterator[list[str]]:
    """Yield the addresses on each interface of the *host* that the instance's adverts can come from.

    Those of its link, found by the subnets that both hosts have there; all of them when the interface is unknown.
    VRRP over IPv6 sends from link-local addresses (RFC 9568 section 5.1.2.1).
    """
    links = interfaces(cluster.facts.get(cluster.host, {}))
    here = [address for name in _interfaces(instance) for address in links.get(name, [])]
    networks = {address.network for address in here if not address.is_link_local}
    for addresses in interfaces(cluster.facts.get(host, {})).values():
        if networks and not networks & {address.network for address in addresses}:
            continue
        right = [each for each in addresses if each.version == instance.family and _can_send(each, networks)]
        yield [str(address.ip) for address in right if str(address.ip) not in vips]


def _can_send(address: Interface, networks: set[Any]) -> bool:
    if address.is_loopback:
        return False
    return address.is_link_local if address.version == 6 else address.network in networks or not networks


def binds(variables: Any, addresses: Sequence[str]) -> list[str]:
    """Return the *addresses* that a ``listen`` or ``bind`` in the engine's *variables* contains."""
    lines = list(_listens(variables, listening=False))
    return [address for address in dict.fromkeys(addresses) if any(_names(line, address) for line in lines)]


def _names(line: str, address: str) -> bool:
    whole = re.escape(address)
    return re.search(rf"(?<![\w.:\[]){whole}(?![\w.])|\[{whole}\]", line) is not None


def _listens(value: Any, listening: bool) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            # "listen" and "nginx_health_listen" are keys of addresses; haproxy's "bind 192.0.2.10:80" contains one.
            if listening:
                yield str(key)
            word = re.fullmatch(r"(?:\w+_)?(?:listen|bind)( .*)?", str(key))
            if word and word.group(1):
                yield word.group(1)
            yield from _listens(inner, listening or bool(word))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _listens(inner, listening)
    elif isinstance(value, str):
        yield from (line for line in value.splitlines() if listening or re.match(r"\s*(listen|bind)\s", line))


def sysctl(tree: Any, nonlocal_bind: str, variables: Any) -> dict[str, int]:
    """Return the kernel parameters that let a daemon bind a VIP that another host holds.

    *nonlocal_bind* is ``always``, ``never``, or ``auto``: only if the engine's *variables* bind one.
    """
    vips = virtual_addresses(tree)
    chosen = {"always": vips, "never": [], "auto": binds(variables, vips)}[nonlocal_bind]
    versions = {ipaddress.ip_address(address).version for address in chosen}
    return {f"net.ipv{version}.ip_nonlocal_bind": 1 for version in sorted(versions)}
