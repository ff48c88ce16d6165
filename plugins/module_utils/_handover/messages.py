# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The datagrams by which balancers ask each other about a virtual IP. Pure functions.

``haproof-handover 1 ask VIP NUMBER`` is answered by ``haproof-handover 1 STATE VIP NUMBER CONNECTIONS``. The number
is the asker's clock, so that it knows how old an answer is at most. ``sole`` instead of ``ask`` is the question to the
only former holder that is left, when another one was lost with its connections.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError, bare_address

PORT = 11_212
LONGEST = 200
"""Bytes; longer datagrams are not read to their end, and are rejected."""
ASK, SOLE, HOLDING, SERVING, NO = "ask", "sole", "holding", "serving", "no"
QUESTIONS = (ASK, SOLE)
_HEAD = "haproof-handover 1"
_TEXT = re.compile(
    rf"{_HEAD} (ask|sole|holding|serving|no) ([0-9a-f.:]{{2,45}}) (\d{{1,15}})(?: (\d{{1,10}}))?\n", re.ASCII
)


class PeerMessage(NamedTuple):
    """A question, or the answer: ``holding`` the VIP, ``serving`` its connections without it, or ``no``."""

    kind: str
    vip: str
    number: int
    connections: int = 0


def pack(message: PeerMessage) -> bytes:
    """Return the datagram."""
    count = "" if message.kind in QUESTIONS else f" {message.connections}"
    return f"{_HEAD} {message.kind} {message.vip} {message.number}{count}\n".encode("ascii")


def parse(datagram: bytes) -> PeerMessage | None:
    """Return the message of a datagram, None for anything else."""
    found = _TEXT.fullmatch(datagram.decode("ascii", "replace"))
    if not found or (found[1] in QUESTIONS) != (found[4] is None):
        return None
    try:
        return PeerMessage(found[1], bare_address(found[2]), int(found[3]), int(found[4] or 0))
    except AddressError:
        return None
