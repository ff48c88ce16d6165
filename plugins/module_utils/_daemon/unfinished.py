# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions that a daemon still needs: a mark that survives a killed run, but not a reboot.

A reboot needs no mark: every daemon starts with the files on disk.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from typing import Any, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._daemon.files import replace_lasting

FOLDER = "/run/haproof"


class Unfinished(NamedTuple):
    """The actions left: a restart rather than a reload, a reload of units, the directories that may hold leftovers.

    ``former`` is the result of :meth:`FileSet.record` if the change of the files may be incomplete.
    """

    restart: bool
    units: bool
    folders: list[str]
    former: Sequence[Any] = ()

    @property
    def action(self) -> str:
        """``restart`` or ``reload``."""
        return "restart" if self.restart else "reload"


class Mark:
    """The mark of one systemd unit."""

    def __init__(self, unit: str) -> None:
        self.path = os.path.join(FOLDER, f"{unit}.json")

    def read(self) -> Unfinished | None:
        """Return the actions left, None without a mark. Raises OSError."""
        try:
            with open(self.path, encoding="utf-8") as stream:
                left = Unfinished(**json.load(stream))
                return left._replace(former=tuple(left.former))
        except FileNotFoundError:
            return None

    def write(self, unfinished: Unfinished | None) -> None:
        """Set the mark, or remove it. Raises OSError."""
        if unfinished is None:
            with suppress(FileNotFoundError):
                os.unlink(self.path)
            return
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        replace_lasting(self.path, json.dumps(unfinished._asdict()))


def lock(timeout_s: float) -> int:
    """Keep other runs from changing daemons' files on this host, until this process ends or the result is closed.

    A run that lost its controller may still be active. Raises TimeoutError.
    """
    os.makedirs(FOLDER, mode=0o700, exist_ok=True)
    handle = os.open(os.path.join(FOLDER, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(handle)
                raise TimeoutError(
                    f"another run has been changing daemons on this host for {timeout_s:g} s (its process has"
                    f" {FOLDER}/lock open); try again when it has ended"
                ) from None
        time.sleep(0.05)
