# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The dead man's switch: heals a fault at its deadline, even without the controller, or after a boot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from ansible_collections.haproof.balancer.plugins.module_utils._daemon.files import write_lasting
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import FaultError, FaultHost, Options, Step

RETRY_S = 5
"""After this time a failed heal is retried."""

START_S = 5
"""How long a guard may take to start."""

UNITS = "/etc/systemd/system"
BOOT_TRIES = 12

_AT_BOOT = """# Made by a drill of haproof.balancer, and removed when the fault is healed.
[Unit]
Description=Heal {name}, which a drill of haproof.balancer injected before this host booted
RequiresMountsFor={script}
{order}

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'i=0; until sh "$0"; do i=$((i + 1)); [ $i -lt {tries} ] || exit 1; sleep {retry_s}; done' {script}
"""

_GUARD = """
import subprocess, sys, time
script, deadline_s, retry_s = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
time.sleep(max(deadline_s - time.monotonic(), 0))
while subprocess.call(["sh", script]):
    time.sleep(retry_s)
"""


class AtBoot:
    """A unit on disk that heals at the next boot, before *unit* starts: for a fault that survives a boot.

    systemd reads it only at boot, so neither writing nor removing it needs a daemon-reload.
    """

    def __init__(self, fault: str, node: str) -> None:
        self._name = f"{fault} of {node}" if node else fault
        self._order = "Wants=network-online.target\nAfter=network-online.target" if node else ""
        self.unit = boot_unit(fault, node)
        self._paths = [f"{UNITS}/multi-user.target.wants/{self.unit}", f"{UNITS}/{self.unit}"]

    def arm(self, script: str, unit: str | None) -> None:
        """Write the unit. Raises FaultError."""
        order = f"Before={unit if unit.endswith('.service') else f'{unit}.service'}" if unit else self._order
        text = _AT_BOOT.format(name=self._name, script=script, order=order, tries=BOOT_TRIES, retry_s=RETRY_S)
        link, path = self._paths
        try:
            os.makedirs(os.path.dirname(link), mode=0o755, exist_ok=True)
            write_lasting(path, text)
            with suppress(FileExistsError):
                os.symlink(path, link)
        except OSError as error:
            raise FaultError(f"cannot write {error.filename}, which heals after a boot: {error.strerror}") from error

    def disarm(self) -> list[Step]:
        """Return the step by which the script removes the unit."""
        return [Step(["rm", "-f", *self._paths])]


def boot_unit(fault: str, node: str) -> str:
    """Return the name of the unit that heals at the next boot."""
    return f"haproof-heal-at-boot-{fault}{f'-{node}' if node else ''}.service"


def daemons_run(options: Options) -> list[str]:
    """Return the command that fails while the boot unit heals, before the daemons start."""
    unit = boot_unit(options.fault, options.node)
    return ["sh", "-c", '[ "$(systemctl is-active "$1")" != activating ]', "sh", unit]


class HealTimer:
    """A transient systemd timer on the node."""

    def __init__(self, host: FaultHost, fault: str) -> None:
        self._host = host
        self.name = f"haproof-heal-{fault}"
        self.timer = f"{self.name}.timer"

    def armed(self) -> bool:
        """Return whether the timer is waiting or healing."""
        return self._host.holds(Step(["systemctl", "is-active", "--quiet", self.timer]))

    def arm(self, script: str, deadline_s: float) -> None:
        """Run *script* in *deadline_s* seconds, and until it succeeds. Raises FaultError."""
        # Without AccuracySec a transient timer may fire a minute late. Without --collect a failed heal would keep
        # the unit's name in use.
        cmd = [
            "systemd-run",
            "--quiet",
            "--collect",
            f"--unit={self.name}",
            f"--on-active={deadline_s:g}",
            f"--on-unit-inactive={RETRY_S}",
            "--timer-property=AccuracySec=100ms",
            "sh",
            script,
        ]
        self._host.output(cmd, f"cannot arm the timer {self.timer} that heals the fault")

    def disarm(self) -> list[Step]:
        """Return the step by which the script stops the timer."""
        return [Step(["systemctl", "stop", self.timer], only_if=["systemctl", "is-active", "--quiet", self.timer])]


class Guard:
    """A process in its own session, for a driver host that may have no systemd."""

    timer = None

    def __init__(self, folder: str) -> None:
        self._script = os.path.join(folder, "heal")
        self._pid_file = os.path.join(folder, "guard.pid")

    def armed(self) -> bool:
        """Return whether the guard is waiting or healing."""
        with suppress(OSError, ValueError):
            with open(self._pid_file, encoding="ascii") as stream:
                pid = int(stream.read())
            with open(f"/proc/{pid}/cmdline", "rb") as stream:
                return os.fsencode(self._script) in stream.read().split(b"\0")
        # The file or the process is gone.
        return False

    def arm(self, script: str, deadline_s: float) -> None:
        """Run *script* in *deadline_s* seconds, and until it succeeds. Raises FaultError."""
        argv = [sys.executable, "-c", _GUARD, script, str(time.monotonic() + deadline_s), str(RETRY_S)]
        try:
            guard = subprocess.Popen(
                argv,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Outlives Ansible and its terminal.
                start_new_session=True,
            )
        except OSError as error:
            raise FaultError(f"cannot start the process that heals the fault at its deadline: {error}", argv) from error
        try:
            with open(self._pid_file, "w", encoding="ascii") as stream:
                stream.write(f"{guard.pid}\n")
        except OSError as error:
            os.kill(guard.pid, signal.SIGTERM)
            raise FaultError(f"cannot write {self._pid_file}: {error.strerror}") from error
        # A new process has no command line for a moment.
        end_s = time.monotonic() + START_S
        while not self.armed():
            if guard.poll() is not None or time.monotonic() > end_s:
                raise FaultError("the process that heals the fault at its deadline is not running", argv)
            time.sleep(0.005)

    def disarm(self) -> list[Step]:
        """Return the last step of the script, which ends the guard that may be running it."""
        ours = 'grep -aqF "$2" "/proc/$(cat "$1")/cmdline"'
        return [
            Step(
                ["sh", "-c", 'kill "$(cat "$1")"', "sh", self._pid_file],
                only_if=["sh", "-c", ours, "sh", self._pid_file, self._script],
            )
        ]
