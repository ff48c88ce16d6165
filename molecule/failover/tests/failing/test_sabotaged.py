# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A standby that does not serve well fails the drill, and a drill whose proof is sabotaged never passes."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Iterator

import pytest

from drilling import (
    ARM,
    ENDED,
    HEALED,
    JUDGE,
    PROVEN,
    RECOVERY,
    THERE,
    Sabotage,
    assert_caught,
    drill,
    moments,
    reasons,
    selected,
    whole,
)
from nodes import CLIENT

if TYPE_CHECKING:
    from drilling import Drilled
    from nodes import Lab

TABLE = "inet haproof_sabotage"
NEVER = "the service did not answer before the fault was healed, with the VIP on lb02"


@contextmanager
def rule(lab: Lab, host: str, hook: str, words: str) -> Iterator[None]:
    """Apply an nftables rule to new connections to the VIP on a host."""
    node = lab.nodes[host]
    family = "ip6" if ":" in lab.vip else "ip"
    try:
        node.check_output(f"nft add table {TABLE}")
        node.check_output("nft add chain %s x '{ type filter hook %s priority 0; }'" % (TABLE, hook))  # noqa: UP031 - nft's braces
        node.check_output(f"nft add rule {TABLE} x {family} daddr {lab.vip} tcp dport 80 tcp flags syn {words}")
        yield
    finally:
        node.run(f"nft delete table {TABLE}")


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
    # A skipped fault must not hide the failed one.
    assert done.drills["clock_jump"]["verdict"] == "skip"
    assert done.code != 0
    assert done.drills["keepalived_stop"]["verdict"] == "fail", done.drills
    assert NEVER in reasons(done, "keepalived_stop")


PROBER = "kill -%s $(pgrep -f '[v]ip_probe')"
# Longer than the prober's timeout, so that the lost requests do not count for the fault.
LATER = "sleep 0.4"
DROP_SYN = (
    f"nft add table {TABLE} && nft add chain {TABLE} x '{{ type filter hook output priority 0; }}'"
    f" && nft add rule {TABLE} x tcp dport 80 tcp flags syn drop; sleep 0.1; nft delete table {TABLE}; {LATER}"
)
DROP_CLOCK = (
    f"nft add table {TABLE} && nft add chain {TABLE} x '{{ type filter hook input priority 0; }}'"
    f" && nft add rule {TABLE} x meta l4proto udp drop"
)
# Answers as the prober does, from a clock that is 0.2 s ahead.
STEPPED = """
import socket, struct, time

clock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
clock.bind(("", 4000))
while True:
    question, asker = clock.recvfrom(64)
    now = time.monotonic() + 0.2
    clock.sendto(question + struct.pack("!dd", now, now), asker)
"""
STEP_CLOCK = (
    f"systemd-run --quiet --collect --unit=haproof-saboteur python3 -c '{STEPPED}'"
    ' && port=$(cut -d " " -f 3 /run/haproof-drill/probe-*.run)'
    " && nft add table ip haproof_sabotage"
    " && nft add chain ip haproof_sabotage x '{ type nat hook prerouting priority -100; }'"
    ' && nft add rule ip haproof_sabotage x udp dport "$port" redirect to :4000'
)
STEP_BACK = "nft delete table ip haproof_sabotage; systemctl stop haproof-saboteur"
FREEZE_WATCH = "systemctl kill --signal=STOP keepalived-watch"
THAW_WATCH = "systemctl kill --signal=CONT keepalived-watch"
RAISE = """sed -i '/vip="'$VIP'".*finding="%s"/s/ 0$/ 1/' /run/keepalived-watch/haproof.prom"""

