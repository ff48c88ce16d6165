# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verdicts: a pass needs every single condition."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.report import make_report
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.state import assess
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.table import progress, table
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.verdict import Drill, judge_drill
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import FIGURES

from .drill_records import (
    BOTH,
    CLOCKS,
    DEAD,
    HOLDER,
    MOVED,
    ORIGIN_S,
    STANDBY,
    STEADY,
    STILL,
    THERE,
    VIP,
    alarm,
    handed,
    handover,
    info,
    kept,
    probe,
    run,
    watch,
)

SHORT = probe((10.0, 10.01, 10.02))
LONG = probe((10.0, 10.14, 10.15))
# From 5 s on the client's clock: good, refused from 10 to 13.95 s, good again.
GIVEN_UP = [[0.0, 4.99, 5.0, 500, ""], [5.0, 8.95, 8.96, 396, "refused"], [8.96, 14.99, 15.0, 604, ""]]


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
    return judge_drill(Drill(**{**parts, **changes}))


def report(drills: list[dict[str, Any]]) -> dict[str, Any]:
    return make_report(drills, {}, "2026-01-31T12:00:00", "2026-01-31T12:01:00")


def split(alarm_s: float | None) -> dict[str, Any]:
    alarms = [alarm("lb02", alarm_s)] if alarm_s else []
    return {**BOTH, "lb02": {**BOTH["lb02"], "alarms": alarms}}


def other_alarm() -> dict[str, Any]:
    """Return a split in which every alarm is raised but the one of it."""
    alarms = [alarm("lb02", 12.0, "peer_silent"), {**alarm("lb02", 12.0), "vip": "198.18.0.11"}]
    return {**BOTH, "lb02": {**BOTH["lb02"], "alarms": alarms}}


def booted(boot: str = "another") -> dict[str, Any]:
    """Return a run in which lb01 was broken from outside, with its boot afterwards."""
    told = run(after={**STEADY, "lb01": {**HOLDER, "boot": boot}})
    told["state"]["boots"] = {"lb01": "the same"}
    return told


FROZEN = {"from_s": 110.05, "to_s": 114.05}
"""On the clock of lb01, whose watch stood still with it."""

