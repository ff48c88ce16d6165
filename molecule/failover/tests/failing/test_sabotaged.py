# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A standby that does not serve well fails the drill, and what comes between a drill and its proof is never a pass."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Callable, Iterable, Iterator, NamedTuple

from drilling import ENDED, PROVEN, drill
from nodes import CLIENT

if TYPE_CHECKING:
    from drilling import Drilled, Moment
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


class Sabotage(NamedTuple):
    """What comes between a drill and its proof: when, on which host, what is done, and how the drill must end."""

    fault: str
    does: list[tuple[str, str, str]]
    verdict: str
    reason: str


# More than a time-out later, what was lost is not taken for the fault's.
LATER = "sleep 0.4"
DROP_SYN = (
    f"nft add table {TABLE} && nft add chain {TABLE} x '{{ type filter hook output priority 0; }}'"
    f" && nft add rule {TABLE} x tcp dport 80 tcp flags syn drop; sleep 0.05; nft delete table {TABLE}; {LATER}"
)


def moments(lab: Lab, sabotages: Iterable[Sabotage]) -> dict[Moment, Callable[[], object]]:
    """Return what is done to these drills, as drill() takes it."""
    commands: dict[Moment, list[tuple[str, str]]] = {}
    for one in sabotages:
        for when, host, command in one.does:
            commands.setdefault((one.fault, when), []).append((host, command))
    return {moment: partial(run_all, lab, each) for moment, each in commands.items()}


def run_all(lab: Lab, commands: list[tuple[str, str]]) -> None:
    for host, command in commands:
        lab.nodes[host].check_output(f"VIP={lab.vip}; {command}")


@contextmanager
def restored(lab: Lab) -> Iterator[None]:
    """Take away at the end what a sabotage may have left."""
    try:
        yield
    finally:
        for name in lab.balancers:
            lab.nodes[name].check_output("systemctl start keepalived")
        lab.nodes[CLIENT].run(f"nft delete table {TABLE}")
    assert lab.moved_to("lb01", within_s=20), lab.holders()


def test_what_fails_between_two_runs_is_one_of_them(lab: Lab) -> None:
    """And what was disturbed is done again."""
    lost = Sabotage(
        "keepalived_reload",
        [(PROVEN, CLIENT, DROP_SYN)],
        "pass",
        r"the service was away for \d+ ms before anything was broken",
    )
    between = Sabotage(
        "keepalived_bad_config",
        [(ENDED, CLIENT, DROP_SYN)],
        "fail",
        r"the outage after healing of \d+ ms is above the objective of 0 ms",
    )
    with restored(lab):
        done = drill(
            lab,
            moments(lab, [lost, between]),
            faults=f"{lost.fault},{between.fault}",
            deadline_s=12,
            hold_s=1,
            repeat=2,
        )
    again, failed = done.drills[lost.fault], done.drills[between.fault]
    assert again["verdict"] == lost.verdict, again["reasons"]
    assert re.fullmatch(lost.reason, "; ".join(again["retried"])), again["retried"]
    assert failed["verdict"] == between.verdict, failed
    assert re.search(between.reason, reasons(done, between.fault)), failed["reasons"]
