# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""VRRP advertisements as bytes: VRRPv2 (RFC 3768), VRRPv3 (RFC 9568), over IPv4 and IPv6. Pure functions.

A packet is an IP packet from its first byte, as a packet socket of the kind SOCK_DGRAM delivers it. It comes from the
network: every function here returns a result or raises PacketError, whatever the bytes are.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._link.checksum import checksum

VRRP = 112
"""IP protocol of VRRP (RFC 9568 section 5.1.1.4)."""
AH = 51
"""IP protocol of the authentication header (RFC 4302), which VRRPv2 may use."""
GROUPS = {4: "224.0.0.18", 6: "ff02::12"}
"""Multicast groups of adverts by IP version (RFC 9568 sections 5.1.1.2 and 5.1.2.2)."""
TTL = 255
"""TTL or hop limit of every advert (RFC 9568 section 5.1.1.3)."""

ADVERTISEMENT = 1
# RFC 2338 section 5.3.6; RFC 3768 reserved them again, and keepalived still sends them.
_AUTHENTICATION = {0: "none", 1: "pass", 2: "ah"}
_AUTH_DATA = 8
# What keepalived 2.4 with auth_hmac appends to an advert of either version (draft-cassen-vrrp-auth-hmac): scheme 1, for
# HMAC-SHA256, key id, two zero bytes, time, counter, and the first 16 bytes of the digest.
_HMAC_SCHEME = 1
_HMAC_TRAILER = 28


class PacketError(ValueError):
    """A broken VRRP packet; the message has the reason."""


class Advert(NamedTuple):
    """One advert. ``authentication`` is a kind, never the password; ``checksum_ok`` whether the checksum is valid."""

    version: int
    vrid: int
    priority: int
    interval_s: float
    source: str
    destination: str
    ttl: int
    addresses: tuple[str, ...]
    authentication: str
    checksum_ok: bool
    trailer: bytes = b""
    """Bytes after the addresses in VRRPv3: none in the standard; used by the probes of ``vrrp_exchange``."""


def parse_packet(packet: bytes) -> Advert | None:
    """Return the advert in an IP packet, None if it is not VRRP. Raises PacketError for a broken one."""
    version = packet[0] >> 4 if packet else 0
    if version == 4:
        return _from_ipv4(packet)
    if version == 6:
        return _from_ipv6(packet)
    return None


def parse(payload: bytes, source: str, destination: str, ttl: int = TTL) -> Advert:
    """Return the advert in the payload of an IP packet between two addresses. Raises PacketError.

    ``destination`` is the multicast group, or the receiver's own address for unicast.
    """
    if len(payload) < 8:
        raise PacketError(f"has {len(payload)} bytes, a VRRP header has 8")
    kind, vrid, priority, count, third, _sum = struct.unpack("!BBBBHH", payload[:8])
    version, kind = kind >> 4, kind & 0x0F
    if version not in (2, 3):
        raise PacketError(f"has VRRP version {version}, which does not exist")
    if kind != ADVERTISEMENT:
        raise PacketError(f"has VRRP type {kind}, which does not exist")
    family = ipaddress.ip_address(source).version
    if version == 2 and family == 6:
        raise PacketError("is VRRPv2 over IPv6, which does not exist")
    width = 4 if family == 4 else 16
    end = 8 + count * width
    if len(payload) < end:
        raise PacketError(f"is cut off: {count} addresses need {end} bytes, it has {len(payload)}")
    message = end + (_AUTH_DATA if version == 2 else 0)
    signed = _is_signature(payload[message:])
    # VRRPv2: authentication type, seconds. VRRPv3: four reserved bits, hundredths of a second.
    authentication = _AUTHENTICATION.get(third >> 8, f"type {third >> 8}") if version == 2 else "none"
    interval_s = float(third & 0xFF) if version == 2 else (third & 0x0FFF) / 100
    return Advert(
        version=version,
        vrid=vrid,
        priority=priority,
        interval_s=interval_s,
        source=source,
        destination=destination,
        ttl=ttl,
        addresses=tuple(str(ipaddress.ip_address(payload[at : at + width])) for at in range(8, end, width)),
        authentication="hmac" if signed else authentication,
        # Over IPv4 it is computed before the signature is appended; over IPv6 the kernel includes that.
        checksum_ok=_checks(payload, source, destination, version)
        or (signed and _checks(payload[:message], source, destination, version)),
        trailer=b"" if version == 2 or signed else payload[end:],
    )


