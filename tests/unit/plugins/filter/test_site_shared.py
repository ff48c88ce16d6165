# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from base64 import b64encode
from typing import Any

from ansible_collections.haproof.balancer.plugins.filter._site_shared import FilterModule
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render

VIP = "192.0.2.10"
HOSTS = ["lb01", "lb02"]


def conf(vrid: int) -> dict[str, Any]:
    return {"vrrp_instance X": {"interface": "eth1", "virtual_router_id": vrid, "virtual_ipaddress": [VIP]}}


def variables(vrid: int, *addresses: str, former: dict[str, Any] | None) -> dict[str, Any]:
    """Return a host's variables; *former* is slurp's result."""
    return {
        "groups": {"balancers": HOSTS},
        "ansible_facts": {"all_ipv4_addresses": addresses, "all_ipv6_addresses": []},
        "__keepalived_plan": {"group": "balancers", "tree": conf(vrid)},
        **({"__site_former_conf": former} if former is not None else {}),
    }


def shared(**hosts: dict[str, Any]) -> Any:
    return FilterModule().filters()["_site_shared"](HOSTS, hosts)


FORMER = {"content": b64encode(render(conf(10)).encode()).decode()}


def test_the_former_file_decides() -> None:
    found = shared(lb01=variables(11, former=FORMER), lb02=variables(11, VIP, former=FORMER))
    assert found["lb01"]["first"] == "lb02"
    assert shared(lb01=variables(10, VIP, former=FORMER), lb02=variables(10, former=FORMER)) == {}


def test_a_host_that_does_not_change_was_not_read() -> None:
    found = shared(lb01=variables(11, former=FORMER), lb02=variables(11, VIP, former=None))
    assert (found["lb01"]["first"], found["lb02"]["others"]) == ("lb02", ["lb01"])
    assert shared(lb01=variables(11, former={"msg": "no such file"}), lb02=variables(11, former=None)) == {}
