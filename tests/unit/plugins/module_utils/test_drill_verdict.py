# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verdicts: a pass needs every single condition."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._drill_plan import plan
from ansible_collections.haproof.balancer.plugins.module_utils._drill_table import progress, table
from ansible_collections.haproof.balancer.plugins.module_utils._drill_verdict import Drill, entry, report

from .drill_records import (
    BOTH,
    CLOCKS,
    DEAD,
    HOLDER,
    MOVED,
    STANDBY,
    STEADY,
    STILL,
    VIP,
    alarm,
    info,
    probe,
    run,
    watch,
)

SHORT = probe((10.0, 10.01, 10.02))
LONG = probe((10.0, 10.14, 10.15))


def judge(fault: str = "service_stop", **changes: Any) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "fault": fault,
        "vip": VIP,
        "profile": "standard",
        "slo": {},
        "judge": "worst",
        "runs": [run()],
        "probes": {"client": SHORT},
        "watches": MOVED,
        "errors": [],
        "skipped": "",
    }
    return entry(Drill(**{**parts, **changes}))


def split(alarm_s: float | None) -> dict[str, Any]:
    alarms = [alarm("lb02", alarm_s)] if alarm_s else []
    return {**BOTH, "lb02": {**BOTH["lb02"], "alarms": alarms}}


PASSES: list[tuple[str, dict[str, Any]]] = [
    ("service_stop", {}),
    ("service_stop", {"runs": [run(), run()][:1], "slo": {"service_stop": 0.04}}),
    ("service_stop", {"probes": {"client": LONG}, "slo": {"service_stop": None}}),
    ("link_down", {}),
    ("network_cut", {"watches": BOTH, "probes": {"client": probe((14.1, 16.0, 16.01))}}),
    ("service_stop", {"probes": {"client": probe((7.0, 7.0, 7.01))}}),
    # A frozen node's kernel keeps the VIP, and nobody hears it.
    ("node_freeze", {"watches": BOTH}),
    ("service_slow", {"watches": STILL}),
    # With nopreempt a fault that does not move the VIP leaves it where it is.
    (
        "service_slow",
        {
            "runs": [run(plan=plan({"lb01": info(True, "master", 254, preempt=False), "lb02": STANDBY}, VIP))],
            "watches": STILL,
        },
    ),
    ("vrrp_block", {"watches": split(12.5)}),
    ("vrrp_block", {"watches": STILL}),
    ("keepalived_kill", {"watches": {**BOTH, "lb02": watch("lb02", False, (11.0, True), (13.0, False))}}),
    # What ran on a node that booted is lost.
    ("node_power_off", {"watches": {"lb02": MOVED["lb02"]}}),
    ("rolling", {"runs": [run(targets=["lb02"])], "watches": STILL}),
]

