# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The watch over one virtual IP: a round's observations go in, findings come out. No input, output or clock.

There is a round every :data:`PERIOD_S` seconds. A state must be seen in several rounds in a row before it counts, both
ways, so that neither a lost packet nor a handover between two hosts makes an alert flap.
"""

from __future__ import annotations

import ipaddress
import math
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

PERIOD_S = 0.5
RAISE_ROUNDS = 3
CLEAR_ROUNDS = 6
GRACE_S = 30.0
"""How long the watch waits after its start for a first holder before it reports none: all hosts may be booting."""
BOOT_S = 60.0
"""How long a peer that was gone may take to start keepalived before it counts as silent."""
CALM_S = 600.0
"""After this time without a release the watch trusts the link as at first."""
FRESH_S = 60.0
"""Maximum age of an earlier run's knowledge about routers."""
MOST_ROUTERS = 16
FORGET_S = 3600.0
"""After this time without an answer a router is no longer a peer."""

SPLIT_BRAIN, NO_HOLDER, PEER_SILENT = "split_brain", "no_holder", "peer_silent"
KINDS = (SPLIT_BRAIN, NO_HOLDER, PEER_SILENT)
# keepalived's own numbers; other states (FAULT, stopped) do not show on the wire.
INIT, BACKUP, MASTER = 0, 1, 2


class Vip(NamedTuple):
    """A virtual IP of the vrrp_instance ``name``: it is on ``interface``, its adverts are on ``link``.

    ``family`` is the IP version of the adverts, ``priority`` this host's configured one, ``failover_s`` the longest
    silence before another host takes over, ``first`` whether it is the first of its instance's addresses.
    """

    name: str
    address: str
    interface: str
    link: str
    vrid: int
    family: int
    priority: int
    failover_s: float
    first: bool = True


class Heard(NamedTuple):
    """An advert: this host's ``own``, or another's, which this host's firewall has ``let_in`` or not."""

    source: str
    mac: str
    priority: int
    own: bool = False
    let_in: bool = True


class Round(NamedTuple):
    """A round's observations: whether this host has the VIP, which other MAC addresses answer for it (None if it could
    not ask), which routers answered for their own addresses, the adverts since the last round, and the address from
    which this host advertises."""

    held: bool
    macs: frozenset[str] | None
    alive: frozenset[str] = frozenset()
    adverts: Sequence[Heard] = ()
    own: str | None = None


class Debounce:
    """A state that changes once the opposite was seen often enough in a row. None means that nothing was seen."""

    def __init__(self, up: int, down: int, state: bool = False) -> None:
        self.state = state
        self._needed = {False: up, True: down}
        self._against = 0

    def step(self, value: bool | None) -> bool:
        """Process a round's value; return whether the state has changed."""
        if value is not None:
            self._against = self._against + 1 if value != self.state else 0
        if self._against < self._needed[self.state]:
            return False
        self.state, self._against = not self.state, 0
        return True


class Router:
    """A router that has advertised the VIP's router id. Times are those of the rounds.

    ``on_wire`` and ``let_in`` are the times of its last advert, ``left`` tells that it sent priority 0, ``missing``
    counts the rounds without an answer since it fell silent, and its silence counts from ``back`` on (0 before it has
    answered).
    """

    def __init__(self, source: str, mac: str, priority: int, now: float) -> None:
        self.source = source
        self.mac = mac
        self.priority = priority
        self.on_wire = self.let_in = now
        self.left = False
        self.missing = 0
        self.back = 0.0

    @property
    def rank(self) -> tuple[int, int]:
        """Order of routers: by priority, then by address (RFC 9568 section 6.4.3)."""
        return self.priority, int(ipaddress.ip_address(self.source))

    def take(self, advert: Heard, now: float) -> None:
        """Record an advert. Priority 0 means that the router is stopping (RFC 9568 section 5.2.4)."""
        self.mac = advert.mac or self.mac
        self.on_wire = now
        if advert.let_in:
            self.let_in = now
        self.left = advert.priority == 0
        self.priority = advert.priority or self.priority
        self.missing = 0
        self.back = 0.0


