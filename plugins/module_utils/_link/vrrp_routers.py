# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The VRRP routers on a link, collected from many packets in bounded memory. No input or output."""

from __future__ import annotations

from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_packet import (
    Advert,
    PacketError,
    parse_packet,
)

MOST = 1024
"""Maximum number of routers; a link has 255 router ids per family, so more must be garbage."""
NOT_A_ROUTER = 0
"""The VRID that no router has (RFC 9568 section 5.2.3); probes use it."""


class Routers:
    """Collects adverts. ``malformed`` counts broken packets, ``overflow`` adverts of routers beyond MOST."""

    def __init__(self) -> None:
        self._found: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.malformed = 0
        self.overflow = 0

    def take(self, packet: bytes, mac: str, interface: str, now: float) -> None:
        """Add an IP packet received at *now*, in seconds on a monotonic clock."""
        try:
            advert = parse_packet(packet)
        except PacketError:
            self.malformed += 1
            return
        if advert is not None and advert.vrid != NOT_A_ROUTER:
            self.add(advert, mac, interface, now)

    def add(self, advert: Advert, mac: str, interface: str, now: float) -> None:
        """Add an advert."""
        key = (interface, advert.vrid, advert.source, advert.version)
        router = self._found.get(key)
        if router is None:
            if len(self._found) >= MOST:
                self.overflow += 1
                return
            router = self._found[key] = {"count": 0, "checksum_ok": True}
        router.update(
            interface=interface,
            mac=mac,
            source=advert.source,
            destination=advert.destination,
            vrid=advert.vrid,
            version=advert.version,
            priority=advert.priority,
            interval_s=advert.interval_s,
            addresses=list(advert.addresses),
            authentication=advert.authentication,
            ttl=advert.ttl,
            count=router["count"] + 1,
            checksum_ok=router["checksum_ok"] and advert.checksum_ok,
            last=now,
        )

    def report(self, now: float) -> list[dict[str, Any]]:
        """Return the routers by interface, VRID and source; ``age_s`` is the time since the last advert."""
        return [
            {**{name: value for name, value in router.items() if name != "last"}, "age_s": now - router["last"]}
            for _key, router in sorted(self._found.items())
        ]
