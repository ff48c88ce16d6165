#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vip_probe
short_description: Measure from a client how long a service is away
version_added: "0.1.0"
description:
  - Requests a URL at a fixed rate, each time over a new connection, whatever the earlier requests do (open loop), and
    reports every outage that a client felt.
  - An outage lasts from the start of the last good request before a failure to the answer to the first good one after
    it, on this host's monotonic clock.
  - Meant to run with C(async) on a client, next to whatever is done to the service. It ends when O(run_file) is
    removed, and after O(duration) at the latest.
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
attributes:
  check_mode:
    details:
      - Requests change nothing, so they are made in check mode too.
options:
  url:
    description: URL to request, C(http) only. A host name is resolved once.
    type: str
    required: true
  interval:
    description: Seconds from the start of one request to the start of the next.
    type: float
    default: 0.01
  timeout:
    description:
      - Seconds after which a request has failed.
      - Keep it below the second that the kernel waits before it repeats a SYN, or short outages do not show.
    type: float
    default: 0.25
  duration:
    description: Seconds after which probing ends in any case.
    type: float
    default: 60.0
  good_status:
    description: Lowest and highest status code of a good answer.
    type: list
    elements: int
    default: [200, 399]
  run_file:
    description:
      - File that is made at the start and must not exist before. It reads C(ready) from the first good answer on.
      - Removing it ends probing. Otherwise it is removed at the end.
    type: path
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Probe for two seconds
  haproof.balancer.vip_probe:
    url: http://198.18.0.10/
    duration: 2

- name: Probe while something is done to the service
  haproof.balancer.vip_probe:
    url: http://198.18.0.10/
    run_file: /run/probe
  async: 90
  poll: 0
  register: probe

- name: Wait for the first good answer
  ansible.builtin.wait_for:
    path: /run/probe
    search_regex: ready

- name: Stop probing
  ansible.builtin.file:
    path: /run/probe
    state: absent
"""

RETURN = r"""
probe:
  description: What a client felt.
  type: dict
  returned: success
  contains:
    requests:
      description: How many requests were made.
      type: int
    failed:
      description: How many of them failed.
      type: int
    errors:
      description:
        - How many failed, by kind.
        - V(refused), V(timeout), V(reset), V(unreachable), V(http_503) and other status codes, V(empty), V(incomplete)
          and V(malformed) answers, or the name of the error number.
      type: dict
      sample: {"refused": 3}
    outages:
      description: Every run of failed requests, in order.
      type: list
      elements: dict
      contains:
        start_s:
          description: Start of the last good request before it, in seconds from the first request.
          type: float
        end_s:
          description: Answer to the first good request after it, or the end of probing.
          type: float
        outage_s:
          description: The difference in seconds.
          type: float
        failed:
          description: How many requests failed in it.
          type: int
        recovered:
          description: Whether a good request followed.
          type: bool
    outage_s:
      description: The longest outage in seconds, 0 when there was none.
      type: float
      sample: 0.031
    max_gap_s:
      description: The longest time in seconds without the start of a request. Nothing is known about shorter outages.
      type: float
      sample: 0.011
    elapsed_s:
      description: Seconds from the first request to the end.
      type: float
    started:
      description: When probing started, UTC, by this host's clock.
      type: str
      sample: "2026-01-31T12:00:00.000+00:00"
    ended:
      description: When probing ended, UTC, by this host's clock.
      type: str
    interval_s:
      description: Seconds between requests as asked for.
      type: float
    timeout_s:
      description: Seconds after which a request failed.
      type: float
