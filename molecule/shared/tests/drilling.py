# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the playbook drill on a lab."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from nodes import Lab

TIMEOUT_S = 2400


class Drilled(NamedTuple):
    """How a run of the playbook ended: its exit code, what it printed, and the drills of its report by fault."""

    code: int
    output: str
    drills: dict[str, dict[str, Any]]


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
    run = subprocess.run(command(lab, **variables), capture_output=True, check=False, text=True, timeout=TIMEOUT_S)
    drills = json.loads(report.read_text())["drills"] if report.exists() else []
    return Drilled(run.returncode, run.stdout + run.stderr, {drill["fault"]: drill for drill in drills})
