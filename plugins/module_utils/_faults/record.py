# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A host's records of its faults, one folder per fault.

Most faults end when their host boots, and so do their folders. Records of faults that survive a boot are on disk.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
from contextlib import suppress
from typing import Any, Container, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._common.boot import current_boot
from ansible_collections.haproof.balancer.plugins.module_utils._common.trust import check_own, make_private
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.files import replace_lasting, write_lasting
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import FaultError
from ansible_collections.haproof.balancer.plugins.module_utils._faults.script import (
    HEALED,
    HEALED_AT,
    INJECTED_AT,
    LOST,
    RECORD,
)

FOLDER = "/run/haproof-drill"
LASTING = "/var/lib/haproof-drill"


class FaultRecord(NamedTuple):
    """A fault. Times are in seconds of this host's monotonic clock; *present* are steps as data."""

    fault: str
    node: str
    unit: str | None
    options: dict[str, Any]
    present: list[Any]
    deadline_s: float
    injected_s: float | None
    delayed: bool
    boot: str = ""
    """The boot id of the host, since the times are only valid for one boot."""
    took_s: float | None = None
    """How long injecting took. Never written: a write after injecting could bring back the record of a healed fault."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return folder_name(self.fault, self.node)


def folder_name(fault: str, node: str) -> str:
    """Return the name of a fault's folder; driver faults have a node."""
    return f"{fault}-{node}" if node else fault


def base_folders(uid: int) -> tuple[str, str]:
    """Return the folder of the records that a boot clears, and of those that survive it.

    All records of an unprivileged user survive. The environment is ignored, since cron, su and CI must find them again.
    """
    if uid == 0:
        return FOLDER, LASTING
    try:
        home = pwd.getpwuid(uid).pw_dir
    except KeyError:
        home = ""
    if not os.path.isdir(home) or home == "/":
        folder = f"/tmp/haproof-drill-{uid}"  # noqa: S108 (only trusted if this user owns it)
    else:
        # A home may be shared by many hosts.
        folder = os.path.join(home, ".local/state/haproof-drill", os.uname().nodename)
    return folder, folder


def foreign() -> bool:
    """Return whether root has records here, which another user would miss."""
    return any(map(_has_folders, (FOLDER, LASTING)))


def _has_folders(base: str) -> bool:
    try:
        return any(entry.is_dir() for entry in os.scandir(base))
    except FileNotFoundError:
        return False
    except PermissionError:
        return True


class Records:
    """The records below *base*, and below *lasting* those of the faults *survivors*.

    Raises FaultError for files that another user could have written, since the scripts are run.
    """

    def __init__(self, base: str, lasting: str, survivors: Container[str]) -> None:
        self._base = base
        self._lasting = lasting
        self._survivors = survivors

    def folder(self, name: str) -> str:
        """Return the folder of one fault."""
        survives = name.partition("-")[0] in self._survivors
        return os.path.join(self._lasting if survives else self._base, name)

    def script(self, name: str) -> str:
        """Return the path of the script that heals one fault."""
        return os.path.join(self.folder(name), "heal")

    def own_script(self, name: str) -> str:
        """Return the path of the script, checked to be this user's own."""
        self._own(self.folder(name))
        return self._own(self.script(name))

    def active(self) -> list[FaultRecord]:
        """Return the faults that are not healed. Raises FaultError for an unreadable record."""
        return [found for name in self.names() for found in [self._read(name, RECORD)] if found]

    def healed(self, name: str) -> FaultRecord | None:
        """Return the record of a healed fault, None once it has been removed."""
        return self._read(name, HEALED)

    def names(self) -> list[str]:
        """Return the names of the existing folders."""
        bases = [base for base in sorted({self._base, self._lasting}) if os.path.lexists(base)]
        return sorted(
            entry.name
            for base in bases
            for entry in os.scandir(self._own(base))
            if entry.is_dir(follow_symlinks=False) and self.folder(entry.name) == entry.path
        )

    def create(self, name: str, files: dict[str, str]) -> None:
        """Create a fault's folder with these files. Raises FaultError."""
        try:
            make_private(os.path.dirname(self.folder(name)))
            self.remove(name)
            os.mkdir(self.folder(name), mode=0o700)
            for file, content in files.items():
                write_lasting(os.path.join(self.folder(name), file), content)
        except OSError as error:
            raise FaultError(f"cannot write to {self.folder(name)}: {error.strerror}") from error

    def write(self, record: FaultRecord) -> None:
        """Write the record atomically. Raises FaultError."""
        path = os.path.join(self.folder(record.name), RECORD)
        try:
            replace_lasting(path, json.dumps(record._asdict(), indent=2))
        except OSError as error:
            raise FaultError(f"cannot write {path}: {error.strerror}") from error

    def remove(self, name: str) -> None:
        """Remove a fault's folder."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.folder(name))

    def injected_s(self, record: FaultRecord) -> float | None:
        """Return when the fault was injected, None if unknown or if the host has booted since."""
        if record.boot and record.boot != current_boot():
            return None
        if not record.delayed:
            return record.injected_s
        return systemd_moment_s(self._text(record.name, INJECTED_AT))

    def healed_s(self, name: str) -> float | None:
        """Return when the last run of the script began to heal the fault."""
        text = self._text(name, HEALED_AT)
        return float(text) if text else None

    def lost(self, name: str) -> list[str] | None:
        """Return what showed that the fault had ended before healing began, None if that was not recorded."""
        if not os.path.lexists(os.path.join(self.folder(name), LOST)):
            return None
        return self._text(name, LOST).splitlines()

    def _text(self, name: str, file: str) -> str:
        path = os.path.join(self.folder(name), file)
        if not os.path.lexists(path):
            return ""
        with open(self._own(path), encoding="utf-8") as stream:
            return stream.read().strip()

    def _own(self, path: str) -> str:
        try:
            check_own(path)
        except OSError as error:
            raise FaultError(str(error)) from error
        return path

    def _read(self, name: str, file: str) -> FaultRecord | None:
        path = os.path.join(self.folder(name), file)
        if not os.path.lexists(path):
            return None
        try:
            with open(self._own(path), encoding="utf-8") as stream:
                return FaultRecord(**json.load(stream))
        except (OSError, TypeError, ValueError) as error:
            message = f"cannot read {path} ({error}): run sh {self.script(name)}, then remove the folder"
            raise FaultError(message) from error


def systemd_moment_s(text: str) -> float | None:
    """Return the seconds in ``ExecMainStartTimestampMonotonic=12345678`` (microseconds; 0 means never)."""
    value = text.rpartition("=")[2]
    return int(value) / 1e6 if value.isdigit() and int(value) > 0 else None
