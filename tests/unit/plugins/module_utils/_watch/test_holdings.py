# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a host had a VIP, from changes that arrive twice, out of order, or not at all."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError
from ansible_collections.haproof.balancer.plugins.module_utils._link.kernel_addresses import (
    AddressChange,
    InterfaceAddress,
)
from ansible_collections.haproof.balancer.plugins.module_utils._watch.holdings import Alarms, Holdings
from hypothesis import given
from hypothesis import strategies as st

VIP = "198.18.0.10"
HERE, THERE = InterfaceAddress(3, VIP), InterfaceAddress(4, VIP)
changes = st.lists(
    st.tuples(st.sampled_from([2, 3, 4]), st.sampled_from([VIP, "198.18.0.9"]), st.booleans()), max_size=30
)


def seen(holdings: Holdings) -> list[tuple[float, bool]]:
    return [(event["at_s"], event["held"]) for event in holdings.events]


def test_an_address_comes_and_goes() -> None:
    holdings = Holdings([VIP + "/24"], [InterfaceAddress(3, "198.18.0.11")])
    holdings.change(AddressChange(HERE, True), 1.0)
    holdings.change(AddressChange(InterfaceAddress(3, "198.18.0.11"), False), 2.0)
    holdings.change(AddressChange(HERE, False), 3.0)
    assert holdings.at_start == {VIP + "/24": False}
    assert holdings.events == [
        {"at_s": 1.0, "vip": VIP + "/24", "interface": 3, "held": True},
        {"at_s": 3.0, "vip": VIP + "/24", "interface": 3, "held": False},
    ]


def test_an_address_that_is_announced_again_is_no_event() -> None:
    holdings = Holdings([VIP], [HERE])
    holdings.change(AddressChange(HERE, True), 1.0)
    assert holdings.at_start == {VIP: True}
    assert holdings.events == []


def test_on_two_interfaces_it_counts_once() -> None:
    holdings = Holdings([VIP], [HERE])
    holdings.change(AddressChange(THERE, True), 1.0)
    holdings.change(AddressChange(HERE, False), 2.0)
    holdings.change(AddressChange(THERE, False), 3.0)
    assert seen(holdings) == [(3.0, False)]


def test_lost_changes_are_made_up_for() -> None:
    holdings = Holdings([VIP, "fd00::10"], [HERE])
    holdings.resume([InterfaceAddress(3, "fd00::10"), InterfaceAddress(3, "fd00::11")], 5.0)
    assert [(event["vip"], event["held"]) for event in holdings.events] == [(VIP, False), ("fd00::10", True)]
    assert holdings.resumed_s == [5.0]


@given(changes)
def test_events_alternate(steps: list[tuple[int, str, bool]]) -> None:
    holdings = Holdings([VIP], [])
    for at, (number, address, present) in enumerate(steps):
        holdings.change(AddressChange(InterfaceAddress(number, address), present), float(at))
    held = [event["held"] for event in holdings.events]
    assert held == [number % 2 == 0 for number in range(len(held))]


@given(changes)
def test_to_resume_tells_the_same_as_to_have_seen_it(steps: list[tuple[int, str, bool]]) -> None:
    followed, resumed = Holdings([VIP], []), Holdings([VIP], [])
    there: set[InterfaceAddress] = set()
    for number, address, present in steps:
        one = InterfaceAddress(number, address)
        followed.change(AddressChange(one, present), 1.0)
        (there.add if present else there.discard)(one)
    resumed.resume(sorted(there), 1.0)
    assert [event["held"] for event in followed.events][-1:] in ([event["held"] for event in resumed.events], [False])


def test_a_vip_that_is_none() -> None:
    with pytest.raises(AddressError, match="'lb' is not an IP address"):
        Holdings(["lb"], [])


def metrics(**findings: int) -> str:
    """Return the metrics of keepalived-watch."""
    labels = 'instance_name="VI_10",interface="eth1",vip="%s",vrid="10"'
    lines = [f'haproof_vip_finding{{{labels % VIP},finding="{name}"}} {raised}' for name, raised in findings.items()]
    return "\n".join(["# TYPE haproof_vip_finding gauge", f"haproof_vip_holder{{{labels % VIP}}} 1", *lines, ""])


def test_alarms() -> None:
    alarms = Alarms([VIP + "/24"], metrics(split_brain=0, no_holder=1))
    alarms.read(metrics(split_brain=0, no_holder=1), 1.0)
    alarms.read(metrics(split_brain=1, no_holder=0), 2.0)
    alarms.read(metrics(split_brain=0, no_holder=0), 3.0)
    assert alarms.events == [
        {"at_s": 2.0, "finding": "no_holder", "vip": VIP + "/24", "raised": False},
        {"at_s": 2.0, "finding": "split_brain", "vip": VIP + "/24", "raised": True},
        {"at_s": 3.0, "finding": "split_brain", "vip": VIP + "/24", "raised": False},
    ]


def test_other_vips_alarms_do_not_count() -> None:
    alarms = Alarms(["198.18.0.9"], "")
    alarms.read(metrics(split_brain=1), 1.0)
    assert alarms.events == []
