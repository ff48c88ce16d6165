# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair whose watch was switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nodes import BALANCERS
from watching import METRICS

if TYPE_CHECKING:
    from nodes import Lab

PLACES = (
    "/usr/local/lib/keepalived-watch/watch",
    "/usr/local/lib/keepalived-watch/ansible_collections/haproof/balancer/plugins/module_utils/_watch/vip.py",
    "/etc/keepalived/watch.json",
    "/etc/systemd/system/keepalived-watch.service",
    METRICS,
)


@pytest.mark.parametrize("name", BALANCERS)
def test_nothing_of_it_is_left(lab: Lab, name: str) -> None:
    node = lab.nodes[name]
    for place in PLACES:
        assert node.run("test -e %s -o -L %s", place, place).rc == 1, place
    shown = node.check_output("systemctl show --property=ActiveState,LoadState keepalived-watch").split()
    assert sorted(shown) == ["ActiveState=inactive", "LoadState=not-found"]
    assert node.run("pgrep --full keepalived-watch/watch").rc == 1


@pytest.mark.parametrize("name", BALANCERS)
def test_keepalived_asks_for_nothing_of_it(lab: Lab, name: str) -> None:
    node = lab.nodes[name]
    assert "watch" not in node.file("/etc/keepalived/keepalived.conf").content_string
    assert "watch" not in node.check_output("systemctl show --value --property=Wants keepalived")
