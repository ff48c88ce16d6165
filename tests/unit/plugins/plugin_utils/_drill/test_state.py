# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which steady state a drill may start from."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.state import assess

from .drill_records import DEAD, HOLDER, SILENT, STANDBY, STEADY, VIP, handover, info

FINDINGS: list[tuple[dict[str, Any], list[str]]] = [
    (STEADY, []),
    (
        {"lb01": HOLDER, "lb02": DEAD},
        ["lb02: keepalived does not run", f"{VIP} has no standby that could take over"],
    ),
    (
        {"lb01": HOLDER, "lb02": info(False, "fault", 253)},
        [
            f"lb02: does not hold {VIP} while its VRRP instance VI_10 is in state fault",
            f"{VIP} has no standby that could take over",
        ],
    ),
    (
        {"lb01": HOLDER, "lb02": HOLDER},
        [f"{VIP} must have exactly one holder, it has lb01, lb02", f"{VIP} has no standby that could take over"],
    ),
    ({"lb01": STANDBY, "lb02": STANDBY}, [f"{VIP} must have exactly one holder, it has none"]),
    ({"lb01": HOLDER, "lb02": STANDBY, "lb03": SILENT}, ["lb03: no route to host"]),
    (
        {"lb01": HOLDER, "lb02": {**STANDBY, "alarms": [{"vip": "198.18.0.11", "finding": "split_brain"}]}},
        ["lb02: the alarm split_brain of 198.18.0.11 is raised: a new one would not show"],
    ),
    (
        {"lb01": HOLDER, "lb02": STANDBY, "lb03": {**DEAD, "keepalived": {"running": True}}},
        [f"lb03: keepalived has no VRRP instance for {VIP}"],
    ),
]


@pytest.mark.parametrize(("infos", "findings"), FINDINGS)
def test_findings(infos: dict[str, Any], findings: list[str]) -> None:
    assert assess(infos, VIP)["findings"] == findings


def test_plan() -> None:
    assert assess({"lb03": info(False, "backup", 252), **STEADY}, VIP + "/24") == {
        "holder": "lb01",
        "standby": "lb02",
        "holder_after": "lb01",
        "strongest": "lb01",
        "order": ["lb01", "lb02", "lb03"],
        "vips": [VIP],
        "boots": {"lb01": "", "lb02": "", "lb03": ""},
        "addresses": {"lb01": [VIP], "lb02": [], "lb03": []},
        "watched": ["lb03", "lb01", "lb02"],
        "interfaces": {"lb01": "eth1", "lb02": "eth1", "lb03": "eth1"},
        "not_handed_over": [f"{host}: keepalived_handover is off" for host in ("lb03", "lb01", "lb02")],
        "clean_bound_s": 0.022344,
        "dead_bound_s": 1.022344,
        "findings": [],
    }


# What vip_info tells of the hand-over on lb02, and why there is none.
HANDOVERS: list[tuple[dict[str, Any], list[str]]] = [
    (handover(), []),
    ({}, ["lb02: keepalived_handover is off"]),
    ({"handover": []}, ["lb02: keepalived_handover is off"]),
    (handover("no nft"), [f"lb02: {VIP} is not handed over: no nft"]),
    (
        {"handover": [{"vip": "198.18.0.11", "problem": None}]},
        [f"lb02: keepalived_handover does not know {VIP}"],
    ),
]


@pytest.mark.parametrize(("told", "expected"), HANDOVERS)
def test_whether_connections_are_handed_over(told: dict[str, Any], expected: list[str]) -> None:
    infos = {"lb01": {**HOLDER, **handover()}, "lb02": {**STANDBY, **told}}
    assert assess(infos, VIP + "/24")["not_handed_over"] == expected


def test_without_preemption_the_vip_stays() -> None:
    assert assess({"lb01": info(True, "master", 254, preempt=False), "lb02": STANDBY}, VIP)["holder_after"] == "lb02"


def test_a_weaker_holder_does_not_take_the_vip_back() -> None:
    found = assess({"lb01": info(True, "master", 100), "lb02": info(False, "backup", 254, preempt=False)}, VIP)
    assert (found["holder_after"], found["strongest"]) == ("lb02", "lb02")


def test_all_vips_of_the_cluster_are_known() -> None:
    other = info(True, "master", 254, virtual_addresses=["2001:db8::10"])["instances"]
    infos = {"lb01": {**HOLDER, "instances": HOLDER["instances"] + other}, "lb02": STANDBY}
    assert assess(infos, VIP + "/24")["vips"] == [VIP, "2001:db8::10"]
