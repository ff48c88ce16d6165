# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A standby that does not serve well fails the drill, and what comes between a drill and its proof disturbs it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Iterator

import pytest

from drilling import drill
from nodes import CLIENT

if TYPE_CHECKING:
    from drilling import Drilled
    from nodes import Lab

TABLE = "inet haproof_sabotage"
NEVER = "the service did not answer before the fault was healed, with the VIP on lb02"


@contextmanager
def rule(lab: Lab, host: str, hook: str, words: str) -> Iterator[None]:
    """Have a rule of nftables on a host for new connections to the VIP."""
    node = lab.nodes[host]
    family = "ip6" if ":" in lab.vip else "ip"
    try:
        node.check_output(f"nft add table {TABLE}")
        node.check_output("nft add chain %s x '{ type filter hook %s priority 0; }'" % (TABLE, hook))  # noqa: UP031
        node.check_output(f"nft add rule {TABLE} x {family} daddr {lab.vip} tcp dport 80 tcp flags syn {words}")
        yield
    finally:
        node.run(f"nft delete table {TABLE}")


def reasons(done: Drilled, fault: str) -> str:
    return "; ".join(done.drills[fault]["reasons"])


def test_a_standby_that_refuses_every_other_connection_is_away(lab: Lab) -> None:
    with rule(lab, "lb02", "input", "numgen inc mod 2 == 0 reject with tcp reset"):
        done = drill(lab, faults="keepalived_stop", deadline_s=12, retry_disturbed=0)
    assert done.code != 0
    assert done.drills["keepalived_stop"]["verdict"] == "fail", done.drills
    assert NEVER in reasons(done, "keepalived_stop")


def test_a_standby_that_never_serves_is_no_takeover(lab: Lab) -> None:
    with rule(lab, "lb02", "input", "reject with tcp reset"):
        faults = "clock_jump,keepalived_stop"
        done = drill(lab, faults=faults, deadline_s=12, slo={"keepalived_stop": 60}, retry_disturbed=0)
    # What is skipped hides nothing.
    assert done.drills["clock_jump"]["verdict"] == "skip"
    assert done.code != 0
    assert done.drills["keepalived_stop"]["verdict"] == "fail", done.drills
    assert NEVER in reasons(done, "keepalived_stop")


PROBER = "pgrep -f '[v]ip_probe' | xargs kill -%s"
# Drops what the client begins for some hundredths of a second: the kernel asks again a second later.
DROP = (
    f"nft add table {TABLE} && nft add chain {TABLE} x '{{ type filter hook output priority 0; }}'"
    f" && nft add rule {TABLE} x tcp dport 80 tcp flags syn drop; nft delete table {TABLE}"
)
ARMED = "Arm | Wait until every balancer is watched"
BROKEN = "Watch | Wait and see whether the VIP comes to lb02"

# When and where what is done, to a drill of which fault, and what the drill then says.
DISTURBED: list[tuple[str, str, str, str, str, str]] = [
    (
        "moved before",
        ARMED,
        "lb01",
        "systemctl stop keepalived",
        "service_kill",
        r"when the fault came, \S+ was on lb02 and not on lb01: something else has moved it",
    ),
    (
        "prober ended",
        BROKEN,
        CLIENT,
        "rm /run/haproof-drill/probe-*.run",
        "keepalived_stop",
        r"the prober of client ended before the fault was healed",
    ),
    (
        "watcher ended",
        BROKEN,
        "lb02",
        "rm /run/haproof-drill/watch-*.run",
        "keepalived_stop",
        r"when lb02 had \S+ is unknown: its watcher ended before the fault was healed",
    ),
    (
        "client stalled",
        ARMED,
        CLIENT,
        f"{PROBER % 'STOP'}; sleep 0.4; {PROBER % 'CONT'}",
        "keepalived_stop",
        r"for [34]\d\d ms client made no request, an outage in that time would not show",
    ),
    (
        "packets lost",
        ARMED,
        CLIENT,
        DROP,
        "keepalived_reload",
        r"the service was away for \d+ ms before anything was broken",
    ),
]


@pytest.mark.parametrize(
    ("when", "host", "command", "fault", "reason"),
    [case[1:] for case in DISTURBED],
    ids=[case[0] for case in DISTURBED],
)
def test_what_disturbs_a_drill_is_no_pass(
    lab: Lab, when: str, host: str, command: str, fault: str, reason: str
) -> None:
    try:
        disturb = {when: lambda: lab.nodes[host].check_output(command)}
        done = drill(lab, disturb, faults=fault, deadline_s=20, hold_s=1, retry_disturbed=0)
    finally:
        lab.nodes["lb01"].check_output("systemctl start keepalived")
        assert lab.moved_to("lb01", within_s=20), lab.holders()
    assert done.code != 0
    assert done.drills[fault]["verdict"] == "disturbed", done.drills[fault]["reasons"]
    assert re.search(reason, reasons(done, fault)), done.drills[fault]["reasons"]
