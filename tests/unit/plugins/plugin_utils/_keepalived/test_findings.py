# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.finding import Finding
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.findings import (
    ACCEPTABLE,
    cluster_findings,
    host_findings,
    refused,
)

from .cluster_facts import CLUSTER, SETTINGS

VIPS: list[tuple[str, list[dict[str, Any]], list[str]]] = [
    ("nothing", [], []),
    ("good", [{"address": "192.0.2.10/24"}, {"address": "2001:db8::9/64"}], []),
    (
        "no prefix",
        [{"address": "192.0.2.10"}],
        ["lb01: keepalived_vips[0].address: 192.0.2.10 has no prefix; write it like 192.0.2.10/24"],
    ),
    (
        "no address",
        [{"address": "192.0.2.300/24"}],
        [
            "lb01: keepalived_vips[0].address: 192.0.2.300/24 is not an address with a prefix:"
            " '192.0.2.300/24' does not appear to be an IPv4 or IPv6 interface"
        ],
    ),
    (
        "vrid 0",
        [{"address": "192.0.2.10/24", "vrid": 0}],
        ["lb01: keepalived_vips[0].vrid: 0 results in the VRRP router id 0; set vrid to 1 to 255"],
    ),
    (
        "vrid 256",
        [{"address": "192.0.2.10/24", "vrid": 256}],
        ["lb01: keepalived_vips[0].vrid: 256 results in the VRRP router id 256; set vrid to 1 to 255"],
    ),
    (
        "one vrid for two",
        [{"address": "192.0.2.10/24", "vrid": 7}, {"address": "192.0.2.9/24", "vrid": 7}],
        [
            "lb01: keepalived_vips[1].vrid: 192.0.2.9/24 has the VRRP router id 7, like keepalived_vips[0];"
            " set a different vrid for each VIP"
        ],
    ),
    ("one vrid in two families", [{"address": "192.0.2.10/24"}, {"address": "2001:db8::a/64"}], []),
    (
        "owner of another group",
        [{"address": "192.0.2.10/24", "owner": "web01"}],
        ["lb01: keepalived_vips[0].owner: web01 is not among the hosts of the group (lb01, lb02, lb03)"],
    ),
    (
        "foreign subnet",
        [{"address": "203.0.113.10/24"}],
        [
            "lb01: keepalived_vips[0].address: 203.0.113.10/24 is in no subnet of this host (it has lo 127.0.0.1/8,"
            " eth0 192.0.2.11/24, eth0 192.0.2.10/24, eth0 2001:db8::11/64, br-lan 198.51.100.11/24)"
        ],
    ),
    (
        "foreign to its interface",
        [{"address": "192.0.2.10/24", "interface": "br-lan"}],
        [
            "lb01: keepalived_vips[0].address: 192.0.2.10/24 is not in the subnet of br-lan (it has lo 127.0.0.1/8,"
            " eth0 192.0.2.11/24, eth0 192.0.2.10/24, eth0 2001:db8::11/64, br-lan 198.51.100.11/24)"
            " (if this is intended, set keepalived_accept: [subnet])"
        ],
    ),
    (
        "no such interface",
        [{"address": "192.0.2.10/24", "interface": "eth7"}],
        [
            "lb01: keepalived_vips[0].interface: eth7 does not exist on this host (it has lo, eth0, br-lan)",
        ],
    ),
]


