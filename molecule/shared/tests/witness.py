# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who holds each VIP while something changes, and what a client feels.

Watchers on the balancers record the kernel's addresses by the clock that the lab's nodes share; a prober on the client
makes new connections to each VIP, and keeps some open.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from nodes import BALANCERS, eventually

if TYPE_CHECKING:
    from nodes import Lab

KEPT = 20
MOST_S = 0.05
"""How long a VIP may have two holders, or none: as long as a takeover takes."""
MARGIN_S = 0.05
"""What a watcher on a busy machine may add."""


@dataclass
class Witnessed:
    """The result for one VIP. ``none_s`` and ``several_s``: the longest time with no holder, and with more than one."""

    none_s: float
    several_s: float
    failed: int
    kept_failed: int
    slowest_s: float

    def __str__(self) -> str:
        return (
            f"none {self.none_s:.3f} s, several {self.several_s:.3f} s, {self.failed} failed,"
            f" {self.kept_failed} failed on kept connections, slowest {self.slowest_s:.3f} s"
        )


@contextmanager
def witnessed(lab: Lab, vips: list[str], kept: int = KEPT) -> Iterator[dict[str, Witnessed]]:
    """Watch and probe the VIPs during the block, with *kept* connections; then the dict has what was seen of each."""
    seen: dict[str, Witnessed] = {}
    with ExitStack() as stack:
        watches = {name: stack.enter_context(lab.beside(name, "vip_watch", {"vips": vips})) for name in lab.balancers}
        # Longer than the kernel's repetition of a SYN: a request that is only late counts as slow.
        probes = {vip: stack.enter_context(lab.probed(vip, timeout_s=3, connections=kept)) for vip in vips}
        yield seen
    for vip in vips:
        probe, pool = probes[vip], probes[vip]["connections"]
        none_s, several_s = _longest([result["watch"] for result in watches.values()], vip)
        seen[vip] = Witnessed(none_s, several_s, probe["failed"], pool["failed"] + pool["cut"], slowest_s(probe))


def slowest_s(probe: Mapping[str, Any]) -> float:
    """Return the longest time to a good answer."""
    return float(probe["latency_s"]["max"])


def _longest(watches: list[Mapping[str, Any]], vip: str) -> tuple[float, float]:
    """Return the longest time in which none of the watchers' hosts had the VIP, and in which several had it."""
    changes = [
        (event["at_s"], 1 if event["held"] else -1)
        for watch in watches
        for event in watch["events"]
        if event["vip"] == vip
    ]
    number = sum(watch["held_at_start"][vip] for watch in watches)
    none_s = several_s = 0.0
    last = max(watch["started_s"] for watch in watches)
    for at_s, step in [*sorted(changes), (min(watch["ended_s"] for watch in watches), 0)]:
        if number == 0:
            none_s = max(none_s, at_s - last)
        elif number > 1:
            several_s = max(several_s, at_s - last)
        number, last = number + step, at_s
    return none_s, several_s


def check(name: str, seen: dict[str, Witnessed]) -> None:
    """Print what was seen of a change, and assert that each VIP had one holder and that no client noticed."""
    for vip, witness in seen.items():
        print(f"{name}: {vip}: {witness}")
    for witness in seen.values():
        assert max(witness.none_s, witness.several_s) <= MOST_S + MARGIN_S, str(witness)
        assert (witness.failed, witness.kept_failed) == (0, 0), str(witness)


def at_rest(lab: Lab, vips: list[str]) -> bool:
    """Wait until each VIP has one holder and a standby; return whether it does."""

    def roles() -> list[list[str]]:
        found = lab.module("balancers", "vip_info", {"vips": vips})
        return [sorted(found[name]["roles"][vip] for name in BALANCERS) for vip in vips]

    return eventually(lambda: all(each == ["holder", "standby"] for each in roles()), within_s=30)
