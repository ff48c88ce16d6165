# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of what keepalived's peers must share, and of the owner: each begins where the one before ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest

from nodes import apply_site
from witness import at_rest, check, witnessed

if TYPE_CHECKING:
    from nodes import Lab

    Variables = dict[str, Any]
    Settings = Callable[[str], Variables]

V2 = {"keepalived_profile": "compatible"}


def password(secret: str) -> Variables:
    """Return the variables of VRRPv2 with a password."""
    return {**V2, "keepalived_vrrp_instance": {"authentication": {"auth_type": "PASS", "auth_pass": secret}}}


def vips(prefix: str, *entries: Variables) -> Variables:
    """Return keepalived_vips with these entries, whose addresses are the last bytes."""
    return {"keepalived_vips": [{**entry, "address": f"{prefix}.{entry['address']}/24"} for entry in entries]}


def instance(prefix: str, name: str, vrid: int, addresses: list[int]) -> Variables:
    """Return an instance written by hand, which prefers lb01."""
    return {
        "name": name,
        "state": "BACKUP",
        "interface": "eth1",
        "virtual_router_id": vrid,
        "priority": "{{ (inventory_hostname == 'lb01') | ternary(254, 253) }}",
        "advert_int": 0.2,
        "virtual_ipaddress": [f"{prefix}.{byte}/24 dev eth1" for byte in addresses],
    }


def instances(*blocks: Variables, groups: list[Variables] | None = None) -> Variables:
    """Return the variables of instances written by hand, without keepalived_vips."""
    return {
        "keepalived_vips": [],
        "keepalived_vrrp_instances": list(blocks),
        "keepalived_vrrp_sync_groups": groups or [],
    }


def group(*names: str) -> list[Variables]:
    """Return a sync group."""
    return [{"name": "G", "group": list(names)}]


CHANGES: dict[str, tuple[Settings, list[int]]] = {
    "owner": (lambda p: vips(p, {"address": 10, "owner": "lb02"}), [10]),
    "owner back": (lambda _: {}, [10]),
    "multicast to unicast": (lambda _: {"keepalived_unicast": True}, [10]),
    "unicast to multicast": (lambda _: {}, [10]),
    "VRRPv3 to v2": (lambda _: V2, [10]),
    "password added": (lambda _: password("first"), [10]),
    "password changed": (lambda _: password("second"), [10]),
    "password removed": (lambda _: V2, [10]),
    "VRRPv2 to v3": (lambda _: {}, [10]),
    "advert interval": (lambda _: {"keepalived_vrrp_instance": {"advert_int": 0.5}}, [10]),
    "router id": (lambda p: vips(p, {"address": 10, "vrid": 77}), [10]),
    "VIP added alone": (lambda p: vips(p, {"address": 10, "vrid": 77}, {"address": 20}), [10]),
    "VIP removed alone": (lambda p: vips(p, {"address": 10}), [10]),
    "equal instance by hand": (lambda p: instances(instance(p, "A", 10, [10])), [10]),
    "address added": (lambda p: instances(instance(p, "A", 10, [10, 40])), [10]),
    "another address added": (lambda p: instances(instance(p, "A", 10, [10, 40, 41])), [10, 40]),
    "address removed": (lambda p: instances(instance(p, "A", 10, [10, 40])), [10, 40]),
    "sync group created": (
        lambda p: instances(instance(p, "A", 10, [10]), instance(p, "B", 20, [20]), groups=group("A", "B")),
        [10],
    ),
    "VIP added to a sync group": (
        lambda p: instances(
            instance(p, "A", 10, [10]),
            instance(p, "B", 20, [20]),
            instance(p, "C", 30, [30]),
            groups=group("A", "B", "C"),
        ),
        [10, 20],
    ),
    "VIP removed from a sync group": (
        lambda p: instances(instance(p, "A", 10, [10]), instance(p, "B", 20, [20]), groups=group("A", "B")),
        [10, 20],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_holder_all_the_time(lab: Lab, name: str) -> None:
    settings, watched = CHANGES[name]
    prefix = lab.vip.rpartition(".")[0]
    addresses = [f"{prefix}.{byte}" for byte in watched]
    assert at_rest(lab, addresses)
    with witnessed(lab, addresses) as seen:
        run = apply_site(lab, settings(prefix))
        assert run.returncode == 0, run.stdout
        assert at_rest(lab, addresses)
    check(name, seen)
