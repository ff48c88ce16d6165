# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair that was set up by hand is adopted unchanged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from nodes import eventually, run_playbook, write_inventory

if TYPE_CHECKING:
    from nodes import Lab

AUTH = "1111"
# Where a password could show.
LOUD = ("--diff", "-v")
# Every text under the node's control is a template.
HOSTILE = {
    "keepalived.conf": """! RUN
global_defs {
    router_id "RUN"
    "RUN" "RUN"
}
vrrp_instance "RUN" {
    interface eth1
    virtual_router_id 77
    priority PRIORITY
    virtual_ipaddress {
        198.51.100.10/24 dev eth1
    }
    notify "RUN"
}
""",
    "haproxy.cfg": """# RUN
global
    description "RUN"
    "RUN" "RUN"
defaults "RUN"
    mode http
    log-format "%ci {%hrl} %ST RUN"
frontend "RUN"
    bind 127.0.0.1:81
    acl "RUN" path "RUN"
    http-request deny if "RUN"
userlist "RUN"
    user "RUN" insecure-password "RUN"
""",
    "nginx.conf": """# RUN
user "RUN";
events { "RUN" "RUN"; }
http {
    map $uri "RUN" { "RUN" "RUN"; }
    upstream "RUN" { server "RUN"; }
    server { listen 81; location "RUN" { return 200 "RUN"; } }
}
""",
}


def live(lab: Lab) -> dict[str, str]:
    """Return keepalived's configuration on each balancer."""
    return {name: lab.nodes[name].file("/etc/keepalived/keepalived.conf").content_string for name in lab.balancers}


def holders(lab: Lab) -> dict[str, list[str]]:
    """Return the holders of each VIP."""
    return {vip: lab.holders(vip) for vip in lab.owners}


def moves(lab: Lab) -> dict[str, int]:
    """Count the state transitions of each balancer's VRRP instances so far."""
    count = "journalctl --unit=keepalived | grep -cE 'Entering (MASTER|BACKUP|FAULT) STATE'"
    return {name: int(lab.nodes[name].run(count).stdout) for name in lab.balancers}


@pytest.fixture(scope="module")
def inventory(lab: Lab) -> Path:
    """Create an inventory without keepalived variables, in an empty directory."""
    content = yaml.safe_load(lab.inventory.read_text())
    del content["all"]["vars"]["keepalived_vips"]
    return write_inventory(lab, "adopted", content)


def test_pair_set_up_by_hand_works(lab: Lab) -> None:
    owners = {vip: [owner] for vip, owner in lab.owners.items()}
    assert eventually(lambda: holders(lab) == owners, within_s=10), holders(lab)


def test_adopt_writes_variables_and_prints_no_password(lab: Lab, inventory: Path) -> None:
    before = live(lab)

    adopted = run_playbook("haproof.balancer.adopt", inventory, *LOUD)

    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    assert not re.search(rf"\b{AUTH}\b", adopted.stdout + adopted.stderr)
    written = sorted(path.relative_to(inventory.parent) for path in inventory.parent.rglob("keepalived.yml"))
    assert [str(path) for path in written] == [
        "group_vars/balancers/keepalived.yml",
        "host_vars/lb01/keepalived.yml",
        "host_vars/lb02/keepalived.yml",
    ]
    texts = [(inventory.parent / path).read_text() for path in written]
    assert any(re.search(rf"\b{AUTH}\b", text) for text in texts)
    assert {(inventory.parent / path).stat().st_mode & 0o777 for path in written} == {0o600}
    assert live(lab) == before


def test_a_hostile_file_runs_nothing_on_the_controller(lab: Lab, inventory: Path) -> None:
    folder = lab.inventory.parent / "hostile"
    content = yaml.safe_load(inventory.read_text())
    content["all"]["vars"].update(balancer_engine="haproxy", keepalived_track_services=[])
    hostile = write_inventory(lab, folder.name, content)
    runs = f"{{{{ lookup('ansible.builtin.pipe', 'touch {folder}/mark') }}}}"
    options = []
    for name, text in HOSTILE.items():
        options.append(f"--extra-vars=adopt_{name.replace('.', '_')}=/root/{name}")
        for priority, host in enumerate(lab.balancers, 100):
            own = text.replace("RUN", runs).replace("PRIORITY", str(priority))
            lab.nodes[host].check_output("printf %%s %s >/root/%s", own, name)

    adopted = run_playbook("haproof.balancer.adopt", hostile, *LOUD, *options)
    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    written = [path.read_text() for path in (folder / "group_vars/balancers").iterdir()]
    assert len(written) == len(HOSTILE)
    assert all("touch" in text for text in written)

    # With other files to write, check mode skips keepalived's own check, which would reject these directives.
    site = run_playbook("haproof.balancer.site", hostile, *LOUD, "--check", "--extra-vars=keepalived_unit=true")
    assert site.returncode == 0, site.stdout + site.stderr
    assert site.stdout.count("touch") > len(HOSTILE)
    assert not (folder / "mark").exists()


def test_site_reproduces_the_configuration_and_moves_no_vip(lab: Lab, inventory: Path) -> None:
    before, holders_before, moves_before = live(lab), holders(lab), moves(lab)

    site = run_playbook("haproof.balancer.site", inventory, *LOUD)

    assert site.returncode == 0, site.stdout + site.stderr
    assert not re.search(rf"\b{AUTH}\b", site.stdout + site.stderr)
    # The comments stay, too.
    assert live(lab) == before
    assert holders(lab) == holders_before
    assert moves(lab) == moves_before
