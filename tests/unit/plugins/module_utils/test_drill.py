# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans, verdicts and the table: a pass needs every single condition."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._drill import plan, table, verdict

VIP = "198.18.0.10"


def info(held: bool, state: str, priority: int, **more: Any) -> dict[str, Any]:
    instance = {
        "name": "VI_10",
        "state": state,
        "virtual_addresses": [VIP],
        "effective_priority": priority,
        "version": 3,
        "advert_int_s": 0.2,
        "preempt": True,
        **more,
    }
    return {
        "addresses": [{"address": VIP}] if held else [],
        "instances": [instance],
        "keepalived": {"running": True},
    }


HOLDER = info(True, "master", 254)
STANDBY = info(False, "backup", 253)
DEAD = {"addresses": [], "instances": [], "keepalived": {"running": False}}
SILENT = {"msg": "no route to host", "failed": True}
STEADY = {"lb01": HOLDER, "lb02": STANDBY}
MOVED = {"lb01": DEAD, "lb02": HOLDER}

PROBE: dict[str, Any] = {
    "requests": 400,
    "failed": 2,
    "errors": {"refused": 2},
    "outages": [{"start_s": 1.0, "end_s": 1.03, "outage_s": 0.03, "failed": 2, "recovered": True}],
    "outage_s": 0.03,
    "max_gap_s": 0.02,
    "elapsed_s": 4.0,
    "interval_s": 0.01,
    "timeout_s": 0.25,
    "started": "2026-01-31T12:00:00.000+00:00",
    "ended": "2026-01-31T12:00:04.000+00:00",
}

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
    (
        {"lb01": HOLDER, "lb02": STANDBY, "lb03": SILENT},
        ["lb03: no route to host"],
    ),
    (
        {"lb01": HOLDER, "lb02": STANDBY, "lb03": {**DEAD, "keepalived": {"running": True}}},
        [f"lb03: keepalived has no VRRP instance for {VIP}"],
    ),
]

# What differs from a drill that passes, and the only reason against it.
FAILURES: list[tuple[dict[str, Any], str]] = [
    (
        {"probe": {**PROBE, "outage_s": 0.1501}},
        "the outage of 150 ms is above the objective of 100 ms",
    ),
    (
        {"probe": {**PROBE, "outages": [{**PROBE["outages"][0], "recovered": False}]}},
        "the service did not come back while it was probed",
    ),
    (
        {"probe": {**PROBE, "max_gap_s": 0.3}},
        "for 300 ms no request was made, an outage in that time would not show",
    ),
    ({"probe": {**PROBE, "requests": 199}}, "only 199 requests were made where 400 were due"),
    ({"probe": {**PROBE, "requests": 0}}, "nothing was measured: the prober made no request"),
    ({"probe": {}}, "nothing was measured: the prober made no request"),
    (
        {"during": STEADY},
        f"{VIP} must move from lb01 to one other balancer, during the fault it was on lb01",
    ),
    (
        {"during": {"lb01": HOLDER, "lb02": HOLDER}},
        f"{VIP} must move from lb01 to one other balancer, during the fault it was on lb01, lb02",
    ),
    (
        {"during": {}},
        f"{VIP} must move from lb01 to one other balancer, during the fault it was on none",
    ),
    (
        {"after": {"lb01": STANDBY, "lb02": HOLDER}},
        f"after healing {VIP} must be on lb01, it is on lb02",
    ),
    (
        {"after": {"lb01": HOLDER, "lb02": DEAD}},
        "after healing lb02: keepalived does not run",
    ),
    ({"errors": ["cannot heal the fault"]}, "cannot heal the fault"),
]


def judge(**changes: Any) -> dict[str, Any]:
    drill = {
        "fault": "service_stop",
        "vip": VIP,
        "engine": "nginx",
        "slo_s": 0.1,
        "errors": changes.get("errors", []),
    }
    return verdict(
        drill,
        changes.get("plan", plan(STEADY, VIP)),
        changes.get("during", MOVED),
        changes.get("after", STEADY),
        changes.get("probe", PROBE),
    )


@pytest.mark.parametrize(("infos", "findings"), FINDINGS)
def test_findings(infos: dict[str, Any], findings: list[str]) -> None:
    assert plan(infos, VIP)["findings"] == findings


def test_plan() -> None:
    third = info(False, "backup", 252)
    assert plan({"lb03": third, **STEADY}, VIP + "/24") == {
        "holder": "lb01",
        "standby": "lb02",
        "holder_after": "lb01",
        "bound_s": 0.022344,
        "findings": [],
    }


def test_without_preemption_the_vip_stays() -> None:
    assert plan({"lb01": info(True, "master", 254, preempt=False), "lb02": STANDBY}, VIP)["holder_after"] == "lb02"


def test_pass() -> None:
    assert judge() == {
        "fault": "service_stop",
        "vip": VIP,
        "engine": "nginx",
        "verdict": "pass",
        "reasons": [],
        "outage_s": 0.03,
        "bound_s": 0.022344,
        "slo_s": 0.1,
        "requests": 400,
        "failed": 2,
        "errors": {"refused": 2},
        "outages": PROBE["outages"],
        "max_gap_s": 0.02,
        "interval_s": 0.01,
        "timeout_s": 0.25,
        "started": "2026-01-31T12:00:00.000+00:00",
        "ended": "2026-01-31T12:00:04.000+00:00",
        "holder_before": "lb01",
        "holder_during": "lb02",
        "holder_after": "lb01",
    }


@pytest.mark.parametrize(("changes", "reason"), FAILURES)
def test_fail(changes: dict[str, Any], reason: str) -> None:
    result = judge(**changes)
    assert result["verdict"] == "fail"
    assert result["reasons"] == [reason]


def test_a_drill_that_did_not_start_fails_with_the_findings() -> None:
    planned = plan({"lb01": HOLDER, "lb02": DEAD}, VIP)
    result = judge(plan=planned, during={}, after={}, probe={})
    assert result["verdict"] == "fail"
    assert result["reasons"] == planned["findings"]
    assert result["outage_s"] is None


def test_table() -> None:
    failed = judge(plan=plan({"lb01": HOLDER, "lb02": DEAD}, VIP), during={}, after={}, probe={})
    assert table([judge(), failed]).splitlines() == [
        "fault         vip          engine  outage  bound  slo     failed  holder              verdict",
        "service_stop  198.18.0.10  nginx   30 ms   22 ms  100 ms  2/400   lb01 > lb02 > lb01  pass",
        "service_stop  198.18.0.10  nginx   -       -      100 ms  0/0     - > - > -           fail",
        "service_stop: lb02: keepalived does not run",
        f"service_stop: {VIP} has no standby that could take over",
    ]


def test_table_of_nothing() -> None:
    assert table([]).startswith("fault")
