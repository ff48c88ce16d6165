# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a watcher records of the hand-over's state file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._watch.handovers import Handovers, read_entries

VIP = "198.18.0.10"
ENTRY: dict[str, Any] = {
    "vip": VIP,
    "problem": None,
    "state": "standby",
    "former": "198.18.0.11",
    "remaining": 0,
    "own": 3,
    "serves": False,
    "ended": None,
}
STANDBY = {"state": "standby", "former": "198.18.0.11", "ended": None, "problem": None, "serves": False}
NOTHING = dict.fromkeys(STANDBY)


def text(*entries: dict[str, Any]) -> str:
    return json.dumps(list(entries))


def test_each_change_is_recorded_once() -> None:
    seen = Handovers([f"{VIP}/24"])
    over = {**ENTRY, "state": "handing over", "own": 3, "remaining": 9}
    for at_s, entry in enumerate([ENTRY, ENTRY, {**ENTRY, "own": 4}, over, over], 1):
        seen.read(text(entry), 1, at_s)
    assert seen.events == [
        {"at_s": 1, "vip": f"{VIP}/24", **STANDBY, "arp_ignore": 1},
        {"at_s": 4, "vip": f"{VIP}/24", **STANDBY, "state": "handing over", "arp_ignore": 1},
    ]
    assert seen.served == {f"{VIP}/24": [[1, 3, 0], [3, 4, 0], [4, 3, 9]]}


def test_a_kernel_parameter_is_a_change() -> None:
    seen = Handovers([VIP])
    for at_s, arp_ignore in enumerate([1, 0, 0, 1]):
        seen.read(text(ENTRY), arp_ignore, at_s)
    assert [(event["at_s"], event["arp_ignore"]) for event in seen.events] == [(0, 1), (1, 0), (3, 1)]


def test_a_service_that_stops() -> None:
    seen = Handovers([VIP])
    seen.read(text(ENTRY), 1, 0)
    seen.read(None, 0, 1)
    assert seen.events[1:] == [{"at_s": 1, "vip": VIP, **NOTHING, "arp_ignore": None}]
    assert seen.served == {VIP: [[0, 3, 0]]}


def test_a_vip_that_is_left_out_has_only_its_reason() -> None:
    seen = Handovers([VIP])
    seen.read(text({"vip": VIP, "problem": "IPVS"}, {**ENTRY, "vip": "198.18.0.11"}), 1, 0)
    assert seen.events == [{"at_s": 0, "vip": VIP, **NOTHING, "problem": "IPVS", "arp_ignore": 1}]
    assert seen.served == {VIP: []}


@pytest.mark.parametrize("broken", [None, "", "{", "[1]", '[{"vip": 1}]', "{}", '[{"problem": null}]'])
def test_a_broken_file_has_no_entries(broken: str | None) -> None:
    assert read_entries(broken) == []
