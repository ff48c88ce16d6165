# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks that must not end well without their tasks reject options that would skip them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
INVENTORY = {"balancers": {"hosts": {"lb01": {"ansible_connection": "local"}, "lb02": {"ansible_connection": "local"}}}}


TAGS = ["--tags", "x"]
CASES: list[tuple[str, list[str]]] = [
    ("adopt", TAGS),
    ("audit", TAGS),
    ("audit", ["--limit", "lb02"]),
    ("heal", TAGS),
    ("maintenance", TAGS),
    ("maintenance", ["--skip-tags", "all"]),
    ("maintenance", ["--limit", "lb02"]),
    ("remove", TAGS),
    ("upgrade", TAGS),
    ("upgrade", ["--limit", "lb02"]),
]


@pytest.mark.parametrize(("playbook", "options"), CASES)
def test_a_run_that_would_do_nothing_fails(tmp_path: Path, playbook: str, options: list[str]) -> None:
    (tmp_path / "inventory.json").write_text(json.dumps(INVENTORY))
    request = ["-e", "maintenance_host=lb01", "-e", "maintenance_state=on", "-e", "remove_host=lb01"]
    run = subprocess.run(
        ["ansible-playbook", f"haproof.balancer.{playbook}", "-i", tmp_path / "inventory.json", *request, *options],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_LOCALHOST_WARNING": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert f"remove {options[0]}" in " ".join((run.stdout + run.stderr).split())
