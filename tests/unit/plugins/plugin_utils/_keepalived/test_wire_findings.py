# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a link, seen from two hosts."""

from __future__ import annotations

import copy
from typing import Any, Callable

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.finding import refusals
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.wire_findings import (
    Seen,
    wire_findings,
)

VIP = "198.18.0.10"
OWN = {"lb01": "198.18.0.11", "lb02": "198.18.0.12"}
MACS = {"lb01": "02:00:00:00:00:0b", "lb02": "02:00:00:00:00:0c"}
OTHER = {"lb01": "lb02", "lb02": "lb01"}
INSTANCE = {"name": "VI_1", "interface": "eth1", "vrid": 10, "addresses": [VIP], "multicast": True}


def router(source: str, **changes: Any) -> dict[str, Any]:
    whole = {"interface": "eth1", "vrid": 10, "source": source, "mac": "02:00:00:00:00:63", "priority": 100}
    return {**whole, "addresses": ["198.18.0.77"], **changes}


def probe(host: str) -> dict[str, Any]:
    peer = OTHER[host]
    return {
        "instances": [INSTANCE],
        "routers": [router(OWN[peer])],
        "macs": {VIP: [MACS[peer]]},
        "links": {"eth1": {"mac": MACS[host], "mtu": 1500, "up": True, "carrier": True, "multicast": True}},
        "heard": [
            {
                "peer": peer,
                "addresses": [OWN[peer]],
                "interface": "eth1",
                "way": "multicast",
                "link": True,
                "host": True,
                "clock_difference_s": 0.001,
            }
        ],
    }


def seen(change: Callable[[dict[str, Any]], Any], opens: tuple[str, ...] = ()) -> Seen:
    probes = {host: copy.deepcopy(probe(host)) for host in OWN}
    change(probes)
    instances = {host: entry["instances"] for host, entry in probes.items()}
    return Seen(probes, instances, {h: [a] for h, a in OWN.items()}, {h: [m] for h, m in MACS.items()}, opens)


GHOST = "02:00:00:00:00:0d"
REMOVE = "ansible-playbook haproof.balancer.remove -e remove_host=lb03"
SILENT = "is up, and takes a virtual IP over when it hears no adverts for it, unless its keepalived is gone"
LEFT = (
    "lb03 (198.18.0.13) left the balancers without the playbook remove: it {}. Return it to the inventory, outside of"
    f" the balancers, and run {REMOVE}, or if it no longer exists, {REMOVE} -e remove_gone=true"
)


def left(probes: dict[str, Any], macs: list[str]) -> None:
    for entry in probes.values():
        entry["former"] = [{"name": "lb03", "addresses": ["198.18.0.13"], "macs": macs}]


