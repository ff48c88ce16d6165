# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The TCP connections of this host's addresses, by the kernel's socket monitoring (sock_diag(7)), without a process."""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Iterator, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._link.netlink import dump, messages

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
_SOCK_DIAG, _BY_FAMILY = 4, 20
_ID_AT, _ID_SIZE = 4, 48
# net/tcp_states.h. Sockets in these states have no connection that a packet could continue.
_SYN_SENT, _TIME_WAIT, _CLOSE, _LISTEN = 2, 6, 7, 10
_STATES = 0x1FFE & ~sum(1 << state for state in (_SYN_SENT, _TIME_WAIT, _CLOSE, _LISTEN))
_MAPPED = bytes(10) + b"\xff\xff"


class Connection(NamedTuple):
    """A client's address and port, and this host's port."""

    peer: str
    peer_port: int
    port: int


def read_connections(vip: str) -> frozenset[Connection]:
    """Return the connections to a virtual IP. Raises OSError if the kernel does not answer."""
    # A socket that listens on any address of both versions has its IPv4 connections among the IPv6 ones.
    families = (socket.AF_INET6,) if ":" in vip else (socket.AF_INET, socket.AF_INET6)
    return frozenset(found for family in families for found in parse(_dump(family), vip))


def parse(data: bytes, vip: str) -> Iterator[Connection]:
    """Yield the connections to a virtual IP in the kernel's answer; truncated messages are skipped."""
    wanted = ipaddress.ip_address(vip).packed
    for kind, body in messages(data):
        if kind != _BY_FAMILY or len(body) < _ID_AT + _ID_SIZE:
            continue
        size = 4 if body[0] == socket.AF_INET else 16
        local, peer = body[8 : 8 + size], body[24 : 24 + size]
        if size == 16 and local.startswith(_MAPPED):
            local, peer = local[12:], peer[12:]
        if local == wanted:
            port, peer_port = struct.unpack_from("!HH", body, _ID_AT)
            yield Connection(_text(peer), peer_port, port)


def _text(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def _dump(family: int) -> bytes:
    return dump(_SOCK_DIAG, _BY_FAMILY, struct.pack("=BBBBI48x", family, socket.IPPROTO_TCP, 0, 0, _STATES))
