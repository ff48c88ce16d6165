# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The kernel's addresses, and their changes, by netlink, which is cheap since it starts no process."""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Iterator, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._link.netlink import dump, messages, order

# linux/netlink.h, linux/rtnetlink.h, linux/if_addr.h
_NETLINK_ROUTE = 0
_NEWADDR, _DELADDR, _GETADDR = 20, 21, 22
_GROUPS = 0x10 | 0x100  # RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
_ADDRESS, _LOCAL, _LABEL, _BROADCAST, _FLAGS = 1, 2, 3, 4, 8
_SIZES = {socket.AF_INET: 4, socket.AF_INET6: 16}
_CREATE = 0x500  # NLM_F_CREATE | NLM_F_REPLACE
_NODAD, _NOPREFIXROUTE = 0x02, 0x200


class InterfaceAddress(NamedTuple):
    """An address on the interface with this number."""

    interface: int
    address: str


def read_addresses() -> list[InterfaceAddress]:
    """Return all addresses of the host. Raises OSError if the kernel does not answer."""
    request = struct.pack("=BBBBi", socket.AF_UNSPEC, 0, 0, 0, 0)
    return parse_addresses(dump(_NETLINK_ROUTE, _GETADDR, request))


def read_settings() -> dict[InterfaceAddress, bytes]:
    """Return all addresses of the host, each with what :func:`add_address` needs. Raises OSError."""
    request = struct.pack("=BBBBi", socket.AF_UNSPEC, 0, 0, 0, 0)
    answer = messages(dump(_NETLINK_ROUTE, _GETADDR, request))
    return {found: settings_of(body) for kind, body in answer if kind == _NEWADDR for found in _address(body)}


def settings_of(body: bytes) -> bytes:
    """Return the request that adds the address of a message (struct ifaddrmsg, then attributes)."""
    family, prefix, _flags, scope, interface = struct.unpack_from("=BBBBI", body)
    found = _attributes(body)
    (flags,) = struct.unpack("=I", found.get(_FLAGS, bytes(4)))
    # The kernel would begin to look for duplicates, and not use the address meanwhile.
    flags = flags & _NOPREFIXROUTE | (_NODAD if family == socket.AF_INET6 else 0)
    kept = {kind: found[kind] for kind in (_ADDRESS, _LOCAL, _LABEL, _BROADCAST) if kind in found}
    kept[_FLAGS] = struct.pack("=I", flags)
    packed = [struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4) for kind, value in kept.items()]
    return struct.pack("=BBBBI", family, prefix, flags & 0xFF, scope, interface) + b"".join(packed)


def add_address(settings: bytes) -> None:
    """Add an address with the settings that it had, as permanent and without looking for duplicates. Raises OSError."""
    order(_NETLINK_ROUTE, _NEWADDR, _CREATE, settings)


def remove_address(settings: bytes) -> None:
    """Remove an address. Raises OSError."""
    order(_NETLINK_ROUTE, _DELADDR, 0, settings)


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
        for kind, body in messages(data)
        if kind in (_NEWADDR, _DELADDR)
        for found in _address(body)
    ]


def parse_addresses(data: bytes) -> list[InterfaceAddress]:
    """Return the addresses in the kernel's answer to RTM_GETADDR; truncated and unknown messages are skipped."""
    return [found for kind, body in messages(data) if kind == _NEWADDR for found in _address(body)]


def _address(body: bytes) -> Iterator[InterfaceAddress]:
    """Yield the address of a message (struct ifaddrmsg, then attributes)."""
    if len(body) < 8:
        return
    family, _prefix, _flags, _scope, interface = struct.unpack_from("=BBBBI", body)
    found = _attributes(body)
    # IFA_ADDRESS is the remote end of a point-to-point link; IFA_LOCAL is this one, mostly missing for IPv6.
    raw = found.get(_LOCAL, found.get(_ADDRESS, b""))
    if _SIZES.get(family) == len(raw):
        yield InterfaceAddress(interface, str(ipaddress.ip_address(raw)))


def _attributes(body: bytes) -> dict[int, bytes]:
    """Return the attributes after struct ifaddrmsg, none of a message that is cut off in the middle of one."""
    found: dict[int, bytes] = {}
    at = 8
    while at + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        if length < 4 or at + length > len(body):
            return {}
        found[kind] = body[at + 4 : at + length]
        at += (length + 3) & ~3
    return found
