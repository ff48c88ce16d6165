# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The other VIPs of the cluster while one is drilled."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.measure import Window
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.others import other_vips

from .drill_records import CLOCKS, VIP, run, watch

OTHER = "198.18.0.11"
WINDOW = Window(9.0, 9.75, 10.0, 14.0, 19.0, 19.0)


def watched(host: str, held: bool, *events: tuple[float, bool]) -> dict[str, Any]:
    """Return the watch of a host that has or has not the other VIP."""
    offset = CLOCKS[host]["offset_s"]
    told = [{"at_s": at - offset, "vip": OTHER, "interface": "eth1", "held": now} for at, now in events]
    return watch(host, False, held_at_start={VIP: False, OTHER: held}, events=told)


STAYS = {"lb01": watched("lb01", False), "lb02": watched("lb02", True)}
GAP = {"lb01": watched("lb01", False), "lb02": watched("lb02", True, (11.0, False), (11.3, True))}
MOVED = {
    "lb01": watched("lb01", True, (10.0, False), (14.1, True)),
    "lb02": watched("lb02", False, (10.01, True), (14.1, False)),
}
LOST = {"lb01": watched("lb01", True, (10.0, False), (14.1, True)), "lb02": watched("lb02", False)}
TWO = {"lb01": watched("lb01", True), "lb02": watched("lb02", False, (11.0, True), (14.1, False))}

# The fault of lb01, who had the other VIP when, and what is said about it.
CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("service_stop", STAYS, []),
    ("service_stop", GAP, [f"{OTHER} must stay on lb02: no balancer had it for 300 ms, more than one for 0 ms"]),
    ("service_stop", MOVED, []),
    ("service_slow", MOVED, [f"{OTHER} must stay on lb01: no balancer had it for 10 ms, more than one for 0 ms"]),
    ("service_stop", LOST, [f"{OTHER} must be on one balancer at the end of the fault, not none"]),
    ("service_stop", TWO, [f"{OTHER} must be on one balancer at the end of the fault, not lb01, lb02"]),
    # What is dead keeps it, and nobody hears it.
    ("link_down", TWO, []),
    ("vrrp_block", TWO, []),
    # Nobody knows.
    ("service_stop", {"lb02": GAP["lb02"]}, []),
]


@pytest.mark.parametrize(("fault", "watches", "reasons"), CASES)
def test_other_vips(fault: str, watches: dict[str, Any], reasons: list[str]) -> None:
    told = run()
    told["state"]["vips"] = [VIP, OTHER]
    assert other_vips(FAULTS[fault], told, WINDOW, watches) == reasons
