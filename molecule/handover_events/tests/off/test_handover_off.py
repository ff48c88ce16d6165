# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Switching off the hand-over removes its files, and a move cuts every connection: the tests with it can fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from long_lived import KEPT, STREAMS, long_lived

from nodes import BALANCERS, apply_site

if TYPE_CHECKING:
    from nodes import Lab


@pytest.fixture(scope="module", autouse=True)
def _off(lab: Lab) -> None:
    run = apply_site(lab, {"keepalived_handover": False}, "--limit=balancers")
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name", BALANCERS)
def test_nothing_is_left(lab: Lab, name: str) -> None:
    node = lab.nodes[name]
    assert not node.service("keepalived-handover").is_running
    for path in ("/usr/local/lib/keepalived-handover/handover", "/etc/keepalived/handover.json"):
        assert not node.file(path).exists, path
    assert not node.file("/etc/systemd/system/keepalived-handover.service").exists
    assert node.check_output("nft list tables | grep haproof_handover || true") == ""
    show = "route show table local metric 11212"
    assert node.check_output(f"ip {show}; ip -6 {show}") == ""
    assert node.check_output("cat /proc/sys/net/ipv4/conf/eth1/arp_ignore") == "0"
    assert node.check_output("cat /proc/sys/net/ipv4/conf/eth1/arp_announce") == "0"


def test_a_move_cuts_the_connections(lab: Lab) -> None:
    with long_lived(lab) as load, lab.stopped(BALANCERS[0], "keepalived"):
        assert lab.moved_to(BALANCERS[1])
        assert load.goes_on()
        assert load.seen()["cut"] >= KEPT + STREAMS
