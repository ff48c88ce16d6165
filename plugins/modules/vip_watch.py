#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vip_watch
short_description: Record when a host gets and loses virtual IPs
version_added: "0.1.0"
description:
  - Subscribes to the kernel's address changes (netlink) and records when O(vips) came to this host and left it, on the
    host's monotonic clock.
  - Also records the alarms that keepalived-watch of the role P(haproof.balancer.keepalived#role) raises meanwhile, and
    the state of keepalived-handover.
  - Holds a lock on the host against concurrent drills. The kernel releases it when the module ends, however it ends.
  - Run it with C(async) on each balancer while they are changed or broken. It ends when O(run_file) is removed,
    or after O(duration) at the latest.
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
options:
  vips:
    description: Virtual IPs, with or without prefix.
    type: list
    elements: str
    required: true
  clock:
    description:
      - Address and UDP port of a M(haproof.balancer.vip_probe) with O(haproof.balancer.vip_probe#module:clock=true),
        whose clock offset from this host's is measured.
    type: str
  duration:
    description: Maximum duration of watching, in seconds.
    type: float
    default: 60.0
  run_file:
    description:
      - File that is created at the start and must not exist before. It contains C(ready) once no change can be missed.
      - Remove it to end watching. Otherwise it is removed at the end.
    type: path
  lock:
    description: File to lock. Its directory is created.
    type: path
    default: /run/haproof-drill/lock
  owner:
    description: Name of this watcher, for the error message to others.
    type: str
    default: unknown
  metrics:
    description: The metrics file of keepalived-watch. It may be missing.
    type: path
    default: /run/keepalived-watch/haproof.prom
  handover:
    description: The state file of keepalived-handover. It may be missing.
    type: path
    default: /run/keepalived-handover/state.json
  interface:
    description: The interface of the virtual IPs, whose C(arp_ignore) is recorded.
    type: str
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Watch while the balancers are changed
  haproof.balancer.vip_watch:
    vips: [198.18.0.10]
    run_file: /run/watch
  async: 90
  poll: 0
  register: watch

- name: Wait until no change can be missed
  ansible.builtin.wait_for:
    path: /run/watch
    search_regex: ready

- name: Stop watching
  ansible.builtin.file:
    path: /run/watch
    state: absent
"""

RETURN = r"""
watch:
  description: The observations. Times are in seconds on this host's monotonic clock.
  type: dict
  returned: success
  contains:
    vips:
      description: The option O(vips).
      type: list
      elements: str
    clock:
      description: The clock of O(clock); null without an answer, or without O(clock).
      type: dict
      contains:
        offset_s:
          description: Add this to this host's times for the other's.
          type: float
        error_s:
          description: Maximum error of the offset.
          type: float
    drift_s:
      description:
        - How far this host's clock and the other drifted apart while watching, beyond the errors of both measurements;
          the times are then unreliable. Null if one of the two measurements is missing.
      type: float
    started_s:
      description: When watching started.
      type: float
    ended_s:
      description: When it ended.
      type: float
    held_at_start:
      description: Whether the host had each of O(vips) then.
      type: dict
      sample: {"198.18.0.10": true}
    events:
      description: Each change, in order.
      type: list
      elements: dict
      contains:
        at_s:
          description: When the kernel reported it.
          type: float
        vip:
          description: The virtual IP.
          type: str
        interface:
          description: The interface's name, or its number if it is gone.
          type: str
        held:
          description: Whether the host has the virtual IP after the change.
          type: bool
    resumed_s:
      description:
        - When the kernel reported changes faster than this host could read them, and all addresses were read again.
          Events at these times are late.
      type: list
      elements: float
      sample: []
    stalls:
      description: When this host was too busy to poll for more than half a second, or stood still.
      type: list
      elements: dict
      contains:
        from_s:
          description: The last poll before.
          type: float
        to_s:
          description: The next poll.
          type: float
    alarms:
      description: Each alarm that was raised or cleared, in order.
      type: list
      elements: dict
      contains:
        at_s:
          description: When it was seen, at most 0.1 s late.
          type: float
        finding:
          description: Name of the finding.
          type: str
          sample: split_brain
        vip:
          description: The virtual IP.
          type: str
        raised:
          description: Whether it was raised, rather than cleared.
          type: bool
    handovers:
      description:
        - Each change in what keepalived-handover reports, in order, starting with the first report. All but the first
          two keys are null where it does not run.
      type: list
      elements: dict
      contains:
        at_s:
          description: When it was seen, at most 0.1 s late.
          type: float
        vip:
          description: The virtual IP.
          type: str
        state:
          description: V(standby), V(handing over) to this host, or V(holder).
          type: str
          sample: standby
        former:
          description: The address of the host whose connections this one does not know.
          type: str
          sample: 198.18.0.11
        ended:
          description: Why the last hand-over to this host ended.
          type: str
        problem:
          description: Why the host cannot hand over.
          type: str
        serves:
          description: Whether this host serves connections of a virtual IP that it has lost, or may get one.
          type: bool
        arp_ignore:
          description: The kernel parameter of O(interface); null without O(interface).
          type: int
    served:
      description:
        - By virtual IP, each change in the number of connections that keepalived-handover reports, as a list of the
          time, this host's number, and its former holder's.
      type: dict
      sample: {"198.18.0.10": [[86400.25, 7, 0]]}
"""

import errno
import fcntl
import math
import os
import select
import socket
import time
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._common.trust import (
    UntrustedError,
    check_own,
    check_way,
    make_private,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError
from ansible_collections.haproof.balancer.plugins.module_utils._link.kernel_addresses import (
    open_changes,
    parse_changes,
    read_addresses,
)
from ansible_collections.haproof.balancer.plugins.module_utils._probe.clock import ClockError, Offset, ask_at, drift_s
from ansible_collections.haproof.balancer.plugins.module_utils._probe.run_file import RunFile, hurry
from ansible_collections.haproof.balancer.plugins.module_utils._watch.handovers import Handovers
from ansible_collections.haproof.balancer.plugins.module_utils._watch.holdings import Alarms, Holdings, read_text

LOOK_S = 0.1
"""How often the run file and the alarms are polled; the kernel's changes arrive as events."""
CHUNK = 65536
STALL_S = 0.5
"""A poll this late means that the host was busy, or stood still."""


class Watched(NamedTuple):
    """The observations, and their period."""

    holdings: Holdings
    alarms: Alarms
    handovers: Handovers
    started_s: float
    ended_s: float
    stalls: list[dict[str, float]]


class Sources(NamedTuple):
    """The files to poll: keepalived-watch's metrics, keepalived-handover's state; and the VIPs' interface."""

    metrics: str
    handover: str
    interface: str | None


def watch(vips: list[str], sources: Sources, duration_s: float, run_file: RunFile) -> Watched:
    """Watch until the run file is gone or the time is over. Raises AddressError, OSError."""
    with open_changes() as changes:
        started_s = time.monotonic()
        # Read after the socket is open: a change in between is seen twice, but none is missed.
        holdings = Holdings(vips, read_addresses())
        alarms = Alarms(vips, read_text(sources.metrics) or "")
        handovers = Handovers(vips)
        stalls: list[dict[str, float]] = []
        before_s = started_s
        while time.monotonic() - started_s < duration_s and not run_file.on_tick(True):
            if select.select([changes], [], [], LOOK_S)[0]:
                take(changes, holdings)
            text = read_text(sources.metrics)
            # A missing file says nothing; it does not clear an alarm.
            if text is not None:
                alarms.read(text, time.monotonic())
            handovers.read(read_text(sources.handover), arp_ignore(sources.interface), time.monotonic())
            now_s = time.monotonic()
            if now_s - before_s > STALL_S:
                stalls.append({"from_s": before_s, "to_s": now_s})
            before_s = now_s
        return Watched(holdings, alarms, handovers, started_s, time.monotonic(), stalls)


def take(changes: socket.socket, holdings: Holdings) -> None:
    """Read all pending changes from the socket. Raises OSError."""
    lost = False
    while True:
        try:
            data = changes.recv(CHUNK)
        except BlockingIOError:
            break
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            # Pending changes are older than the lost ones, so read them before reading all addresses again.
            lost = True
            continue
        at_s = time.monotonic()
        for change in parse_changes(data):
            holdings.change(change, at_s)
    if lost:
        holdings.resume(read_addresses(), time.monotonic())


def arp_ignore(interface: str | None) -> int | None:
    """Return the value in effect: the larger of the interface's and all's (ip-sysctl.rst); None if unknown."""
    if not interface:
        return None
    texts = [read_text(f"/proc/sys/net/ipv4/conf/{name}/arp_ignore") for name in ("all", interface)]
    return max((int(text) for text in texts if text), default=None)


def lock(path: str, owner: str) -> int:
    """Lock the file until this process ends, and return its descriptor.

    Raises BlockingIOError with its owner, UntrustedError if it is another user's, who could keep it locked forever.
    """
    if not os.path.isdir(os.path.dirname(path)):
        make_private(os.path.dirname(path))
    check_way(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        check_own(path)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = os.read(descriptor, 1000).decode(errors="replace").strip()
        os.close(descriptor)
        raise BlockingIOError(other) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{owner}, since {datetime.now(timezone.utc).isoformat(timespec='seconds')}\n".encode())
    return descriptor


def interface_name(number: int) -> str:
    """Return the interface's name, or its number if it is gone."""
    try:
        return socket.if_indextoname(number)
    except OSError:
        return str(number)


def better(one: Offset | None, other: Offset | None) -> dict[str, float] | None:
    """Return the offset with the smaller error, as in RETURN."""
    found = min((offset for offset in (one, other) if offset), key=lambda offset: offset.error_s, default=None)
    return found._asdict() if found else None


def main() -> None:
    """Connect the parts."""
    module = AnsibleModule(
        argument_spec={
            "vips": {"type": "list", "elements": "str", "required": True},
            "clock": {"type": "str"},
            "duration": {"type": "float", "default": 60.0},
            "run_file": {"type": "path"},
            "lock": {"type": "path", "default": "/run/haproof-drill/lock"},
            "owner": {"type": "str", "default": "unknown"},
            "metrics": {"type": "path", "default": "/run/keepalived-watch/haproof.prom"},
            "handover": {"type": "path", "default": "/run/keepalived-handover/state.json"},
            "interface": {"type": "str"},
        },
        supports_check_mode=True,
    )
    params: dict[str, Any] = module.params
    if not 0 < params["duration"] < math.inf:
        module.fail_json(msg=f"duration is {params['duration']:g}, it must be above 0 seconds")
    run_file = RunFile(params["run_file"])
    try:
        lock(params["lock"], params["owner"])
        run_file.create()
    except BlockingIOError as error:
        module.fail_json(msg=f"another drill is running on this host: {error}")
    except UntrustedError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"cannot create {error.filename}: {error.strerror}")
    hurry()
    try:
        early = ask_at(params["clock"])
        sources = Sources(params["metrics"], params["handover"], params["interface"])
        seen = watch(params["vips"], sources, params["duration"], run_file)
        late = ask_at(params["clock"])
    except (AddressError, ClockError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"cannot watch this host's addresses: {error}")
    finally:
        run_file.remove()
    watched = {
        "vips": params["vips"],
        "clock": better(early, late),
        "drift_s": drift_s(early, late),
        "started_s": seen.started_s,
        "ended_s": seen.ended_s,
        "held_at_start": seen.holdings.at_start,
        "events": [{**event, "interface": interface_name(event["interface"])} for event in seen.holdings.events],
        "resumed_s": seen.holdings.resumed_s,
        "alarms": seen.alarms.events,
        "handovers": seen.handovers.events,
        "served": seen.handovers.served,
        "stalls": seen.stalls,
    }
    module.exit_json(changed=False, watch=watched)


if __name__ == "__main__":
    main()
