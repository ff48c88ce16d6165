# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pair behind firewalls that block VRRP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nodes import BALANCERS, eventually

if TYPE_CHECKING:
    from nodes import Lab

TRACES = """
nft list ruleset 2>/dev/null
cat /etc/nftables.conf /etc/ufw/before*.rules
firewall-cmd --list-all-zones 2>/dev/null
firewall-cmd --permanent --list-all-zones 2>/dev/null
true
"""


def test_both_have_the_vip(lab: Lab) -> None:
    assert eventually(lambda: len(lab.holders()) == 2, within_s=10), lab.holders()


@pytest.mark.parametrize("name", BALANCERS)
def test_no_rule_of_ours_is_left(lab: Lab, name: str) -> None:
    said = lab.nodes[name].check_output(TRACES)
    assert "haproof" not in said
    assert 'priority="-112"' not in said
