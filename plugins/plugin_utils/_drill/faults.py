# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The faults that a drill knows: whom each breaks, what must follow, and how long a client may feel it. Pure."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, NamedTuple, Sequence

SPLIT_BRAIN = "split_brain"

HOLDER, STANDBY, BACKEND, BACKENDS, EACH = "holder", "standby", "backend", "backends", "each"

MOVES = "moves"
"""Another balancer has the VIP until the fault is healed."""
STAYS = "stays"
"""The VIP does not move."""
SPLITS = "splits"
"""Two balancers have the VIP: the fault cannot be survived without, so an alarm must say so."""
RETURNS = "returns"
"""The node recovers by itself. The VIP may move meanwhile, and is back before anything is healed."""

CLEAN, DEAD = "clean", "dead"

DEAD_MARGIN_S = 0.03
"""What a client may feel beyond the protocol's bound: three requests at 100 a second."""
ALONE_S = 5.0
"""Until there is one holder again, or an alarm that says otherwise."""


class Fault(NamedTuple):
    """One fault. Durations in seconds; ``outage_s`` is the longest outage that passes, None where none is judged."""

    title: str
    group: str
    on: str = HOLDER
    does: str = ""
    """What node_fault calls it, where that is another name."""
    holder: str = MOVES
    bound: str = ""
    """How VRRP learns of it, which gives the bound: the holder says goodbye (clean), or falls silent (dead)."""
    outage_s: float | None = None
    """Where it is None and there is a bound, the bound decides."""
    outage_fast_s: float | None = None
    """The same in the profile ``fast``, where it differs."""
    failback_s: float | None = None
    """The same after healing, where it differs."""
    driver: bool = False
    """Done from outside the node, with the user's commands."""
    silent: bool = False
    """Nobody can talk to the node until it has healed itself."""
    boots: bool = False
    """The node boots, and whatever ran on it is gone."""
    by_hand: bool = False
    """VRRP has no part in who gets the VIP."""

    @property
    def alarm(self) -> str:
        """The finding of keepalived-watch that must be raised for the drilled VIP; no other one counts."""
        return SPLIT_BRAIN if self.holder == SPLITS else ""


FAULTS: dict[str, Fault] = {
    "service_stop": Fault("the service is stopped", "service", bound=CLEAN, outage_s=0.1),
    "service_kill": Fault("the service is killed", "service", holder=RETURNS, bound=CLEAN, outage_s=0.1),
    "service_hang": Fault("the service hangs", "service", outage_s=3.0, outage_fast_s=1.0),
    "service_slow": Fault("the service answers slowly", "service", holder=STAYS, outage_s=0.1),
    "keepalived_stop": Fault("keepalived is stopped", "keepalived", bound=CLEAN, outage_s=0.05),
    "keepalived_kill": Fault("keepalived is killed", "keepalived", holder=RETURNS, outage_s=0.1),
    "keepalived_hang": Fault("keepalived hangs", "keepalived", holder=SPLITS, outage_s=0.1),
    "keepalived_reload": Fault("keepalived is reloaded", "keepalived", holder=STAYS, outage_s=0.0),
    "keepalived_bad_config": Fault(
        "keepalived is reloaded with a broken file", "keepalived", holder=STAYS, outage_s=0.0
    ),
    "link_down": Fault("the link of the VIP is down", "network", bound=DEAD),
    "vrrp_block": Fault("VRRP is blocked both ways", "network", holder=SPLITS, outage_s=0.1),
    "vrrp_block_in": Fault("the standby hears no VRRP", "network", on=STANDBY, holder=SPLITS, outage_s=0.1),
    "vrrp_block_out": Fault("the holder's VRRP is not heard", "network", holder=SPLITS, outage_s=0.1),
    # The engine has lost its backends too, and has to find them again when the VIP is back.
    "network_cut": Fault("the node has no network", "network", bound=DEAD, failback_s=3.0, silent=True),
    "vip_duplicate": Fault(
        "the standby is given the VIP by hand", "network", on=STANDBY, holder=SPLITS, outage_s=0.1, by_hand=True
    ),
    "node_freeze": Fault("the node freezes", "node", bound=DEAD, driver=True),
    "node_power_off": Fault("the node loses power", "node", bound=DEAD, driver=True, boots=True),
    "node_reboot": Fault(
        "the node reboots", "node", holder=RETURNS, bound=CLEAN, outage_s=0.1, driver=True, boots=True
    ),
    "backend_stop": Fault("a backend is dead", "backend", on=BACKEND, does="service_stop", holder=STAYS, outage_s=0.1),
    "backend_hang": Fault("a backend hangs", "backend", on=BACKEND, does="service_hang", holder=STAYS),
    "backends_stop": Fault("all backends are dead", "backend", on=BACKENDS, does="service_stop", holder=STAYS),
    "cpu_starve": Fault("the node has no CPU to spare", "resources", holder=STAYS, outage_s=0.25),
    "disk_full": Fault("the disk is full", "resources", holder=STAYS, outage_s=0.0),
    "clock_jump": Fault("the clock jumps an hour", "resources", holder=STAYS, outage_s=0.0),
    "rolling": Fault(
        "one balancer after the other", "sequence", on=EACH, does="keepalived_stop", bound=CLEAN, outage_s=0.05
    ),
}


