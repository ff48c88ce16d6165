# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Each fault's targets, the holder that must follow, and the longest outage that passes. Pure."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import (
    BACKEND,
    BACKENDS,
    EACH,
    FAULTS,
    HOLDER,
    MOVES,
    RETURNS,
    SPLITS,
    STANDBY,
)

DEAD_MARGIN_S = 0.03
"""An outage may exceed the protocol's bound by this: three requests at 100 per second."""
ALONE_S = 5.0
"""Time limit for a single holder, or else for an alarm."""


def breakable(names: Sequence[str], balancers: Sequence[str], backends: Sequence[str]) -> list[str]:
    """Return the hosts that these faults may break."""
    whom = {FAULTS[name].target for name in names}
    hosts = list(balancers) if whom & {HOLDER, STANDBY, EACH} else []
    return hosts + max((broken_backends(name, backends) for name in names), key=len, default=[])


def broken_backends(name: str, backends: Sequence[str]) -> list[str]:
    """Return the backends that a fault breaks."""
    return {BACKEND: list(backends[:1]), BACKENDS: list(backends)}.get(FAULTS[name].target, [])


def targets(name: str, state: Mapping[str, Any], number: int, backends: Sequence[str]) -> list[str]:
    """Return the hosts that run *number* (from 0) of a fault breaks; ``state`` is of a steady state."""
    target = FAULTS[name].target
    if target == EACH:
        # With nopreempt the order of takeover changes with each run.
        each = sorted(state["order"])
        return [each[number % len(each)]]
    if target in (HOLDER, STANDBY):
        return [state[target]]
    return broken_backends(name, backends)


def holder_after(name: str, state: Mapping[str, Any], broken: Sequence[str]) -> str | None:
    """Return the host that must have the VIP after the heal; with nopreempt the owner does not take it back."""
    fault = FAULTS[name]
    if fault.holder == SPLITS and not fault.by_hand:
        found: str | None = state["strongest"]
    elif fault.holder in (MOVES, RETURNS) and state["holder"] in broken:
        found = state["holder_after"]
    else:
        found = state["holder"]
    return found


def objective_s(
    name: str, state: Mapping[str, Any], profile: str, overrides: Mapping[str, float | None]
) -> float | None:
    """Return the longest outage in seconds that passes, None if outages are not judged."""
    if name in overrides:
        own = overrides[name]
        return None if own is None else float(own)
    fault = FAULTS[name]
    if profile == "fast" and fault.outage_fast_s is not None:
        return fault.outage_fast_s
    bound = bound_s(name, state) or 0.0
    # The user chose these timers, and no takeover can be faster.
    if fault.bound and (fault.outage_s is None or fault.outage_s < bound):
        return round(bound + DEAD_MARGIN_S, 6)
    return fault.outage_s


def failback_objective_s(name: str, outage_slo_s: float | None) -> float | None:
    """Return the longest outage in seconds that passes after healing; ``outage_slo_s`` is the limit before it."""
    own = FAULTS[name].failback_s
    return outage_slo_s if own is None or outage_slo_s is None else max(own, outage_slo_s)


def bound_s(name: str, state: Mapping[str, Any]) -> float | None:
    """Return VRRP's own bound for this fault in seconds, None if VRRP does not bound it."""
    kind = FAULTS[name].bound
    found: float | None = state.get(f"{kind}_bound_s") if kind else None
    return found