class Watch:
    """Watches one VIP. *known* is the result of :meth:`snapshot` in an earlier run since the host's boot, if any."""

    def __init__(self, vip: Vip, now: float, release_after: float = 0, known: Mapping[str, Any] | None = None) -> None:
        known = known or {}
        self.vip = vip
        raised = set(known.get("raised", ()))
        patience = math.ceil((vip.failover_s + 1) / PERIOD_S)
        self._findings = {
            SPLIT_BRAIN: Debounce(RAISE_ROUNDS, CLEAR_ROUNDS, SPLIT_BRAIN in raised),
            # Allow for a failover.
            NO_HOLDER: Debounce(max(RAISE_ROUNDS, patience), CLEAR_ROUNDS, NO_HOLDER in raised),
            PEER_SILENT: Debounce(RAISE_ROUNDS, CLEAR_ROUNDS, PEER_SILENT in raised),
        }
        self.texts = {kind: "found before the watch was restarted" for kind in KINDS if kind in raised}
        self._armed_at = now + GRACE_S
        self._release_after = release_after
        self._routers: dict[str, Router] = {}
        self._own: Router | None = None
        self._both = 0
        self._certain = 0
        self._calm_at = now
        self._not_before = now
        self._releases = 0
        self._over = Debounce(CLEAR_ROUNDS, 1)
        self._no_holder = Debounce(RAISE_ROUNDS, 1)
        self.released = False
        self.held = False
        self.answers = 0
        self.state = INIT
        self.transitions = 0
        self.conflicts = 0
        self._recall(known, now)

    def step(self, seen: Round, now: float) -> list[str]:
        """Process a round's observations; return the findings that were raised or cleared."""
        for advert in seen.adverts:
            self._take(advert, now)
        self.held = seen.held
        self.answers = len(seen.macs or ()) + seen.held
        if self.answers:
            self._armed_at = now
        self._note_state(now)
        silent = [router for router in self._routers.values() if self._is_silent(router, seen, now)]
        self._routers = {
            source: router for source, router in self._routers.items() if router.missing * PERIOD_S < FORGET_S
        }
        verdicts = {
            SPLIT_BRAIN: self._is_split(seen, now),
            NO_HOLDER: None if seen.macs is None or now < self._armed_at else self.answers == 0,
            PEER_SILENT: bool(silent) if self.vip.first else None,
        }
        changed = [kind for kind in KINDS if self._findings[kind].step(verdicts[kind])]
        for kind in changed:
            self._describe(kind, seen, silent, now)
        self._decide(seen, now)
        return changed

    def raised(self, kind: str) -> bool:
        """Return whether this finding is raised."""
        return self._findings[kind].state

    def doubtful(self, now: float) -> list[str]:
        """Return the addresses of the routers that should be asked whether they are still up."""
        return [router.source for router in self._routers.values() if self._falls_silent(router, now)]

    def advert_age_s(self, now: float) -> float | None:
        """Return the age of the last advert, this host's or one that was let in; None without any."""
        routers = [*self._routers.values(), *([self._own] if self._own else [])]
        return now - max(router.let_in for router in routers) if routers else None

    def snapshot(self, now: float) -> dict[str, Any]:
        """Return the state that the next run needs."""
        routers = [dict(vars(router)) for router in self._routers.values()]
        return {"raised": [kind for kind in KINDS if self.raised(kind)], "routers": routers, "at": now}

    def _recall(self, known: Mapping[str, Any], now: float) -> None:
        if 0 <= now - known.get("at", -FRESH_S) <= FRESH_S:
            for former in known.get("routers", ())[:MOST_ROUTERS]:
                router = Router(former["source"], former["mac"], former["priority"], now)
                vars(router).update(former)
                self._routers[router.source] = router

    def _take(self, advert: Heard, now: float) -> None:
        if advert.own:
            self._own = self._own or Router(advert.source, advert.mac, advert.priority, now)
            self._own.source = advert.source
            self._own.take(advert, now)
            return
        if advert.source not in self._routers:
            if len(self._routers) >= MOST_ROUTERS:
                del self._routers[min(self._routers, key=lambda source: self._routers[source].on_wire)]
            self._routers[advert.source] = Router(advert.source, advert.mac, advert.priority, now)
        self._routers[advert.source].take(advert, now)

    def _advertises(self, router: Router | None, now: float) -> bool:
        return router is not None and not router.left and now - router.on_wire <= self.vip.failover_s

    def _is_heard(self, router: Router, now: float) -> bool:
        return not router.left and now - router.let_in <= self.vip.failover_s

    def _note_state(self, now: float) -> None:
        if self._advertises(self._own, now):
            state = MASTER
        elif any(self._is_heard(router, now) for router in self._routers.values()):
            state = BACKUP
        else:
            state = INIT
        self.transitions += state != self.state
        self.state = state

    def _is_split(self, seen: Round, now: float) -> bool | None:
        """Return whether two hosts answer, or keep advertising: with virtual MACs both answer with the same one."""
        others = any(self._advertises(router, now) for router in self._routers.values())
        self._both = self._both + 1 if others and self._advertises(self._own, now) else 0
        # In a handover the last advert of one host is as recent as the first one of the other.
        if self._both > self.vip.failover_s / PERIOD_S + 1:
            return True
        return None if seen.macs is None else self.answers > 1

    def _falls_silent(self, router: Router, now: float) -> bool:
        """Return whether a router should advertise and does not: it neither sent priority 0 nor met a better one."""
        if router.left or now - router.let_in <= self.vip.failover_s:
            return False
        others = [*self._routers.values(), *([self._own] if self._own else [])]
        return not any(other.rank > router.rank and other.on_wire > router.on_wire for other in others)

    def _is_silent(self, router: Router, seen: Round, now: float) -> bool:
        """Return whether a silent router is still up."""
        if not self._falls_silent(router, now):
            return False
        if router.source in seen.alive or router.mac in (seen.macs or ()):
            router.missing = 0
            router.back = router.back or now
        else:
            router.missing += 1
        if router.missing >= CLEAR_ROUNDS:
            # It is down. When it returns, it may still be booting.
            router.back = now + BOOT_S
        return 0 < router.back <= now

    def _describe(self, kind: str, seen: Round, silent: Sequence[Router], now: float) -> None:
        if kind == SPLIT_BRAIN and self.raised(kind):
            self.conflicts += 1
        text = self._raised_text(kind, seen, silent, now) if self.raised(kind) else self._cleared_text(kind)
        self.texts[kind] = text

    def _raised_text(self, kind: str, seen: Round, silent: Sequence[Router], now: float) -> str:
        vip = self.vip
        if kind == NO_HOLDER:
            return f"no host answers for {vip.address} on {vip.interface}"
        if kind == PEER_SILENT:
            return "; ".join(self._silence(router, seen, now) for router in silent)
        holders = ["this host"] if seen.held else []
        holders += [self._named(mac) for mac in sorted(seen.macs or ())]
        if len(holders) > 1:
            return f"{len(holders)} hosts answer for {vip.address} on {vip.interface}: {', '.join(holders)}"
        advertising = [router.source for router in self._routers.values() if self._advertises(router, now)]
        return f"this host and {', '.join(advertising)} advertise {vip.address} on {vip.link} at the same time"

    def _silence(self, router: Router, seen: Round, now: float) -> str:
        where = f" and answers for {self.vip.address}" if router.mac in (seen.macs or ()) else ""
        what = f"no advert for router id {self.vip.vrid} for {now - router.let_in:.0f} s"
        if now - router.on_wire <= self.vip.failover_s:
            what += " has passed this host's firewall, although they arrive"
        return f"{router.source} ({router.mac}) is up{where}, but {what}"

    def _cleared_text(self, kind: str) -> str:
        if kind == PEER_SILENT:
            return "adverts arrive again, or the peer is gone"
        who = "this host" if self.held else "another host"
        return f"{who} has {self.vip.address}" if self.answers else f"no host answers for {self.vip.address} now"

    def _named(self, mac: str) -> str:
        sources = sorted(router.source for router in self._routers.values() if router.mac == mac)
        return f"{mac} ({', '.join(sources)})" if sources else mac

    def _decide(self, seen: Round, now: float) -> None:
        """Release the VIP, or take it back, if releasing is enabled."""
        if not self._release_after:
            return
        if now - self._calm_at > CALM_S and not self.released:
            self._releases = 0
        if self.released:
            hears = any(self._is_heard(router, now) for router in self._routers.values())
            over = self._over.step(hears)
            no_holder = self._no_holder.step(None if seen.macs is None else not self.answers)
            if over or no_holder:
                self.released, self._calm_at = False, now
            if no_holder:
                # The better host is gone, or has released it too; this must not repeat endlessly.
                self._not_before = now + CALM_S
            return
        certain = now >= self._not_before and self.raised(SPLIT_BRAIN) and seen.held and self._is_lower(seen, now)
        self._certain = self._certain + 1 if certain else 0
        if self._certain * PERIOD_S >= self._release_after:
            # The more often the conflict recurs, the longer it must be over before the VIP is taken back.
            self._over = Debounce(CLEAR_ROUNDS * 2 ** min(self._releases, 6), 1)
            self._no_holder = Debounce(RAISE_ROUNDS, 1)
            self._certain = 0
            self._releases += 1
            self.released, self._calm_at = True, now

    def _is_lower(self, seen: Round, now: float) -> bool:
        """Return whether another router with the VIP is known to be the better one."""
        if self._own is not None:
            own = self._own.rank
        elif seen.own is not None:
            # This host's firewall may block its own adverts.
            own = self.vip.priority, int(ipaddress.ip_address(seen.own))
        else:
            return False
        return any(router.rank > own for router in self._rivals(seen, now))

    def _rivals(self, seen: Round, now: float) -> Iterator[Router]:
        for router in self._routers.values():
            if router.mac in (seen.macs or ()) or self._advertises(router, now):
                yield router
