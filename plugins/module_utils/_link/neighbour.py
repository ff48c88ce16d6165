# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""ARP (RFC 826, RFC 5227) and IPv6 neighbour discovery (RFC 4861) as bytes. Pure functions.

A packet begins after the Ethernet header, as a packet socket of the kind SOCK_DGRAM sends and delivers it. MAC
addresses are text like ``02:42:c6:12:00:0b``.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._link.checksum import checksum

BROADCAST = "ff:ff:ff:ff:ff:ff"

_REQUEST, _REPLY = 1, 2
# Ethernet, IPv4, and the lengths of their addresses.
_ARP_HEAD = struct.pack("!HHBB", 1, 0x0800, 6, 4)
_ICMPV6 = 58
_SOLICITATION, _ADVERTISEMENT = 135, 136
_SOURCE_LINK, _TARGET_LINK = 1, 2


class Claim(NamedTuple):
    """A host's claim that an address is at a MAC address. ``reply``: it was solicited, not announced."""

    address: str
    mac: str
    reply: bool


def mac_bytes(mac: str) -> bytes:
    """Return the six bytes of a MAC address. Raises ValueError for anything else."""
    raw = bytes.fromhex(mac.replace(":", ""))
    if len(raw) != 6:
        raise ValueError(f"{mac!r} is not a MAC address")
    return raw


def mac_text(raw: bytes) -> str:
    """Return a MAC address as text."""
    return ":".join(f"{byte:02x}" for byte in raw)


def question(target: str, own: str | None, mac: str) -> tuple[bytes, str]:
    """Return the packet that asks on the wire who has *target*, and its destination MAC address.

    *own* is the sending interface's address, None without one; *mac* its MAC address. Raises ValueError for an invalid
    address.
    """
    if ipaddress.ip_address(target).version == 4:
        return arp_request(target, own, mac), BROADCAST
    # RFC 2464 section 7: the solicited-node group's last bytes, behind 33:33.
    return solicitation(target, own, mac), mac_text(b"\x33\x33" + _solicited_node(target)[12:])


def arp_request(target: str, own: str | None, mac: str) -> bytes:
    """Return an ARP request for *target*; without *own* address an ARP probe (RFC 5227 section 1.1)."""
    sender = ipaddress.IPv4Address(own or 0).packed
    return (
        _ARP_HEAD
        + struct.pack("!H", _REQUEST)
        + mac_bytes(mac)
        + sender
        + bytes(6)
        + ipaddress.IPv4Address(target).packed
    )


def solicitation(target: str, own: str | None, mac: str) -> bytes:
    """Return an IPv6 packet with a neighbour solicitation for *target*.

    Without *own* address it is one of duplicate address detection (RFC 4861 section 4.3), and the answer goes to all.
    """
    option = struct.pack("!BB", _SOURCE_LINK, 1) + mac_bytes(mac) if own else b""
    body = ipaddress.IPv6Address(target).packed + option
    ends = ipaddress.IPv6Address(own or "::").packed + _solicited_node(target)
    length = 8 + len(body)
    pseudo = ends + struct.pack("!IHBB", length, 0, 0, _ICMPV6)
    message = struct.pack("!BBHI", _SOLICITATION, 0, 0, 0) + body
    checked = message[:2] + struct.pack("!H", checksum(pseudo + message)) + message[4:]
    return struct.pack("!IHBB", 6 << 28, length, _ICMPV6, 255) + ends + checked


def parse_claim(packet: bytes, link_source: str) -> Claim | None:
    """Return the claim of an ARP packet or a neighbour advertisement; None if it has none or is broken.

    *link_source* is the source MAC address of the frame, for an advertisement without one.
    """
    if packet[:6] == _ARP_HEAD:
        return _arp_claim(packet)
    if packet and packet[0] >> 4 == 6:
        return _neighbour_claim(packet, link_source)
    return None


def _arp_claim(packet: bytes) -> Claim | None:
    if len(packet) < 28:
        return None
    operation = struct.unpack("!H", packet[6:8])[0]
    sender = ipaddress.IPv4Address(packet[14:18])
    # Any ARP packet carries its sender's address. A probe's sender is 0.0.0.0, since it has no address yet.
    if operation not in (_REQUEST, _REPLY) or int(sender) == 0:
        return None
    return Claim(str(sender), mac_text(packet[8:14]), operation == _REPLY)


def _neighbour_claim(packet: bytes, link_source: str) -> Claim | None:
    # RFC 4861 section 7.1.2: the hop limit proves that no router forwarded it.
    if len(packet) < 64 or packet[6] != _ICMPV6 or packet[7] != 255 or packet[40] != _ADVERTISEMENT:
        return None
    end = 40 + struct.unpack("!H", packet[4:6])[0]
    pseudo = packet[8:40] + struct.pack("!IHBB", end - 40, 0, 0, _ICMPV6)
    if end < 64 or len(packet) < end or checksum(pseudo + packet[40:end]):
        return None
    target = str(ipaddress.IPv6Address(packet[48:64]))
    solicited = bool(packet[44] & 0x40)
    mac = link_source
    at = 64
    while at + 8 <= end and packet[at + 1]:
        if packet[at] == _TARGET_LINK and packet[at + 1] == 1:
            mac = mac_text(packet[at + 2 : at + 8])
        at += packet[at + 1] * 8
    return Claim(target, mac, solicited)


def _solicited_node(target: str) -> bytes:
    """Return the group ff02::1:ff00:0/104 with the last three bytes of *target* (RFC 4291 section 2.7.1)."""
    return ipaddress.IPv6Address("ff02::1:ff00:0").packed[:13] + ipaddress.IPv6Address(target).packed[13:]
