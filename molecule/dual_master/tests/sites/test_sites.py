# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""examples/dual_master works as described: two sites with one address each, and either balancer can carry both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nodes import CLIENT, ask

if TYPE_CHECKING:
    from nodes import Lab

SITES = ("www", "bbs")


def assert_sites(lab: Lab) -> None:
    """Request each site at each VIP, and expect its own page, from both servers."""
    for vip in lab.owners:
        for site in SITES:
            answers = [ask(lab.nodes[CLIENT], vip, site=f"{site}.example.com") for _request in range(10)]
            assert {answer.body for answer in answers} == {f"{site}, real server {name}\n" for name in lab.backends}
            assert {answer.headers["content-type"] for answer in answers} == {"text/html; charset=utf-8"}


def test_both_sites_answer_at_both_addresses(lab: Lab) -> None:
    assert_sites(lab)


def test_each_address_has_its_label(lab: Lab) -> None:
    for (vip, owner), label in zip(lab.owners.items(), ("eth1:3", "eth1:4")):
        assert f"{vip}/24 scope global secondary {label}" in lab.nodes[owner].check_output(
            "ip -4 address show dev eth1"
        )


@pytest.mark.parametrize("unit", ["keepalived", "nginx"])
@pytest.mark.parametrize("name", ["lb01", "lb02"])
def test_one_balancer_is_enough(lab: Lab, name: str, unit: str) -> None:
    (other,) = (balancer for balancer in lab.balancers if balancer != name)
    with lab.stopped(name, unit):
        for vip in lab.owners:
            assert lab.moved_to(other, vip), lab.holders(vip)
        assert_sites(lab)
    for vip, owner in lab.owners.items():
        assert lab.moved_to(owner, vip), lab.holders(vip)
