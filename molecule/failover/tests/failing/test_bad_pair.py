# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs that were misconfigured on purpose fail their drills, so a pass proves something."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator

import pytest

from drilling import drill, selected, whole
from nodes import CLIENT, apply_site, inventory_hosts

if TYPE_CHECKING:
    from nodes import Lab

ANSWERS = "/usr/local/libexec/keepalived/answers 127.0.0.1 8099 /"

# The misconfiguration, the fault that reveals it, and the reason in the verdict.
BAD: dict[str, tuple[dict[str, Any], str, str]] = selected(
    {
        "polling": (
            {"keepalived_track_services": []},
            "service_stop",
            r"the outage of \d{3,} ms is above the objective of 100 ms",
        ),
        "weight": (
            {
                "keepalived_track_services": [],
                "keepalived_check_url": "",
                "keepalived_vrrp_scripts": [
                    {"name": "answers", "script": f'"{ANSWERS}"', "interval": 1, "fall": 2, "rise": 1, "weight": -1}
                ],
                "keepalived_vrrp_instance": {"track_script": ["answers"]},
                "keepalived_accept": ["weight"],
            },
            "service_stop",
            r"at the end of the fault the VIP must be on one balancer other than lb01, but was on lb01",
        ),
    },
    always=["polling"],
)


@contextmanager
def set_up(lab: Lab, variables: dict[str, Any]) -> Iterator[None]:
    """Apply these variables, and the lab's own again at the end."""
    try:
        applied = apply_site(lab, variables)
        assert applied.returncode == 0, applied.stdout + applied.stderr
        yield
    finally:
        restored = apply_site(lab, {})
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert lab.moved_to("lb01", within_s=20), lab.holders()


@pytest.mark.parametrize(("variables", "fault", "reason"), BAD.values(), ids=list(BAD))
def test_it_fails(lab: Lab, variables: dict[str, Any], fault: str, reason: str) -> None:
    with set_up(lab, variables):
        done = drill(lab, faults=fault, deadline_s=20)
        assert done.code != 0
        assert done.drills[fault]["verdict"] == "fail"
        assert any(re.search(reason, found) for found in done.drills[fault]["reasons"]), done.drills[fault]["reasons"]
        assert "These drills did not pass, for the reasons in the table" in done.output


@whole
def test_two_holders_are_not_drilled_without_the_watch(lab: Lab) -> None:
    with set_up(lab, {"keepalived_watch": False}):
        done = drill(lab, faults="vrrp_block", deadline_s=20)
        assert done.code != 0
        assert done.drills["vrrp_block"]["verdict"] == "skip"
        assert done.drills["vrrp_block"]["reasons"] == [
            "keepalived_watch is off, so no alarm can be raised for two holders"
        ]


# The command that ends the fault half a second after its injection, and the reason in the verdict.
ENDED: dict[str, tuple[str, str]] = selected(
    {
        "service_stop": ("systemctl start {engine}", r"{engine} runs"),
        "service_hang": ("systemctl kill --signal=CONT {engine}", r"processes of {engine} are running"),
        "service_slow": (
            "systemctl stop haproof-fault-service_slow",
            r"{engine} is no longer stopped repeatedly",
        ),
        "keepalived_bad_config": ("sed -i '/^vrrp_instance VI_new/,$d' {conf}", r"{conf} has been changed"),
        "vrrp_block": ("nft delete table netdev haproof_drill", r"the rules of .* have been removed"),
        "cpu_starve": ("systemctl stop haproof-fault-cpu_starve", r"the busy loops have ended"),
    },
    always=["service_stop", "vrrp_block"],
)

SABOTEUR = """
while :; do
    for fault in {faults}; do
        [ -e /run/haproof-drill/$fault/record.json ] || [ -e /var/lib/haproof-drill/$fault/record.json ] || continue
        sleep 0.5
        case $fault in {cases} esac
        while [ -e /run/haproof-drill/$fault/record.json ] || [ -e /var/lib/haproof-drill/$fault/record.json ]; do
            sleep 0.05
        done
    done
    sleep 0.05
done
"""


@contextmanager
def background(lab: Lab, name: str, script: str) -> Iterator[None]:
    """Run a script on a node in the background."""
    node = lab.nodes[name]
    node.check_output("systemd-run --quiet --collect --unit=haproof-saboteur sh -c %s", script)
    try:
        yield
    finally:
        node.run("systemctl stop haproof-saboteur")


