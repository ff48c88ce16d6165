# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""With the hand-over planned moves cut no kept connection, and a hand-over that is badly set up fails the drill."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Iterator

import jsonschema
import pytest

from drilling import ARM, JUDGE, PROVEN, Sabotage, assert_caught, drill, moments
from nodes import PROJECT

if TYPE_CHECKING:
    from drilling import Drilled
    from nodes import Lab

KEPT = 20
PLANNED = ["handover", "keepalived_stop", "rolling"]
OTHERS = ["service_stop", "node_power_off"]
# Outages are the scenario "failover"'s.
PATIENT_S = 1.0
REPORTS = PROJECT / "build/handover_drill"


@pytest.fixture(scope="module")
def healthy(lab: Lab) -> Drilled:
    """Drill each planned move, and faults whose failback is one."""
    faults = [*PLANNED, *OTHERS]
    done = drill(lab, faults=",".join(faults), connections=KEPT, slo=dict.fromkeys(faults, PATIENT_S))
    # The reports outlive the lab.
    shutil.rmtree(REPORTS, ignore_errors=True)
    shutil.copytree(lab.inventory.parent / "drill", REPORTS)
    return done


@pytest.mark.parametrize("fault", [*PLANNED, *OTHERS])
def test_it_passes_without_a_cut_at_failback(healthy: Drilled, fault: str) -> None:
    found = healthy.drills[fault]
    assert found["verdict"] == "pass", found["reasons"]
    assert (found["expected"]["cut_slo"], found["expected"]["failback_cut_slo"]) == (0 if fault in PLANNED else None, 0)
    assert [run["failback_cut"] for run in found["runs"]] == [0] * len(found["runs"])
    assert found["connections"]["open"] == KEPT
    assert found["connections"]["reused"] > KEPT
    assert fault not in PLANNED or found["connections"]["cut"] == 0


def test_a_hand_over_reports_who_served_the_connections(healthy: Drilled) -> None:
    found = healthy.drills["handover"]
    (run,) = found["runs"]
    served = run["served"]
    # Kept connections and new ones, and then only the kept ones on their former holder.
    assert served["before"]["lb01"] >= KEPT
    assert served["during"]["lb01"] == KEPT
    assert served["after"]["lb01"] >= KEPT
    assert sorted(run["timeline"]["connections"]) == ["lb01", "lb02"]
    for kind in ("new", "kept"):
        latency = found["latency_s"][kind]
        assert 0 < latency["p50"] <= latency["p99"] <= latency["max"], latency


def test_the_report_is_what_its_schema_says(healthy: Drilled) -> None:
    schema = json.loads((PROJECT / "docs/drill-report.schema.json").read_text())
    jsonschema.validate(json.loads((REPORTS / "report.json").read_text()), schema)
    assert 'class="served"' in (REPORTS / "report.html").read_text()
    assert set(healthy.drills) == {*PLANNED, *OTHERS}


TABLE = "inet haproof_sabotage"
# nft_dup sends a copy of each packet, which passes the output hook.
DROP_FORWARDED = (
    f"nft add table {TABLE} && nft add chain {TABLE} x '{{ type filter hook output priority 0; }}'"
    f' && nft add rule {TABLE} x ip daddr "$VIP" meta l4proto tcp drop'
)
RESET_ARP = (
    "systemd-run --quiet --collect --unit=haproof-saboteur"
    " sh -c 'while :; do sysctl -qw net.ipv4.conf.eth1.arp_ignore=0; sleep 0.05; done'"
)
WRONG_PEER = (
    "cp -p /etc/keepalived/handover.json /run/handover.json"
    """ && sed -Ei '/"peers"/,/]/s/[.]11"/.99"/' /etc/keepalived/handover.json"""
    " && ! cmp -s /etc/keepalived/handover.json /run/handover.json && systemctl restart keepalived-handover"
)
RIGHT_PEER = (
    "if [ -e /run/handover.json ]; then mv /run/handover.json /etc/keepalived/handover.json;"
    " systemctl restart keepalived-handover; fi"
)
STOP_DROPPING = f"nft delete table {TABLE}"
STOP_RESETTING = "systemctl stop haproof-saboteur"

SABOTAGES = {
    "forwarded packets are dropped": Sabotage(
        "handover",
        [(PROVEN, "lb02", DROP_FORWARDED), (JUDGE, "lb02", STOP_DROPPING)],
        "fail",
        r"\d+ connections were cut at the takeover, 0 are allowed \(.*timeout \d+.*\): lb02 sent their packets on to "
        r"lb01, and no answer came: check the firewalls of both",
    ),
    "arp_ignore is reset": Sabotage(
        "keepalived_stop",
        [(PROVEN, "lb01", RESET_ARP), (JUDGE, "lb01", STOP_RESETTING)],
        "fail",
        r"lb01 could answer ARP requests for \S+ for \d+ ms while another balancer had it: something resets "
        r"net.ipv4.conf.eth1.arp_ignore to 0",
    ),
    "a wrong peer": Sabotage(
        "rolling",
        [(ARM, "lb02", WRONG_PEER), (JUDGE, "lb02", RIGHT_PEER)],
        "fail",
        r"run 1: \d+ connections were cut at the takeover, 0 are allowed \(.*reset \d+.*\): lb02 did not know the "
        r"former holder, lb01: check the peers in /etc/keepalived/handover.json of both.*"
        r"run 1: \d+ connections were cut at failback, 0 are allowed \(.*reset \d+.*\): lb01 did not know the former "
        r"holder, lb02",
    ),
}


@pytest.fixture(scope="module")
def sabotaged(lab: Lab) -> Iterator[Drilled]:
    """Drill once with each sabotage, one after the other."""
    every = SABOTAGES.values()
    faults = [one.fault for one in every]
    try:
        yield drill(
            lab,
            moments(lab, every),
            faults=",".join(faults),
            connections=KEPT,
            slo=dict.fromkeys(faults, PATIENT_S),
            retry_disturbed=0,
        )
    finally:
        lab.nodes["lb01"].run(STOP_RESETTING)
        lab.nodes["lb02"].run(f"{STOP_DROPPING}; {RIGHT_PEER}")
    assert lab.moved_to("lb01", within_s=20), lab.holders()


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_bad_set_up_fails_the_drill(sabotaged: Drilled, name: str) -> None:
    assert_caught(sabotaged, SABOTAGES[name])
