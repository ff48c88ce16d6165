# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A client's pool of kept connections, and how many of them are cut.

A connection is cut if it ends in use. Over HTTP that is one which has answered before, and ends during a request or
does not answer in time: the pool handed it out as good, and the client would have to know that it may retry. One that
ends between two requests costs nothing, since the pool opens another. A new connection that never answers is a failed
request, not a cut, or a long outage would count as many. Over bare TCP there are no requests, so each end is a cut.
"""

from __future__ import annotations

import math
import socket
import time
from functools import partial
from typing import Any, Callable

from ansible_collections.haproof.balancer.plugins.module_utils._probe.loop import NOTHING, Channel, Loop, Steps
from ansible_collections.haproof.balancer.plugins.module_utils._probe.outages import (
    GOOD,
    Cut,
    ExpiredError,
    Latency,
    outcome_of,
)
from ansible_collections.haproof.balancer.plugins.module_utils._probe.protocols import Http, Tcp

# Outcomes in which the peer closed the connection or stopped answering. A bad status is an answer.
_NO_ANSWER = ("empty", "incomplete", "timeout")
_KEEPALIVE_S = 1


class Pool:
    """A number of connections, each used every ``interval_s``, and reopened for the next use if closed."""

    def __init__(self, protocol: Http | Tcp, size: int, interval_s: float, timeout_s: float) -> None:
        self._protocol = protocol
        self._size = size
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._stopping = False
        self._under_way = 0
        self.requests = 0
        self.failed = 0
        self.reused = 0
        self.cuts: list[Cut] = []
        self.latency = Latency()

    def start(self, loop: Loop) -> None:
        """Open the connections."""
        now = time.monotonic()
        protocol = self._protocol
        use = partial(self._ask, protocol) if isinstance(protocol, Http) else partial(self._hold, protocol)
        for number in range(self._size):
            channel = Channel(loop)
            # Spread over the interval, so that requests are not all sent at once.
            loop.start(channel, self._keep(channel, now + number * self._interval_s / self._size, use))

    def stop(self) -> None:
        """Start no more requests."""
        self._stopping = True

    def busy(self) -> bool:
        """Return whether a request is pending."""
        return self._under_way > 0

    def summary(self, origin_s: float) -> dict[str, Any]:
        """Return vip_probe's ``connections``; times count from *origin_s*."""
        return {
            "open": self._size,
            "requests": self.requests,
            "failed": self.failed,
            "reused": self.reused,
            "cut": len(self.cuts),
            "cuts": [
                {"since_s": round(cut.since_s - origin_s, 6), "at_s": round(cut.at_s - origin_s, 6), "kind": cut.kind}
                for cut in self.cuts
            ],
            "latency_s": self.latency.summary(),
        }

    def _keep(self, channel: Channel, due_s: float, use: Callable[[Channel], Steps]) -> Steps:
        while True:
            yield from _rest(channel, due_s)
            if self._stopping:
                channel.close()
                return
            yield from use(channel)
            due_s = max(due_s + self._interval_s, time.monotonic())

    def _ask(self, http: Http, channel: Channel) -> Steps:
        """Make a request, over a new connection if there is none."""
        used = channel.sock is not None
        self.reused += used
        deadline_s = self._begin(channel)
        start_s = deadline_s - self._timeout_s
        reusable = False
        try:
            if not used:
                yield from http.connect(channel)
            answer = yield from http.ask(channel)
            reusable = answer.reusable()
            outcome = http.judge(answer)
            ended = outcome in _NO_ANSWER
        except OSError as error:
            outcome = outcome_of(error)
            ended = True
        now = time.monotonic()
        if outcome == GOOD and now > deadline_s:
            outcome = "timeout"
            ended = True
        self._end(outcome)
        if outcome == GOOD:
            self.latency.add(now - start_s)
        if used and ended:
            self.cuts.append(Cut(start_s, now, outcome))
        if ended or not reusable:
            channel.close()

    def _hold(self, tcp: Tcp, channel: Channel) -> Steps:
        """Open a connection and wait for its end."""
        self._begin(channel)
        try:
            yield from tcp.connect(channel)
        except OSError as error:
            self._end(outcome_of(error))
            channel.close()
            return
        self._end(GOOD)
        channel.deadline_s = math.inf
        watch_peer(channel.the_socket())
        kind = "closed"
        try:
            while (yield from channel.receive()):
                pass
        except OSError as error:
            kind = outcome_of(error)
        now = time.monotonic()
        self.cuts.append(Cut(now, now, kind))
        channel.close()

    def _begin(self, channel: Channel) -> float:
        channel.deadline_s = time.monotonic() + self._timeout_s
        self.requests += 1
        self._under_way += 1
        return channel.deadline_s

    def _end(self, outcome: str) -> None:
        self._under_way -= 1
        self.failed += outcome != GOOD


def watch_peer(sock: socket.socket) -> None:
    """Make the kernel probe an idle connection each second, to notice that the peer has lost it."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_S)


def _rest(channel: Channel, until_s: float) -> Steps:
    """Wait until *until_s*. A connection that ends meanwhile, or sends unsolicited data, is closed."""
    channel.deadline_s = until_s
    try:
        if channel.sock is not None:
            try:
                yield from channel.receive()
            except ExpiredError:
                return
            except OSError:
                # Any end is fine here: no request is pending.
                pass
            channel.close()
        yield NOTHING
    except ExpiredError:
        return
