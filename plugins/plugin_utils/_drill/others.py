# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Checks of the VIP before its fault, and of the cluster's other VIPs. Pure."""

from __future__ import annotations

from typing import Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import DEAD, SPLITS, STAYS, Fault
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.measure import (
    Lanes,
    Record,
    Window,
    counted_s,
    holding,
    lanes,
    watched,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.state import names
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import ms

JUST_BEFORE_S = 0.005
"""Covers the error of two clocks in the moment of the injection."""


def moved_before(holder: str, vip: str, found: Lanes, window: Window) -> str:
    """Report that the VIP was not on its holder when the fault was injected, "" if it was."""
    before = holding(found, window.injected_s - JUST_BEFORE_S)
    # A node that boots loses its watch.
    if before == [holder] or not (before or holder in found):
        return ""
    return f"at the injection {vip} was on {names(before)}, not on {holder}: something else moved it"


def other_vips(fault: Fault, run: Record, window: Window, watches: Mapping[str, Record]) -> list[str]:
    """Report other VIPs that moved needlessly, had no holder, or several."""
    reasons = []
    for vip in run["state"]["vips"][1:]:
        found = lanes(watches, vip)
        before = holding(found, window.injected_s - JUST_BEFORE_S)
        # A host that booted was not watched to the end.
        if len(before) != 1 or any(host not in found for host in run["state"]["order"]):
            continue
        reasons += _other(fault, run["targets"], vip, before[0], found, window, watches)
    return reasons


def _other(
    fault: Fault,
    targets: list[str],
    vip: str,
    holder: str,
    found: Lanes,
    window: Window,
    watches: Mapping[str, Record],
) -> list[str]:
    if fault.holder == SPLITS:
        # The fault may cut both directions for this VIP too.
        return []
    if holder in targets and fault.holder != STAYS:
        # Whether it moves depends on what its instance tracks. One host that is alive must have it.
        during = [
            host
            for host in holding(found, window.healed_s - JUST_BEFORE_S)
            if fault.bound != DEAD or host not in targets
        ]
        return (
            [] if len(during) == 1 else [f"{vip} must be on one balancer at the end of the fault, not {names(during)}"]
        )
    gap, overlap = counted_s(found, *watched(window, watches))
    if gap + overlap == 0 and holding(found, window.healed_s - JUST_BEFORE_S) == [holder]:
        return []
    return [f"{vip} must stay on {holder}: no balancer had it for {ms(gap)}, more than one for {ms(overlap)}"]
