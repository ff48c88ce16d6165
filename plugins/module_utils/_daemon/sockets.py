# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A host's TCP sockets as listed by its kernel, and which of them belong to a service. Pure."""

from __future__ import annotations

import ipaddress
import struct
from typing import Container, NamedTuple, Sequence

LISTEN = 0x0A
"""enum of net/tcp_states.h."""


class Socket(NamedTuple):
    """A socket. ``inode`` is 0 if no process owns it any more, as in TIME-WAIT."""

    address: str
    port: int
    peer: str
    peer_port: int
    state: int
    inode: int


def parse_tcp(text: str) -> list[Socket]:
    """Return the sockets in ``/proc/net/tcp`` or ``/proc/net/tcp6`` (proc(5))."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        (address, port), (peer, peer_port) = (word.split(":") for word in words[1:3])
        state, inode = int(words[3], 16), int(words[9])
        found.append(Socket(_address(address), int(port, 16), _address(peer), int(peer_port, 16), state, inode))
    return found


def _address(digits: str) -> str:
    """Parse an address that the kernel prints as 32-bit numbers in the host's byte order."""
    packed = b"".join(struct.pack("=I", int(digits[at : at + 8], 16)) for at in range(0, len(digits), 8))
    address = ipaddress.ip_address(packed)
    return str(getattr(address, "ipv4_mapped", None) or address)


def served(
    sockets: Sequence[Socket], own: Container[int], address: str = "", port: int = 0, ended: Container[Socket] = ()
) -> list[str]:
    """Return the peers connected to a service, sorted.

    *own* are the inodes of the service's sockets. *address* and *port* select connections. A connection that no process
    owns any more is attributed to the process that listens on its port, except *ended* ones, which had ended before:
    the kernel lists them for a minute, even if their peers are long gone.
    """
    listening = {(one.address, one.port): one.inode for one in sockets if one.state == LISTEN}
    peers = set()
    for one in sockets:
        if one.state == LISTEN or (address and one.address != address) or (port and one.port != port):
            continue
        if not one.inode and one in ended:
            continue
        listener = next(
            (listening[place, one.port] for place in (one.address, "0.0.0.0", "::") if (place, one.port) in listening),  # noqa: S104 (what it is bound to)
            None,
        )
        # Connections opened by the service itself do not count.
        if listener is not None and (one.inode or listener) in own:
            peers.add(one.peer)
    return sorted(peers)
