# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs set up by hand, on which nothing may change."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

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
find /etc /usr/local /root /var/spool/cron -xdev -path '*/logs' -prune -o -path '/root/.ansible' -prune -o \
    -type f -printf '%p %m %u %g ' -exec sha256sum {{}} \\; | sort
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
    for name in groups.keys() - {"backends", "clients"}:
        del groups[name]
    groups["balancers"] = {"hosts": hosts}
    prefix = next(iter(hosts.values()))["backend_address"].rpartition(".")[0]
    inventory = write_inventory(lab, f"adopted_{engine}", content)
    nodes = {name: testinfra.get_host(f"ansible://{name}?ansible_inventory={inventory}") for name in hosts}
    return Pair(inventory, nodes, engine, {f"{prefix}.{byte}": [holder] for byte, holder in holders.items()})


def play(pair: Pair, playbook: str, *options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run a playbook of the collection on a pair."""
    extra = ["--extra-vars", json.dumps(variables)]
    return run_playbook(f"haproof.balancer.{playbook}", pair.inventory, *options, *extra)


def warnings_of_audit(pair: Pair) -> list[dict[str, Any]]:
    """Return the warnings of a run of audit without findings."""
    report = pair.inventory.parent.resolve() / "audit.json"
    done = play(pair, "audit", audit_report=str(report))
    assert done.returncode == 0, done.stdout
    warnings: list[dict[str, Any]] = json.loads(report.read_text())["warnings"]
    return warnings


def adopted_variables(pair: Pair) -> dict[str, dict[str, Any]]:
    """Return the variables that adopt wrote, by file."""
    files = pair.inventory.parent.glob("group_vars/*/*.yml")
    return {path.name: yaml.safe_load(path.read_text()) for path in files}


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


def assert_works(pair: Pair) -> None:
    """Wait until each VIP has its one holder; both daemons then run as their units."""
    assert eventually(lambda: holders(pair) == pair.holders, within_s=20), holders(pair)
    for node in pair.nodes.values():
        assert node.check_output("systemctl is-active keepalived %s", pair.engine).split() == ["active", "active"]


def assert_site_would_change_nothing(pair: Pair) -> None:
    """Run site in check mode."""
    _assert_unchanged(pair, play(pair, "site", "--check"))


def assert_site_changes_nothing(pair: Pair, lab: Lab) -> None:
    """Run site under requests to the first VIP."""
    before = state(pair)
    with lab.probed(next(iter(pair.holders)), timeout_s=0.9) as seen:
        done = play(pair, "site")
    _assert_unchanged(pair, done)
    assert state(pair) == before
    assert holders(pair) == pair.holders
    assert seen["requests"] > 100
    assert seen["failed"] == 0


def _assert_unchanged(pair: Pair, done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert changes(done) == dict.fromkeys(pair.nodes, 0), done.stdout


def drilled(pair: Pair, fault: str, name: str) -> dict[str, Any]:
    """Drill a fault of the first VIP's holder, whatever the verdict; return its run."""
    report = pair.inventory.parent / f"{name}.json"
    # Before adopt nothing says which engine runs.
    asked = {"drill_faults": [fault], "drill_service": pair.engine, "drill_vip": next(iter(pair.holders))}
    done = play(pair, "drill", drill_report=str(report), **asked)
    assert report.exists(), done.stdout + done.stderr
    (drill,) = json.loads(report.read_text())["drills"]
    (run,) = drill["runs"]
    found: dict[str, Any] = {**run, "output": done.stdout}
    return found
