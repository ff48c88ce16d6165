# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The VIP moves with its connections. Each test leaves it on the first balancer."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, ContextManager, Iterator

import pytest
from long_lived import KEPT, STREAMS, long_lived

from nodes import BALANCERS, eventually, felt_s, inventory_balancers

if TYPE_CHECKING:
    from long_lived import Load

    from nodes import Lab

    Lost = Callable[[Lab, str], ContextManager[None]]

FIRST, SECOND = BALANCERS
THIRD = "lb03"
UNIT = "keepalived-handover"
CAP_NET_ADMIN = 1 << 12
BOUND_S = 1.0
"""The profile's, for a dead node."""
SLACK_S = 1.0
"""For a busy machine."""


@pytest.fixture(autouse=True)
def _at_rest(lab: Lab) -> None:
    """Wait until the VIPs are on the first balancer, and the second one is ready to take over."""
    assert all(lab.moved_to(FIRST, vip, within_s=30) for vip in lab.owners)
    assert eventually(lambda: all(state(lab, FIRST, vip)["state"] == "holder" for vip in lab.owners), within_s=30)
    assert eventually(lambda: all(prepared(lab, SECOND, vip) for vip in lab.owners), within_s=30)


def state(lab: Lab, name: str, vip: str = "") -> dict[str, Any]:
    entries = json.loads(lab.nodes[name].check_output("cat /run/keepalived-handover/state.json"))
    (found,) = (entry for entry in entries if entry["vip"] == (vip or lab.vip))
    return dict(found)


def tables(lab: Lab, name: str) -> str:
    """Return the hand-over's tables."""
    return str(lab.nodes[name].check_output("nft list tables | grep haproof_handover || true"))


def remove_rules(lab: Lab, name: str) -> None:
    """Remove the hand-over's tables, as a flush of all rules does, but keep Docker's."""
    for line in tables(lab, name).splitlines():
        lab.nodes[name].check_output(f"nft delete {line}")


def prepared(lab: Lab, name: str, vip: str = "") -> bool:
    return state(lab, name, vip)["former"] is not None and tables(lab, name) != ""


def route(lab: Lab, name: str) -> str:
    """Return the routes by which a balancer takes the VIPs' packets without the addresses."""
    show = "route show table local metric 11212"
    return str(lab.nodes[name].check_output(f"ip {show}; ip -6 {show}"))


def main_pid(lab: Lab, name: str) -> str:
    return str(lab.nodes[name].check_output("systemctl show --value --property=MainPID %s", UNIT))


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


@contextmanager
def frozen(lab: Lab, name: str) -> Iterator[None]:
    """Stop all processes of a node; its kernel goes on."""
    container = inventory_balancers(lab.inventory)[name]["lab_container"]
    subprocess.run(["docker", "pause", container], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["docker", "unpause", container], check=True, capture_output=True)


@contextmanager
def handing_over(lab: Lab) -> Iterator[Load]:
    """Move the VIP to the second balancer, while the first one goes on serving the connections."""
    with long_lived(lab) as load, lab.stopped(FIRST, "keepalived"):
        assert lab.moved_to(SECOND)
        assert load.goes_on()
        seen = load.seen()
        assert (seen["cut"], seen["silent"], seen["wrong"], seen["failed"]) == (0, 0, 0, 0), seen
        assert state(lab, SECOND)["state"] == "handing over"
        yield load


def test_a_move_and_the_return_cut_no_connection(lab: Lab, vip: str) -> None:
    with long_lived(lab, vip) as load:
        with lab.stopped(FIRST, "keepalived"):
            assert lab.moved_to(SECOND, vip)
            assert load.goes_on()
            there, here = state(lab, SECOND, vip), state(lab, FIRST, vip)
            assert (there["state"], here["serves"]) == ("handing over", True)
            assert here["own"] >= KEPT + STREAMS
            assert lab.answering_macs(vip) == lab.holder_macs(vip)
        assert lab.moved_to(FIRST, vip, within_s=30)
        assert load.goes_on()
        assert state(lab, FIRST, vip)["own"] >= KEPT + STREAMS
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


def test_a_former_holder_may_be_busy_when_it_is_asked(lab: Lab) -> None:
    pid = main_pid(lab, FIRST)
    with long_lived(lab) as load:
        try:
            # The unit alone: the daemons and the kernel go on.
            lab.nodes[FIRST].check_output(
                "kill -STOP %s; (sleep 0.3; kill -CONT %s) & systemctl stop keepalived; wait", pid, pid
            )
            assert lab.moved_to(SECOND)
            assert load.goes_on()
            assert state(lab, SECOND)["state"] == "handing over"
            seen = load.seen()
        finally:
            lab.nodes[FIRST].check_output("systemctl start keepalived")
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
            # The third one may have had the VIP for a moment, and then hands over as well.
            assert eventually(lambda: tables(lab, SECOND) == "", within_s=10)
            seen = load.seen()
        assert lab.moved_to(FIRST, within_s=60)
    # Reset, not left waiting for the five seconds of the load's timeout.
    assert seen["cut"] >= KEPT + STREAMS, seen
    assert seen["silent"] == 0, seen
    assert felt_s(probe) <= BOUND_S + SLACK_S