INSTANCES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("good", {"state": "BACKUP", "interface": "eth0", "virtual_router_id": 51, "nopreempt": True}, []),
    (
        "nopreempt of a master",
        {"state": "MASTER", "nopreempt": True},
        [
            "lb01: keepalived_vrrp_instances[0].state: MASTER cancels nopreempt; set state to BACKUP on all hosts"
            " (if this is intended, set keepalived_accept: [nopreempt])"
        ],
    ),
    ("nopreempt switched off", {"state": "MASTER", "nopreempt": False}, []),
    (
        "no router id",
        {"virtual_router_id": 256},
        ["lb01: keepalived_vrrp_instances[0].virtual_router_id: 256 is not a VRRP router id; set it to 1 to 255"],
    ),
    ("quoted password", {"authentication": {"auth_type": "PASS", "auth_pass": '"12345678"'}}, []),
    (
        "no interface",
        {"interface": "eth7"},
        [
            "lb01: keepalived_vrrp_instances[0].interface: eth7 does not exist on this host (it has lo, eth0, br-lan)",
        ],
    ),
    ("an interface to be made", {"interface": "eth7", "use_vmac": True}, []),
    ("definitions that nothing defines", {"interface": "$NONE", "virtual_router_id": "$NONE", "state": "$NONE"}, []),
    ("no number", {"virtual_router_id": "x"}, []),
    ("an interface that is defined", {"interface": "$IF"}, []),
    (
        "an interface that is defined, and does not exist",
        {"interface": "${IF}7"},
        [
            "lb01: keepalived_vrrp_instances[0].interface: eth07 does not exist on this host (it has lo, eth0, br-lan)",
        ],
    ),
    (
        "a router id that is defined",
        {"virtual_router_id": "$ID"},
        ["lb01: keepalived_vrrp_instances[0].virtual_router_id: 256 is not a VRRP router id; set it to 1 to 255"],
    ),
    ("another host's state", {"@lb02 state": "MASTER", "@^lb02 nopreempt": True}, []),
    (
        "this host's state",
        {"@lb01 state": "MASTER", "@^lb02 nopreempt": True},
        [
            "lb01: keepalived_vrrp_instances[0].state: MASTER cancels nopreempt; set state to BACKUP on all hosts"
            " (if this is intended, set keepalived_accept: [nopreempt])"
        ],
    ),
    ("the state of a role that no host is named after", {"@main state": "MASTER", "nopreempt": True}, []),
    ("nopreempt taken back", {"state": "MASTER", "nopreempt": True, "preempt": True}, []),
    ("what cannot be written", {"state": "a\nb", "nopreempt": True}, []),
]


@pytest.mark.parametrize(("vips", "expected"), [case[1:] for case in VIPS], ids=[case[0] for case in VIPS])
def test_vips(vips: list[dict[str, Any]], expected: list[str]) -> None:
    assert refused(host_findings({**SETTINGS, "vips": vips}, CLUSTER), []) == expected


@pytest.mark.parametrize(
    ("directives", "expected"), [case[1:] for case in INSTANCES], ids=[case[0] for case in INSTANCES]
)
def test_instances(directives: dict[str, Any], expected: list[str]) -> None:
    conf = {"$IF=eth0": True, "@lb01 $ID=256": True, "@lb02 $ID=1": True}
    settings = {**SETTINGS, "vrrp_instances": [{"name": "VI_1", **directives}], "conf": conf}
    assert refused(host_findings(settings, CLUSTER), []) == expected


def test_vips_need_a_profile() -> None:
    settings = {**SETTINGS, "vips": [{"address": "192.0.2.10/24"}], "profile": {}}
    assert refused(host_findings(settings, CLUSTER), []) == [
        "lb01: keepalived_base: false leaves out the VRRP timers, which keepalived_vips needs"
    ]


def test_a_finding_can_be_accepted_by_its_kind() -> None:
    settings = {**SETTINGS, "vips": [{"address": "192.0.2.10/24", "interface": "br-lan"}]}
    assert refused(host_findings(settings, CLUSTER), ["subnet"]) == []


def test_a_finding_that_never_works_cannot_be_accepted() -> None:
    findings = host_findings({**SETTINGS, "vips": [{"address": "192.0.2.10/24", "vrid": 0}]}, CLUSTER)
    assert refused(findings, ["vrid"]) != []