PASSES: list[tuple[str, dict[str, Any]]] = [
    ("service_stop", {}),
    ("service_stop", {"runs": [run(), run()][:1], "slo": {"service_stop": 0.04}}),
    ("service_stop", {"probes": {"client": LONG}, "slo": {"service_stop": None}}),
    ("service_stop", {"probes": {"client": LONG}, "slo": {"service_stop": 0.16}}),
    ("link_down", {}),
    ("network_cut", {"watches": BOTH, "probes": {"client": probe((14.1, 16.0, 16.01))}}),
    ("service_stop", {"probes": {"client": probe((7.0, 7.0, 7.01))}}),
    # A frozen node's kernel keeps the VIP, and nobody hears it.
    ("node_freeze", {"watches": {**BOTH, "lb01": {**BOTH["lb01"], "stalls": [FROZEN]}}}),
    ("service_slow", {"watches": STILL}),
    # With nopreempt a fault that does not move the VIP leaves it where it is.
    (
        "service_slow",
        {
            "runs": [run(state=assess({"lb01": info(True, "master", 254, preempt=False), "lb02": STANDBY}, VIP))],
            "watches": STILL,
        },
    ),
    ("vrrp_block", {"watches": split(12.5)}),
    ("vrrp_block", {"watches": split(15.0)}),
    # Nobody could watch the one that booted, which may have it again.
    ("node_reboot", {"watches": {"lb02": STILL["lb02"]}, "runs": [booted()]}),
    (
        "keepalived_kill",
        {
            "runs": [run(healed=[{"healed_s": 119.0, "clock": CLOCKS["lb01"], "effect": THERE}])],
            "watches": {**STILL, "lb02": watch("lb02", False, (10.5, True), (15.5, False))},
        },
    ),
    # The other one has it until just after the heal.
    (
        "keepalived_kill",
        {"watches": {**STILL, "lb01": watch("lb01", True, (13.0, False), (13.9, True), (14.0, False), (14.2, True))}},
    ),
    ("keepalived_kill", {"watches": {**BOTH, "lb02": watch("lb02", False, (11.0, True), (13.0, False))}}),
    # What ran on a node that booted is lost.
    ("node_power_off", {"watches": {"lb02": MOVED["lb02"]}, "runs": [booted()]}),
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
        {"watches": STILL},
        "at the end of the fault the VIP must be on one balancer other than lb01, but was on lb01",
    ),
    (
        "service_stop",
        {"watches": BOTH},
        "at the end of the fault the VIP must be on one balancer other than lb01, but was on lb01, lb02",
    ),
    # It had taken over, and was gone again before the heal.
    (
        "service_stop",
        {"watches": {"lb01": MOVED["lb01"], "lb02": watch("lb02", False, (10.03, True), (13.5, False))}},
        "at the end of the fault the VIP must be on one balancer other than lb01, but was on none",
    ),
    (
        "service_slow",
        {"watches": {**STILL, "lb01": watch("lb01", True, (13.5, False), (14.5, True))}},
        "the VIP must stay on lb01: no balancer had it for 1000 ms, more than one for 0 ms",
    ),
    (
        "service_stop",
        {"watches": {"lb01": MOVED["lb01"], "lb02": watch("lb02", False)}},
        "at the end of the fault the VIP must be on one balancer other than lb01, but was on none",
    ),
    (
        "service_stop",
        {"watches": STILL, "runs": [run(errors=["unit nginx does not run"], injected=[{}], healed=[{}])]},
        "unit nginx does not run",
    ),
    (
        "service_slow",
        {"watches": MOVED},
        "the VIP must stay on lb01: no balancer had it for 20 ms, more than one for 0 ms",
    ),
    # It has it back when the fault is healed, and still it has moved.
    (
        "service_slow",
        {"watches": {**STILL, "lb01": watch("lb01", True, (11.0, False), (11.02, True))}},
        "the VIP must stay on lb01: no balancer had it for 20 ms, more than one for 0 ms",
    ),
    (
        "service_slow",
        {"watches": {**STILL, "lb02": watch("lb02", False, (15.0, True), (15.5, False))}},
        "the VIP must stay on lb01: no balancer had it for 0 ms, more than one for 500 ms",
    ),
    (
        "service_slow",
        {
            "watches": {
                "lb01": watch("lb01", True, (11.0, False), (11.25, True)),
                "lb02": watch("lb02", False, (12.0, True), (12.25, False)),
            }
        },
        "the VIP must stay on lb01: no balancer had it for 250 ms, more than one for 250 ms",
    ),
    (
        "vrrp_block",
        {"watches": split(None)},
        "more than one balancer had the VIP for 3200 ms, and no alarm split_brain was raised (is keepalived_watch on?)",
    ),
    (
        "vrrp_block",
        {"watches": other_alarm()},
        "more than one balancer had the VIP for 3200 ms, and no alarm split_brain was raised (is keepalived_watch on?)",
    ),
    (
        "vrrp_block",
        {"watches": STILL},
        "two balancers must have the VIP before the fault is healed, but never did",
    ),
    (
        "vrrp_block",
        {"watches": {**STILL, "lb02": watch("lb02", False, (14.1, True), (15.0, False), alarms=[alarm("lb02", 12.0)])}},
        "two balancers must have the VIP before the fault is healed, but never did",
    ),
    (
        "node_reboot",
        {"watches": {"lb02": STILL["lb02"]}, "runs": [booted("the same")]},
        "no evidence that lb01 had the fault (lb01: it has not booted)",
    ),
    (
        "node_freeze",
        {"watches": BOTH},
        "no evidence that lb01 had the fault (lb01: it stood still for 0.0 of 4.0 s)",
    ),
    (
        "vrrp_block",
        {"watches": split(15.5)},
        "more than one balancer had the VIP for 3200 ms, "
        "and the alarm split_brain took 5500 ms, at most 5000 ms are allowed",
    ),
    (
        "keepalived_kill",
        {"watches": BOTH},
        "one balancer must have the VIP before anything is healed, but it was on lb01, lb02",
    ),
    # Nobody, although all are watched; and it was on two for too long.
    (
        "keepalived_kill",
        {"watches": {**STILL, "lb01": watch("lb01", True, (13.0, False), (14.5, True))}},
        "one balancer must have the VIP before anything is healed, but it was on none",
    ),
    (
        "keepalived_kill",
        {
            "runs": [run(healed=[{"healed_s": 119.0, "clock": CLOCKS["lb01"]}])],
            "watches": {**STILL, "lb02": watch("lb02", False, (10.5, True), (15.6, False))},
        },
        "more than one balancer had the VIP for 5100 ms, at most 5000 ms are allowed",
    ),
    (
        "service_stop",
        {"runs": [run(after={"lb01": HOLDER, "lb02": DEAD})]},
        "after healing lb02: keepalived does not run",
    ),
    (
        "service_stop",
        {"runs": [run(after={"lb01": STANDBY, "lb02": HOLDER})]},
        f"after healing {VIP} must be on lb01, but is on lb02",
    ),
    (
        "service_stop",
        {"runs": [run(after={"lb01": HOLDER, "lb02": info(True, "master", 253)})]},
        f"after healing {VIP} must be on lb01, but is on lb01, lb02",
    ),
    ("service_stop", {"errors": ["vip_probe: killed"]}, "vip_probe: killed"),
    ("service_stop", {"runs": [run(errors=["cannot heal the fault"])]}, "cannot heal the fault"),
    ("service_stop", {"runs": [], "probes": {}, "watches": {}}, "nothing was broken"),
    # The standby never serves: the objective is generous, and yet nothing was taken over.
    (
        "service_stop",
        {"slo": {"service_stop": 60}, "probes": {"client": probe((10.0, 14.1, 14.2))}},
        "the service did not answer before the fault was healed, with the VIP on lb02",
    ),
    (
        "vrrp_block",
        {"slo": {"vrrp_block": 60}, "watches": split(12.5), "probes": {"client": probe((10.0, 14.1, 14.2))}},
        "the service did not answer before the fault was healed, with the VIP on lb01, lb02",
    ),
    (
        "service_stop",
        {"slo": {"service_stop": None}, "probes": {"client": probe((10.0, 13.95, 13.96), runs=GIVEN_UP)}},
        "only 4 requests succeeded between the takeover and the heal, 10 are needed",
    ),
    # Each fails for so short a time that no outage is too long.
    (
        "service_stop",
        {"probes": {"client": probe(*((at, at, at + 0.01) for at in (11.0, 11.5, 12.0, 12.5, 13.0, 13.5)))}},
        "5 of 400 requests failed, outside the longest outage",
    ),
    (
        "service_stop",
        {"probes": {"client": probe(*((14.0 + n / 2, 14.0 + n / 2, 14.01 + n / 2) for n in range(9)))}},
        "8 of 624 requests failed after healing, outside the longest outage",
    ),
    # An outage that is too long whatever happened while the client did not ask.
    (
        "service_stop",
        {"probes": {"client": probe((10.0, 10.24, 10.25), gaps=[[5.1, 0.05]])}},
        "the outage of 260 ms is above the objective of 100 ms",
    ),
]

