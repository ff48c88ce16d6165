# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Faults that a node can do to itself, and the timer on the node that heals them.

A fault is described by commands alone, so that systemd can heal it without Ansible. :data:`FAULTS` is the table.
"""

from __future__ import annotations

from typing import Callable, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._service import Runner


class FaultError(Exception):
    """A fault cannot be injected or healed; carries the command that failed, if there was one."""

    def __init__(self, message: str, cmd: list[str] | None = None, rc: int = 0, stderr: str = "") -> None:
        super().__init__(message)
        self.cmd = cmd or []
        self.rc = rc
        self.stderr = stderr.strip()


class Fault(NamedTuple):
    """One fault on one unit: how to inject it, how to heal it, and how to see which of the two is the case."""

    inject: list[str]
    heal: list[str]
    injected: Callable[[Runner], bool]


def service_stop(unit: str) -> Fault:
    """Stop ``unit`` the way an operator does."""
    return Fault(
        inject=["systemctl", "stop", unit],
        heal=["systemctl", "start", unit],
        injected=lambda run: unit_state(run, unit) != "active",
    )


FAULTS: dict[str, Callable[[str], Fault]] = {
    "service_stop": service_stop,
    "keepalived_stop": service_stop,
}

# Faults whose unit need not be named.
DEFAULT_UNITS: dict[str, str] = {"keepalived_stop": "keepalived"}


def unit_state(run: Runner, unit: str) -> str:
    """Return systemd's ActiveState of ``unit``. Raises FaultError when there is no such unit."""
    cmd = ["systemctl", "show", "--property=LoadState,ActiveState", unit]
    output = _checked(run, cmd, f"cannot ask systemd for {unit}")
    properties: dict[str, str] = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    if properties.get("LoadState") != "loaded":
        raise FaultError(f"unit {unit} is not on this host (systemd: {properties.get('LoadState')})", cmd)
    return properties["ActiveState"]


class HealTimer:
    """A transient systemd timer: heals a fault at its deadline, whether the controller still lives or not."""

    def __init__(self, run: Runner, fault: str) -> None:
        self._run = run
        self.unit = f"haproof-heal-{fault}"

    def armed(self) -> bool:
        """Return whether the timer still waits for its moment."""
        rc, out, _err = self._run(["systemctl", "is-active", f"{self.unit}.timer"])
        return rc == 0 and out.strip() == "active"

    def arm(self, heal: list[str], deadline_s: float) -> None:
        """Run ``heal`` in ``deadline_s`` seconds. Raises FaultError."""
        # Without AccuracySec a transient timer may fire a minute late. --collect: a heal that failed must not keep
        # the name busy.
        cmd = [
            "systemd-run",
            "--quiet",
            "--collect",
            f"--unit={self.unit}",
            f"--on-active={deadline_s:g}",
            "--timer-property=AccuracySec=100ms",
            *heal,
        ]
        _checked(self._run, cmd, f"cannot arm the timer {self.unit} that heals the fault")

    def disarm(self) -> None:
        """Forget the deadline; no error when it has just passed. Raises FaultError."""
        cmd = ["systemctl", "stop", f"{self.unit}.timer"]
        rc, _out, err = self._run(cmd)
        if rc != 0 and self.armed():
            raise FaultError(f"cannot disarm the timer {self.unit}: {err.strip()}", cmd, rc, err)


def inject(run: Runner, fault: Fault, timer: HealTimer, deadline_s: float) -> None:
    """Arm the timer, then inject. A fault that is only half injected is healed at once. Raises FaultError."""
    if timer.armed():
        # Left by a drill that was cut off: it would heal this fault too early.
        timer.disarm()
    timer.arm(fault.heal, deadline_s)
    try:
        _checked(run, fault.inject, "cannot inject the fault")
    except FaultError:
        heal(run, fault, timer)
        raise


def heal(run: Runner, fault: Fault, timer: HealTimer) -> None:
    """Heal, then disarm: as long as healing fails, the timer stays. Raises FaultError."""
    _checked(run, fault.heal, "cannot heal the fault")
    if timer.armed():
        timer.disarm()


def _checked(run: Runner, cmd: list[str], failure: str) -> str:
    rc, out, err = run(cmd)
    if rc != 0:
        raise FaultError(f"{failure}: {(err or out).strip() or f'exit code {rc}'}", cmd, rc, err)
    return out
