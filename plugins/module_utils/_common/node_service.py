# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the programs that systemd runs on a node have in common."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Any, Iterable

CHANGED = 75
"""Exit code after a change of the configuration or the program, on which systemd restarts it."""
SETTLE_S = 3.0
"""How long files must stay unchanged before a change counts, since a failed change is rolled back."""
STOP = {signal.SIGTERM, signal.SIGINT}


class Files:
    """The program's files and its configuration, compared with those it was started with."""

    def __init__(self, paths: Iterable[str], now: float) -> None:
        self._loaded = {path: signature(path) for path in paths}
        self._seen = self._loaded
        self._since = now

    def step(self, now: float) -> None:
        """Look at the files; *now* is on a monotonic clock, in seconds."""
        seen = {path: signature(path) for path in self._loaded}
        if seen != self._seen:
            self._seen, self._since = seen, now

    def changed(self, now: float) -> bool:
        """Return whether they differ, and have settled."""
        return self._seen != self._loaded and now - self._since > SETTLE_S


def readable_to_stop() -> int:
    """Return a descriptor that is readable once a terminating signal has arrived.

    Python's sigtimedwait() also returns without a signal after a process was stopped (SIGSTOP) and continued.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for number in STOP:
        # Only signals with a Python handler are written to the descriptor.
        signal.signal(number, lambda _number, _frame: None)
    return reader


def signature(path: str) -> tuple[int, int] | None:
    """Return an identity of a file's version, None without a file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def own_files(program: str) -> list[str]:
    """Return a program's file, and those of the collection's modules that it has imported."""
    files = (getattr(module, "__file__", None) for name, module in sys.modules.items() if name.startswith("ansible_"))
    return [os.path.abspath(program), *(path for path in files if path)]


def notify(message: str) -> None:
    """Notify systemd (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, suppress(OSError):
            sock.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)


def say(level: int, text: str) -> None:
    """Write to the journal; the number at the start of a line is its priority (sd-daemon(3))."""
    sys.stderr.write(f"<{level}>{text}\n")
    sys.stderr.flush()


def write(path: str, text: str, mode: int) -> None:
    """Replace a file atomically."""
    with open(f"{path}.new", "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(text)
    os.replace(f"{path}.new", path)


def read_json(path: str) -> dict[str, Any]:
    """Return the object in a file. Raises OSError, ValueError."""
    with open(path, encoding="utf-8") as stream:
        content = json.load(stream)
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no JSON object")
    return content