# What is set for lb01, and each finding's kind, by which it may be accepted or not.
KINDS: list[tuple[dict[str, Any], list[str]]] = [
    (
        {
            "vips": [
                {"address": "192.0.2.10", "owner": "web01"},
                {"address": "192.0.2.300/24"},
                {"address": "192.0.2.0/24"},
                {"address": "192.0.2.10/24", "interface": "eth7"},
                {"address": "192.0.2.11/24", "interface": "br-lan"},
                {"address": "203.0.113.12/24"},
            ]
        },
        ["owner", "address", "address", "vrid", "interface", "subnet", "address", "vrid"],
    ),
    (
        {"vips": [{"address": "x"}, {"address": "192.0.2.9/24", "vrid": 5}, {"address": "192.0.2.8/24", "vrid": 5}]},
        ["address", "vrid"],
    ),
    ({"vips": [{"address": "192.0.2.9/24"}], "profile": {}}, ["profile"]),
    ({"profile": {}}, []),
    ({"vrrp_instance": {"interface": "eth7", "virtual_router_id": 0}}, ["interface", "vrid"]),
    ({"vrrp_instance": {"state": "MASTER", "nopreempt": None}}, ["nopreempt"]),
    ({"vrrp_instance": {"nopreempt": None}}, []),
    ({"vrrp_instance": {"virtual_router_id": 1}}, []),
    ({"vrrp_instances": [{"virtual_router_id": 255}, {"virtual_router_id": "256"}]}, ["vrid"]),
    ({"vips": [{"address": "192.0.2.9/24", "vrid": 1}, {"address": "192.0.2.8/24", "vrid": 255}]}, []),
]


@pytest.mark.parametrize(("settings", "kinds"), KINDS)
def test_kinds(settings: dict[str, Any], kinds: list[str]) -> None:
    assert [found.kind for found in host_findings({**SETTINGS, **settings}, CLUSTER)] == kinds


# Where directives of an instance may stand, and how that place is called.
PLACES: list[tuple[dict[str, Any], str]] = [
    ({"vrrp_instances": [{}, {"virtual_router_id": 0}]}, "keepalived_vrrp_instances[1]"),
    ({"vrrp_instance": {"virtual_router_id": 0}}, "keepalived_vrrp_instance"),
    (
        {
            "vips": [
                {"address": "192.0.2.9/24", "vrrp_instance": None},
                {"address": "192.0.2.8/24", "vrrp_instance": {"virtual_router_id": 0}},
            ]
        },
        "keepalived_vips[1].vrrp_instance",
    ),
]


@pytest.mark.parametrize(("settings", "place"), PLACES)
def test_places(settings: dict[str, Any], place: str) -> None:
    text = f"lb01: {place}.virtual_router_id: 0 is not a VRRP router id; set it to 1 to 255"
    assert refused(host_findings({**SETTINGS, **settings}, CLUSTER), []) == [text]


def test_the_address_gives_the_router_id() -> None:
    settings = {**SETTINGS, "vips": [{"address": "192.0.2.0/24"}]}
    assert refused(host_findings(settings, CLUSTER), []) == [
        "lb01: keepalived_vips[0].address: 192.0.2.0/24 results in the VRRP router id 0; set vrid to 1 to 255"
    ]


def test_a_host_of_which_nothing_is_known() -> None:
    """It has no interface that an instance could lack, and none that a VIP could have."""
    settings = {
        **SETTINGS,
        "vrrp_instances": [{"interface": "eth7"}],
        "vips": [{"address": "192.0.2.9/24", "interface": "eth7"}],
    }
    assert refused(host_findings(settings, CLUSTER._replace(facts={})), []) == [
        "lb01: keepalived_vips[0].interface: eth7 does not exist on this host (it has no known interfaces)"
    ]


def test_what_can_be_accepted() -> None:
    findings = [Finding(kind, f"a {kind}") for kind in ("vrid", *ACCEPTABLE)]
    assert ACCEPTABLE == ("advert_int", "nopreempt", "priority", "subnet", "weight")
    assert refused(findings, []) == [
        "a vrid",
        *(f"a {kind} (if this is intended, set keepalived_accept: [{kind}])" for kind in ACCEPTABLE),
    ]
    assert refused(findings, ["vrid", *ACCEPTABLE]) == ["a vrid"]
    assert len(refused(findings, ["weight"])) == 5


def tree(priority: Any, checks: dict[str, Any] | None = None, **directives: Any) -> dict[str, Any]:
    """Return the configuration of a host with one instance, VI_1."""
    instance = {
        "virtual_router_id": 51,
        "priority": priority,
        "advert_int": 1,
        "virtual_ipaddress": ["192.0.2.10/24 dev eth0"],
    }
    return {**(checks or {}), "vrrp_instance VI_1": {**instance, **directives}}