# What keeps a drill from proving anything.
DISTURBANCES: list[tuple[str, dict[str, Any], str]] = [
    (
        "service_stop",
        {"probes": {"client": probe((7.0, 7.1, 7.11))}},
        "the service was down for 120 ms before anything was broken",
    ),
    # One lost SYN where no request may fail.
    (
        "keepalived_reload",
        {"watches": STILL, "probes": {"client": probe((7.0, 7.0, 7.01))}},
        "the service was down for 20 ms before anything was broken",
    ),
    (
        "service_stop",
        {"probes": {"client": probe((7.0, 7.1, 7.11), (10.0, 10.24, 10.25))}},
        "the service was down for 120 ms before anything was broken",
    ),
    (
        "service_stop",
        {"probes": {"client": probe(max_gap_s=0.3, gaps=[[1.0, 0.3]])}},
        "client made no request for 300 ms, in which an outage would not show",
    ),
    (
        "service_stop",
        {"probes": {"client": probe((10.0, 10.07, 10.08), max_gap_s=0.235, gaps=[[5.09, 0.235]], interval_s=0.005)}},
        "client made no request for 235 ms, too long to measure an objective of 100 ms",
    ),
    (
        "service_stop",
        {
            "slo": {"service_stop": 0.3},
            "probes": {"client": probe((10.0, 10.2, 10.21), max_gap_s=0.14, gaps=[[5.2, 0.14]])},
        },
        "the outage was 210 ms to 350 ms, because a client paused: the objective is 300 ms",
    ),
    (
        "service_stop",
        {
            "slo": {"service_stop": 0.3},
            "probes": {"client": probe((10.0, 10.31, 10.32), max_gap_s=0.1, gaps=[[5.1, 0.1]])},
        },
        "the outage was 230 ms to 330 ms, because a client paused: the objective is 300 ms",
    ),
    (
        "service_stop",
        {"probes": {"client": probe(requests=749)}},
        "client made only 749 of 1500 requests that were due",
    ),
    (
        "service_stop",
        {"probes": {"client": probe(requests=0)}},
        "nothing was measured: the prober of client made no request",
    ),
    (
        "service_stop",
        {"probes": {"client": probe(elapsed_s=8.9, requests=890)}},
        "the prober of client ended before the fault was healed",
    ),
    # The outage may have ended when nobody asked any more.
    (
        "service_stop",
        {
            "probes": {
                "first": SHORT,
                "client": probe(elapsed_s=8.9, requests=890, outages=[{**SHORT["outages"][0], "recovered": False}]),
            }
        },
        "the prober of client ended before the fault was healed",
    ),
    (
        "service_stop",
        {"probes": {"first": SHORT, "client": {**SHORT, "drift_s": 0.25}}},
        "the clocks of client and the first client drifted 250 ms apart",
    ),
    (
        "service_stop",
        {
            "probes": {
                "client": probe((10.0, 10.01, 10.02), runs=[[0.0, 4.9, 4.91, 490, ""], [9.1, 14.9, 15.0, 580, ""]])
            }
        },
        "only 0 requests succeeded between the takeover and the heal, 10 are needed",
    ),
    (
        "service_stop",
        {"watches": {"lb01": watch("lb01", True, (9.0, False)), "lb02": watch("lb02", False, (9.01, True))}},
        f"at the injection {VIP} was on lb02, not on lb01: something else moved it",
    ),
    ("service_stop", {"watches": {"lb01": MOVED["lb01"]}}, f"when lb02 had {VIP} is unknown: it was not watched"),
    (
        "service_stop",
        {"watches": {**MOVED, "lb02": {**MOVED["lb02"], "clock": None}}},
        f"when lb02 had {VIP} is unknown: no reply from the client's clock over UDP",
    ),
    (
        "service_stop",
        {"watches": {**MOVED, "lb02": {**MOVED["lb02"], "drift_s": 0.3}}},
        f"when lb02 had {VIP} is unknown: its clock and the client's drifted 300 ms apart",
    ),
    # It was seen to have it, and then nobody looked.
    (
        "service_stop",
        {"watches": {**MOVED, "lb02": watch("lb02", False, (10.03, True), ended_s=13.9 + 50 - 100)}},
        f"when lb02 had {VIP} is unknown: its watcher ended before the fault was healed",
    ),
    (
        "backend_stop",
        {
            "watches": STILL,
            "runs": [run(targets=["web01"], injected=[{"injected_s": 110.0, "clock": None}], healed=[{"clock": None}])],
        },
        "when web01 was broken is unknown: no reply from the client's clock over UDP",
    ),
    (
        "service_stop",
        {"runs": [run(healed=[{"clock": CLOCKS["lb01"]}])]},
        "when lb01 was healed is unknown: something else healed it, and its record is gone",
    ),
    ("service_stop", {"disturbed": ["client: what it saw was lost"]}, "client: what it saw was lost"),
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


@pytest.mark.parametrize(("fault", "changes", "reason"), DISTURBANCES)
def test_disturbed(fault: str, changes: dict[str, Any], reason: str) -> None:
    result = judge(fault, **changes)
    assert result["reasons"] == [reason]
    assert result["verdict"] == "disturbed"


@pytest.mark.parametrize(("fault", "changes", "reason"), DISTURBANCES)
def test_what_failed_is_said_first_and_decides(fault: str, changes: dict[str, Any], reason: str) -> None:
    result = judge(fault, **{**changes, "errors": ["cannot heal the fault"]})
    assert result["reasons"] == ["cannot heal the fault", reason]
    assert result["verdict"] == "fail"


def test_without_a_prober() -> None:
    result = judge(probes={})
    assert result["verdict"] == "disturbed"
    assert result["reasons"] == ["nothing was measured: there is no prober"]


def test_a_drill_that_did_not_start_fails_with_the_findings() -> None:
    findings = assess({"lb01": HOLDER, "lb02": DEAD}, VIP)["findings"]
    result = judge(runs=[], probes={}, watches={}, errors=findings)
    assert (result["verdict"], result["reasons"]) == ("fail", findings)
    assert result["figures"]["outage_s"] is None


IMPOSSIBLE = "lb01 has no command for node_freeze"
UNSUPPORTED = {"injected": [{"supported": False, "reason": IMPOSSIBLE}], "healed": [{}]}


@pytest.mark.parametrize("runs", [[], [run(**UNSUPPORTED)], [run(), run(**UNSUPPORTED)]])
def test_what_is_not_possible_is_skipped_and_not_passed(runs: list[dict[str, Any]]) -> None:
    result = judge(skipped=IMPOSSIBLE, runs=runs)
    assert (result["verdict"], result["reasons"], result["runs"]) == ("skip", [IMPOSSIBLE], [])


# A fault that was skipped in the end, and what it must not hide.
HIDDEN: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"runs": [run(), run(**UNSUPPORTED)], "probes": {"client": LONG}},
        ["the outage of 160 ms is above the objective of 100 ms"],
    ),
    (
        {"runs": [run(), run(**UNSUPPORTED)], "watches": STILL},
        ["run 1: at the end of the fault the VIP must be on one balancer other than lb01, but was on lb01"],
    ),
    ({"runs": [run(**UNSUPPORTED, errors=["lb01: the fault is not healed"])]}, ["lb01: the fault is not healed"]),
    (
        {"runs": [run(**UNSUPPORTED, after={"lb01": HOLDER, "lb02": DEAD})]},
        ["after healing lb02: keepalived does not run"],
    ),
    ({"runs": [], "errors": ["the prober died"]}, ["the prober died"]),
]


