# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A standby that takes over and does not serve well fails the drill, also where each outage is short or may be long."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Iterator

from drilling import drill

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