def lines(block: Any) -> Any:
    """Return a configuration with each block as a list of lines, as an item of a list that has blocks in it."""
    if not isinstance(block, dict):
        return [str(line) for line in block]
    return [
        {key: lines(value)} if isinstance(value, (dict, list)) else f"{key} {value}" for key, value in block.items()
    ]


UNSIGNED = (
    "lb01: vrrp_instance VI_1: auth_hmac does not match lb02's: they would ignore each other's adverts, and both would"
    " hold the VIP"
)
CHECK = {"vrrp_script chk": {"script": "/bin/true", "weight": -2}}
# Two hosts of an instance that speaks version 3 whatever they say otherwise.
SIX = [
    {"global_defs": {"vrrp_version": version}, **tree(250 + version, virtual_ipaddress=["fe80::1/64"])}
    for version in (2, 3)
]
PAIRS: list[tuple[str, Any, Any, list[str]]] = [
    ("good", tree(254), tree(253), []),
    (
        "same addresses in another order",
        tree(254, virtual_ipaddress=["a", "b"]),
        tree(253, virtual_ipaddress=["b", "a"]),
        [],
    ),
    (
        "router ids",
        tree(254),
        tree(253, virtual_router_id=52),
        [
            "lb01: vrrp_instance VI_1: virtual_router_id differs from lb02's: 51 here, 52 on lb02: they would not hear"
            " each other, and both would hold the VIP"
        ],
    ),
    (
        "version from global_defs",
        {"global_defs": {"vrrp_version": 3}, **tree(254)},
        tree(253),
        [
            "lb01: vrrp_instance VI_1: version differs from lb02's: 3 here, 2 on lb02: they would ignore each other's"
            " adverts, and both would hold the VIP"
        ],
    ),
    (
        "intervals",
        tree(254),
        tree(253, advert_int=2),
        [
            "lb01: vrrp_instance VI_1: advert_int differs from lb02's: 1 here, 2 on lb02: the one with the shorter"
            " interval would take over again and again (if this is intended, set keepalived_accept: [advert_int])"
        ],
    ),
    (
        "passwords, which are never shown",
        tree(254, authentication={"auth_type": "PASS", "auth_pass": "s3cret"}),
        tree(253, authentication={"auth_type": "PASS", "auth_pass": "other"}),
        [
            "lb01: vrrp_instance VI_1: authentication differs from lb02's: they would ignore each other's adverts, and"
            " both would hold the VIP"
        ],
    ),
    (
        "addresses",
        tree(254),
        tree(253, virtual_ipaddress=["192.0.2.10/24", "192.0.2.11/24"]),
        [
            "lb01: vrrp_instance VI_1: virtual_ipaddress is 192.0.2.10 here and 192.0.2.10, 192.0.2.11 on lb02: lb02"
            " would ignore the adverts, and both would hold a VIP"
        ],
    ),
    (
        "priorities",
        tree(100),
        tree(100),
        [
            "lb01: vrrp_instance VI_1: priority 100 is also that of lb02; which of them holds the VIP would be random:"
            " make them differ (if this is intended, set keepalived_accept: [priority])"
        ],
    ),
    (
        "a weight that is too small",
        tree(100, CHECK, track_script=["chk"]),
        tree(50, CHECK, track_script=["chk"]),
        [
            "lb01: vrrp_instance VI_1: track_script chk has weight -2, but the next priority is 50 lower: when it fails"
            " the VIP stays; set weight to 0, or beyond 50 (if this is intended, set keepalived_accept: [weight])"
        ],
    ),
    ("a weight that is enough", tree(100, CHECK, track_script=["chk weight -60"]), tree(50), []),
    ("a file in which something repeats", [tree(254, CHECK, track_script=["chk weight -60"])], tree(253), []),
    ("no weight", tree(100, {"vrrp_script chk": {}}, track_script=["chk"]), tree(50), []),
    (
        "a weight that nopreempt makes useless",
        tree(100, CHECK, track_script=["chk"], nopreempt=True),
        tree(99),
        [
            "lb01: vrrp_instance VI_1: track_script chk has weight -2, but with nopreempt the VIP stays when a priority"
            " changes; set weight to 0 (if this is intended, set keepalived_accept: [nopreempt])"
        ],
    ),
    (
        "one address under two names",
        tree(254),
        {"vrrp_instance VI_2": {**tree(253)["vrrp_instance VI_1"], "virtual_router_id": 52}},
        [
            "lb01: vrrp_instance VI_1: 192.0.2.10 has virtual_router_id 51 here and 52 on lb02: both would hold it",
        ],
    ),
    ("a block in which something repeats", {"vrrp_instance VI_1": [tree(254)["vrrp_instance VI_1"]]}, tree(253), []),
    ("a list of lines", lines(tree(254)), lines(tree(200)), []),
    (
        "router ids in lists of lines",
        lines(tree(254)),
        lines(tree(253, virtual_router_id=52)),
        [
            "lb01: vrrp_instance VI_1: virtual_router_id differs from lb02's: 51 here, 52 on lb02: they would not hear"
            " each other, and both would hold the VIP"
        ],
    ),
    (
        "a weight in lists of lines",
        lines(tree(100, {"vrrp_script chk": ["weight -2"]}, track_script=["chk"])),
        lines(tree(50)),
        [
            "lb01: vrrp_instance VI_1: track_script chk has weight -2, but the next priority is 50 lower: when it fails"
            " the VIP stays; set weight to 0, or beyond 50 (if this is intended, set keepalived_accept: [weight])"
        ],
    ),
    ("a quoted name", {'vrrp_instance "VI_1"': tree(254)["vrrp_instance VI_1"]}, tree(253), []),
    ("quotes", tree(254), tree(253, virtual_ipaddress=['"192.0.2.10/24" dev eth0'], virtual_router_id='"51"'), []),
    (
        "the order and the quotes of authentication",
        tree(254, authentication=["auth_type PASS", "auth_pass a"]),
        tree(253, authentication={"auth_pass": '"a"', "auth_type": "PASS"}),
        [],
    ),
    ("priorities by host", *[tree(False, **{"@lb01 priority": 200, "@lb02 priority": 100})] * 2, []),
    (
        "priorities that are defined by host",
        *[{"@lb01 $P=200": True, "@^lb01 $P=100": True, **tree("$P")}] * 2,
        [],
    ),
    (
        "one priority, defined",
        *[{"$P=7": True, **tree("$P")}] * 2,
        [
            "lb01: vrrp_instance VI_1: priority 7 is also that of lb02; which of them holds the VIP would be random:"
            " make them differ (if this is intended, set keepalived_accept: [priority])"
        ],
    ),
    ("priorities by roles that no host is named after", *[tree(100, **{"@main priority": 200})] * 2, []),
    (
        "a role's priority, and another one after it",
        *[{"vrrp_instance VI_1": ["@main priority 200", "priority 100"]}] * 2,
        [
            "lb01: vrrp_instance VI_1: priority 100 is also that of lb02; which of them holds the VIP would be random:"
            " make them differ (if this is intended, set keepalived_accept: [priority])"
        ],
    ),
    (
        "definitions that nothing defines",
        tree("$P", CHECK, virtual_router_id="$X", version="$V", advert_int="$A", track_script=["chk"]),
        tree("$P", CHECK, virtual_router_id="$Y", version="3", advert_int="2", virtual_ipaddress=["$VIP"]),
        [],
    ),
    ("what an include may hold", {"vrrp_instance VI_1": ["include a", "virtual_ipaddress"]}, tree(100), []),
    ("a default that an include may hold", {"include a": True, **tree(254)}, tree(253, version=3), []),
    ("no router id", {"vrrp_instance VI_1": {}}, {"vrrp_instance VI_2": tree(1)["vrrp_instance VI_1"]}, []),
    ("a default that IPv6 has no use for", *SIX, []),
]


