# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs can read the files that the oldest ansible-core has written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nodes import eventually

if TYPE_CHECKING:
    from nodes import Lab


@pytest.mark.parametrize("program", ["alert", "watch"])
def test_watch_and_alerts_run_with_their_json(lab: Lab, program: str) -> None:
    for name in lab.balancers:
        node = lab.nodes[name]
        assert isinstance(json.loads(node.file(f"/etc/keepalived/{program}.json").content_string), dict)
        unit = f"keepalived-{program}"
        assert eventually(lambda node=node, unit=unit: node.service(unit).is_running, within_s=10), name  # type: ignore[misc]  # its default values
        assert node.check_output("systemctl show --property=NRestarts --value %s", unit) == "0"
