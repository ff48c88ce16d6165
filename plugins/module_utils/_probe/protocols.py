# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One class per protocol. Each has ``request``: steps on a new channel that make one request and return its outcome."""

from __future__ import annotations

import os
import socket
import ssl
import time
from functools import partial
from typing import Any, Generator, NamedTuple, Protocol

from ansible_collections.haproof.balancer.plugins.module_utils._probe.http import Answer
from ansible_collections.haproof.balancer.plugins.module_utils._probe.icmp import (
    Echo,
    echo_reply,
    echo_request,
    filter_replies,
)
from ansible_collections.haproof.balancer.plugins.module_utils._probe.loop import (
    NOTHING,
    READ,
    Channel,
    Loop,
    Steps,
    when_ready,
)
from ansible_collections.haproof.balancer.plugins.module_utils._probe.outages import GOOD, ExpiredError

Outcome = Generator[int, None, str]

# linux/icmp.h and linux/icmpv6.h; Python does not name them.
_SOL_RAW = 255
_ICMP_FILTER = 1
_ICMPV6_FILTER = 1


class Place(NamedTuple):
    """An address in the form of sockets."""

    family: int
    address: tuple[Any, ...]

    @property
    def version(self) -> int:
        """Return the IP version."""
        return 6 if self.family == socket.AF_INET6 else 4


class Requester(Protocol):
    """A protocol, as used by the prober."""

    def request(self, channel: Channel) -> Outcome:
        """Make one request. Raises OSError if it ends early."""


class Tcp:
    """Good is a connection that stays open for ``hold_s``, or receives data before."""

    def __init__(self, place: Place, hold_s: float = 0.0) -> None:
        self._place = place
        self._hold_s = hold_s

    def connect(self, channel: Channel) -> Steps:
        """Open a connection."""
        yield from channel.connect(self._place.family, socket.SOCK_STREAM, self._place.address)

    def request(self, channel: Channel) -> Outcome:
        """Make one request."""
        yield from self.connect(channel)
        if not self._hold_s:
            return GOOD
        channel.deadline_s = min(time.monotonic() + self._hold_s, channel.deadline_s)
        try:
            data = yield from channel.receive()
        except ExpiredError:
            return GOOD
        return GOOD if data else "closed"


class Http:
    """Good is a complete answer with a good status; over TLS with a ``context``."""

    def __init__(
        self,
        place: Place,
        message: bytes,
        good_status: tuple[int, int],
        context: ssl.SSLContext | None = None,
        name: str = "",
    ) -> None:
        self._place = place
        self._message = message
        self._good_status = good_status
        self._context = context
        self._name = name

    def connect(self, channel: Channel) -> Steps:
        """Open a connection."""
        yield from channel.connect(self._place.family, socket.SOCK_STREAM, self._place.address)
        if self._context:
            yield from channel.start_tls(self._context, self._name)

    def ask(self, channel: Channel) -> Generator[int, None, Answer]:
        """Send the request over the channel's connection. Returns the answer, as far as it arrived."""
        yield from channel.send(self._message)
        answer = Answer()
        while not answer.whole() and not answer.broken():
            data = yield from channel.receive()
            if not data:
                break
            answer.feed(data)
        return answer

    def judge(self, answer: Answer) -> str:
        """Return the outcome."""
        return answer.outcome(*self._good_status)

    def request(self, channel: Channel) -> Outcome:
        """Make one request."""
        yield from self.connect(channel)
        return self.judge((yield from self.ask(channel)))


class Udp:
    """Good is any datagram back."""

    def __init__(self, place: Place, payload: bytes) -> None:
        self._place = place
        self._payload = payload

    def request(self, channel: Channel) -> Outcome:
        """Make one request."""
        # A connected socket receives datagrams only from there, and errors if there is no listener.
        yield from channel.connect(self._place.family, socket.SOCK_DGRAM, self._place.address)
        channel.the_socket().send(self._payload)
        yield from channel.receive()
        return GOOD


class Icmp:
    """Good is an echo reply. All requests share one raw socket, since each raw socket receives every reply."""

    def __init__(self, place: Place, loop: Loop) -> None:
        """Open the socket. Raises PermissionError without the privilege."""
        self._place = place
        self._loop = loop
        version = place.version
        protocol = socket.IPPROTO_ICMPV6 if version == 6 else socket.IPPROTO_ICMP
        self._channel = Channel(loop)
        self._socket = self._channel.take(socket.socket(place.family, socket.SOCK_RAW, protocol))
        if version == 6:
            self._socket.setsockopt(socket.IPPROTO_ICMPV6, _ICMPV6_FILTER, filter_replies(version))
        else:
            self._socket.setsockopt(_SOL_RAW, _ICMP_FILTER, filter_replies(version))
        self._identifier = int.from_bytes(os.urandom(2), "big")
        # Distinguishes replies from those to another process with the same random identifier.
        self._payload = os.urandom(16)
        self._sequence = 0
        self._waiting: dict[Echo, Channel] = {}
        loop.start(self._channel, self._receive())

    def request(self, channel: Channel) -> Outcome:
        """Make one request."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        echo = Echo(self._identifier, self._sequence, self._payload)
        self._socket.sendto(echo_request(self._place.version, echo), self._place.address)
        self._waiting[echo] = channel
        try:
            yield NOTHING
        finally:
            self._waiting.pop(echo, None)
        return GOOD

    def _receive(self) -> Steps:
        while True:
            packet, source = yield from when_ready(partial(self._socket.recvfrom, 2048), READ)
            echo = echo_reply(self._place.version, packet) if source[0] == self._place.address[0] else None
            if echo in self._waiting:
                self._loop.resume(self._waiting[echo])
