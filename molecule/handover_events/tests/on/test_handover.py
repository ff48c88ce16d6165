# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The VIP moves with its connections. Each test leaves it on the first balancer."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Callable, ContextManager, Iterator

import pytest
from handed_over import (
    FIRST,
    SECOND,
    THIRD,
    UNIT,
    at_rest,
    handing_over,
    powered_off,
    prepared,
    state,
    tables,
)
from long_lived import KEPT, STREAMS, long_lived

from nodes import BALANCERS, CLIENT, eventually, felt_s, frozen

if TYPE_CHECKING:
    from nodes import Lab

    Lost = Callable[[Lab, str], ContextManager[None]]

CAP_NET_ADMIN = 1 << 12
BOUND_S = 1.0
"""The profile's, for a dead node."""
SLACK_S = 1.0
"""For a busy machine."""
DROP_IN = f"/run/systemd/system/{UNIT}.service.d/no-netlink.conf"
# As a flush of all rules does, but keep Docker's. Prints after how many milliseconds they are back.
REMOVE_RULES = """
had=$(nft list tables | grep haproof_handover | sort)
echo "$had" | sed 's/^/delete /' | nft -f -
begun=$(date +%s%N)
until [ "$(nft list tables | grep haproof_handover | sort)" = "$had" ]; do :; done
echo $(( ($(date +%s%N) - begun) / 1000000 ))
"""

IDLE = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], 80))
connection.send(b"GET / HTTP/1.1\\r\\nHost: www\\r\\n\\r\\n")
time.sleep(50)
"""


@pytest.fixture(autouse=True)
def _at_rest(lab: Lab) -> None:
    at_rest(lab)


def route(lab: Lab, name: str) -> str:
    """Return the routes by which a balancer takes the VIPs' packets without the addresses."""
    show = "route show table local metric 11212"
    return str(lab.nodes[name].check_output(f"ip {show}; ip -6 {show}"))


def main_pid(lab: Lab, name: str) -> str:
    return str(lab.nodes[name].check_output("systemctl show --value --property=MainPID %s", UNIT))


@contextmanager
def idle_connection(lab: Lab) -> Iterator[None]:
    """Keep one more connection to the VIP."""
    client = lab.nodes[CLIENT]
    client.check_output("systemd-run --quiet --collect --unit=haproof-idle /usr/bin/python3 -c %s %s", IDLE, lab.vip)
    try:
        yield
    finally:
        client.check_output("systemctl stop haproof-idle")


@contextmanager
def without_netlink(lab: Lab, name: str) -> Iterator[None]:
    """Deny the unit the kernel's interface, as a kernel without it does."""
    node = lab.nodes[name]
    families = "[Service]\nRestrictAddressFamilies=\nRestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"
    node.check_output("mkdir -p $(dirname %s) && echo %s >%s", DROP_IN, families, DROP_IN)
    try:
        node.check_output("systemctl daemon-reload && systemctl restart %s", UNIT)
        yield
    finally:
        node.check_output("rm %s && systemctl daemon-reload && systemctl restart %s", DROP_IN, UNIT)


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
        assert load.harm() == {}


def test_a_return_leaves_the_new_connections_where_they_began(lab: Lab) -> None:
    with lab.stopped(FIRST, "keepalived"):
        assert lab.moved_to(SECOND)
        with long_lived(lab) as load:
            lab.nodes[FIRST].check_output("systemctl start keepalived")
            assert lab.moved_to(FIRST, within_s=30)
            assert load.goes_on()
            assert state(lab, SECOND)["own"] >= KEPT + STREAMS
            assert load.harm() == {}


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
            assert load.harm() == {}
        finally:
            lab.nodes[FIRST].check_output("systemctl start keepalived")


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
            # A client notices when it repeats a packet.
            assert eventually(lambda: load.harmed() >= KEPT + STREAMS, within_s=10), str(load.seen())
            assert load.goes_on()
            assert state(lab, SECOND)["ended"] == "the former holder does not answer"
            # The third one may have had the VIP for a moment, and then hands over as well.
            assert eventually(lambda: tables(lab, SECOND) == "", within_s=10)
            seen = load.seen()
        assert lab.moved_to(FIRST, within_s=60)
    # Reset, not left waiting for the five seconds of the load's timeout.
    assert seen["silent"] == 0, seen
    assert felt_s(probe) <= BOUND_S + SLACK_S


