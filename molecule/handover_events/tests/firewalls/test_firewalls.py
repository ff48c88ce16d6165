# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hand-over through the firewalls of both balancers, which are reloaded in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from handed_over import SECOND, at_rest, handing_over, state
from long_lived import Scale

from nodes import BALANCERS

if TYPE_CHECKING:
    from nodes import Lab

# The firewalls admit only HTTP and SSH.
SCALE = Scale(kept=100, streams=0, downloads=0, new_per_s=50)
# One of these is active.
RELOAD = """
if systemctl is-active --quiet firewalld; then firewall-cmd --reload
elif grep -q ENABLED=yes /etc/ufw/ufw.conf; then ufw reload
else systemctl reload nftables; fi
"""


@pytest.mark.parametrize("name", BALANCERS)
def test_a_reload_cuts_no_connection(lab: Lab, name: str) -> None:
    at_rest(lab)
    with handing_over(lab, SCALE) as load:
        lab.nodes[name].check_output(RELOAD)
        assert load.goes_on()
        assert state(lab, SECOND)["state"] == "handing over"
        assert load.harm() == {}
    # The return, through the same firewalls.
