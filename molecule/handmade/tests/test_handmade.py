# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs set up by hand go through audit, adopt and site without a change that a client or a peer can feel."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import testinfra
import yaml

from nodes import eventually, run_playbook, write_inventory

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from testinfra.host import Host

    from nodes import Lab

# The state that site could change on a balancer: processes, unit settings, files, kernel parameters, users.
STATE = """
systemctl show keepalived {engine} --property=Id,MainPID,NRestarts,DropInPaths,UnitFileState
pgrep --list-name '^(keepalived|{engine})$'
find /etc /usr/local -xdev -type f -printf '%p %m %u %g ' -exec sha256sum {{}} \\; | sort
sysctl --all 2>/dev/null | grep -E 'nonlocal_bind|arp_(ignore|announce)|ip_forward'
"""


class Pair(NamedTuple):
    """A pair with its inventory."""

    inventory: Path
    nodes: dict[str, Host]
    engine: str
    holders: dict[str, list[str]]
    """The one holder of each VIP."""


def pair_of(lab: Lab, group: str, engine: str, holders: dict[int, str]) -> Pair:
    """Write an inventory with the hosts of *group* as balancers, and without variables of this collection.

    *holders* has the holder of each VIP by the VIP's last byte.
    """
    content = yaml.safe_load(lab.inventory.read_text())
    for name in ("keepalived_vips", "balancer_engine"):
        del content["all"]["vars"][name]
    groups = content["all"]["children"]
    hosts = groups[group]["hosts"]
    del groups["nginx_pair"]
    groups["balancers"] = {"hosts": hosts}
    prefix = next(iter(hosts.values()))["backend_address"].rpartition(".")[0]
    inventory = write_inventory(lab, f"adopted_{engine}", content)
    nodes = {name: testinfra.get_host(f"ansible://{name}?ansible_inventory={inventory}") for name in hosts}
    return Pair(inventory, nodes, engine, {f"{prefix}.{byte}": [holder] for byte, holder in holders.items()})


@pytest.fixture(scope="module")
def haproxy_pair(lab: Lab) -> Pair:
    """MASTER 100, BACKUP 90, and a command with weight -20 as the check."""
    return pair_of(lab, "balancers", "haproxy", {10: "lb01"})


@pytest.fixture(scope="module")
def nginx_pair(lab: Lab) -> Pair:
    """Two VIPs with an owner each, one of them in an included file, and a check whose weight never moves a VIP."""
    return pair_of(lab, "nginx_pair", "nginx", {16: "lb03", 9: "lb04"})


