# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a daemon's complaint refers to: lines of a file that was put back, and the process that has its port."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import Iterator, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._daemon.sockets import LISTEN, Socket, parse_tcp

MOST_LINES = 10
_PORT_IN_USE = re.compile(r"^.*\bAddress already in use\b.*$", re.MULTILINE)
# "0.0.0.0:80" from nginx, "[0.0.0.0:80]" or "*:80" from haproxy, "[::]:80" from both.
_PORT = re.compile(r"[0-9a-fA-F.*\]]:(\d{1,5})\b(?!:)")


def quoted_lines(output: str, texts: Mapping[str, str]) -> list[str]:
    """Return the lines that *output* names, with path and number; *texts* are files by path.

    nginx and haproxy write ``PATH:NUMBER``, keepalived ``PATH: Line NUMBER``.
    """
    found = []
    for path, text in texts.items():
        lines = text.splitlines()
        for number in sorted({int(word) for word in re.findall(rf"{re.escape(path)}:(?: Line )?(\d+)", output)}):
            if 0 < number <= len(lines):
                found.append(f"{path}:{number}: {lines[number - 1].strip()}")
    return found[:MOST_LINES]


def ports_in_use(output: str) -> list[int]:
    """Return the ports that *output* says another process has."""
    lines = _PORT_IN_USE.findall(output)
    return sorted({int(port) for line in lines for port in _PORT.findall(line)})


def port_users(ports: list[int]) -> list[str]:
    """Say which processes listen on these TCP ports of this host."""
    sockets = [one for one in _sockets() if one.state == LISTEN and one.port in ports] if ports else []
    users = _processes({one.inode for one in sockets}) if sockets else {}
    found = {(one.port, users[one.inode]) for one in sockets if one.inode in users}
    return [f"port {port} is in use by {user}" for port, user in sorted(found)]


def _sockets() -> Iterator[Socket]:
    for name in ("tcp", "tcp6"):
        # A kernel may have no IPv6.
        with suppress(OSError), open(f"/proc/net/{name}", encoding="ascii") as stream:
            yield from parse_tcp(stream.read())


def _processes(inodes: set[int]) -> dict[int, str]:
    """Return the name of the first process that has each of these sockets."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, str] = {}
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        # It may have ended since.
        with suppress(OSError):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                inode = wanted.get(os.readlink(entry.path))
                if inode is not None and inode not in found:
                    with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as stream:
                        found[inode] = f"{stream.read().strip()} (process {pid})"
    return found
