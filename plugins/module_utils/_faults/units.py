# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Faults done to a systemd unit: stopped, killed, hung, slowed down, reloaded."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import (
    FaultError,
    FaultHost,
    FaultPlan,
    Options,
    Step,
)
from ansible_collections.haproof.balancer.plugins.module_utils._faults.transient import background, gone, runs

RUNNING_SHARE = 0.5
"""A slow service runs for this part of the time that it is stopped."""


_ANOTHER_PROCESS = (
    'i=0; until [ "$(systemctl show --property=MainPID --value "$1")" != "$2" ]; do'
    ' i=$((i + 1)); [ "$i" -lt 100 ] || exit 1; sleep 0.02; done'
)

# All processes are stopped, or are zombies. The kernel needs a moment to stop them all.
_ALL_STAND_STILL = (
    'group=$(systemctl show --property=ControlGroup --value "$1"); [ -n "$group" ] || exit 1;'
    " for base in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do"
    ' procs=$base$group/cgroup.procs; [ -e "$procs" ] || continue;'
    ' i=0; until ! cat $(sed "s,.*,/proc/&/status," "$procs") | grep -q "^State:.[^TZX]"; do'
    ' i=$((i + 1)); [ "$i" -lt 10 ] || exit 1; sleep 0.02; done; grep -q . "$procs"; exit; done; exit 1'
)

# A check of keepalived may have started the program itself, as part of keepalived.service, and does so again as soon as
# none runs. So the unit starts first, and gets the port when the other process has ended: nginx waits 2.5 s for that.
_REPLACE_MENDED = (
    'mended() { for process in /proc/[0-9]*; do comm=; { read -r comm <"$process/comm"; } 2>/dev/null;'
    ' [ "$comm" = "$2" ] && grep -q "/keepalived[.]service$" "$process/cgroup" 2>/dev/null && echo "${process#/proc/}";'
    ' done; }; [ -n "$(mended "$@")" ] || exit 0; systemctl start --no-block "$1";'
    ' i=0; until [ "$(systemctl is-active "$1")" = activating ] || [ "$i" -ge 50 ]; do i=$((i + 1)); sleep 0.02; done;'
    ' i=0; while found=$(mended "$@"); [ -n "$found" ]; do kill $found 2>/dev/null;'
    ' i=$((i + 1)); [ "$i" -lt 100 ] || exit 1; sleep 0.02; done'
)


class RunningUnit(NamedTuple):
    """A running unit; the process id is 0 if it has no main process."""

    name: str
    pid: int


def running(host: FaultHost, name: str) -> RunningUnit:
    """Return the unit. Raises FaultError if it does not exist or is not running."""
    cmd = ["systemctl", "show", "--property=LoadState,ActiveState,MainPID", name]
    output = host.output(cmd, f"cannot query systemd for {name}")
    properties: dict[str, str] = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    if properties.get("LoadState") != "loaded":
        raise FaultError(f"unit {name} is not on this host (systemd: {properties.get('LoadState')})", cmd)
    if properties["ActiveState"] != "active":
        state = properties["ActiveState"]
        raise FaultError(f"unit {name} is not running (systemd: {state}): start it first", cmd)
    return RunningUnit(name, int(properties.get("MainPID", "0")))


def with_process(host: FaultHost, name: str) -> RunningUnit:
    """Return the unit. Raises FaultError also if it has no main process, whose state shows the fault's effect."""
    unit = running(host, name)
    if not unit.pid:
        raise FaultError(f"unit {name} has no main process: set the unit that runs the service's processes")
    return unit


def killed(unit: str, pid: int) -> Step:
    """Return the step that succeeds once the main process has changed or ended; systemd takes a moment to notice."""
    return Step(["sh", "-c", _ANOTHER_PROCESS, "sh", unit, str(pid)], lost=f"{unit} still has the process {pid}")


def is_active(unit: str) -> list[str]:
    """Return the command that checks whether a unit is active."""
    return ["systemctl", "is-active", "--quiet", unit]