@pytest.fixture(params=["haproxy_pair", "nginx_pair"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """Return each pair."""
    found: Pair = request.getfixturevalue(request.param)
    return found


def play(pair: Pair, playbook: str, *options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run a playbook of the collection on a pair."""
    extra = ["--extra-vars", json.dumps(variables)]
    return run_playbook(f"haproof.balancer.{playbook}", pair.inventory, *options, *extra)


def changes(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Return the number of changes on each balancer by a playbook's recap."""
    return {host: int(number) for host, number in re.findall(r"^(lb\d+) .* changed=(\d+)", done.stdout, re.MULTILINE)}


def state(pair: Pair) -> dict[str, str]:
    """Return what site could change on each balancer."""
    return {name: node.check_output(STATE.format(engine=pair.engine)) for name, node in pair.nodes.items()}


def holders(pair: Pair) -> dict[str, list[str]]:
    """Return the holders of each VIP."""
    show = "ip -oneline address show to %s"
    return {vip: [name for name, node in pair.nodes.items() if node.check_output(show, vip)] for vip in pair.holders}


def test_the_pair_works(pair: Pair) -> None:
    assert eventually(lambda: holders(pair) == pair.holders, within_s=20), holders(pair)


def test_audit_finds_nothing_wrong_and_warns(pair: Pair) -> None:
    report = pair.inventory.parent.resolve() / "audit.json"
    done = play(pair, "audit", audit_report=str(report))
    assert done.returncode == 0, done.stdout
    warned = [(each["warning"], each["host"]) for each in json.loads(report.read_text())["warnings"]]
    wanted = [("script_security", name) for name in pair.nodes]
    assert warned == wanted + ([("weight", "lb03")] if pair.engine == "nginx" else [])


def test_adopt_accepts_what_runs_and_names_what_it_leaves(pair: Pair) -> None:
    done = play(pair, "adopt", adopt_modernise=True)
    assert done.returncode == 0, done.stdout + done.stderr
    # It does not count what the nginx pair's included file says.
    assert re.search(r"service stops +(9,668 ms|the VIP stays) +22 ms", done.stdout), done.stdout
    proposal = yaml.safe_load((pair.inventory.parent / "proposal.yml").read_text())
    (vip,) = proposal["keepalived_vips"]
    first = next(iter(pair.holders))
    assert vip == {"address": f"{first}/24", "interface": "eth1", "vrid": vip["vrid"], "owner": pair.holders[first][0]}
    written = {path.name: yaml.safe_load(path.read_text()) for path in pair.inventory.parent.glob("group_vars/*/*.yml")}
    assert written["site.yml"] == {"balancer_engine": pair.engine}
    accepted = {"haproxy": ["script_security"], "nginx": ["script_security", "weight"]}[pair.engine]
    assert written["keepalived.yml"]["keepalived_accept"] == accepted
    expected = "/etc/keepalived/keepalived.conf includes /etc/keepalived/conf.d/*.conf"
    assert done.stdout.count(expected) == {"haproxy": 0, "nginx": 2}[pair.engine], done.stdout


def test_site_would_change_nothing(pair: Pair) -> None:
    done = play(pair, "site", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert changes(done) == dict.fromkeys(pair.nodes, 0), done.stdout


def test_site_changes_nothing(pair: Pair, lab: Lab) -> None:
    before = state(pair)
    with lab.probed(next(iter(pair.holders)), timeout_s=0.9) as seen:
        done = play(pair, "site")
    assert done.returncode == 0, done.stdout + done.stderr
    assert changes(done) == dict.fromkeys(pair.nodes, 0), done.stdout
    assert state(pair) == before
    assert holders(pair) == pair.holders
    assert seen["requests"] > 100
    assert seen["failed"] == 0


def test_a_check_that_keepalived_would_not_run_is_named(haproxy_pair: Pair) -> None:
    scripts = [{"name": "chk_haproxy", "script": '"no-such-program -0 haproxy"', "interval": 2, "weight": -20}]
    before = state(haproxy_pair)
    done = play(haproxy_pair, "site", keepalived_vrrp_scripts=scripts)
    assert done.returncode != 0
    expected = r"chk_haproxy since not found/accessible: line \d+: no no-such-program in keepalived's PATH"
    output = " ".join(done.stdout.split())
    assert re.search(expected, output), output
    assert "keepalived_accept: [script_missing]" in output
    assert state(haproxy_pair) == before


def test_audit_names_a_check_that_keepalived_disabled(haproxy_pair: Pair) -> None:
    node = haproxy_pair.nodes["lb02"]
    file = "/etc/keepalived/keepalived.conf"
    node.check_output("cp --archive %s /root/ && sed -i 's/killall -0/no-such-program -0/' %s", file, file)
    try:
        node.check_output("systemctl reload keepalived")
        done = play(haproxy_pair, "audit")
    finally:
        node.check_output("cp --archive /root/keepalived.conf %s && systemctl reload keepalived", file)
    assert done.returncode != 0
    expected = rf"lb02: {file} line \d+: vrrp_script chk_haproxy: no no-such-program in keepalived's PATH"
    assert re.search(expected, " ".join(done.stdout.split())), done.stdout


def test_a_drill_shows_what_the_pair_costs(haproxy_pair: Pair) -> None:
    report = haproxy_pair.inventory.parent / "drill.json"
    (vip,) = haproxy_pair.holders
    done = play(haproxy_pair, "drill", drill_faults=["service_stop"], drill_vip=vip, drill_report=str(report))
    assert report.exists(), done.stdout + done.stderr
    (drilled,) = json.loads(report.read_text())["drills"]
    (run,) = drilled["runs"]
    assert run["holder_during"] == "lb02", done.stdout
    # The check fails three times, every two seconds, and the standby waits three adverts and its skew: 7.6 to 9.6 s.
    assert 5 < run["outage_s"] < 12, done.stdout
