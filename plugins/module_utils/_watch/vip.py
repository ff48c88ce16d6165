# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The watch over one virtual IP: what a round has seen goes in, findings come out. No input, output or clock.

A round is every :data:`PERIOD_S` seconds. A state has to be seen in several rounds in a row before it counts, both
ways, so that neither a lost packet nor a handover between two hosts makes an alert come and go.
"""

from __future__ import annotations

import ipaddress
import math
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

PERIOD_S = 0.5
RAISE_ROUNDS = 3
CLEAR_ROUNDS = 6
GRACE_S = 30.0
"""After its start the watch waits so long for a first holder before it says that there is none: all hosts may boot."""
BOOT_S = 60.0
"""A peer that was gone has so long to start keepalived before it counts as silent."""
CALM_S = 600.0
"""After that long without letting go the watch trusts the link as it did at first."""
FRESH_S = 60.0
"""What an earlier run knew about the routers is used when it ended no longer ago."""
MOST_ROUTERS = 16
FORGET_S = 3600.0
"""After that long without an answer a router is no peer any more."""

SPLIT_BRAIN, NO_HOLDER, PEER_SILENT = "split_brain", "no_holder", "peer_silent"
SLUGS = (SPLIT_BRAIN, NO_HOLDER, PEER_SILENT)
# keepalived's own numbers; what it is besides (FAULT, stopped) does not show on the wire.
INIT, BACKUP, MASTER = 0, 1, 2


class Vip(NamedTuple):
    """A virtual IP of the vrrp_instance ``name``: it lives on ``interface``, its adverts are on ``link``.

    ``family`` is the IP version of the adverts, ``priority`` this host's as configured, ``failover_s`` the longest
    silence after which another host takes over, ``first`` whether it comes first among its instance's addresses.
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
    """An advert: this host's ``own``, or another's, that the firewall here has ``let_in`` or not."""

    source: str
    mac: str
    priority: int
    own: bool = False
    let_in: bool = True


class Seen(NamedTuple):
    """What a round has seen: whether this host has the VIP, which other MAC addresses answer for it (None when it could
    not ask), which routers answered for their own addresses, the adverts since the last round, and from which address
    this host advertises."""

    held: bool
    macs: frozenset[str] | None
    alive: frozenset[str] = frozenset()
    adverts: Sequence[Heard] = ()
    own: str | None = None


class Debounce:
    """Something that is so, or not, once it was seen often enough in a row. None says that nothing was seen."""

    def __init__(self, up: int, down: int, state: bool = False) -> None:
        self.state = state
        self._needed = {False: up, True: down}
        self._against = 0

    def step(self, value: bool | None) -> bool:
        """Take what a round says; return whether the state has changed."""
        if value is not None:
            self._against = self._against + 1 if value != self.state else 0
        if self._against < self._needed[self.state]:
            return False
        self.state, self._against = not self.state, 0
        return True


