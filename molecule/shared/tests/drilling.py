# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the playbook drill on a lab."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Collection, Iterable, Iterator, Mapping, NamedTuple, TypeVar

import pytest

if TYPE_CHECKING:
    from nodes import Lab

TIMEOUT_S = 2400
# "make test" drills the promised faults, and sabotages a drill in one way of each kind. "make test-full" does all.
WHOLE = os.environ.get("LAB_FAULTS") == "all"
whole = pytest.mark.skipif(not WHOLE, reason="part of the whole matrix, which is drilled with LAB_FAULTS=all")

# Beginnings of the role's task names, in order.
ARM = "Arm | Start the prober on"
PROVEN = "Arm | Reject targets that the requests do not pass through"
"""All look on, and nothing is broken yet."""
THERE = "Break | Check the connection to the targets"
"""The fault has just been injected."""
RECOVERY = "Watch | Wait for the self-recovery of"
"""The expected effect of the fault has come, and nothing is healed yet."""
HEALED = "Heal | Wait until the booted node is reachable"
ENDED = "Heal | Record the run"
JUDGE = "Drill | Judge the results"

Case = TypeVar("Case")
Moment = tuple[str, str]
"""A fault, and how the name of a task begins."""


class Drilled(NamedTuple):
    """A run of the playbook: exit code, output lines with their times, and the drills of its report by fault."""

    code: int
    lines: list[tuple[float, str]]
    drills: dict[str, dict[str, Any]]

    @property
    def output(self) -> str:
        """Return the output."""
        return "".join(line for _at, line in self.lines)


class Sabotage(NamedTuple):
    """Sabotage of a drill's proof: the task, host and command of each step, and how the drill must end."""

    fault: str
    does: list[tuple[str, str, str]]
    verdict: str
    reason: str


def selected(cases: Mapping[str, Case], always: Collection[str]) -> dict[str, Case]:
    """Return the cases to run: all with LAB_FAULTS=all, otherwise only those named in *always*."""
    return {name: case for name, case in cases.items() if WHOLE or name in always}


def command(lab: Lab, **variables: Any) -> list[str]:
    """Return the command that drills; ``faults="a,b"`` is drill_faults. Its report lies beside the inventory."""
    named = {f"drill_{name}": value for name, value in variables.items()}
    report = {"drill_report": str(lab.inventory.parent / "drill/report.json")}
    playbook = ["ansible-playbook", "haproof.balancer.drill", "-i", str(lab.inventory)]
    return [*playbook, "--extra-vars", json.dumps({**report, **named})]


def drill(lab: Lab, at: Mapping[Moment, Callable[[], object]] | None = None, **variables: Any) -> Drilled:
    """Drill, and return how it ended. ``at`` is done when a task first begins, while the playbook stands still."""
    report = lab.inventory.parent / "drill/report.json"
    report.unlink(missing_ok=True)
    pending = dict(at or {})
    fault = ""
    with subprocess.Popen(
        command(lab, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as run:
        late = threading.Timer(TIMEOUT_S, run.kill)
        late.daemon = True
        late.start()
        lines = []
        try:
            for line in run.stdout or []:
                lines.append((time.time(), line))
                fault = announced(line) or fault
                for moment in [one for one in pending if one[0] == fault and f" : {one[1]}" in line]:
                    with paused(run.pid):
                        pending.pop(moment)()
        except BaseException:
            # The drill's guard then heals. With its output closed the playbook could hang.
            run.kill()
            raise
    late.cancel()
    assert not pending, f"never came: {list(pending)}"
    drills = json.loads(report.read_text())["drills"] if report.exists() else []
    return Drilled(run.returncode, lines, {drill["fault"]: drill for drill in drills})


def reasons(done: Drilled, fault: str) -> str:
    """Return the reasons of a drill's verdict in one line."""
    return "; ".join(done.drills[fault]["reasons"])


def assert_caught(done: Drilled, sabotage: Sabotage) -> None:
    """Assert that the sabotaged drill has the verdict that the sabotage deserves, and the reason."""
    found = done.drills[sabotage.fault]
    assert found["verdict"] == sabotage.verdict, found["reasons"]
    assert re.search(sabotage.reason, reasons(done, sabotage.fault)), found["reasons"]


def announced(line: str) -> str:
    """Return the fault that a line of the playbook's output announces, or ""."""
    found = re.search(r"drill \d+ of \d+: (\w+), ", line)
    return found[1] if found else ""


@contextmanager
def paused(group: int) -> Iterator[None]:
    """Stop all processes of a group for the duration of the block."""
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


def moments(lab: Lab, sabotages: Iterable[Sabotage]) -> dict[Moment, Callable[[], object]]:
    """Return the steps of these sabotages in drill()'s format."""
    commands: dict[Moment, list[tuple[str, str]]] = {}
    for one in sabotages:
        for when, host, command in one.does:
            commands.setdefault((one.fault, when), []).append((host, command))
    return {moment: partial(run_all, lab, each) for moment, each in commands.items()}


def run_all(lab: Lab, commands: list[tuple[str, str]]) -> None:
    """Run commands on hosts; they find the VIP in ``$VIP``."""
    for host, command in commands:
        lab.nodes[host].check_output(f"VIP={lab.vip}; {command}")
