# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Processes that an engine's reload left behind: they serve only the connections from before."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.proc import children

PID_FILES = {"nginx": "/run/nginx.pid", "haproxy": "/run/haproxy.pid"}
"""Where each engine's master process writes its id."""


def left_behind(engine: str, commands: Sequence[str]) -> int:
    """Return how many of the master's children, by their command lines, are from before a reload.

    nginx says so in the title of the process. haproxy has one current worker; its sections ``program`` start others.
    """
    if engine == "nginx":
        return sum("is shutting down" in command for command in commands)
    workers = [command for command in commands if os.path.basename(command.split(" ", 1)[0]) == engine]
    return max(0, len(workers) - 1)


def read_old_processes() -> dict[str, int]:
    """Return how many such processes each running engine has."""
    found = {}
    for engine, path in PID_FILES.items():
        # It does not run, or a child has just ended: the next reading counts again.
        with suppress(OSError, ValueError):
            with open(path, encoding="ascii") as stream:
                master = int(stream.read())
            found[engine] = left_behind(engine, [_command(pid) for pid in children(master)])
    return found


def _command(pid: int) -> str:
    with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as stream:
        return stream.read().replace("\0", " ").strip()