FAILURES: list[tuple[str, dict[str, Any], str]] = [
    ("service_stop", {"probes": {"client": LONG}}, "the outage of 160 ms is above the objective of 100 ms"),
    (
        "service_stop",
        {"probes": {"client": probe((14.1, 14.3, 14.31))}},
        "the outage after healing of 220 ms is above the objective of 100 ms",
    ),
    (
        "service_stop",
        {"probes": {"client": probe(outages=[{**SHORT["outages"][0], "recovered": False}])}},
        "the service did not come back while client probed it",
    ),
    (
        "service_stop",
        {"probes": {"client": probe((7.0, 7.1, 7.11))}},
        "the service was away for 120 ms before anything was broken",
    ),
    (
        "service_stop",
        {"probes": {"client": probe(max_gap_s=0.3)}},
        "for 300 ms client made no request, an outage in that time would not show",
    ),
    (
        "service_stop",
        {"probes": {"client": probe(requests=749)}},
        "client made only 749 requests where 1500 were due",
    ),
    (
        "service_stop",
        {"probes": {"client": probe(requests=0)}},
        "nothing was measured: the prober of client made no request",
    ),
    (
        "service_stop",
        {"watches": STILL},
        "the VIP must move from lb01 to one other balancer, at the end of the fault it was on lb01",
    ),
    (
        "service_stop",
        {"watches": BOTH},
        "the VIP must move from lb01 to one other balancer, at the end of the fault it was on lb01, lb02",
    ),
    (
        "service_stop",
        {"watches": {"lb01": MOVED["lb01"], "lb02": watch("lb02", False)}},
        "the VIP must move from lb01 to one other balancer, at the end of the fault it was on none",
    ),
    ("service_stop", {"watches": {"lb01": MOVED["lb01"]}}, f"when lb02 had {VIP} is unknown: it was not watched"),
    (
        "service_stop",
        {"watches": {**MOVED, "lb02": {**MOVED["lb02"], "clock": None}}},
        f"when lb02 had {VIP} is unknown: no answer to its question for the client's clock over UDP",
    ),
    (
        "backend_stop",
        {
            "watches": STILL,
            "runs": [run(targets=["web01"], injected=[{"injected_s": 110.0, "clock": None}], healed=[{"clock": None}])],
        },
        "when web01 was broken is unknown: no answer to its question for the client's clock over UDP",
    ),
    (
        "service_stop",
        {"watches": STILL, "runs": [run(errors=["unit nginx does not run"], injected=[{}], healed=[{}])]},
        "unit nginx does not run",
    ),
    (
        "service_slow",
        {"watches": MOVED},
        "the VIP must stay on lb01: nobody had it for 10 ms, more than one for 0 ms",
    ),
    (
        "vrrp_block",
        {"watches": split(None)},
        "more than one balancer had the VIP for 3200 ms, and no alarm was raised (is keepalived_watch on?)",
    ),
    (
        "vrrp_block",
        {"watches": split(15.5)},
        "more than one balancer had the VIP for 3200 ms, and the alarm took 5500 ms, at most 5000 ms pass",
    ),
    (
        "keepalived_kill",
        {"watches": BOTH},
        "one balancer must have the VIP before anything is healed, it was on lb01, lb02",
    ),
    (
        "service_stop",
        {"runs": [run(after={"lb01": HOLDER, "lb02": DEAD})]},
        "after healing lb02: keepalived does not run",
    ),
    (
        "service_stop",
        {"runs": [run(after={"lb01": STANDBY, "lb02": HOLDER})]},
        f"after healing {VIP} must be on lb01, it is on lb02",
    ),
    ("service_stop", {"errors": ["vip_probe: killed"]}, "vip_probe: killed"),
    ("service_stop", {"runs": [run(errors=["cannot heal the fault"])]}, "cannot heal the fault"),
]


@pytest.mark.parametrize(("fault", "changes"), PASSES)
def test_pass(fault: str, changes: dict[str, Any]) -> None:
    result = judge(fault, **changes)
    assert result["reasons"] == []
    assert result["verdict"] == "pass"


@pytest.mark.parametrize(("fault", "changes", "reason"), FAILURES)
def test_fail(fault: str, changes: dict[str, Any], reason: str) -> None:
    result = judge(fault, **changes)
    assert result["reasons"] == [reason]
    assert result["verdict"] == "fail"


def test_without_a_prober() -> None:
    assert judge(probes={})["reasons"] == [
        "when lb01 was broken is unknown: no answer to its question for the client's clock over UDP",
        "nothing was measured: there is no prober",
    ]


def test_a_drill_that_did_not_start_fails_with_the_findings() -> None:
    findings = plan({"lb01": HOLDER, "lb02": DEAD}, VIP)["findings"]
    result = judge(runs=[], probes={}, watches={}, errors=findings)
    assert (result["verdict"], result["reasons"]) == ("fail", findings)
    assert result["figures"]["outage_s"] is None


def test_what_is_not_possible_is_skipped_and_not_passed() -> None:
    result = judge(skipped="lb01 has no command for node_freeze", watches=STILL)
    assert (result["verdict"], result["reasons"]) == ("skip", ["lb01 has no command for node_freeze"])


