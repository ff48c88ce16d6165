# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import (
    instance,
    own_address,
    priority,
    unicast_between,
    vrid,
)

from .cluster_facts import CLUSTER, HOSTS, facts


def test_vrid_follows_from_the_address() -> None:
    assert vrid({"address": "192.0.2.10/24"}) == 10
    assert vrid({"address": "2001:db8::1:2/64"}) == 2
    assert vrid({"address": "192.0.2.10/24", "vrid": 51}) == 51


def test_owner_comes_first_and_the_others_keep_their_order() -> None:
    owned = {"address": "192.0.2.10/24", "owner": "lb02"}
    assert [priority(owned, host, HOSTS) for host in HOSTS] == [253, 254, 252]
    assert [priority({"address": "192.0.2.10/24"}, host, HOSTS) for host in HOSTS] == [254, 253, 252]


def test_own_address_is_never_the_vip() -> None:
    held_as_first = {
        "interfaces": ["eth0"],
        "eth0": {
            "device": "eth0",
            "ipv4": {"address": "192.0.2.10", "prefix": "24"},
            "ipv4_secondaries": [{"address": "192.0.2.11", "prefix": "24"}],
        },
    }
    found = own_address({"address": "192.0.2.10/24"}, held_as_first)
    assert found is not None
    assert str(found[1]) == "192.0.2.11/24"


def test_label_of_another_vip_is_no_interface() -> None:
    found = own_address({"address": "192.0.2.9/24"}, CLUSTER.facts["lb01"])
    assert found is not None
    assert (found[0], str(found[1])) == ("eth0", "192.0.2.11/24")


def test_instance_of_a_standby() -> None:
    vip = {"address": "2001:db8::9/64", "label": "eth0:vip"}
    assert instance(vip, CLUSTER._replace(host="lb02"), 0.2, unicast=False) == {
        "state": "BACKUP",
        "interface": "eth0",
        "virtual_router_id": 9,
        "priority": 253,
        "advert_int": 0.2,
        "virtual_ipaddress": ["2001:db8::9/64 dev eth0 label eth0:vip"],
    }


def test_unicast_names_the_other_hosts() -> None:
    assert unicast_between({"address": "192.0.2.10/24"}, CLUSTER._replace(host="lb02")) == {
        "unicast_src_ip": "192.0.2.12",
        "unicast_peer": ["192.0.2.11", "192.0.2.13"],
    }


def test_unicast_needs_the_peers_facts() -> None:
    alone = CLUSTER._replace(facts={"lb01": facts(11)})
    with pytest.raises(ValueError, match=r"lb02") as unknown:
        instance({"address": "192.0.2.10/24"}, alone, 1, unicast=True)
    assert str(unknown.value) == (
        "lb01: unicast needs the address of lb02, whose network facts were not gathered; "
        "run without --limit, or with --limit lb01,lb02,lb03"
    )
    elsewhere = {**facts(12), "eth0": {"device": "eth0", "ipv4": {"address": "198.51.100.12", "prefix": "24"}}}
    moved = CLUSTER._replace(facts={**CLUSTER.facts, "lb02": elsewhere})
    with pytest.raises(
        ValueError, match=r"^lb01: unicast: on lb02 192\.0\.2\.10/24 is in no subnet of this host \(it has "
    ):
        instance({"address": "192.0.2.10/24"}, moved, 1, unicast=True)