@pytest.mark.parametrize(("one", "other", "expected"), [case[1:] for case in PAIRS], ids=[case[0] for case in PAIRS])
def test_pairs(one: Any, other: Any, expected: list[str]) -> None:
    assert refused(cluster_findings({"lb01": one, "lb02": other}), []) == expected


def weight(value: int, below: int, host: str = "lb01", check: str = "track_script chk") -> str:
    return (
        f"{host}: vrrp_instance VI_1: {check} has weight {value}, but the next priority is {below} lower: when it fails"
        f" the VIP stays; set weight to 0, or beyond {below} (if this is intended, set keepalived_accept: [weight])"
    )


THREE: list[tuple[str, Any, Any, Any, list[str]]] = [
    # The nearest standby decides, whichever host of the three it is.
    ("the nearest", tree(100, CHECK, track_script=["chk"]), tree(50), tree(97), [weight(-2, 3)]),
    ("near enough", tree(100, CHECK, track_script=["chk"]), tree(50), tree(99), []),
    ("as near", tree(100, CHECK, track_script=["chk"]), tree(50), tree(98), [weight(-2, 2)]),
    (
        "above",
        tree(100, {"vrrp_script chk": {"weight": "2 reverse"}}, track_script=["chk"]),
        tree(97),
        tree(96),
        [weight(2, 3)],
    ),
    # One that is not the strongest takes over only when another has failed already.
    ("in the middle", tree(100), tree(90, CHECK, track_script=["chk"]), tree(80), []),
    ("the last", tree(100), tree(90), tree(80, CHECK, track_script=["chk"]), []),
    ("the strongest", tree(80), tree(90), tree(100, CHECK, track_script=["chk"]), [weight(-2, 10, "lb03")]),
    (
        "a process",
        tree(100, {"vrrp_track_process p": {"weight": -1}}, track_process=["p"]),
        tree(90),
        tree(80),
        [weight(-1, 10, check="track_process p")],
    ),
    ("an unknown check", tree(100, track_script=["chk"]), tree(90), tree(80), []),
    ("its own weight", tree(100, CHECK, track_script=["chk weight 0"]), tree(90), tree(80), []),
    (
        "all alike",
        tree(100),
        tree(100),
        tree(100),
        [
            f"{one}: vrrp_instance VI_1: priority 100 is also that of {other}; which of them holds the VIP would be"
            " random: make them differ (if this is intended, set keepalived_accept: [priority])"
            for one, other in (("lb01", "lb02"), ("lb01", "lb03"), ("lb02", "lb03"))
        ],
    ),
]


