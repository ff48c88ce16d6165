# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Questions and orders to the kernel by netlink(7), and the messages of its answers."""

from __future__ import annotations

import os
import socket
import struct
from typing import Iterator

# linux/netlink.h
_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_ORDER = 0x5  # NLM_F_REQUEST | NLM_F_ACK
_DONE, _ERROR = 3, 2
_TIMEOUT_S = 2.0
# The kernel's datagrams have at most 32 KiB.
_CHUNK = 65536


def dump(protocol: int, kind: int, request: bytes) -> bytes:
    """Return the kernel's whole answer to a request of this kind.

    Raises OSError if the kernel does not answer, or answers with an error, as it does for what it was built without.
    """
    header = struct.pack("=IHHII", 16 + len(request), kind, _DUMP, 1, 0)
    chunks: list[bytes] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as sock:
        sock.settimeout(_TIMEOUT_S)
        sock.sendto(header + request, (0, 0))
        while not chunks or not _ends(chunks[-1]):
            # A message never spans two datagrams.
            chunks.append(sock.recv(_CHUNK))
    return b"".join(chunks)


def order(protocol: int, kind: int, flags: int, request: bytes) -> None:
    """Have the kernel change something; *flags* are added to the request's. Raises OSError with the kernel's errno."""
    header = struct.pack("=IHHII", 16 + len(request), kind, _ORDER | flags, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as sock:
        sock.settimeout(_TIMEOUT_S)
        sock.sendto(header + request, (0, 0))
        for answer, body in messages(sock.recv(_CHUNK)):
            # An acknowledgement is an error with number 0 (struct nlmsgerr).
            (number,) = struct.unpack_from("=i", body)
            if answer == _ERROR and number:
                raise OSError(-number, os.strerror(-number))


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and body of each message (struct nlmsghdr) before the first truncated one."""
    at = 0
    while at + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, at)
        if length < 16 or at + length > len(data):
            return
        yield kind, data[at + 16 : at + length]
        at += (length + 3) & ~3


def _ends(data: bytes) -> bool:
    """Return whether an answer ends with these messages. Raises OSError if it ends with an error."""
    for kind, body in messages(data):
        if kind in (_DONE, _ERROR):
            # Negative, also at the end of a dump that failed in the middle.
            error = -struct.unpack_from("=i", body)[0] if len(body) >= 4 else 0
            if error > 0:
                raise OSError(error, os.strerror(error))
            return True
    return False
