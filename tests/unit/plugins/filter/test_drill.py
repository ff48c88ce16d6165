# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The drill's filters hand on what their helpers decide, and turn bad input into Ansible's errors."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.filter import (
    _drill_path,
    _drill_progress,
    _drill_report,
    _drill_run,
    _drill_schedule,
    _drill_state,
    _drill_verdict,
    drill_table,
)

FILTERS: dict[str, Any] = {
    name: function
    for plugin in (
        _drill_path,
        _drill_progress,
        _drill_report,
        _drill_run,
        _drill_schedule,
        _drill_state,
        _drill_verdict,
        drill_table,
    )
    for name, function in plugin.FilterModule().filters().items()
}


def test_state_of_no_host() -> None:
    assert FILTERS["_drill_state"]([], "198.18.0.10")["findings"] == [
        "198.18.0.10 must have exactly one holder, it has none",
        "198.18.0.10 has no standby that could take over",
    ]


def test_state_of_hosts() -> None:
    found = FILTERS["_drill_state"]([{"__drill_host": "lb01", "msg": "no route to host"}], "198.18.0.10")
    assert found["findings"][0] == "lb01: no route to host"


def test_path() -> None:
    requests = {
        "vip": "192.0.2.10",
        "url": "http://192.0.2.10/",
        "sources": {"client": "192.0.2.31"},
        "service": "nginx",
        "backend_service": "app",
    }
    state = {"holder": "lb01", "addresses": {"lb01": ["192.0.2.11"]}}
    served = {"peers": ["192.0.2.31"], "others": []}
    used = [{"__drill_host": "web01", "peers": ["192.0.2.11"]}, {"__drill_host": "web02", "peers": []}]
    why = "app of web02 has no connection from lb01, so requests may not need it"
    assert FILTERS["_drill_path"](served, "backends_stop", requests, used, state, ["path"]) == {
        "refused": [],
        "unproven": [why],
    }


def test_report() -> None:
    assert (
        FILTERS["_drill_report"]([], {}, "", "")["failure"] == "Every drill was skipped, for the reasons in the table"
    )


BAD: list[tuple[str, list[Any], str]] = [
    ("_drill_state", [[{"__drill_host": "lb01", "addresses": []}], "lb"], "_drill_state: 'lb' is not an IP address"),
    ("_drill_schedule", [{}], "_drill_schedule: the variables lack 'faults'"),
    ("_drill_verdict", [{"runs": [], "fault": "link_down"}, [], []], r"_drill_verdict: .*vip"),
    ("_drill_path", [{}, "link_down", {}, [], {"holder": "lb01"}, []], r"_drill_path: .*vip"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), BAD, ids=[case[0] for case in BAD])
def test_bad_input(name: str, arguments: list[Any], message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=f"^{message}"):
        FILTERS[name](*arguments)


def test_registered_by_their_names() -> None:
    assert sorted(FILTERS) == [
        "_drill_path",
        "_drill_progress",
        "_drill_report",
        "_drill_run",
        "_drill_schedule",
        "_drill_state",
        "_drill_verdict",
        "drill_table",
    ]