def started(unit: str) -> list[Step]:
    """Return the steps that start a unit, even one that has reached its start limit, or that a check has replaced."""
    name = unit[: -len(".service")] if unit.endswith(".service") else unit
    inactive = ["sh", "-c", '! systemctl is-active --quiet "$1"', "sh", unit]
    return [
        Step(["systemctl", "reset-failed", unit], only_if=["systemctl", "is-failed", "--quiet", unit]),
        *([] if name == "keepalived" else [Step(["sh", "-c", _REPLACE_MENDED, "sh", unit, name], only_if=inactive)]),
        Step(["systemctl", "start", unit]),
        Step(is_active(unit)),
    ]


def signal(name: str, unit: str) -> Step:
    """Return the step that signals all processes of a unit."""
    return Step(["systemctl", "kill", f"--signal={name}", unit])


def thawed(unit: str) -> Step:
    """Return the step that continues stopped processes, also of a unit that is being stopped."""
    has_processes = 'case $(systemctl show --property=ActiveState --value "$1") in inactive | failed) exit 1 ;; esac'
    return Step(signal("CONT", unit).argv, only_if=["sh", "-c", has_processes, "sh", unit])


def stop(options: Options, host: FaultHost) -> FaultPlan:
    """Stop the unit as an operator would."""
    unit = running(host, options.service).name
    return FaultPlan(
        inject=[Step(["systemctl", "stop", unit])],
        heal=started(unit),
        present=[Step(is_active(unit), must_fail=True, lost=f"{unit} runs")],
        unit=unit,
    )


def kill(options: Options, host: FaultHost) -> FaultPlan:
    """Kill all processes of the unit. Whether systemd restarts it is part of the drill."""
    unit, pid = with_process(host, options.service)
    return FaultPlan(inject=[signal("KILL", unit)], heal=started(unit), present=[killed(unit, pid)], unit=unit)


def kill_at_once(options: Options, host: FaultHost) -> FaultPlan:
    """Kill all processes of the unit while they are stopped, so that none sees another die and cleans up."""
    unit, pid = with_process(host, options.service)
    inject = [signal("STOP", unit), signal("KILL", unit)]
    return FaultPlan(inject=inject, heal=started(unit), present=[killed(unit, pid)], unit=unit)


def hang(options: Options, host: FaultHost) -> FaultPlan:
    """Stop all processes of the unit with SIGSTOP."""
    unit, pid = with_process(host, options.service)
    stands_still = ["grep", "-q", "^State:.T", f"/proc/{pid}/status"]
    return FaultPlan(
        inject=[signal("STOP", unit)],
        heal=[thawed(unit), *started(unit), Step(stands_still, must_fail=True)],
        present=[Step(["sh", "-c", _ALL_STAND_STILL, "sh", unit], lost=f"processes of {unit} are running")],
        unit=unit,
    )


def slow(options: Options, host: FaultHost) -> FaultPlan:
    """Keep the unit stopped most of the time, so that a response takes up to slow_s longer."""
    unit = running(host, options.service).name
    loop = (
        'while :; do systemctl kill --signal=STOP "$1"; sleep "$2"; systemctl kill --signal=CONT "$1"; sleep "$3"; done'
    )
    goes_on = f"ExecStopPost=systemctl kill --signal=CONT {unit}"
    argv = ["sh", "-c", loop, "sh", unit, f"{options.slow_s:g}", f"{options.slow_s * RUNNING_SHARE:g}"]
    return FaultPlan(
        inject=[background(options, argv, goes_on)],
        heal=[gone(options.fault), thawed(unit), *started(unit)],
        present=[runs(options.fault)._replace(lost=f"{unit} is no longer stopped repeatedly")],
        unit=unit,
    )


def reload(options: Options, host: FaultHost) -> FaultPlan:
    """Reload the unit, as after a change. Healing has nothing to undo."""
    unit = running(host, options.service).name
    changed = ["systemctl", "show", "--property=StateChangeTimestampMonotonic", "--value", unit]
    before = host.output(changed, f"cannot query systemd for {unit}").strip()
    differs = '[ "$(systemctl show --property=StateChangeTimestampMonotonic --value "$1")" != "$2" ]'
    return FaultPlan(
        inject=[Step(["systemctl", "reload", unit])],
        heal=[Step(is_active(unit))],
        present=[Step(["sh", "-c", differs, "sh", unit, before], lost=f"systemd has not reloaded {unit}")],
        unit=unit,
    )
