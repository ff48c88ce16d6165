# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Echo requests and replies (RFC 792, RFC 4443 section 4) in the format of Linux's raw sockets. Pure."""

from __future__ import annotations

import struct
from typing import NamedTuple

_ECHO = struct.Struct("!BBHHH")
# Type of the request and of the reply, by IP version.
_TYPES = {4: (8, 0), 6: (128, 129)}


class Echo(NamedTuple):
    """The fields that a reply must repeat."""

    identifier: int
    sequence: int
    payload: bytes


def echo_request(version: int, echo: Echo) -> bytes:
    """Return the packet to send. For IPv6 the kernel sets the checksum, which covers addresses."""
    kind = _TYPES[version][0]
    packet = _ECHO.pack(kind, 0, 0, echo.identifier, echo.sequence) + echo.payload
    if version == 6:
        return packet
    return _ECHO.pack(kind, 0, checksum(packet), echo.identifier, echo.sequence) + echo.payload


def echo_reply(version: int, packet: bytes) -> Echo | None:
    """Return the echo in a received packet, None if it is not a reply. For IPv4 it starts with the IP header."""
    if version == 4:
        packet = packet[(packet[0] & 0x0F) * 4 :] if packet else b""
    if len(packet) < _ECHO.size:
        return None
    kind, code, _checksum, identifier, sequence = _ECHO.unpack_from(packet)
    if (kind, code) != (_TYPES[version][1], 0):
        return None
    return Echo(identifier, sequence, packet[_ECHO.size :])


def filter_replies(version: int) -> bytes:
    """Return the socket option that blocks everything except echo replies (icmp.h, icmpv6.h: set bits block)."""
    kind = _TYPES[version][1]
    words = [0xFFFFFFFF] * (1 if version == 4 else 8)
    words[kind // 32] &= ~(1 << kind % 32)
    return struct.pack(f"={len(words)}I", *words)


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
