# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The watch over keepalived's own processes: whether one ended and keepalived started it again. No input or clock.

keepalived's main process outlives them (VRRP, health checks, BFD), so systemd notices nothing. It starts them again,
and waits longer and longer when they end again: meanwhile no advert is sent.
"""

from __future__ import annotations

from typing import Collection, NamedTuple

PROCESS_RESTARTED = "process_restarted"
LASTS_S = 60.0
"""So long after a restart the finding is raised."""
SETTLED_ROUNDS = 2
"""What was seen less often, such as a check of the configuration before a reload, is no process that may not end."""


class Process(NamedTuple):
    """A process, and when it started in ticks since the boot: a number may be used again."""

    pid: int
    started: int


class Restarts:
    """Counts the processes that ended under one keepalived, and that it started again."""

    def __init__(self) -> None:
        self.total = 0
        self.raised = False
        self.text = f"no process has ended for {LASTS_S:g} s"
        self._main: Process | None = None
        self._rounds: dict[Process, int] = {}
        self._ended: list[Process] = []
        self._last_at = 0.0

    def step(self, main: Process | None, children: Collection[Process], now: float) -> bool:
        """Take what a round has seen; return whether the finding was raised or cleared by it."""
        if main != self._main:
            # Another keepalived, of which nothing is known yet.
            self._main, self._rounds, self._ended = main, {}, []
        self._ended += [
            child for child, rounds in self._rounds.items() if child not in children and rounds >= SETTLED_ROUNDS
        ]
        fresh = [child for child in children if child not in self._rounds]
        self._rounds = {child: self._rounds.get(child, 0) + 1 for child in children}
        for child in fresh[: len(self._ended)]:
            former = self._ended.pop(0)
            self.total += 1
            self._last_at = now
            self.text = f"process {former.pid} ended, and was started again as {child.pid}"
        raised = self.total > 0 and now - self._last_at < LASTS_S
        changed, self.raised = raised != self.raised, raised
        return changed