CASES: list[tuple[str, Callable[[dict[str, Any]], Any], list[tuple[str, str]]]] = [
    ("nothing", lambda _probes: None, []),
    (
        "a foreign router",
        lambda probes: probes["lb01"]["routers"].append(router("198.18.0.99")),
        [
            (
                "vrid_taken",
                "lb01: VRID 10 is in use on eth1 by 198.18.0.99 (02:00:00:00:00:63, priority 100, for 198.18.0.77),"
                " which is not in the group: choose another vrid, or stop that router",
            )
        ],
    ),
    (
        "a foreign router with another id, on another link, in another family",
        lambda probes: probes["lb01"]["routers"].extend(
            [router("198.18.0.99", vrid=11), router("198.18.0.99", interface="eth2"), router("fe80::99")]
        ),
        [],
    ),
    (
        "a foreign MAC address",
        lambda probes: probes["lb02"]["macs"][VIP].append("02:00:00:00:00:63"),
        [
            (
                "vip_foreign_mac",
                "lb02: 198.18.0.10 is answered by 02:00:00:00:00:63, which belongs to no host of the group: "
                "choose another address, or remove it from that host",
            )
        ],
    ),
    ("a former member that is gone", lambda probes: left(probes, []), []),
    ("a former member that is silent", lambda probes: left(probes, [GHOST]), [("member_left", LEFT.format(SILENT))]),
    (
        "a former member that advertises",
        lambda probes: [left(probes, [GHOST]), probes["lb02"]["routers"].append(router("198.18.0.13", vrid=20))],
        [("member_left", LEFT.format("advertises VRID 20 with priority 100 for 198.18.0.77"))],
    ),
    (
        "a former member that holds the virtual IP",
        lambda probes: [
            left(probes, [GHOST]),
            *(probe["routers"].append(router("198.18.0.13", addresses=[VIP])) for probe in probes.values()),
            probes["lb02"]["macs"][VIP].append(GHOST),
        ],
        [("member_left", LEFT.format(f"advertises VRID 10 with priority 100 for {VIP} and answers for {VIP}"))],
    ),
    ("the virtual MAC address", lambda probes: probes["lb02"]["macs"][VIP].append("00:00:5e:00:01:0a"), []),
    (
        "nothing arrives",
        lambda probes: probes["lb02"]["heard"][0].update(link=False, host=False, clock_difference_s=None),
        [
            (
                "vrrp_unreachable",
                "lb02: no VRRP from lb01 (198.18.0.11) arrives on eth1 by multicast: allow IP protocol 112; where"
                " the network carries no multicast, use unicast",
            )
        ],
    ),
    (
        "the firewall drops it",
        lambda probes: probes["lb02"]["heard"][0].update(host=False),
        [
            (
                "vrrp_unreachable",
                "lb02: VRRP from lb01 (198.18.0.11) arrives on eth1 by multicast, and the firewall of lb02 drops it:"
                " accept IP protocol 112 from 198.18.0.11",
            )
        ],
    ),
    (
        "a clock",
        lambda probes: [
            probes["lb01"]["heard"][0].update(clock_difference_s=-61.5),
            probes["lb02"]["heard"][0].update(clock_difference_s=61.5),
        ],
        [("clock_differs", "lb02: its clock is 61.5 s behind that of lb01: run NTP on both")],
    ),
    (
        "no interface",
        lambda probes: probes["lb01"]["links"].update(eth1=None),
        [("interface_unfit", "lb01: interface eth1 does not exist: set an existing one")],
    ),
    (
        "no carrier",
        lambda probes: probes["lb01"]["links"]["eth1"].update(carrier=False),
        [("interface_unfit", "lb01: interface eth1 has no carrier: connect it")],
    ),
    (
        "no multicast",
        lambda probes: probes["lb01"]["links"]["eth1"].update(multicast=False),
        [("interface_unfit", "lb01: interface eth1 cannot do multicast: send the adverts to the peers by unicast")],
    ),
    (
        "another MTU",
        lambda probes: probes["lb02"]["links"]["eth1"].update(mtu=9000),
        [
            (
                "interface_unfit",
                "lb01: interface eth1 has MTU 1500, and lb02 has 9000 for 198.18.0.10: make them equal",
            )
        ],
    ),
    (
        "a peer that was not asked",
        lambda probes: [probes.pop("lb01"), probes["lb02"]["heard"][0].update(link=False)],
        [],
    ),
]


@pytest.mark.parametrize(("change", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_findings(change: Callable[[dict[str, Any]], Any], expected: list[tuple[str, str]]) -> None:
    assert [(found.kind, found.text) for found in wire_findings(seen(change))] == expected


def test_a_firewall_that_is_about_to_be_opened_may_be_closed() -> None:
    def closed(probes: dict[str, Any]) -> None:
        probes["lb02"]["heard"][0].update(host=False)

    assert wire_findings(seen(closed, opens=("lb01", "lb02"))) == []
    assert [found.kind for found in wire_findings(seen(closed, opens=("lb01",)))] == ["vrrp_unreachable"]


def test_a_finding_that_is_meant() -> None:
    findings = wire_findings(seen(CASES[3][1]))
    assert refusals(findings, ["vip_foreign_mac"], "site_accepted_findings") == []
    (text,) = refusals(findings, ["vrid_taken"], "site_accepted_findings")
    assert text.endswith(" (if this is intended, set site_accepted_findings: [vip_foreign_mac])")
