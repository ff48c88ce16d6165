# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The prober's loop: many non-blocking sockets in one thread, each driven by steps with a deadline.

Steps are a generator. It yields the event to wait for on its channel's socket: READ, WRITE, or NOTHING if other code
calls ``Loop.resume``. If the channel's deadline comes first, ExpiredError is raised at the yield.
"""

from __future__ import annotations

import contextlib
import errno
import heapq
import math
import os
import select
import selectors
import socket
import ssl
import struct
import time
from functools import partial
from typing import Any, Callable, Generator, TypeVar

from ansible_collections.haproof.balancer.plugins.module_utils._probe.outages import ExpiredError

NOTHING = 0
READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE

Steps = Generator[int, None, None]
T = TypeVar("T")

_IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK)
# Close with a reset: an abandoned request must not occupy a local port, or a worker of the service.
_RESET = struct.pack("ii", 1, 0)


class Channel:
    """At most one non-blocking socket, and the deadline of its steps."""

    __slots__ = ("_loop", "deadline_s", "descriptor", "queued_s", "sock", "steps", "waits_for")

    def __init__(self, loop: Loop, deadline_s: float = math.inf) -> None:
        self._loop = loop
        self.deadline_s = deadline_s
        self.queued_s = math.inf
        self.sock: socket.socket | None = None
        self.descriptor = -1
        self.waits_for = NOTHING
        self.steps: Steps | None = None

    def take(self, sock: socket.socket) -> socket.socket:
        """Make *sock* the channel's socket."""
        self.close()
        sock.setblocking(False)
        self.sock = sock
        self.descriptor = sock.fileno()
        return sock

    def close(self) -> None:
        """Close the socket, if there is one."""
        if self.sock is None:
            return
        self._loop.watch(self, NOTHING)
        # The peer may already have closed it.
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.sock.close()
        self.sock = None

    def connect(self, family: int, kind: int, address: tuple[Any, ...]) -> Steps:
        """Open a socket to *address*. Raises OSError."""
        sock = self.take(socket.socket(family, kind))
        status = sock.connect_ex(address)
        if status in _IN_PROGRESS:
            yield WRITE
            status = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if status:
            raise OSError(status, os.strerror(status))

    def start_tls(self, context: ssl.SSLContext, name: str) -> Steps:
        """Do the TLS handshake. Raises OSError."""
        # The descriptor stays the same.
        sock = context.wrap_socket(self.the_socket(), server_hostname=name, do_handshake_on_connect=False)
        self.sock = sock
        yield from when_ready(sock.do_handshake, READ)

    def send(self, data: bytes) -> Steps:
        """Send all of *data*. Raises OSError."""
        sock = self.the_socket()
        while data:
            data = data[(yield from when_ready(partial(sock.send, data), WRITE)) :]

    def receive(self) -> Generator[int, None, bytes]:
        """Return the next data, empty if the peer has closed. Raises OSError."""
        sock = self.the_socket()
        return (yield from when_ready(partial(sock.recv, 65536), READ))

    def the_socket(self) -> socket.socket:
        """Return the socket. Raises OSError without one."""
        if self.sock is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self.sock


def when_ready(action: Callable[[], T], event: int) -> Generator[int, None, T]:
    """Repeat *action* until it does not block, waiting for *event*, or for the one that TLS needs."""
    while True:
        try:
            return action()
        except BlockingIOError:
            yield event
        except ssl.SSLWantReadError:
            yield READ
        except ssl.SSLWantWriteError:
            yield WRITE


class Loop:
    """Drives the steps of all channels."""

    def __init__(self) -> None:
        self._selector = selectors.EpollSelector()
        self._channels: set[Channel] = set()
        # Deadlines; a postponed one, or one of a finished channel, stays here until it is on top.
        self._queue: list[tuple[float, int, Channel]] = []
        self._queued = 0

    def start(self, channel: Channel, steps: Steps) -> None:
        """Run *steps* until they wait."""
        channel.steps = steps
        self._channels.add(channel)
        self.resume(channel)

    def resume(self, channel: Channel, expired: bool = False) -> None:
        """Continue the steps of *channel*."""
        if channel.steps is None:
            return
        try:
            event = channel.steps.throw(ExpiredError()) if expired else next(channel.steps)
        except StopIteration:
            channel.steps = None
            self._channels.discard(channel)
            return
        self.watch(channel, event)
        if channel.deadline_s != channel.queued_s:
            channel.queued_s = channel.deadline_s
            self._queued += 1
            heapq.heappush(self._queue, (channel.deadline_s, self._queued, channel))

    def watch(self, channel: Channel, event: int) -> None:
        """Resume *channel* upon *event*."""
        if event == channel.waits_for:
            return
        if not event:
            self._selector.unregister(channel.descriptor)
        elif channel.waits_for:
            self._selector.modify(channel.descriptor, event, channel)
        else:
            self._selector.register(channel.descriptor, event, channel)
        channel.waits_for = event

    def serve_until(self, moment: float) -> None:
        """Serve channels until *moment*."""
        while self._serve(moment) < moment:
            pass

    def serve_while(self, busy: Callable[[], bool]) -> None:
        """Serve channels while *busy* returns True."""
        while busy():
            self._serve(math.inf)

    def _serve(self, moment: float) -> float:
        """Wait for the next event, deadline or *moment*, and serve due channels. Returns the time afterwards."""
        wait_s = min(moment, self._next_deadline()) - time.monotonic()
        # epoll's time-out is in whole milliseconds, select's is not.
        if wait_s > 0:
            select.select([self._selector], [], [], wait_s if wait_s < math.inf else None)
        # Events first, then deadlines.
        for key, _events in self._selector.select(0):
            self.resume(key.data)
        now = time.monotonic()
        while self._next_deadline() <= now:
            self.resume(heapq.heappop(self._queue)[2], expired=True)
        return now

    def close(self) -> None:
        """Close all channels."""
        for channel in self._channels:
            if channel.steps is not None:
                channel.steps.close()
            channel.close()
        self._channels.clear()
        self._selector.close()

    def _next_deadline(self) -> float:
        queue = self._queue
        while queue and (queue[0][2].steps is None or queue[0][0] != queue[0][2].queued_s):
            heapq.heappop(queue)
        return queue[0][0] if queue else math.inf
