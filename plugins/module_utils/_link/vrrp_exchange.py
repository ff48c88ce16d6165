# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether the hosts of a group reach each other with VRRP: each sends probes that list the peers it hears. Pure.

A probe is an advert with router id 0, which no router has (RFC 9568 section 5.2.3), so every router ignores it;
keepalived 2.2.7 does not even log it. Its addresses are those that the sender hears, followed by a mark and the
sender's clock. So a host learns when its peers hear it, and need not wait for a time-out.
"""

from __future__ import annotations

import math
import struct
from typing import Any, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_packet import GROUPS, Advert, build
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_routers import NOT_A_ROUTER

_MARK = b"haproof\x01"
_MOST_HEARD = 64
LINK, HOST = "link", "host"
"""Where a probe arrived: at the interface, or past the host's own firewall."""


class Peer(NamedTuple):
    """A host of the group, and its addresses on the link; it sends from one of them."""

    name: str
    addresses: tuple[str, ...]


class Route(NamedTuple):
    """A path of probes: interface, this host's address there, the group or a peer's address, and the receivers."""

    interface: str
    source: str
    target: str
    peers: tuple[Peer, ...]

    @property
    def way(self) -> str:
        """``multicast`` or ``unicast``."""
        return _way(self.target)


class Exchange:
    """The probes between this host and its peers."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = routes
        # By interface, way and source address of probes.
        self._heard: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._known = {
            (route.interface, route.way, address)
            for route in routes
            for peer in route.peers
            for address in peer.addresses
        }

    def probe(self, route: Route, time_s: float) -> bytes:
        """Return the payload of a probe for a route; *time_s* is the wall clock's time."""
        family = 6 if ":" in route.source else 4
        heard = [
            address
            for (interface, way, address), entry in self._heard.items()
            if (interface, way) == (route.interface, route.way) and entry[LINK] and (":" in address) == (family == 6)
        ]
        return build(
            Advert(
                version=3,
                vrid=NOT_A_ROUTER,
                priority=0,
                interval_s=1.0,
                source=route.source,
                destination=route.target,
                ttl=255,
                addresses=tuple(heard[:_MOST_HEARD]) or (route.source,),
                authentication="none",
                checksum_ok=True,
                trailer=_MARK + struct.pack("!d", time_s),
            )
        )

    def take(self, advert: Advert, interface: str, layer: str, time_s: float) -> None:
        """Record a probe that arrived at the *layer* LINK or HOST; other packets are ignored."""
        key = (interface, _way(advert.destination), advert.source)
        if advert.vrid != NOT_A_ROUTER or not advert.trailer.startswith(_MARK) or key not in self._known:
            return
        if len(advert.trailer) < len(_MARK) + 8:
            return
        (sent_s,) = struct.unpack("!d", advert.trailer[len(_MARK) : len(_MARK) + 8])
        entry = self._heard.setdefault(key, {LINK: False, HOST: False, "answered": False, "clock": None})
        entry[layer] = True
        own = {route.source for route in self.routes if route.interface == interface}
        entry["answered"] = entry["answered"] or bool(own & set(advert.addresses))
        difference = sent_s - time_s
        # The least delayed probe is the most accurate. A non-finite time is garbage.
        if math.isfinite(difference) and (entry["clock"] is None or abs(difference) < abs(entry["clock"])):
            entry["clock"] = difference

    def complete(self) -> bool:
        """Return whether every peer is heard, and reports that it hears this host."""
        return all(self._entry(route, peer).get("answered", False) for route in self.routes for peer in route.peers)

    def report(self) -> list[dict[str, Any]]:
        """Return the results by route and peer, like ``heard`` in ``vrrp_probe``."""
        return [
            {
                "peer": peer.name,
                "addresses": list(peer.addresses),
                "interface": route.interface,
                "way": route.way,
                "link": self._entry(route, peer).get(LINK, False),
                "host": self._entry(route, peer).get(HOST, False),
                "clock_difference_s": self._entry(route, peer).get("clock"),
            }
            for route in self.routes
            for peer in route.peers
        ]

    def _entry(self, route: Route, peer: Peer) -> dict[str, Any]:
        entries = [self._heard.get((route.interface, route.way, address)) for address in peer.addresses]
        return next((entry for entry in entries if entry), {})


def _way(destination: str) -> str:
    return "multicast" if destination in GROUPS.values() else "unicast"


def routes_of(instance: dict[str, Any], own: str | None) -> list[Route]:
    """Return the routes of an instance (``interface``, ``multicast``, ``peers``), from this host's address *own*.

    Only peers with addresses of *own*'s family count; without *own* there are no routes.
    """
    if own is None:
        return []
    version = 6 if ":" in own else 4
    peers = [Peer(str(peer["name"]), tuple(peer["addresses"])) for peer in instance["peers"]]
    if instance["multicast"]:
        return [Route(instance["interface"], own, GROUPS[version], tuple(peers))] if peers else []
    return [
        Route(instance["interface"], own, address, (peer,))
        for peer in peers
        for address in peer.addresses
        if (":" in address) == (version == 6)
    ]