def build(advert: Advert) -> bytes:
    """Return the bytes of an advert without IP header, with a good checksum and no authentication data.

    ``ttl``, ``authentication`` and ``checksum_ok`` are ignored. Raises PacketError for a value that does not fit.
    """
    third = round(advert.interval_s * 100) if advert.version == 3 else round(advert.interval_s)
    try:
        addresses = b"".join(ipaddress.ip_address(address).packed for address in advert.addresses)
        head = [advert.version << 4 | ADVERTISEMENT, advert.vrid, advert.priority, len(advert.addresses), third]
        packed = struct.pack("!BBBBH", *head)
        # Authentication data is part of every VRRPv2 packet (RFC 3768 section 5.1).
        tail = addresses + (bytes(_AUTH_DATA) if advert.version == 2 else advert.trailer)
        before = _pseudo(advert.source, advert.destination, 8 + len(tail)) if advert.version == 3 else b""
    except (struct.error, ValueError) as error:
        raise PacketError(f"cannot be an advert: {error}") from error
    return packed + struct.pack("!H", checksum(before + packed + bytes(2) + tail)) + tail


def _is_signature(trailer: bytes) -> bool:
    """Return whether bytes after a message are keepalived's signature. Without the key it cannot be verified."""
    return len(trailer) == _HMAC_TRAILER and trailer[0] == _HMAC_SCHEME and trailer[2:4] == bytes(2)


def _checks(payload: bytes, source: str, destination: str, version: int) -> bool:
    """Return whether the checksum is valid in any of the ways in which routers compute it."""
    if version == 2:
        return checksum(payload) == 0
    family = ipaddress.ip_address(source).version
    # RFC 5798 section 5.2.8 includes a pseudo-header, as keepalived does. Old keepalived (before 2.0) used the group as
    # its destination even for unicast.
    ways = [_pseudo(source, group, len(payload)) for group in (destination, GROUPS[family])]
    if family == 4:
        # RFC 9568 section 5.2.8: for IPv4 only the message.
        ways.append(b"")
    return any(checksum(way + payload) == 0 for way in ways)


def _pseudo(source: str, destination: str, length: int) -> bytes:
    """Return the pseudo-header (RFC 793 section 3.1 for IPv4, RFC 8200 section 8.1 for IPv6)."""
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    if len(ends) == 8:
        return ends + struct.pack("!BBH", 0, VRRP, length)
    return ends + struct.pack("!IHBB", length, 0, 0, VRRP)


def _from_ipv4(packet: bytes) -> Advert | None:
    if len(packet) < 20 or packet[9] not in (VRRP, AH):
        return None
    head = (packet[0] & 0x0F) * 4
    total = struct.unpack("!H", packet[2:4])[0]
    fragment = struct.unpack("!H", packet[6:8])[0] & 0x3FFF
    source, destination = (str(ipaddress.IPv4Address(packet[at : at + 4])) for at in (12, 16))
    if head < 20 or total < head or len(packet) < total:
        raise PacketError(f"from {source} is cut off: {len(packet)} bytes of {total}, {head} of them header")
    if fragment:
        raise PacketError(f"from {source} is a fragment, and an advert is never split")
    return _upper(packet[9], packet[head:total], source, destination, packet[8])


def _from_ipv6(packet: bytes) -> Advert | None:
    if len(packet) < 40 or packet[6] not in (VRRP, AH):
        return None
    total = 40 + struct.unpack("!H", packet[4:6])[0]
    source, destination = (str(ipaddress.IPv6Address(packet[at : at + 16])) for at in (8, 24))
    if len(packet) < total:
        raise PacketError(f"from {source} is cut off: {len(packet)} bytes of {total}")
    return _upper(packet[6], packet[40:total], source, destination, packet[7])


def _upper(protocol: int, payload: bytes, source: str, destination: str, ttl: int) -> Advert | None:
    if protocol == VRRP:
        return parse(payload, source, destination, ttl)
    # RFC 4302 section 2: next header, length in words of 4 bytes less 2.
    if len(payload) < 12 or payload[0] != VRRP:
        return None
    advert = parse(payload[(payload[1] + 2) * 4 :], source, destination, ttl)
    return advert._replace(authentication="ah")
