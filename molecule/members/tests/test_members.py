# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A balancer is removed, joins again, and is deleted from the inventory alone. The tests run in this order."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from nodes import CLIENT, apply_site, eventually, run_playbook, unchanged, write_inventory

if TYPE_CHECKING:
    from nodes import Lab

LEAVES = "lb03"
STAY = ("lb01", "lb02")
MEMBERS = "/etc/ansible/facts.d/haproof_members.fact"
# What the roles and their packages have outside of /run and /var.
LEFT = (
    "find /etc /opt /usr/bin /usr/lib /usr/libexec /usr/local /usr/sbin ! -type d"
    r" \( -path '*/keepalived*' -o -path '*/nginx*' -o -name '*haproof*' \)"
    # Conffiles of keepalived's package, none of which starts anything.
    r" ! -path '/etc/default/*' ! -path '/etc/init.d/*' ! -path '/etc/dbus-1/*' ! -path '/etc/rc*.d/*'"
    r" ! -name '*.sample' ! -name keepalived.config-opts ! -path '/usr/lib/python3/*'"
)
UNITS = "systemctl list-units --all --plain --no-legend 'keepalived*' 'nginx*' | cut -d ' ' -f 1"


def without(lab: Lab, vips: int, group: str = "") -> Path:
    """Write an inventory without the balancer, or with it in another *group*, and with only the first *vips*."""
    content = yaml.safe_load(lab.inventory.read_text())
    groups = content["all"]["children"]
    host = groups["balancers"]["hosts"].pop(LEAVES)
    if group:
        groups[group] = {"hosts": {LEAVES: host}}
    content["all"]["vars"]["keepalived_vips"] = content["all"]["vars"]["keepalived_vips"][:vips]
    return write_inventory(lab, f"{group or 'deleted'}-{vips}", content)


def remove(inventory: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    told = json.dumps({"remove_host": LEAVES, **variables})
    return run_playbook("haproof.balancer.remove", inventory, "--extra-vars", told)


def report(run: subprocess.CompletedProcess[str]) -> str:
    """Return the output without line breaks, which Ansible adds to long messages."""
    return " ".join(run.stdout.split())


def succeeded(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode == 0, run.stdout + run.stderr
    return report(run)


def audited(inventory: Path) -> subprocess.CompletedProcess[str]:
    return run_playbook("haproof.balancer.audit", inventory)


def remembered(lab: Lab, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lab.nodes[name].file(MEMBERS).content_string)
    return found


def former_vip(lab: Lab) -> str:
    return list(lab.owners)[1]


def test_each_remembers_the_others(lab: Lab) -> None:
    for name in lab.balancers:
        assert list(remembered(lab, name)) == lab.balancers
    # A management address sends no adverts.
    prefix = lab.vip.rpartition(".")[0]
    assert remembered(lab, "lb01")[LEAVES] == [f"{prefix}.13"]


def test_the_only_ready_one_is_not_removed(lab: Lab) -> None:
    with ExitStack() as stack:
        for name in STAY:
            stack.enter_context(lab.stopped(name, "keepalived"))
        assert lab.moved_to(LEAVES)
        run = remove(lab.inventory)
        assert run.returncode == 2, run.stdout
        assert f"{LEAVES} must stay in service, since no other host could hold {lab.vip}" in report(run)
        assert lab.holders() == [LEAVES]
    assert lab.moved_to("lb01")


def test_nothing_is_left_of_a_removed_one(lab: Lab) -> None:
    closing = succeeded(remove(lab.inventory, remove_engine=True, probe_client=CLIENT))
    assert re.search(r"client: \d+ requests, \d+ failed", closing)
    assert f"{LEAVES} is removed" in closing
    assert f"delete {LEAVES} from the inventory (groups: balancers)" in closing
    node = lab.nodes[LEAVES]
    assert node.check_output(LEFT) == ""
    assert node.check_output(UNITS) == ""
    assert lab.holders() == ["lb01"]
    for name in STAY:
        assert list(remembered(lab, name)) == list(STAY)


def test_the_others_do_not_miss_it(lab: Lab) -> None:
    inventory = without(lab, vips=2)
    closing = succeeded(run_playbook("haproof.balancer.site", inventory))
    assert LEAVES not in closing
    succeeded(audited(inventory))


def test_it_joins_again(lab: Lab) -> None:
    succeeded(apply_site(lab, {}))
    assert lab.moved_to("lb01")
    assert list(remembered(lab, "lb01")) == lab.balancers
    assert unchanged(succeeded(apply_site(lab, {})))
    succeeded(audited(lab.inventory))


def test_one_that_is_only_deleted_is_not_forgotten(lab: Lab) -> None:
    inventory = without(lab, vips=2)
    closing = succeeded(run_playbook("haproof.balancer.site", inventory))
    assert re.search(rf"{LEAVES} \([0-9.]+\) left the balancers without the playbook remove: it may still", closing)
    assert f"ansible-playbook haproof.balancer.remove -e remove_host={LEAVES}" in closing
    run = audited(inventory)
    assert run.returncode == 2, run.stdout
    assert "left the balancers without the playbook remove: it is up" in report(run)


def test_site_refuses_a_change_that_would_make_it_a_holder(lab: Lab) -> None:
    run = run_playbook("haproof.balancer.site", without(lab, vips=1))
    assert run.returncode == 2, run.stdout
    assert "if this is intended, set site_accepted_findings: [member_left]" in report(run)
    assert lab.holders(former_vip(lab)) == ["lb01"]


def test_the_audit_says_what_it_does(lab: Lab) -> None:
    inventory = without(lab, vips=1)
    accepted = json.dumps({"site_accepted_findings": ["member_left"]})
    closing = succeeded(run_playbook("haproof.balancer.site", inventory, "--extra-vars", accepted))
    assert f"{LEAVES} (" in closing
    vip = former_vip(lab)
    assert lab.moved_to(LEAVES, vip)
    run = audited(inventory)
    assert run.returncode == 2, run.stdout
    assert re.search(rf"it advertises VRID \d+ with priority 252 for {vip}", report(run)), run.stdout


def test_one_that_is_not_in_the_inventory_is_not_removed(lab: Lab) -> None:
    run = remove(without(lab, vips=1))
    assert run.returncode == 2, run.stdout
    assert f"the inventory has no host '{LEAVES}'" in report(run)
    run = remove(without(lab, vips=1), remove_gone=True)
    assert run.returncode == 2, run.stdout
    assert "it advertises VRID" in report(run)


def test_it_is_removed_from_another_group(lab: Lab) -> None:
    succeeded(remove(without(lab, vips=1, group="former")))
    assert eventually(lambda: lab.holders(former_vip(lab)) == [], within_s=10)
    assert lab.holders() == ["lb01"]
    # Without remove_engine.
    assert lab.nodes[LEAVES].service("nginx").is_running
    inventory = without(lab, vips=1)
    assert LEAVES not in succeeded(run_playbook("haproof.balancer.site", inventory))
    succeeded(audited(inventory))


def test_site_restores_everything(lab: Lab) -> None:
    succeeded(apply_site(lab, {}))
    for vip in lab.owners:
        assert lab.moved_to("lb01", vip)
    succeeded(audited(lab.inventory))
