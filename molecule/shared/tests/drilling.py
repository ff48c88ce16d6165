# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the playbook drill on a lab."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from nodes import Lab

TIMEOUT_S = 2400


class Drilled(NamedTuple):
    """How a run of the playbook ended: exit code, what it printed and when, and the drills of its report by fault."""

    code: int
    lines: list[tuple[float, str]]
    drills: dict[str, dict[str, Any]]

    @property
    def output(self) -> str:
        """Return what it printed."""
        return "".join(line for _at, line in self.lines)


def command(lab: Lab, **variables: Any) -> list[str]:
    """Return the command that drills; ``faults="a,b"`` is drill_faults. Its report lies beside the inventory."""
    named = {f"drill_{name}": value for name, value in variables.items()}
    report = {"drill_report": str(lab.inventory.parent / "drill/report.json")}
    playbook = ["ansible-playbook", "haproof.balancer.drill", "-i", str(lab.inventory)]
    return [*playbook, "--extra-vars", json.dumps({**report, **named})]


def drill(lab: Lab, **variables: Any) -> Drilled:
    """Drill, and return how it ended."""
    report = lab.inventory.parent / "drill/report.json"
    report.unlink(missing_ok=True)
    with subprocess.Popen(
        command(lab, **variables), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as run:
        late = threading.Timer(TIMEOUT_S, run.kill)
        late.daemon = True
        late.start()
        lines = [(time.time(), line) for line in run.stdout or []]
    late.cancel()
    drills = json.loads(report.read_text())["drills"] if report.exists() else []
    return Drilled(run.returncode, lines, {drill["fault"]: drill for drill in drills})
