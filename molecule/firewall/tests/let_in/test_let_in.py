# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pair behind firewalls that let the peers in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nodes import BALANCERS, eventually

if TYPE_CHECKING:
    from nodes import Lab

# One of these is active.
RELOAD = """
if systemctl is-active --quiet firewalld; then firewall-cmd --reload
elif grep -q ENABLED=yes /etc/ufw/ufw.conf; then ufw reload
else systemctl reload nftables; fi
"""


def test_a_foreign_host_cannot_take_the_vip_away(lab: Lab) -> None:
    lab.forge_adverts()
    assert not eventually(lambda: lab.holders() != ["lb01"], within_s=2), lab.holders()


@pytest.mark.parametrize("name", BALANCERS)
def test_the_rules_survive_a_reload(lab: Lab, name: str) -> None:
    lab.nodes[name].check_output(RELOAD)
    # A standby that no longer hears the holder takes over within 1.0 s.
    assert not eventually(lambda: lab.holders() != ["lb01"], within_s=3), lab.holders()
