# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A haproxy.cfg that was written by hand is adopted: haproxy reads the same words again."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from nodes import BALANCERS, run_playbook, write_inventory

sys.path.insert(0, str(Path(__file__).parents[4] / "build/collections"))
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.parse import parse
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.render import render

if TYPE_CHECKING:
    from testinfra.host import Host

    from nodes import Lab

PASSWORD = "pa55word"  # noqa: S105 # of a throw-away node
# Where a password could show.
LOUD = ("--diff", "-v")
ROLE = Path(__file__).parents[2] / "role.yml"
CFG = "/etc/haproxy/haproxy.cfg"


def words(node: Host, path: str) -> list[str]:
    """Return the words that haproxy reads in a file (-dC, from 2.7), line by line."""
    # It stops before it checks for listeners, finds none, and reports that in the last line.
    *lines, remark = node.run("haproxy -dC -c -f %s", path).stdout.splitlines()
    assert remark.startswith("Configuration file has no error"), remark
    return [line for line in lines if line.strip()]


def by_section(lines: list[str]) -> dict[str, list[str]]:
    """Sort the lines under the headers of their sections, each without the defaults section that it names."""
    found: dict[str, list[str]] = {}
    header = ""
    for line in lines:
        if line.startswith("\t"):
            found[header].append(line)
        else:
            header = line.split(" from ")[0].strip()
            if header.startswith("defaults"):
                header = f"defaults {sum(name.startswith('defaults') for name in found)}"
            found[header] = []
    return found


@pytest.fixture(scope="module")
def inventory(lab: Lab) -> Path:
    """Create an inventory without haproxy variables, in an empty directory."""
    content = yaml.safe_load(lab.inventory.read_text())
    variables = content["all"]["vars"]
    content["all"]["vars"] = {name: value for name, value in variables.items() if not name.startswith("haproxy_")}
    return write_inventory(lab, "adopted", content)


def test_haproxy_reads_what_the_parser_reads(lab: Lab) -> None:
    """The second opinion: what is parsed and rendered again has the same words for haproxy, line by line."""
    node = lab.nodes["lb01"]
    text = node.file(CFG).content_string
    node.check_output("printf %%s %s >/tmp/again.cfg", render(parse(text)))
    lines = words(node, CFG)
    assert any('it\'s "quoted" # and no comment' in line for line in lines)
    assert words(node, "/tmp/again.cfg") == lines  # noqa: S108 # of a throw-away node


def test_adopt_writes_variables_and_prints_no_password(lab: Lab, inventory: Path) -> None:
    before = [lab.nodes[name].file(CFG).content_string for name in BALANCERS]

    adopted = run_playbook("haproof.balancer.adopt", inventory, *LOUD)

    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    assert not re.search(PASSWORD, adopted.stdout + adopted.stderr)
    written = sorted(path.relative_to(inventory.parent) for path in inventory.parent.rglob("*.yml"))
    assert [str(path) for path in written] == [
        "group_vars/balancers/haproxy.yml",
        "group_vars/balancers/site.yml",
        "host_vars/lb01/haproxy.yml",
        "host_vars/lb02/haproxy.yml",
        "inventory.yml",
    ]
    assert PASSWORD in (inventory.parent / written[0]).read_text()
    assert {(inventory.parent / path).stat().st_mode & 0o777 for path in written[:4]} == {0o600}
    assert [lab.nodes[name].file(CFG).content_string for name in BALANCERS] == before


def test_the_role_gives_the_same_configuration(lab: Lab, inventory: Path) -> None:
    before = {name: by_section(words(lab.nodes[name], CFG)) for name in BALANCERS}

    role = run_playbook(str(ROLE), inventory, *LOUD)

    assert role.returncode == 0, role.stdout + role.stderr
    assert not re.search(PASSWORD, role.stdout + role.stderr)
    for name in BALANCERS:
        node = lab.nodes[name]
        assert by_section(words(node, CFG)) == before[name]
        assert node.check_output("curl --silent --show-error http://127.0.0.1/static") == 'static "page"'
        assert node.run("curl --silent --fail http://127.0.0.1/private").rc == 22
