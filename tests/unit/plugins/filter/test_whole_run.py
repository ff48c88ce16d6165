# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""whole_run rejects a run whose options leave tasks out, and names the options."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.filter.whole_run import left_out

PLAY = """
- name: Prove it
  hosts: "{{ 'localhost' | haproof.balancer.whole_run }}"
  gather_facts: false
  tasks:
    - name: The only task
      ansible.builtin.debug:
        msg: proven
"""
CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"tags": ["all"], "skip_tags": [], "subset": None, "start_at_task": None}, []),
    ({"tags": ["some,all"]}, []),
    ({"tags": ["some"]}, ["--tags"]),
    ({"skip_tags": ["all,always"]}, ["--skip-tags"]),
    ({"subset": "lb01,localhost"}, []),
    ({"subset": "lb01"}, ["--limit"]),
    ({"start_at_task": "Report"}, ["--start-at-task"]),
    ({"start_at_task": "x", "tags": ["y"], "subset": "z"}, ["--limit", "--start-at-task", "--tags"]),
]


@pytest.mark.parametrize(("options", "named"), CASES)
def test_options_that_leave_tasks_out(options: dict[str, Any], named: list[str]) -> None:
    assert left_out("localhost", options) == named


def test_a_pattern_of_several_groups() -> None:
    assert left_out("balancers,edge", {}) == []
    assert left_out("balancers,edge", {"subset": "edge"}) == ["--limit"]


@pytest.mark.parametrize(
    "options",
    [
        ["--tags", "x"],
        ["--skip-tags", "x"],
        ["--limit", "lb01"],
        ["--start-at-task", "The only task"],
        ["--start-at-task", "x"],
    ],
)
def test_ansible_ends_with_an_error(tmp_path: Path, options: list[str]) -> None:
    playbook = tmp_path / "play.yml"
    playbook.write_text(PLAY)
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        "localhost,lb01,",
        "-c",
        "local",
        str(playbook),
    ]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    run = subprocess.run([*command, *options], capture_output=True, check=False, text=True)
    assert run.returncode != 0
    assert f"remove {options[0]}" in " ".join((run.stdout + run.stderr).split())