class FaultsError(ValueError):
    """The faults that were asked for cannot be drilled; the message says what to write instead."""


def expand(names: Sequence[str], repeat: int, balancers: int) -> list[dict[str, Any]]:
    """Return the drills for these faults, in their order, with ``runs``: how often each breaks something.

    Raises FaultsError, naming what is unknown.
    """
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise FaultsError(f"unknown: {', '.join(map(str, unknown))}; the faults are {', '.join(FAULTS)}")
    if repeat < 1:
        raise FaultsError(f"repeat is {repeat}, it must be at least 1")
    return [_drill(name, FAULTS[name], repeat, balancers) for name in names]


def _drill(name: str, fault: Fault, repeat: int, balancers: int) -> dict[str, Any]:
    return {
        "fault": name,
        "does": fault.does or name,
        "title": fault.title,
        "holder": fault.holder,
        "driver": fault.driver,
        "silent": fault.silent,
        "boots": fault.boots,
        "runs": repeat * (balancers if fault.on == EACH else 1),
    }


def breakable(names: Iterable[str], balancers: Sequence[str], backends: Sequence[str]) -> list[str]:
    """Return the hosts that these faults may break."""
    whom = {FAULTS[name].on for name in names}
    hosts = list(balancers) if whom & {HOLDER, STANDBY, EACH} else []
    hosts += list(backends) if BACKENDS in whom else list(backends[:1]) if BACKEND in whom else []
    return hosts


def targets(name: str, plan: Mapping[str, Any], number: int, backends: Sequence[str]) -> list[str]:
    """Return the hosts that run *number* (from 0) of a fault breaks; ``plan`` is of a steady state."""
    on = FAULTS[name].on
    if on == EACH:
        # With nopreempt the order of takeover is another one after each run.
        each = sorted(plan["order"])
        return [each[number % len(each)]]
    return {
        HOLDER: [plan["holder"]],
        STANDBY: [plan["standby"]],
        BACKEND: list(backends[:1]),
        BACKENDS: list(backends),
    }[on]


def holder_after(name: str, plan: Mapping[str, Any], broken: Sequence[str]) -> str | None:
    """Return who shall have the VIP when the fault of these hosts is healed; with nopreempt it is not taken back."""
    fault = FAULTS[name]
    if fault.holder == SPLITS and not fault.by_hand:
        found: str | None = plan["strongest"]
    elif fault.holder in (MOVES, RETURNS) and plan["holder"] in broken:
        found = plan["holder_after"]
    else:
        found = plan["holder"]
    return found


def objective_s(
    name: str, plan: Mapping[str, Any], profile: str, overrides: Mapping[str, float | None]
) -> float | None:
    """Return the longest outage in seconds that passes, None where none is judged."""
    if name in overrides:
        own = overrides[name]
        return None if own is None else float(own)
    fault = FAULTS[name]
    if profile == "fast" and fault.outage_fast_s is not None:
        return fault.outage_fast_s
    if fault.outage_s is None and fault.bound:
        return round(float(bound_s(name, plan) or 0) + DEAD_MARGIN_S, 6)
    return fault.outage_s


def failback_objective_s(name: str, outage_slo_s: float | None) -> float | None:
    """Return the longest outage in seconds that passes after healing; ``outage_slo_s`` is what passes before."""
    own = FAULTS[name].failback_s
    return outage_slo_s if own is None or outage_slo_s is None else max(own, outage_slo_s)


def bound_s(name: str, plan: Mapping[str, Any]) -> float | None:
    """Return how long VRRP needs for this fault by its formula, None where it does not decide."""
    kind = FAULTS[name].bound
    found: float | None = plan.get(f"{kind}_bound_s") if kind else None
    return found
