# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard, with real processes: it acts when the one that it guards ends too early, and only then."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill import guard as drill_guard
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.guard import heal_command, new_file

COMMANDS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    (
        {"inventory": ("a.yml", "b.yml"), "extra_vars": ["x=1 y=2", "@file"], "become": True, "vault_ids": ()},
        ["--inventory=a.yml", "--inventory=b.yml", "--extra-vars=x=1 y=2", "--extra-vars=@file", "--become"],
    ),
    ({"private_key_file": "key", "remote_user": None, "timeout": 10}, ["--private-key=key", "--timeout=10"]),
]


@pytest.mark.parametrize(("called", "options"), COMMANDS)
def test_heal_command(called: dict[str, Any], options: list[str]) -> None:
    command = heal_command("/bin/ansible-playbook", called, {"heal_hosts": "lb01,lb02"})
    hosts = '--extra-vars={"heal_hosts": "lb01,lb02"}'
    assert command[:2] == ["/bin/ansible-playbook", "haproof.balancer.heal"]
    assert [option for option in command[2:] if option != hosts] == options
    assert hosts in command


def test_no_link_is_followed_for_the_log(tmp_path: Path) -> None:
    victim, log = tmp_path / "victim", tmp_path / "heal.log"
    victim.write_text("untouched")
    log.symlink_to(victim)
    with new_file(str(log)) as output:
        output.write(b"healed\n")
    assert (log.read_text(), victim.read_text()) == ("healed\n", "untouched")


@contextmanager
def guarded(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
    """Start a process that waits for its input to end, and the guard of it."""
    (tmp_path / "run").touch()
    playbook = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    command = [sys.executable, str(drill_guard.__file__), str(playbook.pid), str(tmp_path / "run")]
    guard = subprocess.Popen([*command, "touch", str(tmp_path / "healed")], stdout=subprocess.DEVNULL)
    try:
        yield playbook, guard
    finally:
        # The guard first: it would heal as soon as the playbook ends.
        for process in (guard, playbook):
            process.kill()
            process.wait()
        assert playbook.stdin is not None
        playbook.stdin.close()


def test_it_heals_when_the_playbook_is_killed(tmp_path: Path) -> None:
    with guarded(tmp_path) as (playbook, guard):
        playbook.kill()
        assert guard.wait(timeout=20) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["healed"]


def test_it_ends_with_the_drill(tmp_path: Path) -> None:
    with guarded(tmp_path) as (_playbook, guard):
        (tmp_path / "run").unlink()
        assert guard.wait(timeout=20) == 0
    assert list(tmp_path.iterdir()) == []


def test_it_waits_as_long_as_both_are_there(tmp_path: Path) -> None:
    with guarded(tmp_path) as (_playbook, guard), pytest.raises(subprocess.TimeoutExpired):
        guard.wait(timeout=0.6)
    assert not (tmp_path / "healed").exists()
