# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The hand-over of one virtual IP, as this host sees it: observations go in, what must be set up comes out. No input,
output or clock; times are seconds of one monotonic clock.

A standby learns from its peers who holds the VIP and who still serves connections of it, and prepares the rules that
send the connections it does not know there. When it becomes the holder it asks these former holders, at once and then
regularly, whether they still serve connections; one that does not answer is one no longer, and without any the rules
go, so that clients get a reset and connect again. A peer that says later that it serves connections becomes one too.

Of three balancers two may take over at the same moment, and the VIP may move on in the middle of a hand-over: then
there are several former holders. Each gets all packets, takes those of its own connections, and does not reset others.
If all but one of them are lost, the holder tells this one, which then resets the connections that nobody has any more.

How long the first answer may take depends on whether a former holder can be dead: its death moves the VIP only after
``alive_s``, the time of the adverts that must be missed. If it answered a later question, it gave the VIP up alive.
"""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._handover.messages import (
    ASK,
    HOLDING,
    NO,
    SERVING,
    SOLE,
)

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
SILENT_S = 1.0
"""How long one that was alive may be silent, at least: it is busy, or a firewall drops packets while it reloads.
With ufw that takes up to 0.6 s on a busy host of the lab."""
ASK_S = 0.05
LEAST_QUESTIONS = 3
"""How many questions must be unanswered, too: a host that was suspended itself has asked none meanwhile."""
LOOK_S = 1.0
"""How often all peers are asked, at least."""
LEAST_LOOK_S = 0.05
LOOKS = 4
"""How often it asks within ``alive_s``, so that a busy peer's late answer still counts."""
SETTLE_S = 1.0
"""How long a move may take to settle, at least: a client has not noticed, or the VIP comes back after a restart."""
SOLE_S = SILENT_S
"""How long a former holder believes that it is the only one after a question that says so. The holder repeats it with
each one, but may be busy, or lose the VIP to another one by its death."""
KNOWN_S = 5.0
"""How long a standby believes an answer: longer than any failover, after which the dead holder is asked in vain."""


class Former:
    """A peer that has the VIP, or still serves its connections: ``remaining`` ones.

    ``heard_at`` is when it was last asked a question that it answered, ``answered_at`` the same since the takeover.
    ``unanswered`` counts the questions since the last answer, or the takeover.
    """

    def __init__(self, heard_at: float) -> None:
        self.heard_at = heard_at
        self.answered_at: float | None = None
        self.unanswered = 0
        self.serving = False
        self.remaining = 0
        self.most = 0


class Wanted(NamedTuple):
    """What this host must have set up.

    ``local``: it takes the VIP's packets without the address on an interface. ``formers``: the packets of connections
    that it does not know go to these peers. ``quiet``: while the VIP is not here they get no answer, since it may have
    just left, and a client that has not noticed would have its connection reset, or since it is that of another former
    holder. Which one is known too late: the VIP may move on at any time. So only the death of others ends it.
    """

    local: bool
    formers: tuple[str, ...]
    quiet: bool = False


class Ended(NamedTuple):
    """Why the hand-over from a former holder ended."""

    peer: str
    reason: str


