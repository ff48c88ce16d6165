# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The TCP sockets of a systemd unit's processes, from the kernel's tables. Needs root."""

from __future__ import annotations

import os

from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.sockets import Socket, parse_tcp

_CGROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified")


def read_processes(run: Runner, unit: str) -> list[int]:
    """Return the processes of a unit, none if it is not running."""
    _rc, out, _err = run(["systemctl", "show", "--property=ControlGroup", "--value", unit])
    group = out.strip()
    for base in _CGROUPS if group else ():
        try:
            with open(f"{base}{group}/cgroup.procs", encoding="ascii") as stream:
                return [int(word) for word in stream.read().split()]
        except FileNotFoundError:
            continue
    return []


def read_inodes(pids: list[int]) -> set[int]:
    """Return the inodes of all sockets of these processes."""
    found = set()
    for pid in pids:
        try:
            names = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")]
        except FileNotFoundError:
            # It has since ended, or closed a file. The next poll sees the others.
            continue
        found |= {int(name[8:-1]) for name in names if name.startswith("socket:[")}
    return found


def read_sockets(pid: int) -> list[Socket]:
    """Return the TCP sockets in a process's network namespace."""
    found = []
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{name}", encoding="ascii") as stream:
                found += parse_tcp(stream.read())
        except FileNotFoundError:
            # It has ended, or the kernel has no IPv6.
            continue
    return found
