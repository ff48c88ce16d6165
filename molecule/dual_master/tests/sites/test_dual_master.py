# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair in which each balancer owns a virtual IP."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodes import Lab


def test_owners_differ(lab: Lab) -> None:
    assert sorted(lab.owners.values()) == lab.balancers


def test_other_balancer_takes_over_and_gives_back(lab: Lab, vip: str) -> None:
    owner = lab.owners[vip]
    (other,) = (name for name in lab.balancers if name != owner)
    with lab.stopped(owner, "keepalived"):
        for each in lab.owners:
            assert lab.moved_to(other, each), lab.holders(each)
            assert lab.answering_macs(each) == lab.holder_macs(each)
            assert lab.answers(requests=1, vip=each)
    for each in lab.owners:
        assert lab.moved_to(lab.owners[each], each), lab.holders(each)
        assert lab.answering_macs(each) == lab.holder_macs(each)
