# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced as a set, atomically one by one, and can be put back."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import tempfile
from contextlib import suppress
from typing import Any, Callable, NamedTuple


class File(NamedTuple):
    """A file as it is or should be. Owners are names, which check mode can compare before they exist."""

    dest: str
    content: bytes
    owner: str
    group: str
    mode: int


def read(path: str) -> File | None:
    """Return the file at *path* as it is, or None when there is none."""
    try:
        with open(path, "rb") as stream:
            content = stream.read()
            status = os.fstat(stream.fileno())
    except FileNotFoundError:
        return None
    return File(path, content, _user(status.st_uid), _group(status.st_gid), status.st_mode & 0o7777)


def diff(dest: str, before: File | None, after: File | None, mask: Callable[[str], str]) -> dict[str, str]:
    """Return Ansible's diff of one file, with *mask* over its texts; owners and modes stand in the headers."""
    former, new = (mask(file.content.decode(errors="replace")) if file else "" for file in (before, after))
    if before and after and former == new and before.content != after.content:
        new += "(new secret content)\n"
    return {
        "before_header": _header(before) if before else f"{dest} (absent)",
        "after_header": _header(after) if after else f"{dest} (absent)",
        "before": former,
        "after": new,
    }


def all_secret(text: str) -> str:
    """Hide a whole text, as a mask for :func:`diff`."""
    return "(secret content)\n" if text else ""


def selinux_label(module: Any) -> Callable[[str, str], None]:
    """Return what gives a staged file the SELinux context of its place; *module* is the AnsibleModule that runs."""

    def label(staged: str, dest: str) -> None:
        if module.selinux_enabled():
            module.set_context_if_different(staged, module.selinux_default_context(dest), False)

    return label


class FileSet:
    """Replaces files and remembers the former ones.

    ``label(staged, dest)`` is called for each new file before it takes its place (SELinux contexts).
    """

    def __init__(self, label: Callable[[str, str], None]) -> None:
        self._label = label
        self._former: list[tuple[str, File | None]] = []

    def stage(self, wanted: File) -> str:
        """Write *wanted* beside its place under a hidden name and return that name.

        Raises LookupError for an owner or group that the host does not have, OSError for what the disk refuses.
        """
        folder, name = os.path.split(wanted.dest)
        os.makedirs(folder, mode=0o755, exist_ok=True)
        handle, staged = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(wanted.content)
            shutil.chown(staged, wanted.owner, wanted.group)
            os.chmod(staged, wanted.mode)
            self._label(staged, wanted.dest)
        except BaseException:
            self.discard(staged)
            raise
        return staged

    def discard(self, staged: str) -> None:
        """Remove a staged file that did not take its place."""
        with suppress(FileNotFoundError):
            os.unlink(staged)

    def swap(self, staged: str, dest: str) -> None:
        """Let the staged file take its place."""
        self._former.append((dest, read(dest)))
        os.replace(staged, dest)

    def remove(self, dest: str) -> None:
        """Remove the file."""
        self._former.append((dest, read(dest)))
        os.unlink(dest)

    def restore(self) -> None:
        """Put every swapped file back, the last one first."""
        while self._former:
            dest, former = self._former.pop()
            if former is None:
                os.unlink(dest)
            else:
                os.replace(self.stage(former), dest)


def _header(entry: File) -> str:
    return f"{entry.dest} ({entry.owner}:{entry.group} {entry.mode:04o})"


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
