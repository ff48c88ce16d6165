# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documented lookups find a user's files beside the inventory, wherever the playbook is."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOOKUP = re.compile(r"lookup\('ansible\.builtin\.file', (?:[^)]*)'/?([^']+)'\)")


def blocks() -> list[tuple[str, str]]:
    """Return the blocks of variables that look up files, each with its page."""
    pages = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md"), *CHECKOUT.glob("roles/*/README.md")])
    return [
        (str(page.relative_to(CHECKOUT)), block)
        for page in pages
        for block in BLOCK.findall(page.read_text(encoding="utf-8"))
        if LOOKUP.search(block)
    ]


@pytest.mark.parametrize(("page", "block"), blocks())
def test_files_beside_the_inventory(page: str, block: str, tmp_path: Path) -> None:
    own, elsewhere = tmp_path / "own", tmp_path / "collection"
    elsewhere.mkdir()
    for name in LOOKUP.findall(block):
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text(f"text of {name}")
    variables = yaml.safe_load(block)
    # Secrets of the examples.
    vault = dict.fromkeys(re.findall(r"\bvault_\w+", block), "secret")
    inventory = {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}, "vars": {**variables, **vault}}}
    (own / "inventory.json").write_text(json.dumps(inventory))
    show = "{{ query('ansible.builtin.vars', *variables) }}"
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.debug": {"msg": show}}]}
    (elsewhere / "site.yml").write_text(json.dumps([{**play, "vars": {"variables": list(variables)}}]))
    done = subprocess.run(
        ["ansible-playbook", "-i", "inventory.json", elsewhere / "site.yml"],
        cwd=own,
        env={name: value for name, value in os.environ.items() if name != "ANSIBLE_CONFIG"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{page}: {done.stdout}{done.stderr}"
    assert all(f"text of {name}" in done.stdout for name in LOOKUP.findall(block))
