# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A fault's plan: the commands that inject it, that heal it, and that succeed while it is in effect.

Commands alone, so that a script can heal a node without Ansible.
"""

from __future__ import annotations

import os
import shutil
from typing import Any, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner

# capabilities(7), linux/capability.h
CAP_NET_ADMIN = 12
CAP_SYS_TIME = 25


class FaultError(Exception):
    """A fault cannot be injected or healed; carries the command that failed, if there was one."""

    def __init__(self, message: str, cmd: Sequence[str] = (), rc: int = 0, stderr: str = "") -> None:
        super().__init__(message)
        self.cmd = list(cmd)
        self.rc = rc
        self.stderr = stderr.strip()


class UnsupportedError(Exception):
    """This host cannot have the fault; the message is the reason."""


class Step(NamedTuple):
    """A command that must succeed, or fail with *must_fail*. It is skipped if *only_if* fails.

    *lost* describes the state that a check of the fault's effect has found instead.
    """

    argv: Sequence[str]
    only_if: Sequence[str] = ()
    must_fail: bool = False
    lost: str = ""


class Options(NamedTuple):
    """The user's options; *folder* is where the fault may keep files until it is healed."""

    fault: str
    folder: str
    deadline_s: float
    service: str = ""
    interface: str = ""
    vip: str = ""
    path: str = ""
    slow_s: float = 0.1
    commands: dict[str, list[list[str]]] = {}  # noqa: RUF012 (never changed)
    node: str = ""


class FaultPlan(NamedTuple):
    """One fault on this host. *files* are written to the fault's folder first.

    *present* checks its effect: each step succeeds after injecting, and still does before healing, unless
    something else ended the fault in between. It is empty if only other hosts can see the effect.

    *delayed*: systemd injects it after the module has returned, and records the time. *waiting* succeeds until then.
    """

    inject: list[Step]
    heal: list[Step]
    present: list[Step]
    unit: str | None = None
    files: dict[str, str] = {}  # noqa: RUF012 (never changed)
    delayed: bool = False
    waiting: list[Step] = []  # noqa: RUF012 (never changed)

    @property
    def injected(self) -> list[Step]:
        """The steps that succeed right after injecting."""
        return self.waiting if self.delayed else self.present


class FaultHost:
    """Access to the host on which a fault is planned and injected."""

    def __init__(self, run: Runner) -> None:
        self.run = run

    def output(self, argv: list[str], failure: str) -> str:
        """Return a command's output. Raises FaultError with *failure* if it fails."""
        rc, out, err = self.run(argv)
        if rc != 0:
            raise FaultError(f"{failure}: {(err or out).strip() or f'exit code {rc}'}", argv, rc, err)
        return out

    def holds(self, step: Step) -> bool:
        """Return whether a step would succeed now."""
        return (self.run(list(step.argv))[0] != 0) == step.must_fail

    def need(self, program: str, package: str) -> None:
        """Raise UnsupportedError if the program is not installed."""
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            raise UnsupportedError(f"{program} is not on this host: install {package}")

    def need_capability(self, number: int, name: str) -> None:
        """Raise UnsupportedError if this user's processes lack the capability."""
        with open("/proc/self/status", encoding="ascii", errors="replace") as stream:
            if not has_capability(stream.read(), number):
                raise UnsupportedError(f"this host does not give root {name}")

    def need_no_container(self, why: str) -> None:
        """Raise UnsupportedError in a container."""
        rc, out, _err = self.run(["systemd-detect-virt", "--container"])
        if rc == 0:
            raise UnsupportedError(f"this host is a container ({out.strip()}): {why}")

    def interfaces(self) -> list[str]:
        """Return the names of the host's network interfaces."""
        # "bonding_masters" is a file.
        return sorted(entry.name for entry in os.scandir("/sys/class/net") if entry.is_dir())

    def cores(self) -> int:
        """Return the number of usable processors."""
        return len(os.sched_getaffinity(0))

    def exists(self, path: str) -> bool:
        """Return whether the file exists."""
        return os.path.exists(path)

    def is_mount_point(self, path: str) -> bool:
        """Return whether a file system is mounted at *path*."""
        return os.path.ismount(path)

    def has_systemd(self) -> bool:
        """Return whether systemd manages this host (sd_booted(3))."""
        return os.path.isdir("/run/systemd/system")

    def size(self, path: str) -> int:
        """Return the size of the file system in bytes."""
        status = os.statvfs(path)
        return status.f_blocks * status.f_frsize


def has_capability(status: str, number: int) -> bool:
    """Return whether the process of this ``/proc/PID/status`` has the capability (proc(5), CapEff)."""
    for line in status.splitlines():
        name, _colon, value = line.partition(":")
        if name == "CapEff":
            return bool(int(value, 16) >> number & 1)
    return False


def known_interface(host: FaultHost, name: str) -> str:
    """Return the interface's name. Raises FaultError if the host does not have it."""
    if name not in host.interfaces():
        raise FaultError(f"interface {name} is not on this host, which has {', '.join(host.interfaces())}")
    return name


def as_data(steps: Sequence[Step]) -> list[list[Any]]:
    """Return steps as JSON-compatible data; the inverse of :func:`from_data`."""
    return [[list(step.argv), list(step.only_if), step.must_fail, step.lost] for step in steps]


def from_data(data: Sequence[Sequence[Any]]) -> list[Step]:
    """Return the steps that :func:`as_data` was given."""
    return [Step(*one) for one in data]
