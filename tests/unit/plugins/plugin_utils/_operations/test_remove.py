# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a balancer may be removed, what takes its place, and what is left to do."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import Observations
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.remove import Removal, files, plan

VIP = "198.18.0.10"
FORMER_VIP = "198.18.0.20"
OWN = {"lb01": "198.18.0.11", "lb02": "198.18.0.12", "lb03": "198.18.0.13"}
SITE = "then run ansible-playbook haproof.balancer.site, by which the other balancers forget its address"
REMOVAL = Removal(
    host="lb03",
    gone=False,
    probe_client="",
    balancers=["lb01", "lb02", "lb03"],
    hosts=[*OWN, "client"],
    groups=["balancers", "edge"],
    owned=[],
)
GHOST = REMOVAL._replace(balancers=["lb01", "lb02"], groups=["former"])


def instance(vip: str, state: str, priority: int) -> dict[str, Any]:
    return {"name": f"VI_{vip}", "state": state, "effective_priority": priority, "virtual_addresses": [vip]}


def info(host: str, *instances: dict[str, Any]) -> dict[str, Any]:
    held = [vip for each in instances if each["state"] == "master" for vip in each["virtual_addresses"]]
    return {
        "addresses": [{"address": address, "prefix": 24, "family": "ipv4"} for address in (OWN[host], *held)],
        "instances": list(instances),
        "keepalived": {"running": True, "version": "2.2.7"},
        "maintenance_since": None,
        "members": {name: [address] for name, address in OWN.items()},
    }


def cluster(**infos: Any) -> Observations:
    """Return three balancers, lb03 of which holds the VIP, with other *infos*, or without those that are None."""
    found = {
        "lb01": info("lb01", instance(VIP, "backup", 254)),
        "lb02": info("lb02", instance(VIP, "backup", 253)),
        "lb03": info("lb03", instance(VIP, "master", 252)),
        **infos,
    }
    return Observations({host: one for host, one in found.items() if one}, {}, {})


def test_a_standby_takes_over_and_the_others_forget_it() -> None:
    told = plan(REMOVAL._replace(owned=[f"{VIP}/24"]), cluster())
    assert (told["findings"], told["heirs"]) == ([], [{"vip": VIP, "host": "lb01"}])
    assert told["done"] == f"lb03 is out of service: {VIP} is on lb01 now"
    kept = {"lb01": ["198.18.0.11"], "lb02": ["198.18.0.12"]}
    assert told["members"] == {"lb01": kept, "lb02": kept}
    assert told["next"] == [
        "lb03 is removed",
        "delete lb03 from the inventory (groups: balancers, edge), and host_vars/lb03 if it exists",
        f"delete owner: lb03 of {VIP}/24 in keepalived_vips",
        SITE,
    ]


def test_the_last_but_one_leaves_no_standby() -> None:
    told = plan(REMOVAL._replace(balancers=["lb01", "lb03"]), cluster(lb02=None))
    assert (told["findings"], told["next"][-1]) == ([], "lb01 is the only balancer left, so it has no standby")


@pytest.mark.parametrize(
    ("removal", "infos", "reason"),
    [
        (REMOVAL._replace(host=""), {}, "remove_host is not set: set it to one of lb01, lb02, lb03"),
        (
            GHOST._replace(hosts=["lb01", "lb02"]),
            {"lb03": None},
            "remove_host: the inventory has no host 'lb03': return it to the inventory, outside of the balancers, or"
            " set remove_gone=true if it no longer exists",
        ),
        (
            REMOVAL._replace(host="client"),
            {},
            "remove_host: 'client' is not a balancer, and none remembers it as one",
        ),
        (
            REMOVAL._replace(balancers=["lb03"]),
            {"lb01": None, "lb02": None},
            "lb03 is the last balancer: add another one first",
        ),
        (REMOVAL._replace(probe_client="nemo"), {}, "probe_client: the inventory has no host 'nemo'"),
        (REMOVAL, {"lb03": {"msg": "timed out"}}, "lb03: cannot be inspected: timed out"),
        (
            REMOVAL._replace(gone=True),
            {},
            "lb03 still exists: run this without remove_gone, which only makes the other balancers forget it",
        ),
        (
            REMOVAL,
            {"lb01": info("lb01", instance(VIP, "fault", 254)), "lb02": info("lb02", instance(VIP, "init", 253))},
            f"lb03 must stay in service, since no other host could hold {VIP}: lb01: VI_{VIP} is in FAULT: it cannot"
            f" hold any VIP until this is fixed; lb02: VI_{VIP} is in state init",
        ),
    ],
)
def test_it_is_refused(removal: Removal, infos: dict[str, Any], reason: str) -> None:
    assert plan(removal, cluster(**infos))["findings"] == [reason]


def test_a_former_member_may_take_a_former_vip_along() -> None:
    ghost = info("lb03", instance(VIP, "backup", 252), instance(FORMER_VIP, "master", 252))
    told = plan(GHOST, cluster(lb01=info("lb01", instance(VIP, "master", 254)), lb03=ghost))
    assert (told["findings"], told["heirs"]) == ([], [])
    assert told["next"][1] == "delete lb03 from the inventory (groups: former), and host_vars/lb03 if it exists"
    # A balancer may not.
    assert plan(REMOVAL, cluster(lb03=ghost))["findings"] == [
        f"lb03 must stay in service, since no other host could hold {FORMER_VIP}: lb01: it has no VRRP instance for it;"
        " lb02: it has no VRRP instance for it"
    ]


def test_a_host_that_no_longer_exists_is_only_forgotten() -> None:
    removal = GHOST._replace(gone=True, hosts=["lb01", "lb02"], groups=[])
    told = plan(removal, cluster(lb03=None))
    assert told["findings"] == []
    assert "lb03" not in told["members"]["lb01"]
    assert told["next"] == ["lb03 is removed", SITE]
    # It still advertises.
    router = {"source": OWN["lb03"], "vrid": 10, "priority": 252, "addresses": [VIP]}
    seen = {
        "heard": [],
        "instances": [],
        "routers": [router],
        "macs": {},
        "links": {},
        "former": [{"name": "lb03", "addresses": [OWN["lb03"]], "macs": []}],
    }
    (finding,) = plan(removal, cluster(lb03=None)._replace(probes={"lb01": seen}))["findings"]
    assert f"it advertises VRID 10 with priority 252 for {VIP}" in finding


def test_the_files_of_a_daemon() -> None:
    assert files("nginx", "/etc/ssl/www.pem\n")[:5] == [
        "/etc/ssl/www.pem",
        "/etc/systemd/system/nginx.service.d/haproof.conf",
        "/etc/systemd/system/nginx.service.d/haproof-paths.conf",
        "/etc/nginx/haproof",
        "/etc/nginx/nginx.conf",
    ]
    with pytest.raises(ValueError, match="the role did not write the line"):
        files("nginx", "/etc/nginx/nginx.conf\n")