@pytest.mark.parametrize(("changes", "reasons"), HIDDEN)
def test_a_skip_hides_no_failure(changes: dict[str, Any], reasons: list[str]) -> None:
    result = judge(skipped=IMPOSSIBLE, **changes)
    assert result["reasons"] == [*reasons, f"skipped in the end: {IMPOSSIBLE}"]
    assert result["verdict"] == "fail"


def test_a_skip_in_a_later_run_keeps_the_others_figures_when_one_failed() -> None:
    result = judge(skipped=IMPOSSIBLE, runs=[run(), run(**UNSUPPORTED)], probes={"client": LONG})
    assert [one["outage_s"] for one in result["runs"]] == [0.16]


LOST = {"there": False, "lost": ["nginx runs"]}
CLOCK = CLOCKS["lb01"]

# What node_fault saw of its fault after injecting and before healing, and what follows.
EFFECTS: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    (THERE, THERE, "pass", ""),
    (
        THERE,
        LOST,
        "disturbed",
        "the fault was gone before healing (lb01: nginx runs): something else ended it",
    ),
    ({"there": None, "lost": []}, {"there": None, "lost": []}, "fail", "no evidence that lb01 had the fault"),
]


@pytest.mark.parametrize(("early", "late", "verdict", "reason"), EFFECTS)
def test_the_fault_must_be_there_until_it_is_healed(
    early: dict[str, Any], late: dict[str, Any], verdict: str, reason: str
) -> None:
    told = run(
        injected=[{"injected_s": 110.0, "clock": CLOCK, "effect": early}],
        healed=[{"healed_s": 114.0, "clock": CLOCK, "effect": late}],
    )
    result = judge(runs=[told])
    assert result["verdict"] == verdict
    assert "; ".join(result["reasons"]).startswith(reason)


def test_where_the_vip_was_says_nothing_of_a_fault_that_was_ended() -> None:
    told = run(
        missed=["the VIP did not come to lb02"],
        injected=[{"injected_s": 110.0, "clock": CLOCK, "effect": THERE}],
        healed=[{"healed_s": 114.0, "clock": CLOCK, "effect": LOST}],
    )
    assert judge(runs=[told], watches=STILL)["reasons"] == [
        "the fault was gone before healing (lb01: nginx runs): something else ended it"
    ]


def test_what_did_not_follow_from_a_fault_is_a_failure() -> None:
    assert judge(runs=[run(missed=["the VIP did not come to lb02"])])["reasons"] == ["the VIP did not come to lb02"]


def test_a_frozen_machine_has_a_clock_that_stands_still() -> None:
    seen = {**BOTH, "lb01": {**BOTH["lb01"], "drift_s": 4.0}}
    assert judge("node_freeze", watches=seen)["reasons"] == []
    assert judge("link_down", watches=seen)["verdict"] == "disturbed"


# Longest time without a request, and what the report says of it.
RESOLUTIONS: list[tuple[dict[str, Any], float | None]] = [
    ({}, 0.01),
    ({"probes": {"client": probe(gaps=[[1.0, 0.1], [6.0, 0.04]])}}, 0.04),
    ({"probes": {}}, None),
    ({"runs": []}, None),
]


@pytest.mark.parametrize(("changes", "resolution_s"), RESOLUTIONS)
def test_the_report_says_what_it_cannot_see(changes: dict[str, Any], resolution_s: float | None) -> None:
    assert judge(**changes)["resolution_s"] == resolution_s


def test_why_it_was_done_again_stays() -> None:
    assert judge(retried=["the prober died"])["retried"] == ["the prober died"]
    assert judge()["retried"] == []


def test_what_is_accepted_is_not_proven_and_no_reason_against_a_pass() -> None:
    found = judge(unproven=["lb01 has no connection from client"])
    assert (found["verdict"], found["reasons"]) == ("pass", [])
    assert found["unproven"] == ["lb01 has no connection from client"]
    assert table(report([found])).splitlines()[2:] == [
        "service_stop: not proven, and accepted: lb01 has no connection from client"
    ]


