# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The kernel's addresses, and their changes, by netlink, which is cheap since it starts no process."""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Iterator, NamedTuple

# linux/netlink.h, linux/rtnetlink.h, linux/if_addr.h
_NETLINK_ROUTE = 0
_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_DONE, _ERROR = 3, 2
_NEWADDR, _DELADDR, _GETADDR = 20, 21, 22
_GROUPS = 0x10 | 0x100  # RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
_ADDRESS, _LOCAL = 1, 2
_SIZES = {socket.AF_INET: 4, socket.AF_INET6: 16}
_TIMEOUT_S = 2.0
_CHUNK = 65536


class InterfaceAddress(NamedTuple):
    """An address on the interface with this number."""

    interface: int
    address: str


def read_addresses() -> list[InterfaceAddress]:
    """Return all addresses of the host. Raises OSError if the kernel does not answer."""
    request = struct.pack("=IHHII", 24, _GETADDR, _DUMP, 1, 0) + struct.pack("=BBBBi", socket.AF_UNSPEC, 0, 0, 0, 0)
    data = b""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE) as sock:
        sock.settimeout(_TIMEOUT_S)
        sock.sendto(request, (0, 0))
        while not _ends(data):
            chunk = sock.recv(_CHUNK)
            # A message never spans two datagrams.
            data += chunk
    return parse_addresses(data)


class AddressChange(NamedTuple):
    """An address was added to an interface or updated (``present``), or was removed."""

    address: InterfaceAddress
    present: bool


def open_changes() -> socket.socket:
    """Return a socket that receives each change from now on. Raises OSError.

    Reading it raises OSError with ENOBUFS if changes were lost because the kernel's buffer was full.
    """
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE)
    try:
        sock.bind((0, _GROUPS))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def parse_changes(data: bytes) -> list[AddressChange]:
    """Return the changes in the kernel's messages; truncated and unknown ones are skipped."""
    return [
        AddressChange(found, kind == _NEWADDR)
        for kind, body in _messages(data)
        if kind in (_NEWADDR, _DELADDR)
        for found in _address(body)
    ]


def parse_addresses(data: bytes) -> list[InterfaceAddress]:
    """Return the addresses in the kernel's answer to RTM_GETADDR; truncated and unknown messages are skipped."""
    return [found for kind, body in _messages(data) if kind == _NEWADDR for found in _address(body)]


def _ends(data: bytes) -> bool:
    return any(kind in (_DONE, _ERROR) for kind, _body in _messages(data))


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and body of each message (struct nlmsghdr)."""
    at = 0
    while at + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, at)
        if length < 16 or at + length > len(data):
            return
        yield kind, data[at + 16 : at + length]
        at += (length + 3) & ~3


def _address(body: bytes) -> Iterator[InterfaceAddress]:
    """Yield the address of a message (struct ifaddrmsg, then attributes)."""
    if len(body) < 8:
        return
    family, _prefix, _flags, _scope, interface = struct.unpack_from("=BBBBI", body)
    found = {}
    at = 8
    while at + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        if length < 4 or at + length > len(body):
            return
        found[kind] = body[at + 4 : at + length]
        at += (length + 3) & ~3
    # IFA_ADDRESS is the remote end of a point-to-point link; IFA_LOCAL is this one, mostly missing for IPv6.
    raw = found.get(_LOCAL, found.get(_ADDRESS, b""))
    if _SIZES.get(family) == len(raw):
        yield InterfaceAddress(interface, str(ipaddress.ip_address(raw)))
