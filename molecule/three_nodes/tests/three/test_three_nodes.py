# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three balancers: the order and speed of takeover, and shared checks that must not make all release the VIP."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Iterator

import pytest

from nodes import CLIENT, eventually, felt_s, frozen

sys.path.insert(0, str(Path(__file__).parents[4] / "build/collections"))
from ansible_collections.haproof.balancer.plugins.filter.vrrp_failover_bound import vrrp_failover_bound

if TYPE_CHECKING:
    from nodes import Lab

CONF = "/etc/keepalived/keepalived.conf"
# A busy machine schedules late.
SLACK_S = 0.2


def priorities(lab: Lab) -> list[int]:
    """Return each keepalived's effective priority."""
    answers = lab.module("balancers", "vip_info", {"vips": [lab.vip]})
    return [answers[name]["instances"][0]["effective_priority"] for name in lab.balancers]


@contextmanager
def client_unreachable(lab: Lab) -> Iterator[None]:
    """Stop the client from answering pings, which all balancers check; everything else works."""
    client = lab.nodes[CLIENT]
    try:
        client.check_output("sysctl -w net.ipv4.icmp_echo_ignore_all=1")
        yield
    finally:
        client.check_output("sysctl -w net.ipv4.icmp_echo_ignore_all=0")


@contextmanager
def check_without_weight(lab: Lab) -> Iterator[None]:
    """Remove the weight from the check of the client on all balancers."""
    edit = f"cp -p {CONF} {CONF}.kept && sed -i '/^vrrp_script shared/,/^}}/s/weight -50/weight 0/' {CONF}"
    try:
        for name in lab.balancers:
            lab.nodes[name].check_output(f"{edit} && ! cmp -s {CONF} {CONF}.kept && systemctl reload keepalived")
        yield
    finally:
        for name in lab.balancers:
            lab.nodes[name].check_output(f"mv {CONF}.kept {CONF} && systemctl reload keepalived")


def test_priorities_follow_the_inventory(lab: Lab) -> None:
    assert priorities(lab) == [254, 253, 252]


def test_adverts_are_unicast(lab: Lab) -> None:
    for name in lab.balancers:
        conf = lab.nodes[name].file(CONF).content_string
        assert "unicast_peer" in conf
        # Only the host's own groups show here; VRRP's is 224.0.0.18.
        assert "224.0.0.18" not in lab.nodes[name].check_output("ip -4 maddress show")


def test_standbys_take_over_in_order(lab: Lab) -> None:
    with lab.stopped("lb01", "keepalived"):
        assert lab.moved_to("lb02"), lab.holders()
        with lab.stopped("lb02", "keepalived"):
            assert lab.moved_to("lb03"), lab.holders()
            assert lab.answering_macs() == lab.holder_macs()
            assert lab.answers(requests=1)
        assert lab.moved_to("lb02"), lab.holders()
    assert lab.moved_to("lb01"), lab.holders()


def test_failing_shared_check_leaves_a_holder(lab: Lab) -> None:
    with lab.probed() as seen, client_unreachable(lab):
        assert eventually(lambda: priorities(lab) == [204, 203, 202], within_s=10), priorities(lab)
        # The balancers check once per second, at different times, so the VIP may have been away and returned.
        assert lab.moved_to("lb01"), lab.holders()
        assert lab.answering_macs() == lab.holder_macs()
    assert seen["requests"] > 100
    assert felt_s(seen) <= SLACK_S, seen
    assert eventually(lambda: priorities(lab) == [254, 253, 252], within_s=10), priorities(lab)
    assert lab.moved_to("lb01"), lab.holders()


def test_failing_shared_check_without_weight_leaves_no_holder(lab: Lab) -> None:
    with check_without_weight(lab), client_unreachable(lab):
        assert eventually(lambda: lab.holders() == [], within_s=10), lab.holders()
    assert lab.moved_to("lb01"), lab.holders()


def test_frozen_holder_costs_what_vrrp_needs(lab: Lab) -> None:
    standby = lab.module("lb02", "vip_info", {"vips": [lab.vip]})["lb02"]["instances"][0]
    bound_s = vrrp_failover_bound(standby)
    assert bound_s == pytest.approx(0.17, abs=0.01)
    with lab.probed() as seen, frozen(lab, "lb01"):
        # Not moved_to(), which would also query the frozen lb01.
        assert eventually(lambda: lab.holds("lb02"), within_s=10)
        # lb01 would still answer pending requests if it thawed before they timed out.
        assert lab.answers(requests=100)
    assert seen["outages"], "freezing the holder was not felt"
    assert felt_s(seen) <= bound_s + SLACK_S, seen
    assert lab.moved_to("lb01"), lab.holders()


def test_killed_keepalived_leaves_one_holder_within_five_seconds(lab: Lab) -> None:
    # Stopped first, so that all of it dies at once: a child that survives its parent by a millisecond gives up the VIP.
    lab.nodes["lb01"].check_output("systemctl kill --signal=STOP keepalived && systemctl kill --signal=KILL keepalived")
    assert eventually(lambda: lab.holders() == ["lb01", "lb02"], within_s=2), "the killed one did not leave the VIP"
    assert eventually(lambda: len(lab.holders()) == 1, within_s=5), lab.holders()
    assert lab.moved_to("lb01"), lab.holders()
    assert lab.answering_macs() == lab.holder_macs()