def repeated(judged_by: str) -> dict[str, Any]:
    """Return a drill of three runs, of which the second is far slower."""
    clock = CLOCKS["lb01"]
    runs = [
        run(
            injected=[{"injected_s": 100.0 + at, "clock": clock, "effect": THERE}],
            healed=[{"healed_s": 102.0 + at, "clock": clock, "effect": THERE}],
        )
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


def test_of_two_runs_the_worse_one_counts() -> None:
    clock = CLOCKS["lb01"]
    runs = [
        run(
            injected=[{"injected_s": 100.0 + at, "clock": clock, "effect": THERE}],
            healed=[{"healed_s": 102.0 + at, "clock": clock, "effect": THERE}],
        )
        for at in (7.0, 11.0)
    ]
    lb01 = watch("lb01", True, (7.0, False), (9.0, True), (11.0, False), (13.0, True))
    lb02 = watch("lb02", False, (7.0, True), (9.0, False), (11.0, True), (13.0, False))
    probes = {"client": probe((7.0, 7.0, 7.01), (11.0, 11.2, 11.21), (13.0, 13.3, 13.31))}
    result = judge(runs=runs, watches={"lb01": lb01, "lb02": lb02}, probes=probes)
    assert result["reasons"] == [
        "worst of 2: the outage of 220 ms is above the objective of 100 ms",
        "worst of 2: the outage after healing of 320 ms is above the objective of 100 ms",
    ]
    assert result["runs"][0]["failback_outage_s"] == 0.0


def test_the_median_of_the_runs_counts_when_it_is_asked_for() -> None:
    assert repeated("median")["verdict"] == "pass"


def test_a_node_that_booted_in_a_previous_run_is_not_watched_in_this_one() -> None:
    clock = {"offset_s": 0.0, "error_s": 0.0001}
    stays = info(True, "master", 254, preempt=False)
    once, twice = {"boot": "one"}, {"boot": "two"}
    swapped = {"lb01": {**STANDBY, **twice}, "lb02": {**HOLDER, **once}}
    runs = [
        run(
            state=assess(before, VIP),
            targets=[target],
            after=after,
            injected=[{"injected_s": at, "clock": clock}],
            healed=[{"healed_s": at + 2, "clock": clock}],
        )
        for at, target, before, after in [
            (7.0, "lb01", {"lb01": {**stays, **once}, "lb02": STANDBY}, swapped),
            (11.0, "lb02", {"lb01": STANDBY, "lb02": {**stays, **once}}, {**STEADY, "lb02": {**STANDBY, **twice}}),
        ]
    ]
    assert judge("node_power_off", runs=runs, watches={})["reasons"] == []


def test_all_that_an_entry_has() -> None:
    connections = kept((10.1, "reset"), requests=100, failed=2, reused=90)
    probes = {
        "client": {**SHORT, "connections": connections},
        "other": probe((10.0, 10.0, 10.01), errors={"refused": 1, "timeout": 2}, failed=3, connections=connections),
        "third": probe(),
    }
    found = judge(probes=probes)
    (one,) = found.pop("runs")
    assert (one["number"], one["holder_before"], one["holder_during"], one["holder_after"]) == (
        1,
        "lb01",
        "lb02",
        "lb01",
    )
    spreads = found.pop("figures")
    assert spreads["outage_s"] == {"best": 0.03, "median": 0.03, "worst": 0.03}
    assert spreads["alarm_s"] is None
    assert list(spreads) == list(FIGURES)
    assert found == {
        "fault": "service_stop",
        "title": "the service is stopped",
        "group": "service",
        "targets": ["lb01"],
        "verdict": "pass",
        "reasons": [],
        "retried": [],
        "unproven": [],
        "expected": {
            "holder": "moves",
            "outage_slo_s": 0.1,
            "failback_slo_s": 0.1,
            "cut_slo": None,
            "failback_cut_slo": None,
            "bound_s": pytest.approx(0.022, abs=0.001),
            "alarm_slo_s": None,
            "overlap_slo_s": None,
        },
        "requests": 4500,
        "failed": 5,
        "errors": {"refused": 3, "timeout": 2},
        "latency_s": {
            "new": {"p50": 0.001, "p99": 0.01, "max": 0.02},
            "kept": {"p50": 0.001, "p99": 0.002, "max": 0.003},
        },
        "connections": {"open": 8, "requests": 200, "failed": 4, "reused": 180, "cut": 2},
        "resolution_s": 0.01,
        "clock_error_s": 0.0002,
    }


@pytest.mark.parametrize(
    ("fault", "alarm_s", "overlap_s"),
    [("vrrp_block", 5.0, None), ("keepalived_kill", None, 5.0), ("rolling", None, None)],
)
def test_what_else_is_expected(fault: str, alarm_s: float | None, overlap_s: float | None) -> None:
    expected = judge(fault)["expected"]
    assert (expected["alarm_slo_s"], expected["overlap_slo_s"]) == (alarm_s, overlap_s)


def test_targets_of_all_runs_once() -> None:
    assert judge(runs=[run(targets=["lb02"]), run(), run()])["targets"] == ["lb01", "lb02"]


def test_nobody_has_it_in_the_end() -> None:
    nobody = {"lb01": STANDBY, "lb02": STANDBY}
    found = judge(runs=[run(after=nobody)])
    assert found["runs"][0]["holder_after"] is None
    assert found["reasons"] == [f"after healing {VIP} must be on lb01, but is on none"]
    both = {"lb01": HOLDER, "lb02": info(True, "master", 253)}
    assert judge(runs=[run(after=both)])["runs"][0]["holder_after"] == "lb01, lb02"


def test_a_run_that_could_not_start_is_judged_by_its_findings() -> None:
    found = assess({"lb01": HOLDER, "lb02": DEAD}, VIP)
    result = judge(runs=[run(state=found)])
    assert result["reasons"] == found["findings"]
    assert result["verdict"] == "fail"


# Failures beside the longest outage, of 400 requests before the heal; each lasts for one request.
@pytest.mark.parametrize(("number", "verdict"), [(1, "pass"), (5, "pass"), (6, "fail")])
def test_a_few_stray_failures_are_nothing(number: int, verdict: str) -> None:
    blips = probe(*((10.5 + n / 2, 10.5 + n / 2, 10.51 + n / 2) for n in range(number)))
    assert judge(probes={"client": blips})["verdict"] == verdict


def test_stray_failures_are_not_judged_without_an_objective() -> None:
    blips = probe(*((10.5 + n / 2, 10.5 + n / 2, 10.51 + n / 2) for n in range(7)))
    assert judge(probes={"client": blips}, slo={"service_stop": None})["verdict"] == "pass"


def test_table() -> None:
    failed = judge(runs=[], probes={}, watches={}, errors=assess({"lb01": HOLDER, "lb02": DEAD}, VIP)["findings"])
    passed = judge(probes={"client": {**SHORT, "connections": kept((10.1, "reset"))}})
    assert table(report([passed, failed])).splitlines() == [
        "fault         on    outage  bound  slo     detect  failback  cut  failed  holder              verdict",
        "service_stop  lb01  30 ms   22 ms  100 ms  30 ms   0 ms      1    2/1500  lb01 > lb02 > lb01  pass",
        "service_stop  -     -       -      100 ms  -       -         -    0/0     -                   fail",
        "service_stop: lb02: keepalived does not run",
        f"service_stop: {VIP} has no standby that could take over",
    ]


def asked_at(first_s: float, last_s: float, outcome: str) -> list[list[Any]]:
    """Return the runs of a prober whose requests failed in this time on the client's clock."""
    first, last = first_s - ORIGIN_S, last_s - ORIGIN_S
    count = round((last - first) / 0.01) + 1
    return [
        [0.0, first - 0.01, first, 500, ""],
        [first, last, last + 0.001, count, outcome],
        [last, 14.99, 15.0, 500, ""],
    ]


@pytest.mark.parametrize(
    ("outcome", "verdict", "why"),
    [
        ("refused", "fail", "refused 15"),
        (
            "http_429",
            "disturbed",
            "http_429 15; a rate limit rejects the client: exempt its address from the limit, "
            "or raise drill_interval_s",
        ),
    ],
)
def test_a_limit_is_not_an_outage(outcome: str, verdict: str, why: str) -> None:
    found = judge(probes={"client": {**LONG, "runs": asked_at(10.0, 10.14, outcome)}})
    assert (found["verdict"], found["reasons"]) == (
        verdict,
        [f"the outage of 160 ms is above the objective of 100 ms ({why})"],
    )
    early = probe((8.0, 8.14, 8.15), runs=asked_at(8.0, 8.14, outcome))
    assert judge(probes={"client": early})["reasons"] == [
        f"the service was down for 160 ms before anything was broken ({why})"
    ]


def test_an_outage_is_not_hidden_by_a_limit() -> None:
    runs = asked_at(10.0, 10.14, "http_429")
    runs.insert(2, [6.0, 6.3, 6.31, 31, "timeout"])
    both = probe((10.0, 10.14, 10.15), (11.0, 11.3, 11.31), runs=runs)
    assert judge(probes={"client": both})["verdict"] == "fail"


def test_why_a_client_gets_no_good_answer() -> None:
    away = "Arm | Wait for good answers on client: client gets no good answer from https://198.18.0.10/"
    untrusted = probe(requests=3, failed=3, runs=[[0.0, 0.02, 0.03, 3, "tls_untrusted"]])
    assert judge(runs=[], errors=[away], probes={"client": untrusted})["reasons"][:2] == [
        away,
        "client: all 3 requests failed (tls_untrusted 3; the client does not know the CA: install it there, or set "
        "drill_validate_certs to false)",
    ]


def test_a_narrow_table() -> None:
    lines = table(report([judge(disturbed=["the prober died"])]), width=69).splitlines()
    assert lines[:2] == [
        "fault         on    outage  bound  slo     failback  cut  verdict",
        "service_stop  lb01  30 ms   22 ms  100 ms  0 ms      -    disturbed",
    ]
    # The essential columns stay.
    for width in (50, 10):
        narrow = table(report([judge()]), width).splitlines()[0]
        assert narrow.split() == ["fault", "on", "outage", "bound", "slo", "verdict"]
    wrapped = table(report([judge(disturbed=["lb01 was away " * 8])]), width=69).splitlines()[2:]
    assert [line[:7] for line in wrapped] == ["service", "  lb01 "]
    assert max(map(len, wrapped)) <= 69


def test_table_says_why_a_drill_was_done_again() -> None:
    lines = table(report([judge(disturbed=["the prober died"], retried=["a clock was set"])])).splitlines()
    assert lines[1].endswith("  disturbed")
    assert lines[2:] == ["service_stop: the prober died", "service_stop: repeated: a clock was set"]


def test_progress() -> None:
    drills = [{"fault": "link_down", "title": "the link is down", "runs": 3}, {"fault": "x", "title": "y", "runs": 1}]
    assert progress(drills, 0, 1.0) == "drill 1 of 2: link_down, the link is down, 3 times"
    assert progress(drills, 1, 198.0) == "drill 2 of 2: x, y; about 1 min 6 s left"


def test_a_fault_whose_moment_is_not_known_is_disturbed() -> None:
    """Its detection would be too long by the time for which the node waited, and what must follow may come too late."""
    slow = {**run()["injected"][0], "took_s": 1.009}
    told = judge("link_down", runs=[run(injected=[slow])], watches=STILL, slo={"link_down": 5})
    assert (told["verdict"], told["reasons"]) == (
        "disturbed",
        ["lb01 took 1009 ms to carry out link_down: measure again"],
    )


# --- kept connections

PAIR = {
    "lb01": {**HOLDER, **handover(), "addresses": [{"address": VIP}, {"address": "198.18.0.11"}]},
    "lb02": {**STANDBY, **handover(), "addresses": [{"address": "198.18.0.12"}]},
}
HANDED = {
    "lb01": {
        **MOVED["lb01"],
        "handovers": handed(
            "lb01", (7.0, "holder", None), (10.1, "standby", "198.18.0.12"), (14.2, "handing over", "")
        ),
    },
    "lb02": {
        **MOVED["lb02"],
        "handovers": handed("lb02", (7.0, "standby", "198.18.0.11"), (10.1, "handing over", "198.18.0.11")),
    },
}


def moved(*cut: tuple[float, str], fault: str = "keepalived_stop", **changes: Any) -> dict[str, Any]:
    """Judge a move with the hand-over, in which these connections were cut."""
    parts: dict[str, Any] = {
        "runs": [run(state=assess(PAIR, VIP))],
        "watches": HANDED,
        "probes": {"client": probe(connections=kept(*cut))},
    }
    return judge(fault, **{**parts, **changes})


RESETS = [(10.05, "reset"), (10.06, "reset"), (10.06, "empty")]


@pytest.mark.parametrize("fault", ["keepalived_stop", "rolling", "handover", "service_stop", "link_down"])
def test_a_move_with_the_hand_over_cuts_no_connection(fault: str) -> None:
    found = moved(fault=fault)
    assert (found["verdict"], found["reasons"]) == ("pass", [])
    expected = found["expected"]
    assert (expected["cut_slo"], expected["failback_cut_slo"]) == (
        0 if fault in ("keepalived_stop", "rolling", "handover") else None,
        0,
    )


def test_a_planned_move_that_cuts_connections_fails() -> None:
    found = moved(*RESETS)
    assert (found["verdict"], found["reasons"]) == (
        "fail",
        ["3 connections were cut at the takeover, 0 are allowed (reset 2, empty 1)"],
    )
    assert (found["runs"][0]["cut"], found["runs"][0]["failback_cut"]) == (3, 0)


def test_connections_that_a_broken_service_ends_are_not_judged() -> None:
    assert moved(*RESETS, fault="service_stop")["verdict"] == "pass"


@pytest.mark.parametrize("fault", ["keepalived_stop", "service_stop", "node_power_off"])
def test_the_failback_of_every_fault_is_judged(fault: str) -> None:
    state = {**assess(PAIR, VIP), "boots": {"lb01": "the same"}}
    runs = [run(state=state, after={**STEADY, "lb01": {**HOLDER, "boot": "another"}})]
    found = moved((14.1, "reset"), fault=fault, runs=runs)
    assert (found["verdict"], found["reasons"]) == (
        "fail",
        ["1 connection was cut at failback, 0 are allowed (reset 1)"],
    )
    assert found["runs"][0]["failback_cut"] == 1


OFF = {**PAIR, "lb02": STANDBY}


@pytest.mark.parametrize(
    ("fault", "changes"),
    [
        ("keepalived_stop", {"runs": [run(state=assess(OFF, VIP))]}),
        ("keepalived_kill", {"watches": STILL}),
        # Both have it until it is healed.
        (
            "network_cut",
            {"watches": BOTH, "probes": {"client": probe(connections=kept((10.05, "reset"), (14.1, "reset")))}},
        ),
    ],
)
def test_cut_connections_are_only_reported_otherwise(fault: str, changes: dict[str, Any]) -> None:
    found = moved((10.05, "reset"), (14.1, "reset"), fault=fault, **changes)
    assert (found["verdict"], found["reasons"]) == ("pass", [])
    assert (found["expected"]["cut_slo"], found["expected"]["failback_cut_slo"]) == (None, None)
    assert (found["connections"]["cut"], found["runs"][0]["failback_cut"]) == (2, 1)


def test_without_kept_connections_none_are_judged() -> None:
    assert moved(probes={"client": probe()})["expected"]["cut_slo"] is None


def test_connections_that_were_cut_before_disturb() -> None:
    found = moved((8.0, "reset"), (10.05, "reset"))
    assert (found["verdict"], found["reasons"]) == (
        "disturbed",
        ["1 connection was cut before anything was broken (reset 1)"],
    )


def test_cut_connections_fail_a_drill_whose_outages_prove_nothing() -> None:
    unsteady = {"client": probe((7.0, 7.1, 7.11), connections=kept((10.05, "reset")))}
    assert moved(probes=unsteady)["reasons"] == [
        "1 connection was cut at the takeover, 0 are allowed (reset 1)",
        "the service was down for 120 ms before anything was broken",
    ]


@pytest.mark.parametrize(("kind", "verdict"), [("timeout", "disturbed"), ("reset", "fail")])
def test_a_client_that_paused_has_cut_no_connection_itself(kind: str, verdict: str) -> None:
    paused = {"client": probe(connections=kept((10.05, kind)), gaps=[[4.9, 0.3]], max_gap_s=0.3)}
    assert moved(probes=paused)["verdict"] == verdict


def test_cut_connections_at_an_unknown_time_are_not_judged() -> None:
    clockless = run(state=assess(PAIR, VIP), injected=[{"injected_s": 110.0, "clock": None}], healed=[{"clock": None}])
    found = moved(*RESETS, runs=[clockless])
    assert (found["verdict"], found["reasons"]) == (
        "disturbed",
        ["when lb01 was broken is unknown: no reply from the client's clock over UDP"],
    )


def test_a_service_that_keeps_no_connection_has_none_to_hand_over() -> None:
    closing = {"client": probe(connections=kept(reused=0))}
    reason = "no connection was kept, because the service closes each one after its answer: allow keep-alive"
    assert moved(fault="handover", probes=closing)["reasons"] == [reason]
    assert moved(fault="keepalived_stop", probes=closing)["verdict"] == "pass"
    # Over bare TCP no connection has requests.
    assert (
        moved(fault="handover", probes={"client": probe(connections=kept(reused=0, latency_s=None))})["reasons"] == []
    )


def lb02(*states: tuple[float, str, str | None], **more: Any) -> dict[str, Any]:
    return {**HANDED, "lb02": {**HANDED["lb02"], "handovers": handed("lb02", *states, **more)}}


OVER = (10.1, "handing over", "198.18.0.11")
DIED = {"ended": "the former holder does not answer"}
# How connections were cut at the takeover, what lb02 reported of its hand-over, and why the drill says that it was.
CAUSES: list[tuple[str, dict[str, Any], str]] = [
    ("reset", HANDED, ""),
    (
        "reset",
        lb02((7.0, "standby", None), (10.1, "holder", None)),
        ": lb02 did not know the former holder, lb01: check the peers in /etc/keepalived/handover.json of both",
    ),
    (
        "timeout",
        lb02((7.0, "standby", "198.18.0.99"), OVER),
        ": lb02 took 198.18.0.99 for the former holder, lb01: check the peers in /etc/keepalived/handover.json of both",
    ),
    (
        "reset",
        lb02((7.0, "standby", "198.18.0.11"), OVER, (10.2, "holder", None), **DIED),
        ": lb02 ended the hand-over from lb01: the former holder does not answer",
    ),
    (
        "reset",
        lb02((7.0, "standby", "198.18.0.11"), OVER, problem="no nft"),
        ": lb02 could not prepare the hand-over: no nft",
    ),
    (
        "timeout",
        HANDED,
        ": lb02 sent their packets on to lb01, and no answer came: check the firewalls of both, "
        "which may drop TCP packets to the VIP from other hosts' connections",
    ),
    ("reset", {**HANDED, "lb02": MOVED["lb02"]}, ""),
]


@pytest.mark.parametrize(("kind", "watches", "why"), CAUSES)
def test_why_connections_were_cut(kind: str, watches: dict[str, Any], why: str) -> None:
    (reason,) = moved((10.05, kind), watches=watches)["reasons"]
    head = f"1 connection was cut at the takeover, 0 are allowed ({kind} 1)"
    assert reason.startswith(head + why)
    assert why or reason == head


def test_why_connections_were_cut_at_failback() -> None:
    states = ((7.0, "holder", None), (10.1, "standby", None), (14.2, "holder", None))
    unknown = {**HANDED, "lb01": {**HANDED["lb01"], "handovers": handed("lb01", *states)}}
    # The client's prober ends after the watchers.
    probes = {"client": probe(connections=kept((14.1, "reset")), elapsed_s=15.5)}
    (reason,) = moved(watches=unknown, probes=probes)["reasons"]
    assert "at failback, 0 are allowed (reset 1): lb01 did not know the former holder, lb02: check" in reason


def test_a_former_holder_that_is_not_silent_fails() -> None:
    loud = [
        *handed("lb01", (7.0, "holder", None)),
        *handed("lb01", (10.1, "standby", None), serves=True),
        *handed("lb01", (12.0, "standby", None), serves=True, arp_ignore=0),
        *handed("lb01", (13.5, "standby", None), serves=True),
        # It has no connections, or the address, and may answer.
        *handed("lb01", (13.8, "standby", None), arp_ignore=0),
    ]
    watches = {**HANDED, "lb01": {**HANDED["lb01"], "handovers": loud}}
    reason = (
        f"lb01 could answer ARP requests for {VIP} for 1500 ms while another balancer had it: "
        "something resets net.ipv4.conf.eth1.arp_ignore to 0"
    )
    assert moved(watches=watches)["reasons"] == [reason]
    assert moved(watches=watches, fault="service_stop")["reasons"] == [reason]
    assert moved(watches=watches, runs=[run(state=assess(OFF, VIP))])["reasons"] == []


def test_cuts_of_all_runs() -> None:
    clock = CLOCKS["lb01"]
    runs = [
        run(
            state=assess(PAIR, VIP),
            injected=[{"injected_s": 100.0 + at, "clock": clock, "effect": THERE}],
            healed=[{"healed_s": 102.0 + at, "clock": clock, "effect": THERE}],
        )
        for at in (7.0, 11.0, 15.0)
    ]
    watches = {
        "lb01": watch(
            "lb01", True, (7.0, False), (9.0, True), (11.0, False), (13.0, True), (15.0, False), (17.0, True)
        ),
        "lb02": watch(
            "lb02", False, (7.0, True), (9.0, False), (11.0, True), (13.0, False), (15.0, True), (17.0, False)
        ),
    }
    cut = ((11.1, "timeout"), (12.74, "timeout"), (12.76, "timeout"))
    found = moved(*cut, runs=runs, watches=watches)
    assert [reason.partition(",")[0] for reason in found["reasons"]] == [
        "run 2: 2 connections were cut at the takeover",
        "run 2: 1 connection was cut at failback",
    ]
    assert [one["cut"] for one in found["runs"]] == [0, 3, 0]
    assert moved(*cut, runs=runs, watches=watches, judge="median")["reasons"] == []


def test_which_balancer_served_how_many_connections() -> None:
    rows = {
        "lb01": [[7.0, 22, 0], [9.5, 21, 0], [10.4, 20, 0], [10.5, 20, 1], [14.5, 23, 1]],
        "lb02": [[11.0, 3, 20], [13.0, 2, 20]],
    }
    watches = {
        host: {**HANDED[host], "served": {f"{VIP}/24": [[at - CLOCKS[host]["offset_s"], *n] for at, *n in each]}}
        for host, each in rows.items()
    }
    (one,) = moved(watches=watches)["runs"]
    assert one["served"] == {
        "before": {"lb01": 21, "lb02": None},
        "during": {"lb01": 20, "lb02": 2},
        "after": {"lb01": 23, "lb02": 2},
    }
    assert one["timeline"]["connections"] == {
        "lb01": [[-1.0, 22], [-0.5, 21], [0.4, 20], [4.5, 23]],
        "lb02": [[1.0, 3], [3.0, 2]],
    }
    (unknown,) = moved()["runs"]
    assert (unknown["served"], unknown["timeline"]["connections"]) == (None, {})