def repeated(judged_by: str) -> dict[str, Any]:
    """Return a drill of three runs, of which the second is far slower."""
    clock = CLOCKS["lb01"]
    runs = [
        run(injected=[{"injected_s": 100.0 + at, "clock": clock}], healed=[{"healed_s": 102.0 + at, "clock": clock}])
        for at in (7.0, 11.0, 15.0)
    ]
    lb01 = watch("lb01", True, (7.0, False), (9.0, True), (11.0, False), (13.0, True), (15.0, False), (17.0, True))
    lb02 = watch("lb02", False, (7.0, True), (9.0, False), (11.0, True), (13.0, False), (15.0, True), (17.0, False))
    probes = {"client": probe((7.0, 7.0, 7.01), (11.0, 11.2, 11.21), (15.0, 15.01, 15.02))}
    return judge(runs=runs, watches={"lb01": lb01, "lb02": lb02}, probes=probes, judge=judged_by)


def test_the_worst_of_the_runs_counts() -> None:
    result = repeated("worst")
    assert result["figures"]["outage_s"] == {"best": 0.02, "median": 0.03, "worst": 0.22}
    assert [one["number"] for one in result["runs"]] == [1, 2, 3]
    assert result["reasons"] == ["worst of 3: the outage of 220 ms is above the objective of 100 ms"]


def test_the_median_of_the_runs_counts_when_it_is_asked_for() -> None:
    assert repeated("median")["verdict"] == "pass"


def test_a_node_that_booted_in_a_former_run_is_not_watched_in_this_one() -> None:
    clock = {"offset_s": 0.0, "error_s": 0.0001}
    stays = info(True, "master", 254, preempt=False)
    swapped = {"lb01": STANDBY, "lb02": HOLDER}
    runs = [
        run(
            plan=plan(before, VIP),
            targets=[target],
            after=after,
            injected=[{"injected_s": at, "clock": clock}],
            healed=[{"healed_s": at + 2, "clock": clock}],
        )
        for at, target, before, after in [
            (7.0, "lb01", {"lb01": stays, "lb02": STANDBY}, swapped),
            (11.0, "lb02", {"lb01": STANDBY, "lb02": stays}, STEADY),
        ]
    ]
    assert judge("node_power_off", runs=runs, watches={})["reasons"] == []


def test_report() -> None:
    passed, failed, skipped = judge(), judge(errors=["x"]), judge(skipped="x")
    cluster = {"vip": VIP}
    for drills, verdict in [
        ([passed, skipped], "pass"),
        ([passed, failed], "fail"),
        ([skipped], "fail"),
        ([], "fail"),
    ]:
        assert report(drills, cluster, "2026-01-31T12:00:00", "2026-01-31T12:01:00")["verdict"] == verdict


def test_table() -> None:
    failed = judge(runs=[], probes={}, watches={}, errors=plan({"lb01": HOLDER, "lb02": DEAD}, VIP)["findings"])
    assert table([judge(), failed]).splitlines() == [
        "fault         on    outage  bound  slo     detect  failback  failed  holder              verdict",
        "service_stop  lb01  30 ms   22 ms  100 ms  30 ms   0 ms      2/1500  lb01 > lb02 > lb01  pass",
        "service_stop  -     -       -      100 ms  -       -         0/0     -                   fail",
        "service_stop: lb02: keepalived does not run",
        f"service_stop: {VIP} has no standby that could take over",
    ]


def test_progress() -> None:
    drills = [{"fault": "link_down", "title": "the link is down", "runs": 3}, {"fault": "x", "title": "y", "runs": 1}]
    assert progress(drills, 0, 1.0) == "drill 1 of 2: link_down, the link is down, 3 times"
    assert progress(drills, 1, 198.0) == "drill 2 of 2: x, y; about 1 min 6 s left"
