#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vip_probe
short_description: Measure a service's outages from a client
version_added: "0.1.0"
description:
  - Makes requests at a fixed rate, each over a new connection, whatever became of earlier ones (open loop), and reports
    every outage that a client felt.
  - An outage lasts from the start of the last good request before a failure to the answer to the first good one after
    it, on this host's monotonic clock.
  - With O(connections) it also keeps connections open, and reports which of them were cut.
  - Run it with C(async) on a client while the service is changed or broken. It ends when O(run_file) is removed, or
    after O(duration) at the latest. To measure from several hosts, run it on each.
  - One core is enough down to an O(interval) of 0.002 seconds. Over TLS each connection costs a handshake.
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
attributes:
  check_mode:
    details:
      - Requests change nothing, so they are also made in check mode.
options:
  url:
    description:
      - The URL to request. A host name is resolved once.
      - C(http://host[:port]/path) and C(https://host[:port]/path) expect a complete response with a good status.
      - C(tcp://host:port) expects a connection, see also O(hold).
      - C(udp://host:port) sends O(payload) and expects any datagram in reply.
      - C(icmp://host) sends an echo request and expects the reply, IPv4 or IPv6. It needs root or CAP_NET_RAW.
      - Put IPv6 addresses in brackets.
    type: str
    required: true
  interval:
    description: Seconds from the start of one request to the start of the next.
    type: float
    default: 0.01
  timeout:
    description:
      - Seconds after which a request counts as failed.
      - Keep it below one second, after which the kernel repeats a SYN, or short outages do not show.
    type: float
    default: 0.25
  duration:
    description: Maximum duration of probing, in seconds.
    type: float
    default: 60.0
  good_status:
    description: Lowest and highest status code of a good response.
    type: list
    elements: int
    default: [200, 399]
  validate_certs:
    description: Whether the server's certificate must be valid for the host name in O(url). For C(https) only.
    type: bool
    default: true
  payload:
    description: Text to send in each datagram, in UTF-8. For C(udp) only.
    type: str
    default: ""
  hold:
    description:
      - Seconds for which a connection must stay open to be good, unless the server sends something before. For C(tcp)
        only.
      - A TCP load balancer accepts a connection before it knows whether a server will. With zero that is good enough.
      - Must be below O(timeout), and counts towards the latency.
    type: float
    default: 0.0
  connections:
    description:
      - How many connections to keep open besides the requests over new ones, as a client with a connection pool does.
        For C(http), C(https) and C(tcp) only.
      - Over C(tcp) they are silent, except for the kernel's keepalive probe each second.
    type: int
    default: 0
  connection_interval:
    description:
      - Seconds from one request on such a connection to the next. A closed connection is reopened for its next request.
      - Over C(tcp), seconds from one attempt to open a connection to the next.
    type: float
    default: 0.1
  connection_timeout:
    description:
      - Seconds after which a request on such a connection counts as failed, and the connection as cut. Defaults to
        O(timeout).
      - An established connection survives lost packets, which its kernel repeats after 0.2, 0.6 and 1.4 seconds.
    type: float
  clock:
    description:
      - Whether to serve this host's monotonic clock to other hosts over UDP, so that times on both can be compared. It
        is served on the source address of the requests, and on a free port, while probing.
      - Any host that reaches that port gets the clock, and nothing else.
    type: bool
    default: false
  reference:
    description:
      - Address and UDP port of another prober with O(clock=true), separated by a space. Its clock offset from this
        host's is measured before the first request, so that measurements of several hosts can be compared.
    type: str
  run_file:
    description:
      - File that is created at the start and must not exist before. After the first good response it contains C(ready)
        or, with O(clock), C(ready ADDRESS PORT) with the local address and the UDP port of the clock. A second line,
        such as C(failed 3), counts the failed requests over new connections so far, once there are any.
      - Remove it to end probing. Otherwise it is removed at the end.
    type: path
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Probe for two seconds
  haproof.balancer.vip_probe:
    url: http://198.18.0.10/
    duration: 2

- name: Probe while the service is changed
  haproof.balancer.vip_probe:
    url: http://198.18.0.10/
    run_file: /run/probe
  async: 90
  poll: 0
  register: probe

- name: Wait for the first good response
  ansible.builtin.wait_for:
    path: /run/probe
    search_regex: ready

- name: Stop probing
  ansible.builtin.file:
    path: /run/probe
    state: absent

- name: Five hundred requests per second, besides twenty pooled connections
  haproof.balancer.vip_probe:
    url: https://www.example.com/health
    interval: 0.002
    connections: 20
    duration: 30

- name: Probe a TCP service behind a load balancer, which must keep the connection for 50 ms
  haproof.balancer.vip_probe:
    url: tcp://198.18.0.10:5432
    hold: 0.05
    duration: 10

- name: Probe a DNS service by querying the address of www.example
  haproof.balancer.vip_probe:
    url: udp://198.18.0.10:53
    payload: "\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\0\0\x01\0\x01"
    duration: 10

- name: Probe the virtual IP itself, whatever runs behind it
  haproof.balancer.vip_probe:
    url: icmp://[2001:db8::10]
    duration: 10
"""

RETURN = r"""
probe:
  description: The client's measurements.
  type: dict
  returned: success
  contains:
    url:
      description: The option O(url).
      type: str
    requests:
      description: Number of requests made.
      type: int
    failed:
      description: Number of failed ones.
      type: int
    errors:
      description:
        - Number of failed ones by kind.
        - V(refused), V(timeout), V(reset), V(unreachable), V(http_503) and other status codes, V(empty), V(incomplete)
          and V(malformed) responses, V(closed) where O(hold) was not met, or the name of the error number.
        - V(tls_untrusted), V(tls_name), V(tls_expired), V(tls_not_yet_valid), V(tls_closed) for a connection that ends
          in the handshake, V(tls_) with OpenSSL's own name for other errors.
        - An echo request without a reply is a V(timeout), even if a router reports the reason.
      type: dict
      sample: {"refused": 3}
    origin_s:
      description: This host's monotonic clock at the first request, in seconds. The times below count from it.
      type: float
      sample: 86400.25
    clock:
      description: The clock of O(reference); null without an answer, or without O(reference).
      type: dict
      contains:
        offset_s:
          description: Add this to this host's monotonic clock for the other's.
          type: float
        error_s:
          description: Maximum error of the offset.
          type: float
    runs:
      description:
        - All requests in the order of their starts; consecutive ones with the same outcome are one entry.
        - Each entry is a list of the starts of its first and last request and the latest end, in seconds from the first
          request of all, then their number, and their outcome. The outcome is empty for good ones.
      type: list
      elements: list
      sample: [[0.0, 1.99, 1.991, 200, ""], [2.0, 2.09, 2.34, 10, "timeout"], [2.1, 3.99, 3.991, 190, ""]]
    latency_s:
      description: Median, 99th percentile and maximum duration of good requests, in seconds; null without any.
      type: dict
      sample: {"p50": 0.00042, "p99": 0.00131, "max": 0.0087}
    connections:
      description: Measurements of the kept connections; null with O(connections=0).
      type: dict
      contains:
        open:
          description: The option O(connections).
          type: int
        requests:
          description: Number of requests over them. Over C(tcp), how often one was opened.
          type: int
        failed:
          description: Number of failed ones, including those that got no connection.
          type: int
        reused:
          description: Number of requests over a connection that had answered before; 0 over C(tcp).
          type: int
        cut:
          description:
            - Number of cut connections.
            - A connection is cut if it has answered before, and ends during a request or does not answer this one in
              time. The client has to repeat the request, and has to know that it may.
            - It is not cut if it ends between two requests, or if the server announced the close in its last response.
              The client opens another and feels nothing.
            - A failure of the first request on a new connection is only a failed request.
            - Over C(tcp) each end of an open connection is a cut.
          type: int
        cuts:
          description: Each of them, in order.
          type: list
          elements: dict
          contains:
            since_s:
              description:
                - When the request began that the connection did not answer, in seconds from the first request.
                - Over C(tcp) the same as RV(probe.connections.cuts[].at_s).
              type: float
            at_s:
              description: When the client noticed, in seconds from the first request.
              type: float
            kind:
              description:
                - How, as in RV(probe.errors). V(empty) is a connection closed before the response, V(incomplete) one
                  closed in the middle of it, V(closed) one over C(tcp).
              type: str
              sample: reset
        latency_s:
          description: As RV(probe.latency_s), for the requests over kept connections; null over C(tcp).
          type: dict
    outages:
      description:
        - Every period in which requests failed, in order. It ends with ten good requests in a row, so a service that
          refuses every other request is down the whole time.
      type: list
      elements: dict
      contains:
        start_s:
          description: Start of the last good request before it, in seconds from the first request.
          type: float
        end_s:
          description: Response to the first good request after it, or the end of probing.
          type: float
        first_s:
          description: Start of the first failed request in it.
          type: float
        last_s:
          description: Start of the last failed request in it.
          type: float
        outage_s:
          description: The difference in seconds.
          type: float
        failed:
          description: Number of failed requests in it; a few good ones may lie between them.
          type: int
        recovered:
          description: Whether a good request followed.
          type: bool
    outage_s:
      description: The longest outage in seconds, 0 if there was none.
      type: float
      sample: 0.031
    gaps:
      description:
        - Every period longer than two intervals without the start of a request, in order; at most 1000. Each is
          a list of its start, in seconds from the first request, and its length; of more the longest ones are kept.
      type: list
      elements: list
      sample: [[3.1, 0.012]]
    drift_s:
      description:
        - How far this host's clock and that of O(reference) drifted apart while probing, beyond the errors of both
          measurements; null if one of the two is missing.
      type: float
    max_gap_s:
      description: The longest time in seconds without the start of a request. Shorter outages may not show.
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
      description: The option O(interval).
      type: float
    timeout_s:
      description: The option O(timeout).
      type: float
"""

import gc
import math
import socket
import ssl
import time
from datetime import datetime, timezone
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._common.mask import url_shown
from ansible_collections.haproof.balancer.plugins.module_utils._probe.clock import ask_at, drift_s
from ansible_collections.haproof.balancer.plugins.module_utils._probe.clock_server import answer_clock, source_to
from ansible_collections.haproof.balancer.plugins.module_utils._probe.connections import Pool
from ansible_collections.haproof.balancer.plugins.module_utils._probe.http import request
from ansible_collections.haproof.balancer.plugins.module_utils._probe.loop import Channel, Loop, Steps
from ansible_collections.haproof.balancer.plugins.module_utils._probe.outages import GOOD, Journal, outcome_of, summary
from ansible_collections.haproof.balancer.plugins.module_utils._probe.protocols import (
    Http,
    Icmp,
    Place,
    Requester,
    Tcp,
    Udp,
)
from ansible_collections.haproof.balancer.plugins.module_utils._probe.run_file import READY, RunFile, hurry
from ansible_collections.haproof.balancer.plugins.module_utils._probe.url import Url, read_url


class Prober:
    """Starts a request at each tick and records how it ends."""

    def __init__(self, loop: Loop, requester: Requester, timeout_s: float, pool: Pool | None = None) -> None:
        self.journal = Journal()
        self.answered = False
        self.failed = 0
        self._loop = loop
        self._requester = requester
        self._timeout_s = timeout_s
        self._pool = pool
        self._under_way = 0
        self._interval_s = 0.0

    def run(self, interval_s: float, duration_s: float, on_tick: Callable[[bool, int], bool]) -> float:
        """Probe until ``duration_s`` is over or ``on_tick(answered, failed)`` returns True.

        Pending requests may still end. Returns the time at which the last could have started.
        """
        self._interval_s = interval_s
        if self._pool:
            self._pool.start(self._loop)
        origin = time.monotonic()
        tick = origin
        while tick - origin < duration_s and not on_tick(self.answered, self.failed):
            self._loop.serve_until(tick)
            now = time.monotonic()
            self._start(now)
            # The schedule is absolute. Ticks missed by a busy host are skipped and show as a gap.
            tick = origin + interval_s * max(math.floor((now - origin) / interval_s) + 1, 1)
        stopped = time.monotonic()
        if self._pool:
            self._pool.stop()
        self._loop.serve_while(self._busy)
        self._loop.close()
        return stopped

    def result(self, stopped_s: float) -> dict[str, Any]:
        """Return the measurements."""
        measured = summary(self.journal, stopped_s, self._interval_s)
        return {**measured, "connections": self._pool.summary(measured["origin_s"]) if self._pool else None}

    def _busy(self) -> bool:
        return self._under_way > 0 or bool(self._pool and self._pool.busy())

    def _start(self, now: float) -> None:
        channel = Channel(self._loop, now + self._timeout_s)
        self._under_way += 1
        self._loop.start(channel, self._request(channel, self.journal.begin(now), channel.deadline_s))

    def _request(self, channel: Channel, number: int, deadline_s: float) -> Steps:
        try:
            outcome = yield from self._requester.request(channel)
        except OSError as error:
            outcome = outcome_of(error)
        now = time.monotonic()
        if outcome == GOOD and now > deadline_s:
            outcome = "timeout"
        self.journal.end(number, now, outcome)
        self.answered = self.answered or outcome == GOOD
        self.failed += outcome != GOOD
        self._under_way -= 1
        channel.close()


def problems(params: dict[str, Any], scheme: str) -> list[str]:
    """Return the errors in the options, one sentence each."""
    found = [
        f"{name} is {params[name]:g}, it must be above 0 seconds"
        for name in ("interval", "timeout", "duration", "connection_interval", "connection_timeout")
        if params[name] is not None and not 0 < params[name] < math.inf
    ]
    good = params["good_status"]
    if len(good) != 2 or not 100 <= good[0] <= good[1] <= 599:
        found.append(f"good_status is {good}, it must be the lowest and the highest good status, within 100 to 599")
    if params["connections"] < 0:
        found.append(f"connections is {params['connections']}, it must not be negative")
    if not 0 <= params["hold"] < params["timeout"]:
        found.append(f"hold is {params['hold']:g}, it must be from 0 to below timeout, {params['timeout']:g} seconds")
    for name, schemes in (("payload", ("udp",)), ("hold", ("tcp",)), ("connections", ("http", "https", "tcp"))):
        if params[name] and scheme not in schemes:
            found.append(f"{name} is {params[name]!r}, a url that starts with {scheme}:// takes none")
    return found


def resolve(goal: Url) -> Place:
    """Return the address of the URL's host. Raises OSError or UnicodeError."""
    kind = socket.SOCK_STREAM if goal.scheme in ("http", "https", "tcp") else socket.SOCK_DGRAM
    family, _type, _proto, _name, address = socket.getaddrinfo(goal.host, goal.port, type=kind)[0]
    return Place(family, address)


def http(goal: Url, place: Place, params: dict[str, Any], keep_alive: bool) -> Http:
    """Return the requester for an http or https URL."""
    low, high = params["good_status"]
    message = request(goal.authority, goal.path, keep_alive)
    context = tls_context(params["validate_certs"]) if goal.scheme == "https" else None
    # A scope has a meaning only on this host.
    return Http(place, message, (low, high), context, goal.host.partition("%")[0])


def tls_context(validate: bool) -> ssl.SSLContext:
    """Return TLS settings that check certificates against this host's own store, or not at all."""
    context = ssl.create_default_context()
    if not validate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def requester_for(goal: Url, place: Place, params: dict[str, Any], loop: Loop) -> Requester:
    """Return the requester for a URL. Raises PermissionError if it needs root."""
    if goal.scheme == "tcp":
        return Tcp(place, params["hold"])
    if goal.scheme == "udp":
        return Udp(place, params["payload"].encode())
    if goal.scheme == "icmp":
        return Icmp(place, loop)
    return http(goal, place, params, keep_alive=False)


def pool_for(goal: Url, place: Place, params: dict[str, Any]) -> Pool | None:
    """Return the connections to keep open, None without any."""
    if not params["connections"]:
        return None
    protocol = Tcp(place) if goal.scheme == "tcp" else http(goal, place, params, keep_alive=True)
    timeout_s = params["timeout"] if params["connection_timeout"] is None else params["connection_timeout"]
    return Pool(protocol, params["connections"], params["connection_interval"], timeout_s)


def utc_now() -> str:
    """Return the wall-clock time for people to read; it is never used in calculations."""
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
            "validate_certs": {"type": "bool", "default": True},
            "payload": {"type": "str", "default": ""},
            "hold": {"type": "float", "default": 0.0},
            "connections": {"type": "int", "default": 0},
            "connection_interval": {"type": "float", "default": 0.1},
            "connection_timeout": {"type": "float"},
            "clock": {"type": "bool", "default": False},
            "reference": {"type": "str"},
            "run_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    params: dict[str, Any] = module.params
    url = params["url"]
    # Ansible returns this as the module's argument.
    params["url"] = url_shown(url)
    try:
        goal = read_url(url)
        reference = ask_at(params["reference"])
    except ValueError as error:
        # From the URL, or from the reference clock.
        module.fail_json(msg=str(error))
    found = problems(params, goal.scheme)
    if found:
        module.fail_json(msg="; ".join(found))
    try:
        place = resolve(goal)
    except (OSError, UnicodeError) as error:
        module.fail_json(msg=f"cannot resolve the host of {url}: {error}")

    loop = Loop()
    try:
        prober = Prober(
            loop, requester_for(goal, place, params, loop), params["timeout"], pool_for(goal, place, params)
        )
    except PermissionError:
        module.fail_json(msg=f"url is {url!r}, echo requests need root or CAP_NET_RAW: become root, or probe tcp://")
    except OSError as error:
        module.fail_json(msg=f"cannot request {url}: {error.strerror}")
    try:
        if params["clock"]:
            ready = "{} {} {}".format(READY, *answer_clock(loop, place.family, place.address))
        else:
            ready = f"{READY} {source_to(place.family, place.address)[0]}"
    except OSError as error:
        module.fail_json(msg=f"cannot serve the clock on the address that reaches {url}: {error.strerror}")
    run_file = RunFile(params["run_file"], ready)
    try:
        run_file.create()
    except OSError as error:
        module.fail_json(msg=f"cannot make run_file {params['run_file']}: {error.strerror}")
    hurry()
    # Existing objects stay; scanning them for garbage would delay requests by milliseconds.
    gc.freeze()
    started = utc_now()
    try:
        stopped = prober.run(params["interval"], params["duration"], run_file.on_tick)
    except OSError as error:
        module.fail_json(msg=f"cannot continue probing {url}: {error}")
    finally:
        run_file.remove()
    late = ask_at(params["reference"])
    measured = {
        "url": url,
        "started": started,
        "ended": utc_now(),
        "interval_s": params["interval"],
        "timeout_s": params["timeout"],
        "clock": reference and reference._asdict(),
        "drift_s": drift_s(reference, late),
        **prober.result(stopped),
    }
    # Not at the top level, where Ansible gives "failed" and "started" meanings of its own.
    module.exit_json(changed=False, probe=measured)


if __name__ == "__main__":
    main()
