# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook maintenance rejects options that would skip its tasks."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
INVENTORY = {"balancers": {"hosts": {"lb01": {"ansible_connection": "local"}, "lb02": {"ansible_connection": "local"}}}}


@pytest.mark.parametrize("options", [["--tags", "x"], ["--skip-tags", "all"], ["--limit", "lb02"]])
def test_a_run_that_would_do_nothing_fails(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "inventory.json").write_text(json.dumps(INVENTORY))
    request = ["-e", "maintenance_host=lb01", "-e", "maintenance_state=on"]
    run = subprocess.run(
        ["ansible-playbook", "haproof.balancer.maintenance", "-i", tmp_path / "inventory.json", *request, *options],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_LOCALHOST_WARNING": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert f"remove {options[0]}" in " ".join((run.stdout + run.stderr).split())
