# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Faults done to a systemd unit: stopped, killed, hung, slowed down, reloaded."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import (
    FaultError,
    Host,
    Options,
    Plan,
    Step,
)
from ansible_collections.haproof.balancer.plugins.module_utils._faults.transient import background, gone, runs

RUNNING_SHARE = 0.5
"""Half as long as a slow service stands still it runs."""


class Unit(NamedTuple):
    """A unit that runs; the process id is 0 when it has no main process."""

    name: str
    pid: int


def running(host: Host, name: str) -> Unit:
    """Return the unit. Raises FaultError when the host does not have it, or it does not run."""
    cmd = ["systemctl", "show", "--property=LoadState,ActiveState,MainPID", name]
    output = host.output(cmd, f"cannot ask systemd for {name}")
    properties: dict[str, str] = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    if properties.get("LoadState") != "loaded":
        raise FaultError(f"unit {name} is not on this host (systemd: {properties.get('LoadState')})", cmd)
    if properties["ActiveState"] != "active":
        state = properties["ActiveState"]
        raise FaultError(f"unit {name} does not run (systemd: {state}): start it before it is broken", cmd)
    return Unit(name, int(properties.get("MainPID", "0")))


def is_active(unit: str) -> list[str]:
    """Return the command that asks whether a unit runs."""
    return ["systemctl", "is-active", "--quiet", unit]


def started(unit: str) -> list[Step]:
    """Return how a unit comes to run, also one that systemd has given up."""
    return [
        Step(["systemctl", "reset-failed", unit], only_if=["systemctl", "is-failed", "--quiet", unit]),
        Step(["systemctl", "start", unit]),
        Step(is_active(unit)),
    ]


def signal(name: str, unit: str) -> Step:
    """Return how all processes of a unit get a signal."""
    return Step(["systemctl", "kill", f"--signal={name}", unit])


def thawed(unit: str) -> Step:
    """Return how processes that stand still go on, also when somebody has tried to stop them."""
    has_processes = 'case $(systemctl show --property=ActiveState --value "$1") in inactive | failed) exit 1 ;; esac'
    return Step(signal("CONT", unit).argv, only_if=["sh", "-c", has_processes, "sh", unit])


def stop(options: Options, host: Host) -> Plan:
    """Stop the unit the way an operator does."""
    unit = running(host, options.service).name
    return Plan(
        inject=[Step(["systemctl", "stop", unit])],
        heal=started(unit),
        present=[Step(is_active(unit), must_fail=True)],
        unit=unit,
    )


def kill(options: Options, host: Host) -> Plan:
    """Kill all processes of the unit. What systemd does about it is part of what is tried."""
    unit = running(host, options.service).name
    return Plan(inject=[signal("KILL", unit)], heal=started(unit), present=[], unit=unit)


def kill_at_once(options: Options, host: Host) -> Plan:
    """Kill all processes of the unit, none of which sees another die and cleans up."""
    unit = running(host, options.service).name
    return Plan(inject=[signal("STOP", unit), signal("KILL", unit)], heal=started(unit), present=[], unit=unit)


def hang(options: Options, host: Host) -> Plan:
    """Let all processes of the unit stand still."""
    unit, pid = running(host, options.service)
    stands_still = ["grep", "-q", "^State:.T", f"/proc/{pid}/status"]
    return Plan(
        inject=[signal("STOP", unit)],
        heal=[thawed(unit), *started(unit), *([Step(stands_still, must_fail=True)] if pid else [])],
        present=[Step(stands_still)] if pid else [],
        unit=unit,
    )


def slow(options: Options, host: Host) -> Plan:
    """Let the unit stand still most of the time, so that an answer may take slow_s longer."""
    unit = running(host, options.service).name
    loop = (
        'while :; do systemctl kill --signal=STOP "$1"; sleep "$2"; systemctl kill --signal=CONT "$1"; sleep "$3"; done'
    )
    goes_on = f"ExecStopPost=systemctl kill --signal=CONT {unit}"
    argv = ["sh", "-c", loop, "sh", unit, f"{options.slow_s:g}", f"{options.slow_s * RUNNING_SHARE:g}"]
    return Plan(
        inject=[background(options, argv, goes_on)],
        heal=[gone(options.fault), thawed(unit), *started(unit)],
        present=[runs(options.fault)],
        unit=unit,
    )


def reload(options: Options, host: Host) -> Plan:
    """Reload the unit, as after a change. There is nothing to heal."""
    unit = running(host, options.service).name
    return Plan(inject=[Step(["systemctl", "reload", unit])], heal=[Step(is_active(unit))], present=[], unit=unit)
