# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair whose alerts were switched off."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nodes import BALANCERS

if TYPE_CHECKING:
    from nodes import Lab


@pytest.mark.parametrize("name", BALANCERS)
def test_nothing_calls_the_alerts(lab: Lab, name: str) -> None:
    conf = lab.nodes[name].file("/etc/keepalived/keepalived.conf").content_string
    for directive in ("notify", "smtp"):
        assert directive not in conf


@pytest.mark.parametrize("name", BALANCERS)
def test_keepalived_has_closed_the_fifo(lab: Lab, name: str) -> None:
    open_files = lab.nodes[name].check_output("ls -l $(pgrep keepalived | sed 's,.*,/proc/&/fd,')")
    assert "keepalived-alert.fifo" not in open_files


@pytest.mark.parametrize("name", BALANCERS)
def test_the_secrets_are_gone(lab: Lab, name: str) -> None:
    config = json.loads(lab.nodes[name].file("/etc/keepalived/alert.json").content_string)
    assert config["mail"] == {}
    assert config["webhook"] == {}
