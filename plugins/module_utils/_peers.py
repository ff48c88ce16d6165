# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From keepalived's configuration to what the host must let in and what its kernel must allow."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._firewall import Allow
from ansible_collections.haproof.balancer.plugins.module_utils._vips import Cluster, Interface, interfaces


class Directive(NamedTuple):
    """A line of keepalived.conf: its words, without a condition such as ``@host``, and the block that it opens."""

    words: list[str]
    block: Any = None

    @property
    def name(self) -> str:
        """The first word."""
        return self.words[0]


def directives(block: Any) -> Iterator[Directive]:
    """Yield what stands in a block, in whichever of the shapes that ``to_keepalived_conf`` reads it is written."""
    if isinstance(block, Mapping):
        for key, value in block.items():
            if isinstance(value, (Mapping, list, tuple)):
                yield from _directive(str(key), value)
            elif value is not False:
                yield from _directive(str(key) if value in (None, True) else f"{key} {value}")
    elif isinstance(block, (list, tuple)):
        for line in block:
            yield from directives(line) if isinstance(line, (Mapping, list, tuple)) else _directive(str(line))


def _directive(line: str, block: Any = None) -> Iterator[Directive]:
    words = line.split()
    if len(words) > 1 and words[0].startswith("@"):
        # What another host says lets in one peer too many at worst.
        words = words[1:]
    if words:
        yield Directive(words, block)


def _named(block: Any, *names: str) -> list[Directive]:
    return [directive for directive in directives(block) if directive.name in names]


def instances(tree: Any) -> list[Any]:
    """Return the blocks of the tree's VRRP instances."""
    return [directive.block for directive in _named(tree, "vrrp_instance")]


def vrrp_interfaces(tree: Any) -> list[str]:
    """Return the interfaces that the instances advertise on, each once."""
    found = [line.words[1] for body in instances(tree) for line in _named(body, "interface") if line.words[1:]]
    return list(dict.fromkeys(found))


def vips(tree: Any) -> list[str]:
    """Return the instances' virtual addresses without prefix, the excluded ones too."""
    return [address for body in instances(tree) for address in _addresses(body, "virtual_ipaddress", "_excluded")]


def _addresses(body: Any, name: str, *suffixes: str) -> list[str]:
    """Return the addresses that begin the lines of the blocks *name*."""
    blocks = _named(body, name, *(name + suffix for suffix in suffixes))
    return [address for block in blocks for line in directives(block.block) for address in _bare(line.name)]


def _bare(word: str) -> list[str]:
    """Return the address that the word is, without prefix; nothing when it is none (a keyword, a variable)."""
    try:
        return [str(ipaddress.ip_interface(word.strip("\"'")).ip)]
    except ValueError:
        return []


def allows(tree: Any, cluster: Cluster) -> list[Allow]:
    """Return what this host must let in: VRRP, and AH where it is used, from its peers, and BFD from its neighbours.

    Peers are those of ``unicast_peer``, or else the addresses that the other hosts have on the instance's link.
    """
    found = []
    for body in instances(tree):
        # AH carries VRRP within, and a firewall sees the outer protocol.
        uses_ah = any(
            line.words[1:] == ["AH"] for auth in _named(body, "authentication") for line in directives(auth.block)
        )
        for peer in _addresses(body, "unicast_peer") or _neighbours(body, vips(tree), cluster):
            found += [Allow(service, peer) for service in (["vrrp", "ah"] if uses_ah else ["vrrp"])]
    for instance in _named(tree, "bfd_instance"):
        for line in _named(instance.block, "neighbor_ip", "neighbour_ip"):
            found += [Allow("bfd", address) for word in line.words[1:] for address in _bare(word)]
    return list(dict.fromkeys(found))


def _neighbours(body: Any, ours: Sequence[str], cluster: Cluster) -> Iterator[str]:
    """Yield the addresses of the other hosts that the instance's adverts can come from.

    Those of its link, found by the subnets that both hosts have there; all of them when the interface is unknown.
    VRRP over IPv6 sends from link-local addresses (RFC 9568 section 5.1.2.1).
    """
    version = 6 if _is_ipv6(body) else 4
    links = interfaces(cluster.facts.get(cluster.host, {}))
    here = [address for line in _named(body, "interface") for address in links.get(line.words[-1], [])]
    networks = {address.network for address in here if not address.is_link_local}
    for peer in cluster.hosts:
        for addresses in interfaces(cluster.facts.get(peer, {})).values() if peer != cluster.host else ():
            if networks and not networks & {address.network for address in addresses}:
                continue
            for address in addresses:
                if address.version == version and str(address.ip) not in ours and _can_send(address, networks):
                    yield str(address.ip)


def _can_send(address: Interface, networks: set[Any]) -> bool:
    if address.is_loopback:
        return False
    return address.is_link_local if address.version == 6 else address.network in networks or not networks


def _is_ipv6(body: Any) -> bool:
    """Return whether adverts go over IPv6: the first VIP decides (keepalived.conf(5), native_ipv6)."""
    return bool(_named(body, "native_ipv6")) or any(":" in first for first in _addresses(body, "virtual_ipaddress")[:1])


def binds(variables: Any, addresses: Sequence[str]) -> list[str]:
    """Return those of the *addresses* that a ``listen`` or ``bind`` in the engine's *variables* names."""
    lines = list(_listens(variables, listening=False))
    return [address for address in dict.fromkeys(addresses) if any(_names(line, address) for line in lines)]


def _names(line: str, address: str) -> bool:
    whole = re.escape(address)
    return re.search(rf"(?<![\w.:\[]){whole}(?![\w.])|\[{whole}\]", line) is not None


def _listens(value: Any, listening: bool) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            # "listen" and "nginx_health_listen" introduce addresses; haproxy's "bind 192.0.2.10:80" has one in it.
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
    """Return the kernel parameters that let a daemon bind a VIP that is elsewhere.

    *nonlocal_bind* is ``always``, ``never``, or ``auto``, which means where the engine's *variables* bind one.
    """
    chosen = {"always": vips(tree), "never": [], "auto": binds(variables, vips(tree))}[nonlocal_bind]
    versions = {ipaddress.ip_address(address).version for address in chosen}
    return {f"net.ipv{version}.ip_nonlocal_bind": 1 for version in sorted(versions)}