def test_a_fault_that_something_else_ends_is_disturbed(lab: Lab) -> None:
    words = {"engine": lab.engine, "conf": "/etc/keepalived/keepalived.conf"}
    cases = " ".join(f"{fault}) {command.format(**words)} ;;" for fault, (command, _lost) in ENDED.items())
    with background(lab, "lb01", SABOTEUR.format(faults=" ".join(ENDED), cases=cases)):
        done = drill(lab, faults=",".join(ENDED), deadline_s=20, hold_s=1, retry_disturbed=0)
    assert done.code != 0
    for fault, (_command, lost) in ENDED.items():
        found = done.drills[fault]
        assert found["verdict"] == "disturbed", (fault, found["reasons"])
        wanted = rf"the fault was gone before healing \(lb01: {lost.format(**words)}\)"
        assert any(re.search(wanted, reason) for reason in found["reasons"]), found["reasons"]


NOT_BOOTED = {"node_reboot": {"inject": [["true"]], "heal": []}}

# A wrong target or URL of the drill, and the reason why it proves nothing.
BESIDE: dict[str, tuple[dict[str, Any], str]] = selected(
    {
        "another service": (
            {"faults": "service_slow,service_kill", "service": "systemd-logind"},
            r"the fault breaks systemd-logind, but another process serves client at \S+ port 80 of lb01",
        ),
        "a backend's own URL": (
            {"faults": "keepalived_stop", "url": "http://{web01}/"},
            r"lb01 has no connection from client \(\S+\) to \S+ port 80, so its requests for \S+ may not",
        ),
        "a service that no balancer uses": (
            {"faults": "backend_stop", "backend_service": "ssh"},
            r"ssh of web01 has no connection from lb01, so requests may not need it",
        ),
        "a reboot that is none": (
            {"faults": "node_reboot", "commands": NOT_BOOTED},
            r"no evidence that lb01 had the fault \(lb01: it has not booted\)",
        ),
    },
    always=["a backend's own URL"],
)


@pytest.mark.parametrize(("variables", "reason"), BESIDE.values(), ids=list(BESIDE))
def test_a_fault_beside_the_requests_is_no_pass(lab: Lab, variables: dict[str, Any], reason: str) -> None:
    web01 = inventory_hosts(lab.inventory, "backends")["web01"]["backend_address"]
    settings = {name: value.format(web01=web01) if name == "url" else value for name, value in variables.items()}
    done = drill(lab, **{"deadline_s": 20, "retry_disturbed": 0, **settings})
    assert done.code != 0
    for found in done.drills.values():
        assert found["verdict"] in ("fail", "disturbed"), found
        assert any(re.search(reason, one) for one in found["reasons"]), found["reasons"]


@whole
def test_a_client_that_has_the_vip_itself_is_no_pass(lab: Lab) -> None:
    client = lab.nodes[CLIENT]
    client.check_output("ip address add %s/32 dev lo", lab.vip)
    try:
        with background(lab, CLIENT, f"cd /run/lock && exec python3 -m http.server --bind {lab.vip} 80"):
            done = drill(lab, faults="keepalived_stop", deadline_s=20, retry_disturbed=0)
    finally:
        client.check_output("ip address del %s/32 dev lo", lab.vip)
    found = done.drills["keepalived_stop"]
    assert found["verdict"] == "fail"
    # It answers for the VIP on the wire too, which the watch may find first.
    wanted = rf"client has {lab.vip} itself: its requests never leave it|the alarm split_brain of {lab.vip} is raised"
    assert re.search(wanted, str(found["reasons"])), found["reasons"]


@whole
def test_a_client_behind_a_nat_is_known_by_its_address_there(lab: Lab) -> None:
    client, address = lab.nodes[CLIENT], lab.vip.rpartition(".")[0] + ".200"
    interface = client.check_output("ip -oneline route get %s", lab.vip).split("dev ")[1].split()[0]
    try:
        client.check_output(f"ip address add {address}/32 dev {interface}")
        client.check_output(
            "nft add table ip behind && nft add chain ip behind x '{ type nat hook postrouting priority 100; }'"
        )
        client.check_output(f"nft add rule ip behind x ip daddr {lab.vip} tcp dport 80 snat to {address}")
        settings = {"faults": "keepalived_reload", "deadline_s": 20, "hold_s": 1}
        unknown, accepted, known = (
            drill(lab, **settings, **more).drills["keepalived_reload"]
            for more in ({"retry_disturbed": 0}, {"accept": ["path"]}, {"sources": {CLIENT: address}})
        )
    finally:
        client.run("nft delete table ip behind")
        client.check_output(f"ip address del {address}/32 dev {interface}")
    assert unknown["verdict"] == "fail"
    assert "where a NAT changes their source, set drill_sources" in str(unknown["reasons"])
    assert (accepted["verdict"], len(accepted["unproven"])) == ("pass", 1), accepted
    assert (known["verdict"], known["unproven"]) == ("pass", []), known
