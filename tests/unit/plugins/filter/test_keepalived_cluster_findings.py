# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts are compared with those that share their virtual IPs, and with no others."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.filter._keepalived_cluster_findings import findings


def planned(group: str, router_id: int, priority: int, accept: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the variables of a host with one instance."""
    instance = {"interface": "eth0", "virtual_router_id": router_id, "priority": priority}
    addresses = {"virtual_ipaddress": {f"192.0.2.{router_id}/24": True}}
    tree = {"vrrp_instance VI_1": {**instance, **addresses}}
    return {"__keepalived_plan": {"group": group, "accept": list(accept), "tree": tree}}


def test_another_pair_is_another_matter() -> None:
    pairs = {"a1": planned("a", 51, 254), "b1": planned("b", 52, 254), "b2": planned("b", 52, 253), "none": {}}
    assert findings(pairs, list(pairs)) == []
    assert len(findings({**pairs, "b2": planned("a", 52, 253)}, list(pairs))) > 0


@pytest.mark.parametrize(("accept", "number"), [((), 1), (("priority",), 0)])
def test_each_pair_accepts_for_itself(accept: tuple[str, ...], number: int) -> None:
    pairs = {
        "a1": planned("a", 51, 254, ("weight",)),
        "a2": planned("a", 51, 253),
        "b1": planned("b", 52, 254, accept),
        "b2": planned("b", 52, 254, accept),
    }
    assert len(findings(pairs, list(pairs))) == number
