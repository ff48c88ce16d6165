# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host is a holder or a standby only when kernel and keepalived agree."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError
from ansible_collections.haproof.balancer.plugins.module_utils._link.holders import role_of

VIP = "198.18.0.10"


def info(held: bool, state: str | None, running: bool = True) -> dict[str, Any]:
    instance = {"name": "VI_10", "state": state, "virtual_addresses": [VIP]}
    return {
        "addresses": [{"address": VIP if held else "198.18.0.100"}],
        "instances": [instance] if state else [],
        "keepalived": {"running": running},
    }


CASES: list[tuple[dict[str, Any], str]] = [
    (info(True, "master"), "holder"),
    (info(False, "backup"), "standby"),
    (info(True, "backup"), "unready"),
    (info(False, "master"), "unready"),
    (info(False, "fault"), "unready"),
    (info(True, None), "unready"),
    (info(True, None, running=False), "unready"),
    ({"addresses": [{"address": VIP}], "instances": []}, "holder"),
    ({"addresses": [], "instances": []}, "standby"),
    ({"failed": True, "msg": "no route to host"}, "unready"),
]


@pytest.mark.parametrize(("what", "role"), CASES)
@pytest.mark.parametrize("vip", [VIP, VIP + "/24"])
def test_role(what: dict[str, Any], role: str, vip: str) -> None:
    assert role_of(what, vip) == role


def test_a_bad_vip_is_named() -> None:
    with pytest.raises(AddressError, match=r"'198\.18\.0' is not an IP address"):
        role_of(info(True, "master"), "198.18.0")
