# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A virtual IP of each family, on one pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drilling import drill

if TYPE_CHECKING:
    from nodes import Lab


def test_each_family_has_a_vip(lab: Lab) -> None:
    assert sorted(":" in vip for vip in lab.owners) == [False, True]


def test_keepalived_speaks_vrrp_3_to_both(lab: Lab) -> None:
    for answer in lab.module("balancers", "vip_info", {"vips": list(lab.owners)}).values():
        assert [instance["version"] for instance in answer["instances"]] == [3, 3]


def test_vips_move_and_come_back(lab: Lab) -> None:
    with lab.stopped("lb01", "keepalived"):
        for vip in lab.owners:
            assert lab.moved_to("lb02", vip), lab.holders(vip)
            assert lab.answering_macs(vip) == lab.holder_macs(vip)
            assert lab.answers(requests=1, vip=vip)
    for vip in lab.owners:
        assert lab.moved_to("lb01", vip), lab.holders(vip)
        assert lab.answering_macs(vip) == lab.holder_macs(vip)


def test_drill_passes(lab: Lab, vip: str) -> None:
    done = drill(lab, vip=vip, faults="service_stop,keepalived_stop")
    assert done.code == 0, done.output
    assert [found["verdict"] for found in done.drills.values()] == ["pass", "pass"]
    # The client then serves its clock over IPv6.
    assert all(found["clock_error_s"] is not None for found in done.drills.values())
