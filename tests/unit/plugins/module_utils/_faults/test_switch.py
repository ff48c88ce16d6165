# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard, as the process that it is."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._faults import switch
from ansible_collections.haproof.balancer.plugins.module_utils._faults.switch import AtBoot, Guard

from .faults_host import ModelHost


def within(seconds: float, path: Path) -> bool:
    """Wait until there is such a file; say whether it came."""
    end_s = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.02)
    return True


def test_guard_heals_at_the_deadline_in_a_session_of_its_own(tmp_path: Path) -> None:
    script, done = tmp_path / "heal", tmp_path / "done"
    script.write_text(f"ps -o sid= -p $$ >{done}.new && mv {done}.new {done}\n")
    guard = Guard(str(tmp_path))
    guard.arm(str(script), 3)
    assert guard.armed()
    assert not done.exists()
    assert within(10, done)
    assert int(done.read_text()) not in (os.getsid(0), 0)


def test_guard_is_ended_by_its_id(tmp_path: Path) -> None:
    guard = Guard(str(tmp_path))
    guard.arm(str(tmp_path / "heal"), 60)
    (step,) = guard.disarm()
    host = ModelHost()
    host.run = run
    assert host.holds(step._replace(argv=step.only_if))
    assert host.holds(step)
    # A zombie until this process reaps it.
    os.waitpid(int((tmp_path / "guard.pid").read_text()), 0)
    assert not guard.armed()


AT_BOOT: list[tuple[str, str, str | None, str, str]] = [
    (
        "keepalived_bad_config",
        "",
        "keepalived",
        "haproof-heal-at-boot-keepalived_bad_config",
        "Before=keepalived.service",
    ),
    ("disk_full", "", None, "haproof-heal-at-boot-disk_full", ""),
    ("node_freeze", "lb01", None, "haproof-heal-at-boot-node_freeze-lb01", "After=network-online.target"),
]


@pytest.mark.parametrize(("fault", "node", "unit", "name", "order"), AT_BOOT)
def test_unit_that_heals_at_boot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, node: str, unit: str | None, name: str, order: str
) -> None:
    monkeypatch.setattr(switch, "UNITS", str(tmp_path))
    at_boot = AtBoot(fault, node)
    at_boot.arm("/x/heal", unit)
    at_boot.arm("/x/heal", unit)
    text = (tmp_path / f"multi-user.target.wants/{name}.service").read_text()
    assert order in text.splitlines()
    assert ("Before=" in text) is (unit is not None)
    (loop,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    assert loop.endswith(" /x/heal")
    for step in at_boot.disarm():
        assert run(list(step.argv))[0] == 0
    assert [path.name for path in tmp_path.rglob("*")] == ["multi-user.target.wants"]


def test_process_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "guard.pid").write_text(f"{os.getpid()}\n")
    guard = Guard(str(tmp_path))
    (step,) = guard.disarm()
    assert not guard.armed()
    assert run(list(step.only_if))[0] != 0


def run(argv: list[str]) -> tuple[int, str, str]:
    """Run a command."""
    done = subprocess.run(argv, capture_output=True, check=False, text=True)
    return done.returncode, done.stdout, done.stderr
