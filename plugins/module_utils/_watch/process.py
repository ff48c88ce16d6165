# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The watch over keepalived's child processes: whether one died and was restarted. No input or clock.

keepalived's main process survives them (VRRP, health checks, BFD), so systemd notices nothing. It restarts them,
with growing delays if they die again: meanwhile no advert is sent.
"""

from __future__ import annotations

from typing import Collection, NamedTuple

PROCESS_RESTARTED = "process_restarted"
LASTS_S = 60.0
"""How long the finding is raised after a restart."""
SETTLED_ROUNDS = 2
"""A process seen in fewer rounds, such as a configuration check before a reload, may end."""


class Process(NamedTuple):
    """A process id, and its start in ticks since the boot: an id may be reused."""

    pid: int
    started: int


class Restarts:
    """Counts the processes that died under one keepalived, and that it restarted."""

    def __init__(self) -> None:
        self.total = 0
        self.raised = False
        self.text = f"no process has died for {LASTS_S:g} s"
        self._main: Process | None = None
        self._rounds: dict[Process, int] = {}
        self._ended: list[Process] = []
        self._last_at = 0.0

    def step(self, main: Process | None, children: Collection[Process], now: float) -> bool:
        """Process a round's observations; return whether the finding was raised or cleared."""
        if main != self._main:
            # A new keepalived, about which nothing is known yet.
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
            self.text = f"process {former.pid} died, and was restarted as {child.pid}"
        raised = self.total > 0 and now - self._last_at < LASTS_S
        changed, self.raised = raised != self.raised, raised
        return changed