def test_a_dead_holder_s_clients_are_reset_although_a_third_balancer_still_serves(lab: Lab) -> None:
    with ExitStack() as stack:
        with lab.stopped(FIRST, "keepalived"), lab.stopped(SECOND, "keepalived"):
            assert lab.moved_to(THIRD)
            stack.enter_context(idle_connection(lab))
            assert eventually(lambda: state(lab, THIRD)["own"] > 0, within_s=10)
        assert lab.moved_to(FIRST, within_s=30)
        load = stack.enter_context(long_lived(lab))
        assert eventually(lambda: len(state(lab, SECOND)["formers"]) == 2, within_s=10), state(lab, SECOND)
        with powered_off(lab, FIRST):
            assert eventually(lambda: load.harmed() >= KEPT + STREAMS, within_s=15), str(load.seen())
            assert load.goes_on()
            assert state(lab, SECOND)["state"] == "handing over"
            seen = load.seen()
    assert lab.moved_to(FIRST, within_s=60)
    # The third balancer knows none of them, and resets them only if nobody else may have them.
    assert seen["silent"] == 0, seen


@pytest.mark.parametrize("lost", [powered_off, frozen])
def test_a_former_holder_that_is_lost_in_the_middle_loses_only_its_own_connections(lab: Lab, lost: Lost) -> None:
    with handing_over(lab) as load, lost(lab, FIRST):
        assert load.goes_on()
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
        took_ms = int(lab.nodes[SECOND].check_output(REMOVE_RULES))
        assert load.goes_on()
        seen = load.seen()
    # Packets that arrived meanwhile were answered with a reset.
    assert (seen["silent"], seen["wrong"]) == (0, 0), seen
    assert took_ms < SLACK_S * 1000


def test_a_vip_that_moves_on_takes_the_connections_of_its_last_holder_along(lab: Lab) -> None:
    # The first one serves as well, and gets the packets of all connections.
    with idle_connection(lab), lab.stopped(FIRST, "keepalived"):
        assert lab.moved_to(SECOND)
        assert state(lab, FIRST)["serves"]
        assert eventually(lambda: prepared(lab, THIRD), within_s=30)
        with long_lived(lab) as load, lab.stopped(SECOND, "keepalived"):
            assert lab.moved_to(THIRD)
            assert load.goes_on()
            assert state(lab, THIRD)["state"] == "handing over"
            assert load.harm() == {}


def test_a_vip_that_moves_on_in_the_middle_takes_the_connections_of_both_holders_along(lab: Lab) -> None:
    with handing_over(lab) as load, lab.stopped(SECOND, "keepalived"):
        assert lab.moved_to(THIRD)
        assert load.goes_on()
        there = state(lab, THIRD)
        assert there["state"] == "handing over"
        assert there["remaining"] >= KEPT + STREAMS
        assert load.harm() == {}


def test_a_balancer_whose_kernel_lacks_netlink_reports_it_and_takes_over_without_the_connections(lab: Lab) -> None:
    with without_netlink(lab, SECOND):
        pid = main_pid(lab, SECOND)
        with long_lived(lab) as load, lab.stopped(FIRST, "keepalived"):
            assert lab.moved_to(SECOND)
            assert eventually(lambda: load.harmed() >= KEPT + STREAMS, within_s=10), str(load.seen())
            assert load.goes_on()
            seen = load.seen()
        info = lab.module(SECOND, "vip_info", {"vips": [lab.vip]})[SECOND]
        assert main_pid(lab, SECOND) == pid
    assert (seen["silent"], seen["wrong"], seen["failed"]) == (0, 0, 0), seen
    assert {entry["vip"] for entry in info["handover"]} == set(lab.owners)
    assert all("not supported" in entry["problem"] for entry in info["handover"]), info["handover"]


def test_rules_that_are_removed_come_back(lab: Lab) -> None:
    lab.nodes[SECOND].check_output(REMOVE_RULES)


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
