# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Support for a module that runs beside others for a while: the file that ends it, and its CPU priority."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.haproof.balancer.plugins.module_utils._common.trust import check_way

READY = "ready"


class RunFile:
    """The file that shows that a module is ready, and whose removal ends it. Does nothing without ``path``."""

    def __init__(self, path: str | None, ready: str = READY) -> None:
        self._path = path
        self._text = ready
        self._ready = False
        self._failed = 0
        self._descriptor = -1

    def create(self) -> None:
        """Create the file. Raises FileExistsError, since it may be another run's, and UntrustedError."""
        if self._path:
            check_way(self._path)
            # Exclusive creation does not follow a planted link.
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def on_tick(self, ready: bool, failed: int = 0) -> bool:
        """Announce once that the module is ready, and then how many requests have failed. Returns whether to stop."""
        if not self._path:
            return False
        if ready and not self._ready:
            os.write(self._descriptor, f"{self._text}\n".encode())
            self._ready = True
        if self._ready and failed != self._failed:
            os.pwrite(self._descriptor, f"failed {failed}\n".encode(), len(self._text) + 1)
            self._failed = failed
        return not self._is_there()

    def remove(self) -> None:
        """Remove the file."""
        if self._path and self._descriptor >= 0:
            if self._is_there():
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self._path)
            os.close(self._descriptor)
            self._descriptor = -1

    def _is_there(self) -> bool:
        """Return whether the created file still exists, and not another one of its name."""
        try:
            return os.path.samestat(os.lstat(self._path or ""), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False


def hurry() -> None:
    """Raise this process's priority as far as allowed: a prober that waits for the CPU measures itself."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        # A control group may have no real-time budget.
        with contextlib.suppress(OSError):
            os.nice(-20)
