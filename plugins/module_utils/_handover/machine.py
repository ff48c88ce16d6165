# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The hand-over of one virtual IP, as this host sees it: observations go in, what must be set up comes out. No input,
output or clock; times are seconds of one monotonic clock.

A standby learns from its peers who holds the VIP, and prepares the rules that send the connections it does not know
there. When it becomes the holder it asks that former holder, at once and then regularly, whether it still serves
connections; without an answer the rules go, so that clients get a reset and connect again. A holder without a former
one asks back the peers that ask it: one that serves connections becomes it.

How long the first answer may take depends on whether the former holder can be dead: its death moves the VIP only after
``alive_s``, the time of the adverts that must be missed. If it answered a later question, it gave the VIP up alive.
"""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._handover.messages import HOLDING, NO, SERVING

STANDBY, HANDING_OVER, HOLDER = "standby", "handing over", "holder"
DONE, DIED, REFUSED, LIMIT, MOVED = (
    "no connection is left",
    "the former holder does not answer",
    "the former holder does not serve its connections",
    "the limit is reached",
    "the VIP has moved again",
)

FIRST_S = 0.05
"""How long a former holder that may be dead has to answer after the takeover."""
FIRST_ASK_S = 0.01
SILENT_S = 0.5
"""How long one that was alive may be silent, at least: as long as VRRP allows it."""
ASK_S = 0.1
LOOK_S = 1.0
"""How often all peers are asked, at least."""
LEAST_LOOK_S = 0.05
LOOKS = 4
"""How often it asks within ``alive_s``, so that a busy peer's late answer still counts."""
SETTLE_S = 1.0
"""How long a move may take to settle, at least: a client has not noticed, or the VIP comes back after a restart."""
KNOWN_S = 5.0
"""How long a standby believes an answer: longer than any failover, after which the dead holder is asked in vain."""


class Wanted(NamedTuple):
    """What this host must have set up.

    ``local``: it takes the VIP's packets without the address on an interface. ``former``: the packets of connections
    that it does not know go there. ``quiet``: while the VIP is not here they get no answer, since it has just left or
    may leave, and a client that has not noticed would have its connection reset.
    """

    local: bool
    former: str | None
    quiet: bool = False


class Handover:
    """The state of one virtual IP.

    ``state`` is ``standby``, ``handing over`` or ``holder``, ``former`` the peer that has the connections which this
    host does not know, ``remaining`` how many it has, ``ended`` why the last hand-over to this host ended.
    """

    def __init__(self, limit_s: float, alive_s: float, now: float, held: bool) -> None:
        self.limit_s = limit_s
        self.alive_s = alive_s
        self.silent_s = max(SILENT_S, alive_s)
        self.settle_s = max(SETTLE_S, 2 * alive_s)
        self.state = HOLDER if held else STANDBY
        self.former: str | None = None
        self.remaining = 0
        self.ended: str | None = None
        self.since = now
        self._answered_at: float | None = None
        self._heard_at = float("-inf")
        self._asked_at: float | None = None
        self._was_asked = False
        self._lost_at = float("-inf")
        self._own = 0

    def observe(self, now: float, held: bool, own: int) -> None:
        """Take whether the VIP is on the interface, and how many connections to it this host itself has."""
        self._own = own
        if held and self.state == STANDBY:
            self._take_over(now)
        elif not held and self.state != STANDBY:
            self._lose(now)
        elif self.state == HANDING_OVER:
            self._expire(now)
        elif self.state == STANDBY and now - self._heard_at > KNOWN_S:
            self.former = None

    def answer(self, asked_at: float, peer: str, kind: str, connections: int) -> None:
        """Take a peer's answer to a question of that time. The peer was alive then, however late the answer comes."""
        if self.state == STANDBY and kind == HOLDING and peer != self.former:
            self.former, self._heard_at = peer, asked_at
        elif self.state == HOLDER and kind == SERVING and connections and asked_at >= self.since:
            # It had the VIP as well, as after a freeze of this host, or was silent for a while.
            self.state, self.former, self.ended, self.since = HANDING_OVER, peer, None, asked_at
            self._heard_at = asked_at
        if peer != self.former:
            return
        self._heard_at = max(self._heard_at, asked_at)
        if self.state == HANDING_OVER and asked_at >= self.since:
            self._answered_at = self._heard_at
            self.remaining = connections
            if kind == NO:
                self._end(REFUSED if connections else DONE)
            elif kind == SERVING and connections == 0 and asked_at - self.since >= self.settle_s:
                self._end(DONE)

    def asked(self) -> None:
        """Take a peer's question: it may have lost the VIP, with connections that this holder does not know."""
        # Not at once: two holders would ask each other back without a pause.
        self._was_asked = self.state == HOLDER

    def must_ask(self, now: float) -> bool:
        """Return whether it is time to ask the former holder, or all peers if there is none. It then counts as done."""
        if self._asked_at is not None and now - self._asked_at < self._period():
            return False
        self._asked_at, self._was_asked = now, False
        return True

    def wait_s(self, now: float) -> float:
        """Return after how many seconds the state must be looked at again."""
        return 0.0 if self._asked_at is None else max(0.0, self._asked_at + self._period() - now)

    def serves(self, now: float) -> bool:
        """Return whether this host still serves connections of a VIP that it has lost, or may get one."""
        return self.state == STANDBY and (self._own > 0 or self._just_lost(now)) and now - self.since < self.limit_s

    def wanted(self, now: float) -> Wanted:
        """Return what must be set up."""
        quiet = self.state == HANDING_OVER or self._just_lost(now)
        return Wanted(local=self.state != STANDBY or self.serves(now), former=self.former, quiet=quiet)

    def _just_lost(self, now: float) -> bool:
        return self.state == STANDBY and now - self._lost_at < self.settle_s

    def _period(self) -> float:
        if self.state == HOLDER:
            return FIRST_ASK_S if self._was_asked else LOOK_S
        if self.state == STANDBY:
            return min(LOOK_S, max(LEAST_LOOK_S, self.alive_s / LOOKS)) if self.alive_s else LOOK_S
        return FIRST_ASK_S if self._answered_at is None else ASK_S

    def _take_over(self, now: float) -> None:
        self.since = now
        self._answered_at = self._asked_at = None
        self.remaining = 0
        self.ended = None
        self.state = HANDING_OVER if self.former else HOLDER

    def _lose(self, now: float) -> None:
        if self.state == HANDING_OVER:
            # Its former holder is kept: if the VIP comes back before another host has it, this goes on.
            self.ended = MOVED
        self.state, self.since, self._lost_at, self._asked_at = STANDBY, now, now, None

    def _expire(self, now: float) -> None:
        if self._answered_at is None:
            alive = self.since - self._heard_at <= self.alive_s
            if now - self.since > (self.silent_s if alive else FIRST_S):
                self._end(DIED)
        elif now - self._answered_at > self.silent_s:
            self._end(DIED)
        elif now - self.since > self.limit_s:
            self._end(LIMIT)

    def _end(self, reason: str) -> None:
        self.state, self.former, self.ended = HOLDER, None, reason