"""

import contextlib
import errno
import math
import os
import selectors
import socket
import struct
import time
from collections import deque
from datetime import datetime, timezone
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._http import Answer, target
from ansible_collections.haproof.balancer.plugins.module_utils._probe import GOOD, Journal, error_kind, summary

_IN_PROGRESS = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)
# Closing with a reset: a request that is given up must not keep a port of ours, or a worker of the service, busy.
_RESET = struct.pack("ii", 1, 0)


class Request:
    """One connection with one request on it."""

    def __init__(self, number: int, deadline_s: float, connection: socket.socket) -> None:
        self.number = number
        self.deadline_s = deadline_s
        self.connection = connection
        self.answer = Answer()
        self.sent = 0
        self.done = False


class Prober:
    """Starts a request at each tick and notes how it ends. One thread, non-blocking sockets."""

    def __init__(
        self, address: tuple[Any, ...], family: int, request: bytes, timeout_s: float, good_status: tuple[int, int]
    ) -> None:
        self.journal = Journal()
        self._address = address
        self._family = family
        self._request = request
        self._timeout_s = timeout_s
        self._good_status = good_status
        self._selector = selectors.DefaultSelector()
        # In the order of their deadlines, for all have the same time-out.
        self._waiting: deque[Request] = deque()
        self.answered = False

    def run(self, interval_s: float, duration_s: float, on_tick: Callable[[bool], bool]) -> float:
        """Probe until ``duration_s`` is over or ``on_tick(answered)`` says to stop.

        Requests that are under way then may still end. Returns the moment at which the last could have started.
        """
        origin = time.monotonic()
        tick = origin
        while tick - origin < duration_s and not on_tick(self.answered):
            self._serve_until(tick)
            now = time.monotonic()
            self._start(now)
            # The schedule is absolute. Ticks that this host was too busy for are left out and show as a gap.
            tick = origin + interval_s * max(math.floor((now - origin) / interval_s) + 1, 1)
        stopped = time.monotonic()
        while self._waiting:
            self._serve_until(self._waiting[0].deadline_s)
        self._selector.close()
        return stopped

    def _start(self, now: float) -> None:
        number = self.journal.begin(now)
        connection = None
        try:
            connection = socket.socket(self._family, socket.SOCK_STREAM)
            connection.setblocking(False)
            status = connection.connect_ex(self._address)
        except OSError as error:
            status = error.errno or 0
        if connection is None or status not in _IN_PROGRESS:
            self.journal.end(number, time.monotonic(), error_kind(status))
            if connection is not None:
                connection.close()
            return
        request = Request(number, now + self._timeout_s, connection)
        self._selector.register(connection, selectors.EVENT_WRITE, request)
        self._waiting.append(request)

    def _serve_until(self, moment: float) -> None:
        """Serve connections until ``moment``; time-outs that come first are noted when they are due."""
        while True:
            now = time.monotonic()
            self._expire(now)
            wait = max(min(moment, self._waiting[0].deadline_s if self._waiting else moment) - now, 0.0)
            for key, events in self._selector.select(wait):
                self._serve(key.data, events)
            if time.monotonic() >= moment:
                self._expire(time.monotonic())
                return

    def _expire(self, now: float) -> None:
        while self._waiting and (self._waiting[0].done or self._waiting[0].deadline_s <= now):
            request = self._waiting.popleft()
            if not request.done:
                self._finish(request, "timeout")

    def _serve(self, request: Request, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                self._send(request)
            else:
                self._receive(request)
        except BlockingIOError:
            return
        except OSError as error:
            self._finish(request, error_kind(error.errno or 0))

    def _send(self, request: Request) -> None:
        connection = request.connection
        request.sent += connection.send(self._request[request.sent :])
        if request.sent == len(self._request):
            self._selector.modify(connection, selectors.EVENT_READ, request)

    def _receive(self, request: Request) -> None:
        data = request.connection.recv(65536)
        request.answer.feed(data)
        if not data or request.answer.whole() or request.answer.broken():
            self._finish(request, request.answer.outcome(*self._good_status))

    def _finish(self, request: Request, outcome: str) -> None:
        now = time.monotonic()
        if outcome == GOOD and now > request.deadline_s:
            outcome = "timeout"
        self.journal.end(request.number, now, outcome)
        self.answered = self.answered or outcome == GOOD
        request.done = True
        self._selector.unregister(request.connection)
        # The peer may already have closed it.
        with contextlib.suppress(OSError):
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        request.connection.close()


class RunFile:
    """The file by which others see that probing is ready, and end it. Does nothing when there is no ``path``."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._ready = False

    def create(self) -> None:
        """Make the file. Raises FileExistsError, for it may be another prober's."""
        if self._path:
            # Exclusive creation follows no link that somebody has put there.
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def on_tick(self, answered: bool) -> bool:
        """Announce the first good answer. Returns whether to stop."""
        if not self._path:
            return False
        try:
            if answered and not self._ready:
                # Does not make it again when it has just been removed.
                descriptor = os.open(self._path, os.O_WRONLY)
                os.write(descriptor, b"ready\n")
                os.close(descriptor)
                self._ready = True
            os.stat(self._path)
        except FileNotFoundError:
            return True
        return False

    def remove(self) -> None:
        """Leave nothing behind."""
        if self._path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)


def problems(params: dict[str, Any]) -> list[str]:
    """Say which options do not fit, one sentence a finding."""
    found = [
        f"{name} is {params[name]:g}, it must be above 0 seconds"
        for name in ("interval", "timeout", "duration")
        if not 0 < params[name] < math.inf
    ]
    good = params["good_status"]
    if len(good) != 2 or not 100 <= good[0] <= good[1] <= 599:
        found.append(f"good_status is {good}, it must be the lowest and the highest good status, within 100 to 599")
    return found


def hurry() -> None:
    """Come before other processes of this host, as far as allowed: a prober that waits its turn measures itself."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        # Control groups may have no share of real time.
        with contextlib.suppress(OSError):
            os.nice(-20)


def utc_now() -> str:
    """Wall-clock time for a person to read; nothing is calculated with it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def main() -> None:
    """Connect the parts."""
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "interval": {"type": "float", "default": 0.01},
            "timeout": {"type": "float", "default": 0.25},
            "duration": {"type": "float", "default": 60.0},
            "good_status": {"type": "list", "elements": "int", "default": [200, 399]},
            "run_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    params: dict[str, Any] = module.params
    found = problems(params)
    if found:
        module.fail_json(msg="; ".join(found))
    try:
        goal = target(params["url"])
        family, _type, _proto, _name, address = socket.getaddrinfo(goal.host, goal.port, type=socket.SOCK_STREAM)[0]
    except ValueError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"cannot resolve the host of {params['url']}: {error}")

    low, high = params["good_status"]
    prober = Prober(address, family, goal.request, params["timeout"], (low, high))
    run_file = RunFile(params["run_file"])
    try:
        run_file.create()
    except OSError as error:
        module.fail_json(msg=f"cannot make run_file {params['run_file']}: {error.strerror}")
    hurry()
    started = utc_now()
    try:
        stopped = prober.run(params["interval"], params["duration"], run_file.on_tick)
    except OSError as error:
        module.fail_json(msg=f"cannot go on probing {params['url']}: {error}")
    finally:
        run_file.remove()
    measured = {
        "started": started,
        "ended": utc_now(),
        "interval_s": params["interval"],
        "timeout_s": params["timeout"],
        **summary(prober.journal, stopped),
    }
    # Not at the top level, where Ansible gives "failed" and "started" meanings of its own.
    module.exit_json(changed=False, probe=measured)


if __name__ == "__main__":
    main()