class Handover:
    """The state of one virtual IP.

    ``state`` is ``standby``, ``handing over`` or ``holder``, ``formers`` are the peers that have the connections which
    this host does not know. Why the hand-over from each of them ended is added to ``ended``. ``received`` and ``cut``
    count the connections of former holders since the start, and those that were left at the limit.
    """

    def __init__(self, limit_s: float, alive_s: float, now: float, held: bool) -> None:
        self.limit_s = limit_s
        self.alive_s = alive_s
        self.silent_s = max(SILENT_S, alive_s)
        self.settle_s = max(SETTLE_S, 2 * alive_s)
        self.state = HOLDER if held else STANDBY
        self.formers: dict[str, Former] = {}
        self.ended: list[Ended] = []
        self.received = 0
        self.cut = 0
        self.since = now
        self._asked_at: float | None = None
        self._was_asked = False
        self._lost_at = float("-inf")
        self._sole: tuple[str, float] | None = None
        self._orphans = False
        self._own = 0

    @property
    def former(self) -> str | None:
        """The peer that has the VIP, or the most of its connections."""
        ranking = sorted((former.serving, -former.remaining, peer) for peer, former in self.formers.items())
        return ranking[0][2] if ranking else None

    @property
    def remaining(self) -> int:
        """How many connections the former holders have."""
        return sum(former.remaining for former in self.formers.values()) if self.state == HANDING_OVER else 0

    def observe(self, now: float, held: bool, own: int) -> None:
        """Take whether the VIP is on the interface, and how many connections to it this host itself has."""
        self._own = own
        if held and self.state == STANDBY:
            self._take_over(now)
        elif not held and self.state != STANDBY:
            self._lose(now)
        elif self.state == HANDING_OVER:
            self._expire(now)
        elif self.state == STANDBY:
            for peer in [peer for peer, former in self.formers.items() if now - former.heard_at > KNOWN_S]:
                del self.formers[peer]

    def answer(self, asked_at: float, peer: str, kind: str, connections: int) -> None:
        """Take a peer's answer to a question of that time. The peer was alive then, however late the answer comes."""
        if peer not in self.formers:
            if not self._becomes_former(asked_at, kind, connections):
                return
            self.formers[peer] = Former(asked_at)
        former = self.formers[peer]
        former.heard_at = max(former.heard_at, asked_at)
        former.serving = kind == SERVING
        former.unanswered = 0
        if self.state == STANDBY:
            former.remaining = connections
            if kind == NO:
                del self.formers[peer]
        elif asked_at >= self.since:
            former.answered_at = former.heard_at
            former.remaining = connections
            self.received += max(0, connections - former.most)
            former.most = max(former.most, connections)
            if kind == NO:
                self._end(peer, REFUSED if connections else DONE)
            elif kind == SERVING and connections == 0 and asked_at - self.since >= self.settle_s:
                self._end(peer, DONE)

    def asked(self, now: float, peer: str, kind: str) -> None:
        """Take a peer's question: it may have lost the VIP, with connections that this holder does not know."""
        # Not at once: two holders would ask each other back without a pause.
        self._was_asked = self.state == HOLDER
        if kind == SOLE:
            self._sole = (peer, now)
        elif self._sole and self._sole[0] == peer:
            self._sole = None

    def question(self, peer: str) -> str:
        """Return the kind of the question to a peer: whether the connections of lost former holders are left to it."""
        sole = self.state == HANDING_OVER and self._orphans and list(self.formers) == [peer]
        return SOLE if sole else ASK

    def must_ask(self, now: float) -> bool:
        """Return whether it is time to ask the peers. It then counts as done."""
        if self._asked_at is not None and now - self._asked_at < self._period():
            return False
        self._asked_at, self._was_asked = now, False
        for former in self.formers.values():
            former.unanswered += 1
        return True

    def wait_s(self, now: float) -> float:
        """Return after how many seconds the state must be looked at again."""
        return 0.0 if self._asked_at is None else max(0.0, self._asked_at + self._period() - now)

    def serves(self, now: float) -> bool:
        """Return whether this host still serves connections of a VIP that it has lost, or may get one."""
        just_lost = now - self._lost_at < self.settle_s
        return self.state == STANDBY and (self._own > 0 or just_lost) and now - self.since < self.limit_s

    def wanted(self, now: float) -> Wanted:
        """Return what must be set up."""
        serves = self.serves(now)
        sole = self._sole is not None and now - self._sole[1] <= SOLE_S
        quiet = self.state == HANDING_OVER or (serves and not sole)
        return Wanted(local=self.state != STANDBY or serves, formers=tuple(sorted(self.formers)), quiet=quiet)

    def _becomes_former(self, asked_at: float, kind: str, connections: int) -> bool:
        serving = kind == SERVING and connections > 0
        if self.state == STANDBY:
            return kind == HOLDING or serving
        if not serving or asked_at < self.since:
            return False
        if self.state == HOLDER:
            # It had the VIP as well, as after a freeze of this host, or was silent for a while.
            self.state, self.since = HANDING_OVER, asked_at
        return True

    def _period(self) -> float:
        if self.state == HOLDER:
            return FIRST_ASK_S if self._was_asked else LOOK_S
        if self.state == STANDBY:
            return min(LOOK_S, max(LEAST_LOOK_S, self.alive_s / LOOKS)) if self.alive_s else LOOK_S
        return FIRST_ASK_S if any(former.answered_at is None for former in self.formers.values()) else ASK_S

    def _take_over(self, now: float) -> None:
        self.since = now
        self._asked_at = None
        self._orphans = False
        for former in self.formers.values():
            former.answered_at, former.unanswered, former.remaining, former.most = None, 0, 0, 0
        self.state = HANDING_OVER if self.formers else HOLDER

    def _lose(self, now: float) -> None:
        # The former holders are kept: if the VIP comes back before another host has it, this goes on.
        if self.state == HANDING_OVER:
            self.ended += [Ended(peer, MOVED) for peer in self.formers]
        self.state, self.since, self._lost_at, self._asked_at = STANDBY, now, now, None

    def _expire(self, now: float) -> None:
        for peer, former in list(self.formers.items()):
            if self._is_silent(former, now):
                self._end(peer, DIED)
            elif former.answered_at is not None and now - self.since > self.limit_s:
                self.cut += former.remaining
                self._end(peer, LIMIT)

    def _is_silent(self, former: Former, now: float) -> bool:
        if former.unanswered < LEAST_QUESTIONS:
            return False
        if former.answered_at is not None:
            return now - former.answered_at > self.silent_s
        alive = self.since - former.heard_at <= self.alive_s
        return now - self.since > (self.silent_s if alive else FIRST_S)

    def _end(self, peer: str, reason: str) -> None:
        self._orphans |= reason in (DIED, REFUSED, LIMIT)
        del self.formers[peer]
        self.ended.append(Ended(peer, reason))
        if not self.formers:
            self.state = HOLDER