@pytest.mark.parametrize(
    ("one", "other", "third", "expected"), [case[1:] for case in THREE], ids=[case[0] for case in THREE]
)
def test_three(one: Any, other: Any, third: Any, expected: list[str]) -> None:
    assert refused(cluster_findings({"lb01": one, "lb02": other, "lb03": third}), []) == expected


# How two hosts differ, and the kinds of what is found.
DIFFERENCES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"version": 3}, ["version"]),
    ({"advert_int": 2}, ["advert_int"]),
    ({"virtual_router_id": 52}, ["virtual_router_id"]),
    ({"authentication": {}}, ["authentication"]),
    ({"virtual_ipaddress": []}, ["virtual_ipaddress"]),
    ({"priority": "254"}, ["priority"]),
]


@pytest.mark.parametrize(("directives", "kinds"), DIFFERENCES)
def test_kinds_of_differences(directives: dict[str, Any], kinds: list[str]) -> None:
    other = {"vrrp_instance VI_1": {**tree(253)["vrrp_instance VI_1"], **directives}}
    assert [found.kind for found in cluster_findings({"lb01": tree(254), "lb02": other})] == kinds


def test_a_shared_address_under_another_name_is_a_matter_of_the_router_id() -> None:
    same = {"vrrp_instance VI_2": tree(253)["vrrp_instance VI_1"]}
    assert cluster_findings({"lb01": tree(254), "lb02": same}) == []
    other = {"vrrp_instance VI_2": {**tree(253)["vrrp_instance VI_1"], "virtual_router_id": 52}}
    assert [found.kind for found in cluster_findings({"lb01": tree(254), "lb02": other})] == ["virtual_router_id"]
