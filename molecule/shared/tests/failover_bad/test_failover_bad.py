# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs that were set up badly on purpose fail their drills: a pass means something."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator

import pytest

from drilling import drill
from nodes import apply_site

if TYPE_CHECKING:
    from nodes import Lab

ANSWERS = "/usr/local/libexec/keepalived/answers 127.0.0.1 8099 /"

# What is set up badly, the fault that shows it, and why the drill then fails.
BAD: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "polling",
        {"keepalived_track_services": []},
        "service_stop",
        r"the outage of \d{3,} ms is above the objective of 100 ms",
    ),
    (
        "weight",
        {
            "keepalived_track_services": [],
            "keepalived_check_url": "",
            "keepalived_vrrp_scripts": [
                {"name": "answers", "script": f'"{ANSWERS}"', "interval": 1, "fall": 2, "rise": 1, "weight": -1}
            ],
            "keepalived_vrrp_instance": {"track_script": ["answers"]},
            "keepalived_accept": ["weight"],
        },
        "service_stop",
        r"the VIP must move from lb01 to one other balancer, at the end of the fault it was on lb01",
    ),
    (
        "silence",
        {"keepalived_watch": False},
        "vrrp_block",
        r"more than one balancer had the VIP for \d{4,} ms, and no alarm was raised",
    ),
]


@contextmanager
def set_up(lab: Lab, variables: dict[str, Any]) -> Iterator[None]:
    """Apply these variables, and the lab's own again at the end."""
    try:
        applied = apply_site(lab, variables)
        assert applied.returncode == 0, applied.stdout + applied.stderr
        yield
    finally:
        restored = apply_site(lab, {})
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert lab.moved_to("lb01", within_s=20), lab.holders()


@pytest.mark.parametrize(("variables", "fault", "reason"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_it_fails(lab: Lab, variables: dict[str, Any], fault: str, reason: str) -> None:
    with set_up(lab, variables):
        done = drill(lab, faults=fault, deadline_s=20)
        assert done.code != 0
        assert done.drills[fault]["verdict"] == "fail"
        assert any(re.search(reason, found) for found in done.drills[fault]["reasons"]), done.drills[fault]["reasons"]
        assert "These drills did not pass, the table says why" in done.output
