# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Processes in /proc (proc(5))."""

from __future__ import annotations

from contextlib import suppress


def parse_stat(stat: str) -> tuple[str, int]:
    """Return the state and the start time, in clock ticks since the boot, from the text of /proc/PID/stat.

    These are fields 3 and 22; the second field, the name in parentheses, may contain anything. Raises ValueError.
    """
    fields = stat.rpartition(")")[2].split()
    if len(fields) < 20:
        raise ValueError("the process has ended")
    return fields[0], int(fields[19])


def read_stat(pid: int) -> tuple[str, int]:
    """Return :func:`parse_stat` of a process. Raises OSError or ValueError if it has ended."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
        return parse_stat(stream.read())


def children(pid: int) -> set[int]:
    """Return the ids of the running child processes of *pid*."""
    with suppress(FileNotFoundError), open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as stream:
        return {int(word) for word in stream.read().split()}
    return set()
