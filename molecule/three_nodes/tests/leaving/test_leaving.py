# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The holder leaves the balancers: another one takes over, nothing of the role is left, and site.yml restores it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from nodes import apply_site, run_playbook, unchanged, write_inventory

if TYPE_CHECKING:
    from nodes import Lab

UNINSTALL = Path(__file__).parent / "uninstall.yml"
LEAVES = "lb01"
CONF = "/etc/keepalived/keepalived.conf"
# Units, their drop-ins and links, scripts, builds, and what the package has outside of /etc.
LEFT = (
    "find /etc/ansible /etc/systemd /run/systemd /opt /usr/bin /usr/lib /usr/libexec /usr/local /usr/sbin"
    r" ! -type d \( -path '*keepalived*' -o -name haproof.fact \)"
)
UNITS = "systemctl list-units --all --plain --no-legend 'keepalived*' | cut -d ' ' -f 1"


def test_nothing_but_its_configuration_is_left(lab: Lab) -> None:
    node = lab.nodes[LEAVES]
    conf = node.check_output("sha256sum %s", CONF)
    content = yaml.safe_load(lab.inventory.read_text())
    groups = content["all"]["children"]
    groups["former"] = {"hosts": {LEAVES: groups["balancers"]["hosts"].pop(LEAVES)}}
    inventory = write_inventory(lab, "left", content)

    left = run_playbook(str(UNINSTALL), inventory)

    assert left.returncode == 0, left.stdout + left.stderr
    assert lab.moved_to("lb02"), lab.holders()
    assert node.check_output(LEFT) == ""
    assert node.check_output(UNITS) == ""
    assert not node.package("keepalived").is_installed
    assert node.check_output("find /etc/keepalived -type f ! -name '*.sample'") == CONF
    assert node.check_output("sha256sum %s", CONF) == conf

    again = run_playbook(str(UNINSTALL), inventory)

    assert unchanged(again.stdout), again.stdout


def test_site_restores_it(lab: Lab) -> None:
    site = apply_site(lab, {})
    assert site.returncode == 0, site.stdout + site.stderr
    assert lab.moved_to(LEAVES), lab.holders()
    assert lab.answering_macs() == lab.holder_macs()
