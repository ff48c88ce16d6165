# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is known on a host about the faults that it has: a folder each, below one that a reboot empties."""

from __future__ import annotations

import json
import os
import shutil
import stat
from contextlib import suppress
from typing import Any, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import FaultError
from ansible_collections.haproof.balancer.plugins.module_utils._faults.script import (
    HEALED,
    HEALED_AT,
    INJECTED_AT,
    RECORD,
)

FOLDER = "/run/haproof-drill"


class Record(NamedTuple):
    """A fault. Moments are in seconds of this host's monotonic clock; *present* are steps as data."""

    fault: str
    node: str
    unit: str | None
    options: dict[str, Any]
    present: list[Any]
    deadline_s: float
    injected_s: float | None
    delayed: bool

    @property
    def name(self) -> str:
        """The name of its folder."""
        return folder_name(self.fault, self.node)


def folder_name(fault: str, node: str) -> str:
    """Return the name of a fault's folder; driver faults have a node."""
    return f"{fault}-{node}" if node else fault


def base_folder(uid: int, environment: dict[str, str]) -> str:
    """Return the folder of all records: root's, or one of a user who drives other hosts."""
    if uid == 0:
        return FOLDER
    runtime = environment.get("XDG_RUNTIME_DIR") or f"/run/user/{uid}"
    return f"{runtime}/haproof-drill" if os.path.isdir(runtime) else f"/tmp/haproof-drill-{uid}"  # noqa: S108 (whose it is is checked)


def foreign() -> bool:
    """Return whether root has records here that another user would overlook."""
    try:
        return any(entry.is_dir() for entry in os.scandir(FOLDER))
    except FileNotFoundError:
        return False
    except PermissionError:
        return True


class Records:
    """The records below one folder."""

    def __init__(self, base: str) -> None:
        self._base = base

    def folder(self, name: str) -> str:
        """Return the folder of one fault."""
        return os.path.join(self._base, name)

    def script(self, name: str) -> str:
        """Return the path of the script that heals one fault."""
        return os.path.join(self._base, name, "heal")

    def active(self) -> list[Record]:
        """Return the faults that are not healed. Raises FaultError for a record that cannot be read."""
        return [found for name in self.names() for found in [self._read(name, RECORD)] if found]

    def healed(self, name: str) -> Record | None:
        """Return the record of a fault that is healed, until it is removed."""
        return self._read(name, HEALED)

    def names(self) -> list[str]:
        """Name the folders that are there."""
        try:
            return sorted(entry.name for entry in os.scandir(self._base) if entry.is_dir(follow_symlinks=False))
        except FileNotFoundError:
            return []

    def create(self, name: str, files: dict[str, str]) -> None:
        """Make the folder of a fault with these files in it. Raises FaultError."""
        try:
            os.makedirs(self._base, mode=0o700, exist_ok=True)
            status = os.lstat(self._base)
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                raise FaultError(f"{self._base} belongs to somebody else: remove it")
            self.remove(name)
            os.mkdir(self.folder(name), mode=0o700)
            for file, content in files.items():
                with open(os.path.join(self.folder(name), file), "w", encoding="utf-8") as stream:
                    stream.write(content)
        except OSError as error:
            raise FaultError(f"cannot write to {self.folder(name)}: {error.strerror}") from error

    def write(self, record: Record) -> None:
        """Note the fault, at once or not at all. Raises FaultError."""
        path = os.path.join(self.folder(record.name), RECORD)
        try:
            with open(path + ".new", "w", encoding="utf-8") as stream:
                json.dump(record._asdict(), stream, indent=2)
            os.replace(path + ".new", path)
        except OSError as error:
            raise FaultError(f"cannot write {path}: {error.strerror}") from error

    def remove(self, name: str) -> None:
        """Forget a fault."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.folder(name))

    def injected_s(self, record: Record) -> float | None:
        """Return when the fault was injected, None when it never was or nobody knows yet."""
        if not record.delayed:
            return record.injected_s
        return systemd_moment_s(self._text(record.name, INJECTED_AT))

    def healed_s(self, name: str) -> float | None:
        """Return when the script began to heal the fault, at its last run."""
        text = self._text(name, HEALED_AT)
        return float(text) if text else None

    def _text(self, name: str, file: str) -> str:
        try:
            with open(os.path.join(self.folder(name), file), encoding="ascii") as stream:
                return stream.read().strip()
        except FileNotFoundError:
            return ""

    def _read(self, name: str, file: str) -> Record | None:
        path = os.path.join(self.folder(name), file)
        try:
            with open(path, encoding="utf-8") as stream:
                return Record(**json.load(stream))
        except FileNotFoundError:
            return None
        except (OSError, TypeError, ValueError) as error:
            message = f"cannot read {path} ({error}): run sh {self.script(name)}, then remove the folder"
            raise FaultError(message) from error


def systemd_moment_s(text: str) -> float | None:
    """Return the seconds in ``ExecMainStartTimestampMonotonic=12345678`` (microseconds; 0 means never)."""
    value = text.rpartition("=")[2]
    return int(value) / 1e6 if value.isdigit() and int(value) > 0 else None