@pytest.mark.parametrize("lost", [powered_off, frozen])
def test_a_former_holder_that_is_lost_in_the_middle_loses_only_its_own_connections(lab: Lab, lost: Lost) -> None:
    with handing_over(lab) as load, lost(lab, FIRST):
        assert eventually(lambda: state(lab, SECOND)["ended"] == "the former holder does not answer", within_s=10)
        assert tables(lab, SECOND) == ""
        assert load.goes_on()
        seen = load.seen()
    # A frozen node's kernel still acknowledges requests, whose clients then wait for the answer.
    assert lost is frozen or seen["silent"] == 0, seen
    assert seen["failed"] == 0, seen
    assert seen["cut"] + seen["silent"] >= KEPT + STREAMS, seen


def test_a_daemon_that_stops_on_the_former_holder_ends_its_connections(lab: Lab) -> None:
    with handing_over(lab) as load, lab.stopped(FIRST, lab.engine):
        assert eventually(lambda: state(lab, SECOND)["state"] == "holder", within_s=10)
        assert tables(lab, SECOND) == ""
        assert load.goes_on()
        seen = load.seen()
    assert (seen["silent"], seen["failed"]) == (0, 0), seen
    # Not all: a daemon that stops announces it in its last answers.
    assert seen["cut"] > 0, seen


@pytest.mark.parametrize("verb", ["reload", "restart"])
def test_a_new_holder_goes_on_after_its_keepalived_reloads_or_restarts(lab: Lab, verb: str) -> None:
    with handing_over(lab) as load:
        lab.nodes[SECOND].check_output(f"systemctl {verb} keepalived")
        assert lab.moved_to(SECOND)
        assert eventually(lambda: state(lab, SECOND)["state"] == "handing over", within_s=10)
        assert load.goes_on()
        seen = load.seen()
    assert (seen["silent"], seen["wrong"]) == (0, 0), seen
    if verb == "reload":
        assert (seen["cut"], seen["failed"]) == (0, 0), seen


@pytest.mark.parametrize("name", BALANCERS)
def test_a_restart_of_the_unit_ends_the_hand_over_or_goes_on(lab: Lab, name: str) -> None:
    with handing_over(lab) as load:
        lab.nodes[name].check_output("systemctl restart %s", UNIT)
        assert load.goes_on()
        seen = load.seen()
    assert (seen["silent"], seen["wrong"], seen["failed"]) == (0, 0, 0), seen


def test_rules_that_are_removed_in_the_middle_come_back(lab: Lab) -> None:
    with handing_over(lab) as load:
        remove_rules(lab, SECOND)
        assert eventually(lambda: tables(lab, SECOND) != "", within_s=10)
        assert load.goes_on()
        seen = load.seen()
    # Packets that arrived meanwhile were answered with a reset.
    assert (seen["silent"], seen["wrong"]) == (0, 0), seen


def test_a_vip_that_moves_on_takes_the_connections_of_its_last_holder_along(lab: Lab) -> None:
    with lab.stopped(FIRST, "keepalived"):
        assert lab.moved_to(SECOND)
        assert eventually(lambda: prepared(lab, THIRD), within_s=30)
        with long_lived(lab) as load, lab.stopped(SECOND, "keepalived"):
            assert lab.moved_to(THIRD)
            assert load.goes_on()
            assert state(lab, THIRD)["state"] == "handing over"
            seen = load.seen()
    assert (seen["cut"], seen["silent"], seen["wrong"], seen["failed"]) == (0, 0, 0, 0), seen


def test_a_vip_that_moves_on_in_the_middle_takes_the_connections_of_both_holders_along(lab: Lab) -> None:
    with handing_over(lab) as load, lab.stopped(SECOND, "keepalived"):
        assert lab.moved_to(THIRD)
        assert load.goes_on()
        there = state(lab, THIRD)
        assert (there["state"], there["remaining"] >= KEPT + STREAMS) == ("handing over", True)
        seen = load.seen()
    assert (seen["cut"], seen["silent"], seen["wrong"], seen["failed"]) == (0, 0, 0, 0), seen


def test_rules_that_are_removed_come_back(lab: Lab) -> None:
    remove_rules(lab, SECOND)
    assert eventually(lambda: tables(lab, SECOND) != "", within_s=10)


def test_a_killed_service_leaves_nothing_behind_and_comes_back(lab: Lab) -> None:
    pid = main_pid(lab, FIRST)
    lab.nodes[FIRST].check_output("kill -KILL %s", pid)
    assert eventually(lambda: main_pid(lab, FIRST) not in ("0", pid), within_s=20)
    assert eventually(lambda: route(lab, FIRST) != "", within_s=10)
    lab.nodes[FIRST].check_output("systemctl stop %s", UNIT)
    try:
        assert route(lab, FIRST) == tables(lab, FIRST) == ""
        assert lab.nodes[FIRST].check_output("cat /proc/sys/net/ipv4/conf/eth1/arp_ignore") == "0"
    finally:
        lab.nodes[FIRST].check_output("systemctl start %s", UNIT)


@pytest.mark.parametrize("name", BALANCERS)
def test_it_has_only_one_capability(lab: Lab, name: str) -> None:
    pid = main_pid(lab, name)
    status = lab.nodes[name].check_output("cat /proc/%s/status", pid)
    values = dict(line.split(":", 1) for line in status.splitlines())
    assert int(values["Uid"].split()[0]) != 0
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        assert int(values[kind], 16) == CAP_NET_ADMIN, kind
