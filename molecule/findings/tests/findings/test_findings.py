# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each finding of the audit and of site.yml is produced for real, reported, and cleared by the fix."""

from __future__ import annotations

import json
import os
import re
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Iterator

import pytest

from nodes import BACKENDS, CLIENT, apply_site, eventually, run_playbook

if TYPE_CHECKING:
    from pathlib import Path

    from nodes import Lab

AUDIT_RUNS = int(os.environ.get("AUDIT_RUNS", "1"))
HOLDER, STANDBY = "lb01", "lb02"
# keepalived with the pair's router id for another address, on a host that is not a balancer. Its interval is shorter
# than the pair's, since rejected adverts restart its timer.
FOREIGN_ROUTER = """
vrrp_instance FOREIGN {{
    version 3
    interface eth1
    virtual_router_id {vrid}
    priority 100
    advert_int 0.1
    virtual_ipaddress {{
        {address}/24
    }}
}}
"""
# The lab's nodes share one clock, so only Python's view of it can differ.
AHEAD = '#!/bin/sh\nexec faketime -f +1h /usr/bin/python3.kept "$@"\n'


def audit(lab: Lab, folder: Path, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run the audit; return its report, with ``rc`` and ``output``."""
    path = folder / "audit.json"
    arguments = json.dumps({"audit_report": str(path), **(variables or {})})
    run = run_playbook("haproof.balancer.audit", lab.inventory, "--extra-vars", arguments)
    assert path.exists(), run.stdout + run.stderr
    report: dict[str, Any] = json.loads(path.read_text())
    path.unlink()
    return {**report, "rc": run.returncode, "output": run.stdout + run.stderr}


def names(report: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the findings as pairs of name and host."""
    return {(finding["finding"], finding["host"]) for finding in report["findings"]}


def found(report: dict[str, Any], *expected: tuple[str, str]) -> None:
    """Assert that these findings are in the report and the output, and that the audit failed."""
    assert set(expected) <= names(report), report["output"]
    assert report["rc"] != 0
    for finding in report["findings"]:
        assert finding["text"] in report["output"].replace("\n        ", "\n"), report["output"]


def nothing_found(report: dict[str, Any]) -> None:
    assert (names(report), report["rc"]) == (set(), 0), report["output"]


@contextmanager
def done(lab: Lab, *steps: tuple[str, str, str]) -> Iterator[None]:
    """Run commands on nodes, and undo them at the end: each step is a node, a command, and its undo command."""
    with ExitStack() as stack:
        for name, command, undo in steps:
            stack.callback(lab.nodes[name].run, undo)
            lab.nodes[name].check_output(command)
        yield


def settled(lab: Lab) -> bool:
    """Wait until the pair has recovered."""
    infos = lab.module("balancers", "vip_info", {"vips": [lab.vip], "wait_for": "settled", "wait_timeout": 20})
    return {host: info["roles"][lab.vip] for host, info in infos.items()} == {HOLDER: "holder", STANDBY: "standby"}


@pytest.fixture(autouse=True)
def mended(lab: Lab) -> Iterator[None]:
    """Restore a healthy pair for the next test."""
    yield
    assert eventually(lambda: settled(lab), within_s=40)


def no_vrrp(*hooks: str) -> str:
    """Return the command that drops VRRP in these hooks of the firewall."""
    rules = "type filter hook {0} priority 0; policy accept; ip protocol 112 drop;"
    chains = " ".join(f"chain {hook} {{ {rules.format(hook)} }};" for hook in hooks)
    return f"nft 'table inet findings {{ {chains} }}'"


def test_a_healthy_pair_has_no_findings(lab: Lab, tmp_path: Path) -> None:
    for _run in range(AUDIT_RUNS):
        report = audit(lab, tmp_path)
        nothing_found(report)
    (row,) = report["vips"]
    assert row["holders"] == [HOLDER]
    assert list(row["standbys"]) == [STANDBY]
    assert row["macs"] == sorted(lab.holder_macs())
    assert row["service"] is True
    assert f"{lab.vip}  {HOLDER}" in report["output"]


def test_a_standby_that_is_not_what_it_seems(lab: Lab, tmp_path: Path) -> None:
    """Edited files, an interrupted run, a replaced binary, a hung service, and a wrong clock."""
    standby = lab.nodes[STANDBY]
    conf, program = "/etc/keepalived/keepalived.conf", "/usr/sbin/keepalived"
    edit = f"cp -p {conf} /run/kept.conf; sed -i 's/priority 253/priority 200/' {conf}"
    replace = f"cp -p {program} /run/kept; cp {program} {program}.new; echo >>{program}.new; mv {program}.new {program}"
    nginx_conf, mark = "/etc/nginx/nginx.conf", "/run/haproof/keepalived.json"
    append = f"cp -p {nginx_conf} /run/kept.nginx; echo '# new' >>{nginx_conf}"
    cut_off = f"""echo '{{"restart": true, "units": false, "folders": []}}' >{mark}"""
    wrap = f"mv /usr/bin/python3 /usr/bin/python3.kept; echo '{AHEAD}' >/usr/bin/python3; chmod 755 /usr/bin/python3"
    # The packaged file has its own time stamp, and keepalived is still running from the old file.
    put_back = f"cp -p /run/kept {program}.old; mv {program}.old {program}; systemctl restart keepalived"
    with done(
        lab,
        (STANDBY, replace, put_back),
        (STANDBY, edit, f"cp -p /run/kept.conf {conf}"),
        (STANDBY, "systemctl kill --signal=STOP nginx", "systemctl kill --signal=CONT nginx"),
        (STANDBY, append, f"cp -p /run/kept.nginx {nginx_conf}"),
        (STANDBY, cut_off, f"rm {mark}"),
        (HOLDER, wrap, "mv /usr/bin/python3.kept /usr/bin/python3"),
    ):
        assert eventually(lambda: "FAULT" in standby.check_output("journalctl -u keepalived -n 3"), within_s=15)
        report = audit(lab, tmp_path)
    found(
        report,
        ("config_drift", STANDBY),
        ("binary_outdated", STANDBY),
        ("instance_fault", STANDBY),
        ("clock_differs", STANDBY),
    )
    words = {finding["finding"]: finding["text"] for finding in report["findings"]}
    drifts = " ".join(finding["text"] for finding in report["findings"] if finding["finding"] == "config_drift")
    assert "priority is 200 on disk, and 253 runs" in drifts
    assert f"{nginx_conf} was written" in drifts
    assert "a run was interrupted before keepalived's restart" in drifts
    assert "script answers" in words["instance_fault"]
    assert f"{STANDBY}: its clock is 3" in words["clock_differs"]


def test_a_vrrp_process_that_was_killed(lab: Lab, tmp_path: Path) -> None:
    kill = "pkill --signal KILL --parent $(cat /run/keepalived.pid) --exact keepalived"
    with done(lab, (STANDBY, kill, "systemctl restart keepalived")):
        assert eventually(lambda: settled(lab), within_s=40)
        found(audit(lab, tmp_path), ("process_restarted", STANDBY))


def test_a_firewall_that_drops_vrrp(lab: Lab, tmp_path: Path) -> None:
    with done(lab, (STANDBY, no_vrrp("input"), "nft delete table inet findings")):
        assert eventually(lambda: lab.holders() == [HOLDER, STANDBY], within_s=10)
        report = audit(lab, tmp_path)
    found(report, ("split_brain", ""), ("vrrp_unreachable", STANDBY))
    text = next(finding["text"] for finding in report["findings"] if finding["finding"] == "split_brain")
    assert f"{HOLDER} and {STANDBY} hold it" in text
    assert len(report["vips"][0]["macs"]) == 2
    for mac in report["vips"][0]["macs"]:
        assert mac in text
    assert ("vrrp_unreachable", HOLDER) not in names(report)


def test_adverts_that_do_not_leave_the_holder(lab: Lab, tmp_path: Path) -> None:
    with done(lab, (HOLDER, no_vrrp("output"), "nft delete table inet findings")):
        assert eventually(lambda: lab.holders() == [HOLDER, STANDBY], within_s=10)
        found(audit(lab, tmp_path), ("split_brain", ""), ("vrrp_unreachable", STANDBY))
        refused = apply_site(lab, {})
    assert refused.returncode != 0
    assert f"{STANDBY}: no VRRP from {HOLDER}" in refused.stdout
    assert "site_accepted_findings: [vrrp_unreachable]" in refused.stdout


def test_a_vip_that_was_added_by_hand(lab: Lab, tmp_path: Path) -> None:
    address = f"{lab.vip}/32 dev eth1"
    with done(lab, (STANDBY, f"ip address add {address}", f"ip address del {address}")):
        found(audit(lab, tmp_path), ("split_brain", ""), ("vip_orphaned", STANDBY))


def test_foreign_hosts_on_the_link(lab: Lab, tmp_path: Path) -> None:
    """A router with our id, and a host with our address."""
    network, _dot, vrid = lab.vip.rpartition(".")
    router = FOREIGN_ROUTER.format(vrid=vrid, address=f"{network}.77")
    write = f"printf %s '{router}' >/etc/keepalived/keepalived.conf; systemctl restart keepalived"
    address = f"{lab.vip}/32 dev eth1"
    with done(
        lab,
        (BACKENDS[0], write, "systemctl stop keepalived; rm /etc/keepalived/keepalived.conf"),
        (BACKENDS[1], f"ip address add {address}", f"ip address del {address}"),
    ):
        assert eventually(lambda: f"{network}.77" in lab.nodes[BACKENDS[0]].check_output("ip address"), within_s=15)
        report = audit(lab, tmp_path)
        # The smallest change of the settings that makes site.yml inspect the link.
        vips = [{"address": f"{lab.vip}/24"}, {"address": f"{network}.99/24"}]
        # One of the two is accepted.
        refused = apply_site(lab, {"keepalived_vips": vips, "site_accepted_findings": ["vip_foreign_mac"]}, "--check")
    found(report, ("vrid_taken", HOLDER), ("vip_foreign_mac", HOLDER), ("vrid_taken", STANDBY))
    assert refused.returncode != 0
    assert f"{HOLDER}: VRID {vrid} is in use on eth1 by" in refused.stdout
    assert "is answered by" not in refused.stdout
    assert "changed=0" in refused.stdout


def test_no_host_holds_it(lab: Lab, tmp_path: Path) -> None:
    with done(
        lab,
        (STANDBY, "systemctl stop keepalived", "systemctl start keepalived"),
        (HOLDER, "systemctl stop keepalived", "systemctl start keepalived"),
    ):
        report = audit(lab, tmp_path)
    found(report, ("no_holder", ""), ("standby_not_ready", STANDBY), ("service_unanswered", ""))


def test_a_service_that_answers_badly(lab: Lab, tmp_path: Path) -> None:
    stop, start = "systemctl stop nginx", "systemctl start nginx"
    with done(lab, (BACKENDS[0], stop, start), (BACKENDS[1], stop, start)):
        report = audit(lab, tmp_path, {"audit_url": "http://www.example.com/"})
    found(report, ("service_unanswered", ""))
    assert "answers with status 502, not 200" in report["output"]


# The balancers' next configuration: the pair's VIP in an instance as lines, or another VIP.
@pytest.mark.parametrize("address", ["VIP", "NETWORK.99"])
def test_the_holder_comes_last_whoever_wrote_its_instances(lab: Lab, address: str) -> None:
    network, _dot, vrid = lab.vip.rpartition(".")
    address = address.replace("VIP", lab.vip).replace("NETWORK", network)
    instance = {
        "name": "VI_1",
        "state": "BACKUP",
        "interface": "eth1",
        "virtual_router_id": int(vrid),
        "priority": "{{ 200 - groups['balancers'].index(inventory_hostname) }}",
        "virtual_ipaddress_excluded": [f"{address}/24 dev eth1"],
    }
    play = apply_site(lab, {"keepalived_vips": [], "keepalived_vrrp_instances": [instance]}, "--check")
    assert play.returncode == 0, play.stdout + play.stderr
    configured = play.stdout.partition("PLAY [Configure the balancers one by one")[2]
    assert re.findall(r"changed: \[(lb\d+)\]", configured) == [STANDBY, HOLDER], configured


# How two holders appear and become one again: the node, the commands to begin and end it (one heals itself), the loser,
# the time until clients must know, and the number of repetitions, since after a split chance decides.
# A duplicate sends no adverts: it ends with the holder's refresh, every 10 s.
MERGES: list[tuple[str, str, str, str, str, float, int]] = [
    ("a split", STANDBY, "BLOCK", "nft delete table inet findings", STANDBY, 3, 3),
    (
        "hung keepalived",
        HOLDER,
        "systemctl kill -s STOP keepalived",
        "systemctl kill -s CONT keepalived",
        STANDBY,
        3,
        1,
    ),
    ("killed keepalived", HOLDER, "systemctl kill -s KILL keepalived", "true", STANDBY, 12, 1),
    (
        "a duplicate",
        BACKENDS[0],
        "ip address add VIP/32 dev eth1",
        "ip address del VIP/32 dev eth1",
        BACKENDS[0],
        12,
        1,
    ),
]


@pytest.mark.parametrize(
    ("name", "begin", "end", "loser", "within_s", "times"), [case[1:] for case in MERGES], ids=[c[0] for c in MERGES]
)
def test_clients_of_the_loser_find_the_winner(
    lab: Lab, name: str, begin: str, end: str, loser: str, within_s: float, times: int
) -> None:
    """The client's ARP entry does not expire, and points to the loser: the winner must announce itself."""
    client = lab.nodes[CLIENT]
    wins, gives_up = (lab.nodes[host].check_output("cat /sys/class/net/eth1/address") for host in (HOLDER, loser))
    begin, end = (
        command.replace("BLOCK", no_vrrp("input", "output")).replace("VIP", lab.vip) for command in (begin, end)
    )
    entry = f"ip neighbour show {lab.vip} dev eth1"
    forget = f"ip neighbour del {lab.vip} dev eth1; sysctl -qw net.ipv4.neigh.eth1.base_reachable_time_ms=30000"
    with done(lab, (CLIENT, "sysctl -qw net.ipv4.neigh.eth1.base_reachable_time_ms=3600000", forget)):
        for _time in range(times):
            with done(lab, (name, begin, end)):
                assert eventually(lambda: gives_up in lab.answering_macs(), within_s=10)
                client.check_output(f"ip neighbour replace {lab.vip} lladdr {gives_up} nud reachable dev eth1")
            # One loop on the node: repeated connections take longer on a busy machine.
            updated = f"timeout {within_s} sh -c 'until {entry} | grep -q {wins}; do sleep 0.05; done'"
            assert client.run(updated).rc == 0, client.check_output(entry)
        assert eventually(lambda: lab.holders() == [HOLDER], within_s=10), lab.holders()
        assert set(filter(None, lab.answers(3))) <= set(BACKENDS)
