# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard, as the process that it is."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from ansible_collections.haproof.balancer.plugins.module_utils._faults.switch import Guard

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
