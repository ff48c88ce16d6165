# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Checks that the settings can measure the objectives; otherwise a drill would always pass. Pure."""

from __future__ import annotations

import json
import math
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS, STAYS, Fault
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.rules import objective_s

PATIENCE_S = 0.25
"""A time-out up to this is allowed whatever the objective: a slow answer is not an outage."""
STRICT_INTERVAL_S = 0.01
"""The longest interval between requests if none may fail."""
MIN_HOLD_S = 1.0
"""A fault that is healed sooner hardly has an effect."""


def find_unmeasurable(
    faults: Sequence[str], settings: Mapping[str, Any], profile: str, state: Mapping[str, Any]
) -> list[str]:
    """Return why the settings cannot measure these faults, one sentence each.

    ``settings`` are slo, url, interval_s, timeout_s, hold_s, slow_s and connections. Without a ``state`` objectives
    that follow from VRRP's timers are not checked.
    """
    wrong = [*_of_slo(settings["slo"]), *_of_numbers(settings)]
    if wrong:
        return wrong
    told = []
    for name in dict.fromkeys(name for name in faults if name in FAULTS):
        told += list(_of_fault(name, settings, profile, state))
    hold_s = float(settings["hold_s"])
    if hold_s < MIN_HOLD_S:
        told.append(
            f"drill_hold_s is {hold_s:g}: set it to {MIN_HOLD_S:g} second or more, "
            "or a fault is healed before it has an effect"
        )
    return told


def _of_slo(slo: Any) -> Iterator[str]:
    if not isinstance(slo, Mapping):
        yield f"drill_slo is {_told(slo)}: set it to seconds by fault, such as {{service_hang: 2}}"
        return
    for name, value in slo.items():
        if name not in FAULTS:
            yield f"drill_slo has {name}, which is not a fault: the faults are {', '.join(FAULTS)}"
        elif value is not None and not _is_number(value, 0.0):
            yield f"drill_slo has {_told(value)} for {name}: set it to seconds, 0 or more, or to null for none"


def _of_numbers(settings: Mapping[str, Any]) -> Iterator[str]:
    for name in ("interval_s", "timeout_s", "slow_s"):
        if not _is_number(settings[name], 0.0) or float(settings[name]) == 0:
            yield f"drill_{name} is {_told(settings[name])}: set it to a number of seconds above 0"
    if not _is_number(settings["hold_s"], 0.0):
        yield f"drill_hold_s is {_told(settings['hold_s'])}: set it to a number of seconds"


def _is_number(value: Any, least: float) -> bool:
    if isinstance(value, bool):
        return False
    try:
        return least <= float(value) < math.inf
    except (TypeError, ValueError):
        return False


def _told(value: Any) -> str:
    return json.dumps(value, default=str)


def _of_fault(name: str, settings: Mapping[str, Any], profile: str, state: Mapping[str, Any]) -> Iterator[str]:
    fault = FAULTS[name]
    scheme = str(settings["url"]).partition("://")[0]
    if scheme in fault.unseen_over:
        yield f"drill_url is {settings['url']}: {name} does not show over {scheme}, use http"
    elif fault.hands_over and not settings["connections"]:
        yield f"drill_connections is 0: {name} needs connections that stay open, set it to 1 or more"
    timed = fault.outage_s is None and bool(fault.bound) and name not in settings["slo"]
    slo_s = None if timed and not state.get("holder") else objective_s(name, state, profile, settings["slo"])
    if slo_s is not None:
        yield from _too_slow(name, fault, slo_s, settings)


def _too_slow(name: str, fault: Fault, slo_s: float, settings: Mapping[str, Any]) -> Iterator[str]:
    timeout_s, interval_s = float(settings["timeout_s"]), float(settings["interval_s"])
    slow_s, hold_s = float(settings["slow_s"]), float(settings["hold_s"])
    above = f"above the objective of {name}, {slo_s:g} s"
    patience_s = max(slo_s, PATIENCE_S)
    if timeout_s > patience_s:
        yield (
            f"drill_timeout_s is {timeout_s:g}, {above}: an answer that late would count as good. "
            f"Set it to {patience_s:g} or less"
        )
    often_s = slo_s / 2 if slo_s else STRICT_INTERVAL_S
    if interval_s > often_s:
        why = f"one failed request would be an outage {above}" if slo_s else f"no request of {name} may fail"
        yield f"drill_interval_s is {interval_s:g}: {why}. Set it to {often_s:g} or less"
    if name == "service_slow" and slow_s > slo_s:
        yield f"drill_slow_s is {slow_s:g}, {above}: set it to {slo_s:g} or less"
    if fault.holder == STAYS and hold_s <= slo_s:
        yield f"drill_hold_s is {hold_s:g}, which must be {above}, or no outage could exceed it"
