# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The VIP moves with its connections. Each test leaves it on the first balancer."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator

import pytest
from long_lived import KEPT, STREAMS, long_lived

from nodes import BALANCERS, eventually, felt_s, inventory_balancers

if TYPE_CHECKING:
    from nodes import Lab

FIRST, SECOND = BALANCERS
UNIT = "keepalived-handover"
CAP_NET_ADMIN = 1 << 12
BOUND_S = 1.0
"""The profile's, for a dead node."""
SLACK_S = 1.0
"""For a busy machine."""


@pytest.fixture(autouse=True)
def _at_rest(lab: Lab) -> None:
    """Wait until the VIP is on the first balancer, and the second one is ready to take over."""
    assert lab.moved_to(FIRST, within_s=30)
    assert eventually(lambda: state(lab, FIRST)["state"] == "holder", within_s=30)
    assert eventually(lambda: prepared(lab, SECOND), within_s=30)


def state(lab: Lab, name: str) -> dict[str, Any]:
    (found,) = json.loads(lab.nodes[name].check_output("cat /run/keepalived-handover/state.json"))
    return dict(found)


def tables(lab: Lab, name: str) -> str:
    """Return the hand-over's tables."""
    return str(lab.nodes[name].check_output("nft list tables | grep haproof_handover || true"))


def prepared(lab: Lab, name: str) -> bool:
    return state(lab, name)["former"] is not None and tables(lab, name) != ""


def route(lab: Lab, name: str) -> str:
    """Return the route by which a balancer takes the VIP's packets without the address."""
    return str(lab.nodes[name].check_output("ip route show table local metric 11212"))


@contextmanager
def powered_off(lab: Lab, name: str) -> Iterator[None]:
    """Kill a node, so that even its kernel acknowledges nothing, and boot it at the end."""
    container = inventory_balancers(lab.inventory)[name]["lab_container"]
    subprocess.run(["docker", "kill", container], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["docker", "start", container], check=True, capture_output=True)
        # SSH is refused until then.
        booted = ["docker", "exec", container, "systemctl", "is-active", "--quiet", "multi-user.target"]
        assert eventually(lambda: subprocess.run(booted, check=False).returncode == 0, within_s=60)


def test_a_move_and_the_return_cut_no_connection(lab: Lab) -> None:
    with long_lived(lab) as load:
        with lab.stopped(FIRST, "keepalived"):
            assert lab.moved_to(SECOND)
            assert load.goes_on()
            there, here = state(lab, SECOND), state(lab, FIRST)
            assert (there["state"], here["serves"]) == ("handing over", True)
            assert here["own"] >= KEPT + STREAMS
            assert lab.answering_macs() == lab.holder_macs()
        assert lab.moved_to(FIRST, within_s=30)
        assert load.goes_on()
        assert state(lab, FIRST)["own"] >= KEPT + STREAMS
        seen = load.seen()
    assert (seen["cut"], seen["silent"], seen["wrong"], seen["failed"]) == (0, 0, 0, 0), seen


def test_a_return_leaves_the_new_connections_where_they_began(lab: Lab) -> None:
    with lab.stopped(FIRST, "keepalived"):
        assert lab.moved_to(SECOND)
        with long_lived(lab) as load:
            lab.nodes[FIRST].check_output("systemctl start keepalived")
            assert lab.moved_to(FIRST, within_s=30)
            assert load.goes_on()
            assert state(lab, SECOND)["own"] >= KEPT + STREAMS
            seen = load.seen()
    assert (seen["cut"], seen["silent"], seen["wrong"], seen["failed"]) == (0, 0, 0, 0), seen


def test_nothing_is_left_when_the_connections_have_ended(lab: Lab) -> None:
    with lab.stopped(FIRST, "keepalived"):
        assert lab.moved_to(SECOND)
        assert eventually(lambda: state(lab, SECOND)["state"] == "holder", within_s=30)
        assert eventually(lambda: route(lab, FIRST) == "", within_s=30)
        assert tables(lab, SECOND) == ""


def test_a_dead_holder_has_nothing_to_hand_over(lab: Lab) -> None:
    with long_lived(lab) as load, lab.probed() as probe:
        with powered_off(lab, FIRST):
            assert eventually(lambda: lab.holds(SECOND), within_s=10)
            assert load.goes_on()
            assert state(lab, SECOND)["ended"] == "the former holder does not answer"
            assert tables(lab, SECOND) == ""
            seen = load.seen()
        assert lab.moved_to(FIRST, within_s=60)
    # Reset, not left waiting for the five seconds of the load's timeout.
    assert seen["cut"] >= KEPT + STREAMS, seen
    assert seen["silent"] == 0, seen
    assert felt_s(probe) <= BOUND_S + SLACK_S


def test_a_former_holder_that_dies_in_the_middle_loses_only_its_own_connections(lab: Lab) -> None:
    with long_lived(lab) as load:
        with lab.stopped(FIRST, "keepalived"):
            assert lab.moved_to(SECOND)
            assert load.goes_on()
            before = load.seen()
            assert (before["cut"], before["failed"]) == (0, 0), before
            with powered_off(lab, FIRST):
                assert load.goes_on()
                assert state(lab, SECOND)["ended"] == "the former holder does not answer"
                assert tables(lab, SECOND) == ""
                seen = load.seen()
        assert (seen["silent"], seen["failed"]) == (0, 0), seen
        assert seen["cut"] >= KEPT + STREAMS, seen


def test_rules_that_are_removed_come_back(lab: Lab) -> None:
    lab.nodes[SECOND].check_output("nft delete table %s", tables(lab, SECOND).split(maxsplit=1)[1])
    assert eventually(lambda: tables(lab, SECOND) != "", within_s=10)


def test_a_killed_service_leaves_nothing_behind_and_comes_back(lab: Lab) -> None:
    pid = lab.nodes[FIRST].check_output("systemctl show --value --property=MainPID %s", UNIT)
    lab.nodes[FIRST].check_output("kill -KILL %s", pid)
    assert eventually(
        lambda: lab.nodes[FIRST].check_output("systemctl show --value --property=MainPID %s", UNIT) not in ("0", pid),
        within_s=20,
    )
    assert eventually(lambda: route(lab, FIRST) != "", within_s=10)
    lab.nodes[FIRST].check_output("systemctl stop %s", UNIT)
    try:
        assert route(lab, FIRST) == tables(lab, FIRST) == ""
        assert lab.nodes[FIRST].check_output("cat /proc/sys/net/ipv4/conf/eth1/arp_ignore") == "0"
    finally:
        lab.nodes[FIRST].check_output("systemctl start %s", UNIT)


@pytest.mark.parametrize("name", BALANCERS)
def test_it_has_only_one_capability(lab: Lab, name: str) -> None:
    pid = lab.nodes[name].check_output("systemctl show --value --property=MainPID %s", UNIT)
    status = lab.nodes[name].check_output("cat /proc/%s/status", pid)
    values = dict(line.split(":", 1) for line in status.splitlines())
    assert int(values["Uid"].split()[0]) != 0
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        assert int(values[kind], 16) == CAP_NET_ADMIN, kind