class Router:
    """Who has advertised the VIP's router id. Times are those of the rounds.

    ``on_wire`` and ``let_in`` are when it last did, ``left`` says that it took its leave, ``missing`` counts the rounds
    without an answer since it fell silent, and from ``back`` on its silence counts (0 before it has answered).
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
        """Who is the better one: by priority, then by address (RFC 9568 section 6.4.3)."""
        return self.priority, int(ipaddress.ip_address(self.source))

    def take(self, advert: Heard, now: float) -> None:
        """Take note of an advert. One with priority 0 says goodbye (RFC 9568 section 5.2.4)."""
        self.mac = advert.mac or self.mac
        self.on_wire = now
        if advert.let_in:
            self.let_in = now
        self.left = advert.priority == 0
        self.priority = advert.priority or self.priority
        self.missing = 0
        self.back = 0.0


class Watch:
    """Watches one VIP. *known* is what :meth:`remembered` returned in an earlier run since the host's boot, if any."""

    def __init__(self, vip: Vip, now: float, release_after: float = 0, known: Mapping[str, Any] | None = None) -> None:
        known = known or {}
        self.vip = vip
        raised = set(known.get("raised", ()))
        patience = math.ceil((vip.failover_s + 1) / PERIOD_S)
        self._findings = {
            SPLIT_BRAIN: Debounce(RAISE_ROUNDS, CLEAR_ROUNDS, SPLIT_BRAIN in raised),
            # A failover has its time.
            NO_HOLDER: Debounce(max(RAISE_ROUNDS, patience), CLEAR_ROUNDS, NO_HOLDER in raised),
            PEER_SILENT: Debounce(RAISE_ROUNDS, CLEAR_ROUNDS, PEER_SILENT in raised),
        }
        self.texts = {slug: "found before the watch was started again" for slug in SLUGS if slug in raised}
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
        self._nobody = Debounce(RAISE_ROUNDS, 1)
        self.released = False
        self.held = False
        self.answers = 0
        self.state = INIT
        self.transitions = 0
        self.conflicts = 0
        self._recall(known, now)

    def step(self, seen: Seen, now: float) -> list[str]:
        """Take what a round has seen; return the findings that were raised or cleared by it."""
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
        changed = [slug for slug in SLUGS if self._findings[slug].step(verdicts[slug])]
        for slug in changed:
            self._tell(slug, seen, silent, now)
        self._decide(seen, now)
        return changed

    def raised(self, slug: str) -> bool:
        """Return whether this finding is raised."""
        return self._findings[slug].state

    def doubtful(self, now: float) -> list[str]:
        """Return the routers, by address, that should be asked whether they are still there."""
        return [router.source for router in self._routers.values() if self._falls_silent(router, now)]

    def advert_age_s(self, now: float) -> float | None:
        """Return the age of the last advert, this host's or one that was let in; None when there was none."""
        routers = [*self._routers.values(), *([self._own] if self._own else [])]
        return now - max(router.let_in for router in routers) if routers else None

    def remembered(self, now: float) -> dict[str, Any]:
        """Return what the next run has to know."""
        routers = [dict(vars(router)) for router in self._routers.values()]
        return {"raised": [slug for slug in SLUGS if self.raised(slug)], "routers": routers, "at": now}

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

    def _is_split(self, seen: Seen, now: float) -> bool | None:
        """Two hosts answer, or two go on advertising: with virtual MACs both answer with the same one."""
        others = any(self._advertises(router, now) for router in self._routers.values())
        self._both = self._both + 1 if others and self._advertises(self._own, now) else 0
        # In a handover the last advert of the one is as fresh as the first one of the other.
        if self._both > self.vip.failover_s / PERIOD_S + 1:
            return True
        return None if seen.macs is None else self.answers > 1

    def _falls_silent(self, router: Router, now: float) -> bool:
        """Return whether a router ought to advertise and does not: it neither said goodbye nor met a better one."""
        if router.left or now - router.let_in <= self.vip.failover_s:
            return False
        others = [*self._routers.values(), *([self._own] if self._own else [])]
        return not any(other.rank > router.rank and other.on_wire > router.on_wire for other in others)

    def _is_silent(self, router: Router, seen: Seen, now: float) -> bool:
        """Return whether a router that fell silent is there all the same."""
        if not self._falls_silent(router, now):
            return False
        if router.source in seen.alive or router.mac in (seen.macs or ()):
            router.missing = 0
            router.back = router.back or now
        else:
            router.missing += 1
        if router.missing >= CLEAR_ROUNDS:
            # It is down. When it comes back, it may be booting.
            router.back = now + BOOT_S
        return 0 < router.back <= now

    def _tell(self, slug: str, seen: Seen, silent: Sequence[Router], now: float) -> None:
        if slug == SPLIT_BRAIN and self.raised(slug):
            self.conflicts += 1
        text = self._raised_text(slug, seen, silent, now) if self.raised(slug) else self._cleared_text(slug)
        self.texts[slug] = text

    def _raised_text(self, slug: str, seen: Seen, silent: Sequence[Router], now: float) -> str:
        vip = self.vip
        if slug == NO_HOLDER:
            return f"nobody answers for {vip.address} on {vip.interface}"
        if slug == PEER_SILENT:
            return "; ".join(self._silence(router, seen, now) for router in silent)
        holders = ["this host"] if seen.held else []
        holders += [self._named(mac) for mac in sorted(seen.macs or ())]
        if len(holders) > 1:
            return f"{len(holders)} hosts answer for {vip.address} on {vip.interface}: {', '.join(holders)}"
        advertising = [router.source for router in self._routers.values() if self._advertises(router, now)]
        return f"this host and {', '.join(advertising)} advertise {vip.address} on {vip.link} at the same time"

    def _silence(self, router: Router, seen: Seen, now: float) -> str:
        where = f" and answers for {self.vip.address}" if router.mac in (seen.macs or ()) else ""
        what = f"no advert for router id {self.vip.vrid} for {now - router.let_in:.0f} s"
        if now - router.on_wire <= self.vip.failover_s:
            what += " has passed the firewall here, although they arrive"
        return f"{router.source} ({router.mac}) is there{where}, but {what}"

    def _cleared_text(self, slug: str) -> str:
        if slug == PEER_SILENT:
            return "adverts come again, or the peer is gone"
        who = "this host" if self.held else "another host"
        return f"{who} has {self.vip.address}" if self.answers else f"nobody answers for {self.vip.address} now"

    def _named(self, mac: str) -> str:
        sources = sorted(router.source for router in self._routers.values() if router.mac == mac)
        return f"{mac} ({', '.join(sources)})" if sources else mac

    def _decide(self, seen: Seen, now: float) -> None:
        """Let go of the VIP, or take it back, if that is wanted at all."""
        if not self._release_after:
            return
        if now - self._calm_at > CALM_S and not self.released:
            self._releases = 0
        if self.released:
            hears = any(self._is_heard(router, now) for router in self._routers.values())
            over = self._over.step(hears)
            nobody = self._nobody.step(None if seen.macs is None else not self.answers)
            if over or nobody:
                self.released, self._calm_at = False, now
            if nobody:
                # The better one has gone, or has let go too, and that must not happen again and again.
                self._not_before = now + CALM_S
            return
        certain = now >= self._not_before and self.raised(SPLIT_BRAIN) and seen.held and self._is_lower(seen, now)
        self._certain = self._certain + 1 if certain else 0
        if self._certain * PERIOD_S >= self._release_after:
            # The sooner the conflict comes again, the longer it has to be over before the next return.
            self._over = Debounce(CLEAR_ROUNDS * 2 ** min(self._releases, 6), 1)
            self._nobody = Debounce(RAISE_ROUNDS, 1)
            self._certain = 0
            self._releases += 1
            self.released, self._calm_at = True, now

    def _is_lower(self, seen: Seen, now: float) -> bool:
        """Return whether a router that has the VIP too is known to be the better one."""
        if self._own is not None:
            own = self._own.rank
        elif seen.own is not None:
            # The firewall here may keep its adverts from the wire.
            own = self.vip.priority, int(ipaddress.ip_address(seen.own))
        else:
            return False
        return any(router.rank > own for router in self._rivals(seen, now))

    def _rivals(self, seen: Seen, now: float) -> Iterator[Router]:
        for router in self._routers.values():
            if router.mac in (seen.macs or ()) or self._advertises(router, now):
                yield router
