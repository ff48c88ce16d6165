# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A running daemon, however it was installed and started: its program, and who started it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import NamedTuple

_DELETED = " (deleted)"
_NOT_ENABLED = ("", "disabled", "masked")
_NAMESPACES = ("net", "pid")


class Stray(NamedTuple):
    """A daemon that runs outside of its unit: its main process, and the unit that this is part of, or empty."""

    pid: int
    unit: str


def at_boot(state: str) -> bool:
    """Return whether a unit with this ``UnitFileState`` starts at boot, also one generated from an init script."""
    return state not in _NOT_ENABLED


def program(pid: int, started: str) -> str:
    """Return the path of a process' program, as its unit names it if it is the same file.

    *started* is the unit's ``ExecStart`` as ``systemctl show`` prints it. A link there may point to one of many builds.
    """
    exe, named = executable(pid), named_in(started)
    return named if named and os.path.realpath(named) == exe else exe


def executable(pid: int) -> str:
    """Return the path of a process' program, also of one that has been replaced since."""
    path = os.readlink(f"/proc/{pid}/exe")
    return path[: -len(_DELETED)] if path.endswith(_DELETED) else path


def named_in(started: str) -> str | None:
    """Return the program in a unit's ``ExecStart``, as ``systemctl show`` prints it."""
    found = re.search(r"path=(\S+)", started)
    return found[1] if found else None


def stray(name: str, proc: str = "/proc") -> Stray | None:
    """Return the daemon *name* that runs on this host, for a host on which its unit does not.

    Those in containers and in other network namespaces do not serve this host's addresses.
    """
    found = {int(entry) for entry in os.listdir(proc) if entry.isdigit() and _is(name, f"{proc}/{entry}", proc)}
    for pid in sorted(found):
        with suppress(OSError, ValueError):
            if _parent(f"{proc}/{pid}") not in found:
                return Stray(pid, unit_of(pid, proc))
    return None


def unit_of(pid: int, proc: str = "/proc") -> str:
    """Return the service that a process is part of, empty if it is in none."""
    with suppress(OSError), open(f"{proc}/{pid}/cgroup", encoding="utf-8", errors="replace") as stream:
        # A session of a user is a scope. A container's own systemd does not show the whole path.
        for line in stream:
            services = [part for part in line.strip().split("/") if part.endswith(".service")]
            if services:
                return services[-1]
    return ""


def _is(name: str, process: str, proc: str) -> bool:
    try:
        with open(f"{process}/comm", encoding="utf-8", errors="replace") as stream:
            if stream.read().strip() != name:
                return False
        return all(os.readlink(f"{process}/ns/{kind}") == os.readlink(f"{proc}/self/ns/{kind}") for kind in _NAMESPACES)
    except OSError:
        return False


def _parent(process: str) -> int:
    with open(f"{process}/status", encoding="utf-8", errors="replace") as stream:
        found = re.search(r"^PPid:\s+(\d+)", stream.read(), re.MULTILINE)
    if not found:
        raise ValueError(f"{process} has no parent")
    return int(found[1])
