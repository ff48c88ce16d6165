# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible's tasks recorded of a drill becomes what can be judged."""

from __future__ import annotations

from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.observed import gather

from .drill_records import STEADY, run

PROBE, WATCH = {"requests": 7}, {"events": []}
STOPPED: list[dict[str, Any]] = [
    {"__drill_host": host, "changed": True} for host in ("lb01", "lb02", "client", "monitor")
]
SEEN: list[dict[str, Any]] = [
    {"__drill_job": {"__drill_host": "client"}, "probe": PROBE},
    {"__drill_job": {"__drill_host": "lb01"}, "watch": WATCH},
    {"__drill_job": {"__drill_host": "lb02"}, "watch": WATCH},
]
LOOKED = [{"__drill_host": host, **info} for host, info in STEADY.items()]


def drill(fault: str = "service_stop", **changes: Any) -> dict[str, Any]:
    told = {"fault": fault, "vip": "198.18.0.10", "profile": "fast", "slo": {}, "judge": "worst"}
    return {**told, "runs": [run(after=LOOKED, **changes)], "errors": [], "skipped": ""}


def stopped(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**one, **changes.get(one["__drill_host"], {})} for one in STOPPED]


def test_what_was_seen() -> None:
    found = gather(drill(), STOPPED, SEEN)
    assert found.probes == {"client": PROBE}
    assert found.watches == {"lb01": WATCH, "lb02": WATCH}
    assert found.disturbed == []
    assert found.runs[0]["after"]["lb02"]["instances"] == STEADY["lb02"]["instances"]
    assert found.runs[0]["errors"] == []


def test_nothing_was_started() -> None:
    found = gather({**drill(), "runs": []}, [], [])
    assert (found.probes, found.watches, found.disturbed) == ({}, {}, [])


def test_one_that_ended_by_itself() -> None:
    found = gather(drill(), stopped(lb02={"changed": False}), SEEN)
    assert found.disturbed == ["lb02: it ended before the drill was over"]


def test_where_nothing_was_started_nothing_ended() -> None:
    assert gather(drill(), stopped(monitor={"changed": False}), SEEN).disturbed == []


def test_a_host_that_cannot_be_reached_is_lost_and_did_not_end() -> None:
    gone = {"unreachable": True, "msg": "no route to host"}
    seen = [*SEEN[:2], {"__drill_job": {"__drill_host": "lb02"}, **gone}]
    found = gather(drill(), stopped(lb02={**gone, "changed": False}), seen)
    assert found.disturbed == ["lb02: no route to host"]


def test_what_did_not_come_in_time() -> None:
    seen = [*SEEN[1:], {"__drill_job": {"__drill_host": "client"}, "failed": True}]
    assert gather(drill(), STOPPED, seen).disturbed == ["client: its result did not arrive in time"]


def test_what_ran_on_a_node_that_has_booted_is_gone() -> None:
    late = stopped(lb01={"changed": False})
    assert gather(drill("node_reboot"), late, SEEN).disturbed == []
    assert gather(drill("node_freeze"), late, SEEN).disturbed == ["lb01: it ended before the drill was over"]


def test_a_heal_that_failed_is_an_error_of_its_run() -> None:
    healed = [
        {"__drill_host": "lb01", "unreachable": True, "msg": "no route to host"},
        {"__drill_host": "lb02", "failed": True, "msg": "fault link_down is not healed"},
    ]
    (found,) = gather(drill(healed=healed), STOPPED, SEEN).runs
    assert found["errors"] == ["lb02: fault link_down is not healed", "lb01: no route to host"]
