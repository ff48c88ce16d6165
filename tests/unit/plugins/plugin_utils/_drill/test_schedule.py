# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which drills the role's variables ask for, why there can be none, and what each run of them does."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.schedule import make_schedule, plan_run
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.state import assess

from .drill_records import STEADY, VIP, handover

VARIABLES: dict[str, Any] = {
    "faults": ["service_stop"],
    "repeat": 1,
    "allowed_hosts": ["lb01", "lb02"],
    "confirm": [],
    "hosts": ["lb01", "lb02", "web01", "web02", "client", "monitor"],
    "balancers": ["lb01", "lb02"],
    "backends": ["web01", "web02"],
    "client": "client",
    "vip": VIP,
    "profile": "standard",
    "service": "haproxy",
    "backend_service": "app",
    "url": f"http://{VIP}/",
    "slo": {},
    "interval_s": 0.005,
    "timeout_s": 0.25,
    "deadline_s": 30,
    "hold_s": 3,
    "slow_s": 0.1,
    "disk_path": "",
    "connections": 4,
}
STATE = assess(STEADY, VIP)
FREEZE = {"inject": [["virsh", "suspend", "lb01"]], "heal": [["virsh", "resume", "lb01"]]}
HOSTVARS: dict[str, dict[str, Any]] = {
    "lb01": {"ansible_host": "fe80::1%eth0", "drill_commands": {"node_freeze": FREEZE}},
    "lb02": {},
    "web01": {},
    "web02": {},
}


def schedule(**variables: Any) -> dict[str, Any]:
    return make_schedule({**VARIABLES, **variables}, {})


def run(fault: str, number: int = 0, **variables: Any) -> dict[str, Any]:
    """Return what a run of this fault does."""
    (drill,) = schedule(faults=[fault], **variables)["drills"]
    return plan_run(drill, STATE, number, {**VARIABLES, **variables}, HOSTVARS)


def test_drills() -> None:
    drills = schedule(faults=["rolling", "backend_hang"], repeat=3)["drills"]
    assert [
        (drill["fault"], drill["injects"], drill["runs"], drill["backends"], drill["watch_s"]) for drill in drills
    ] == [
        ("rolling", "keepalived_stop", 6, [], 720.0),
        ("backend_hang", "service_hang", 3, ["web01"], 360.0),
    ]


def test_lists_of_the_command_line() -> None:
    found = schedule(faults="service_stop,backends_stop", client="client,monitor,", confirm="web01", repeat="2")
    assert [drill["fault"] for drill in found["drills"]] == ["service_stop", "backends_stop"]
    assert [drill["runs"] for drill in found["drills"]] == [2, 2]
    assert found["clients"] == ["client", "monitor"]
    assert found["breakable"] == ["lb01", "lb02", "web01", "web02"]
    assert found["forbidden"] == ["web02"]


@pytest.mark.parametrize(("deadline_s", "wait_s", "calm_s"), [("10", 5.0, 15.0), (60, 30.0, 30.0)])
def test_how_long_is_waited(deadline_s: Any, wait_s: float, calm_s: float) -> None:
    found = schedule(deadline_s=deadline_s)
    assert (found["wait_s"], found["calm_s"]) == (wait_s, calm_s)


NO_DRILL = (
    'A drill needs two or more balancers and a client that is not one of them. drill_balancers is ["lb01", "lb02"], '
    "drill_client is {}: fill the groups balancers and clients, or set the two variables."
)
NO_DEADLINE = (
    "drill_deadline_s is {}: set it to 10 seconds or more. "
    "A broken node heals itself then, whatever happens to this run."
)
NO_VIP = "drill_vip is {}: set it to an address without prefix, or set the balancers' keepalived_vips"
FINDINGS: list[tuple[dict[str, Any], str]] = [
    ({"balancers": ["lb01"], "slo": {}}, NO_DRILL.replace(', "lb02"', "").format('"client"')),
    ({"client": ""}, NO_DRILL.format('""')),
    ({"client": "lb02"}, NO_DRILL.format('"lb02"')),
    ({"client": ["client", "elsewhere"]}, NO_DRILL.format('["client", "elsewhere"]')),
    ({"vip": ""}, NO_VIP.format('""')),
    ({"vip": "192.0.2.10/24"}, NO_VIP.format('"192.0.2.10/24"')),
    (
        {"url": "https://me:secret@192.0.2.10/"},
        "drill_url has a password, which the clients do not send, and which the report would show. Leave it out.",
    ),
    ({"faults": []}, "drill_faults names no fault"),
    ({"faults": ""}, "drill_faults names no fault"),
    (
        {"faults": ["link_dwon", "link_down", "x"]},
        f"drill_faults has link_dwon, x, not a fault: the faults are {', '.join(FAULTS)}",
    ),
    ({"repeat": 0}, "drill_repeat is 0: set it to 1 or more"),
    ({"interval_s": "x"}, 'drill_interval_s is "x": set it to a number of seconds above 0'),
    ({"deadline_s": 5}, NO_DEADLINE.format("5")),
    ({"deadline_s": "soon"}, NO_DEADLINE.format('"soon"')),
    ({"deadline_s": None}, NO_DEADLINE.format('""')),
    (
        {"hold_s": 16},
        "drill_hold_s is 16: set it to half of drill_deadline_s, 30, or less, or a node heals itself too early",
    ),
]