# One of each kind in which a drill could pass without proof.
FIRST = [
    "an alarm of before",
    "moved before",
    "the moment of healing is lost",
    "prober ended",
    "another alarm",
    "client stalled before",
]
SABOTAGES = selected(
    {
        "an alarm of before": Sabotage(
            "vrrp_block",
            [(ARM, "lb02", f"{FREEZE_WATCH}; {RAISE % 'split_brain'}"), (HEALED, "lb02", THAW_WATCH)],
            "fail",
            r"two balancers must have the VIP before the fault is healed, but never did"
            r"|no alarm split_brain was raised",
        ),
        "moved before": Sabotage(
            "service_stop",
            [(PROVEN, "lb01", "systemctl stop keepalived"), (RECOVERY, "lb01", "systemctl start keepalived")],
            "disturbed",
            r"at the injection \S+ was on lb02, not on lb01: something else moved it",
        ),
        "the moment of healing is lost": Sabotage(
            "backend_stop",
            [(RECOVERY, "web01", "sh /run/haproof-drill/service_stop/heal && rm -r /run/haproof-drill/service_stop")],
            "disturbed",
            r"when web01 was healed is unknown: something else healed it, and its record is gone",
        ),
        "prober ended": Sabotage(
            "keepalived_stop",
            [(THERE, CLIENT, "rm /run/haproof-drill/probe-*.run")],
            "disturbed",
            r"the prober of client ended before the fault was healed",
        ),
        "prober ended after healing": Sabotage(
            "keepalived_bad_config",
            [(HEALED, CLIENT, "rm /run/haproof-drill/probe-*.run")],
            "disturbed",
            r"client: it ended before the drill was over",
        ),
        "watcher ended": Sabotage(
            "keepalived_kill",
            [(THERE, "lb02", "rm /run/haproof-drill/watch-*.run")],
            "disturbed",
            r"when lb02 had \S+ is unknown: its watcher ended before the fault was healed",
        ),
        "clock stepped": Sabotage(
            "service_hang",
            [(THERE, CLIENT, STEP_CLOCK), (JUDGE, CLIENT, STEP_BACK)],
            "disturbed",
            r"when lb01 had \S+ is unknown: its clock and the client's drifted (19\d|200) ms apart",
        ),
        "another alarm": Sabotage(
            "vrrp_block_out",
            [
                (PROVEN, "lb01", FREEZE_WATCH),
                (PROVEN, "lb02", FREEZE_WATCH),
                (THERE, "lb02", RAISE % "peer_silent"),
                (HEALED, "lb01", THAW_WATCH),
                (HEALED, "lb02", THAW_WATCH),
            ],
            "fail",
            # The watch may raise its own alarm once it is thawed.
            r"more than one balancer had the VIP for \d{4} ms, and (no|the) alarm split_brain (was raised|took \d{4})",
        ),
        "clock unanswered": Sabotage(
            "service_slow",
            [(ARM, CLIENT, DROP_CLOCK), (JUDGE, CLIENT, f"nft delete table {TABLE}")],
            "disturbed",
            r"when lb01 was broken is unknown: no reply from the client's clock over UDP",
        ),
        "failures between two runs": Sabotage(
            "rolling",
            [(ENDED, CLIENT, DROP_SYN)],
            "fail",
            r"worst of 2: the outage after healing of \d{3} ms is above the objective of 50 ms",
        ),
        "client stalled before": Sabotage(
            "service_kill",
            [(PROVEN, CLIENT, f"{PROBER % 'STOP'}; sleep 0.4; {PROBER % 'CONT'}; {LATER}")],
            "disturbed",
            r"client made no request for \d{3} ms, in which an outage would not show",
        ),
    },
    always=FIRST,
)


@contextmanager
def restored(lab: Lab) -> Iterator[None]:
    """Remove leftovers of a sabotage at the end."""
    try:
        yield
    finally:
        for name in lab.balancers:
            lab.nodes[name].check_output(f"systemctl start keepalived; {THAW_WATCH}")
        lab.nodes[CLIENT].run(f"{STEP_BACK}; nft delete table {TABLE}")
    assert lab.moved_to("lb01", within_s=20), lab.holders()


@pytest.fixture(scope="module")
def sabotaged(lab: Lab) -> Drilled:
    """Drill once with each sabotage, one after the other."""
    every = SABOTAGES.values()
    with restored(lab):
        return drill(
            lab,
            moments(lab, every),
            faults=",".join(one.fault for one in every),
            deadline_s=12,
            hold_s=1,
            retry_disturbed=0,
        )


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_sabotaged_drill_is_no_pass(sabotaged: Drilled, name: str) -> None:
    assert_caught(sabotaged, SABOTAGES[name])


@whole
def test_what_was_disturbed_is_done_again(lab: Lab) -> None:
    lost = Sabotage(
        "keepalived_reload",
        [(PROVEN, CLIENT, DROP_SYN)],
        "pass",
        r"the service was down for \d{3} ms before anything was broken",
    )
    with restored(lab):
        done = drill(lab, moments(lab, [lost]), faults=lost.fault, deadline_s=12, hold_s=1)
    found = done.drills[lost.fault]
    assert found["verdict"] == lost.verdict, found["reasons"]
    assert re.fullmatch(lost.reason, "; ".join(found["retried"])), found["retried"]
