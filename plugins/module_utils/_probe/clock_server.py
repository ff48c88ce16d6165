# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Serves this host's monotonic clock to other hosts, in the prober's loop."""

from __future__ import annotations

import socket
import time
from functools import partial
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._probe.clock import answer
from ansible_collections.haproof.balancer.plugins.module_utils._probe.loop import READ, Channel, Loop, Steps, when_ready


def source_to(family: int, address: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the local address from which *address* is reached. Raises OSError."""
    with socket.socket(family, socket.SOCK_DGRAM) as route:
        # Sends nothing, but selects the source address. Any port will do.
        route.connect((address[0], address[1] or 9, *address[2:]))
        own: tuple[Any, ...] = route.getsockname()
        return own


def answer_clock(loop: Loop, family: int, address: tuple[Any, ...]) -> tuple[str, int]:
    """Serve on the local address from which *address* is reached; return it and the port. Raises OSError."""
    own = source_to(family, address)
    channel = Channel(loop)
    sock = channel.take(socket.socket(family, socket.SOCK_DGRAM))
    sock.bind((own[0], 0, *own[2:]))
    loop.start(channel, _answer_all(sock))
    return own[0], sock.getsockname()[1]


def _answer_all(sock: socket.socket) -> Steps:
    while True:
        try:
            packet, asker = yield from when_ready(partial(sock.recvfrom, 64), READ)
            reply = answer(packet, time.monotonic(), time.monotonic())
            if reply:
                sock.sendto(reply, asker)
        except OSError:
            # The asker retries; probing must not end because it is unreachable.
            continue