@pytest.mark.parametrize(("variables", "finding"), FINDINGS)
def test_what_cannot_be_drilled(variables: dict[str, Any], finding: str) -> None:
    assert schedule(**variables) == {"findings": [finding]}


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(schedule(vip="", faults="", interval_s=0, deadline_s=1)["findings"]) == 4


def test_objectives_by_the_timers_need_the_state() -> None:
    slow = {**VARIABLES, "faults": ["link_down"], "interval_s": 0.6}
    assert make_schedule(slow, {})["findings"] == []
    assert len(make_schedule(slow, STATE)["findings"]) == 1


def test_what_node_fault_needs() -> None:
    assert run("service_stop") == {
        "targets": ["lb01"],
        "options": {"lb01": {"service": "haproxy", "interface": "eth1", "node": None, "commands": None}},
        "moves": True,
        "holder_after": "lb01",
        "deadline_s": 30.0,
        "skipped": "",
    }
    assert run("keepalived_stop")["options"]["lb01"]["service"] is None
    assert run("backend_stop")["options"] == {
        "web01": {"service": "app", "interface": None, "node": None, "commands": None}
    }


def test_a_node_is_broken_by_its_own_commands_under_a_name_of_its_own() -> None:
    found = run("node_freeze")
    assert found["options"]["lb01"] == {
        "service": None,
        "interface": "eth1",
        "node": "lb01-fe80--1-eth0",
        "commands": FREEZE,
    }
    assert found["skipped"] == ""


SKIPPED: list[tuple[str, dict[str, Any], str]] = [
    ("backend_stop", {"backends": []}, "drill_backends is empty"),
    ("disk_full", {}, "drill_disk_path is not set"),
    ("disk_full", {"disk_path": "/mnt/small"}, ""),
    ("node_reboot", {}, "drill_commands of lb01 has no node_reboot"),
]


@pytest.mark.parametrize(("fault", "variables", "expected"), SKIPPED)
def test_what_is_not_configured_is_skipped(fault: str, variables: dict[str, Any], expected: str) -> None:
    assert run(fault, **variables)["skipped"] == expected


@pytest.mark.parametrize("fault", ["vrrp_block", "keepalived_hang", "vip_duplicate"])
def test_two_holders_are_not_drilled_where_no_alarm_can_be_raised(fault: str) -> None:
    drill = make_schedule({**VARIABLES, "faults": [fault]}, STATE)["drills"][0]
    off = assess({host: {**info, "watched": False} for host, info in STEADY.items()}, VIP)
    assert plan_run(drill, off, 0, VARIABLES, HOSTVARS)["skipped"] == (
        "keepalived_watch is off, so no alarm can be raised for two holders"
    )
    assert run(fault)["skipped"] == ""


def test_a_hand_over_is_drilled_only_where_there_is_one() -> None:
    assert run("handover")["skipped"] == "lb01: keepalived_handover is off; lb02: keepalived_handover is off"
    assert run("keepalived_stop")["skipped"] == ""
    (drill,) = schedule(faults="handover")["drills"]
    on = assess({host: {**info, **handover()} for host, info in STEADY.items()}, VIP)
    assert plan_run(drill, on, 0, VARIABLES, HOSTVARS)["skipped"] == ""
    assert (drill["injects"], drill["hands_over"]) == ("keepalived_stop", True)


def test_the_vip_moves_only_from_its_holder() -> None:
    assert [run("rolling", number)["moves"] for number in (0, 1)] == [True, False]
    assert not run("keepalived_reload")["moves"]


@pytest.mark.parametrize(("deadline_s", "expected"), [(30, 6.044688), (5 * 2, 6.044688)])
def test_a_node_that_cannot_be_reached_heals_itself_when_the_standby_has_taken_over(
    deadline_s: float, expected: float
) -> None:
    assert run("network_cut", deadline_s=deadline_s)["deadline_s"] == pytest.approx(expected)
