# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small model of a host: units, timers, and every command that could change something."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import SURVIVORS
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import FaultHost, Options, UnsupportedError
from ansible_collections.haproof.balancer.plugins.module_utils._faults.record import Records


class ModelHost(FaultHost):
    """A host whose commands are answered from a table; what is run for its effect is noted."""

    def __init__(self, **units: str) -> None:
        super().__init__(self.answer)
        self.units = units
        self.armed: set[str] = set()
        self.commands: list[str] = []
        self.refuses: set[str] = set()
        self.says: dict[str, str] = {}
        self.missing: set[str] = set()
        self.mounts: dict[str, int] = {}

    def answer(self, argv: list[str]) -> tuple[int, str, str]:
        """Answer a command: exit code, stdout, stderr."""
        words = " ".join(argv)
        if words in self.says:
            return 0, self.says[words], ""
        if argv[:2] == ["systemctl", "show"]:
            state = self.units.get(argv[-1])
            loaded = "loaded" if state else "not-found"
            return 0, f"LoadState={loaded}\nActiveState={state or 'inactive'}\nMainPID=42\n", ""
        if argv[:2] == ["systemctl", "is-active"]:
            active = argv[-1] in self.armed or self.units.get(argv[-1]) == "active"
            return (0 if active else 3), "", ""
        self.commands.append(words)
        return self.change(argv)

    def change(self, argv: list[str]) -> tuple[int, str, str]:
        """Do what a command does to units and timers."""
        if self.refuses & set(argv):
            return 1, "", f"{argv[0]}: refused\n"
        if argv[0] == "systemd-run":
            name = next(word for word in argv if word.startswith("--unit="))[len("--unit=") :]
            self.armed.add(name + (".timer" if any("--on-active" in word for word in argv) else ".service"))
        elif argv[0] == "systemctl" and argv[-1] in self.armed:
            self.armed.remove(argv[-1])
        elif argv[0] == "systemctl" and argv[1] in ("start", "stop"):
            self.units[argv[-1]] = {"start": "active", "stop": "inactive"}[argv[1]]
        return 0, "", ""

    def need(self, program: str, package: str) -> None:
        """See FaultHost."""
        if program in self.missing:
            raise UnsupportedError(f"{program} is not on this host: install {package}")

    def need_capability(self, number: int, name: str) -> None:  # noqa: ARG002 - FaultHost's signature
        """See FaultHost."""
        if name in self.missing:
            raise UnsupportedError(f"this host does not give root {name}")

    def interfaces(self) -> list[str]:
        """See FaultHost."""
        return ["eth0", "eth1", "lo"]

    def cores(self) -> int:
        """See FaultHost."""
        return 3

    def exists(self, path: str) -> bool:
        """See FaultHost."""
        return path not in self.missing

    def has_systemd(self) -> bool:
        """See FaultHost."""
        return False

    def is_mount_point(self, path: str) -> bool:
        """See FaultHost."""
        return path in self.mounts

    def size(self, path: str) -> int:
        """See FaultHost."""
        return self.mounts[path]


def records_in(folder: Path) -> Records:
    """Return the records below this folder, and those that last below its folder ``lasting``."""
    return Records(str(folder), str(folder / "lasting"), SURVIVORS)


def options(fault: str, **asked: Any) -> Options:
    """Return options of a fault that is kept below /run/x."""
    return Options(fault=fault, folder=f"/run/x/{fault}", deadline_s=30.0, **asked)


def shell(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a person would."""
    return subprocess.run(["sh", script], capture_output=True, check=False, text=True)


def as_json(value: Any) -> Any:
    """Return what is left of a value when it has been written as JSON and read again."""
    return json.loads(json.dumps(value))
