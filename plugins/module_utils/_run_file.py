# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a module needs that runs beside others for a while: the file that ends it, and the CPU before them."""

from __future__ import annotations

import contextlib
import os

READY = "ready"


class RunFile:
    """The file by which others see that a module is ready, and end it. Does nothing when there is no ``path``."""

    def __init__(self, path: str | None, ready: str = READY) -> None:
        self._path = path
        self._text = ready
        self._ready = False

    def create(self) -> None:
        """Make the file. Raises FileExistsError, for it may be another's."""
        if self._path:
            # Exclusive creation follows no link that somebody has put there.
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def on_tick(self, ready: bool) -> bool:
        """Announce the first time that it is ready. Returns whether to stop."""
        if not self._path:
            return False
        try:
            if ready and not self._ready:
                # Does not make it again when it has just been removed.
                descriptor = os.open(self._path, os.O_WRONLY)
                os.write(descriptor, f"{self._text}\n".encode())
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


def hurry() -> None:
    """Come before other processes of this host, as far as allowed: one that waits its turn measures itself."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        # Control groups may have no share of real time.
        with contextlib.suppress(OSError):
            os.nice(-20)
