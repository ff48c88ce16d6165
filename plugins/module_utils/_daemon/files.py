# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced as a set, atomically one by one, and can be restored."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import re
import shutil
import uuid
from contextlib import suppress
from typing import Any, Callable, Iterable, NamedTuple

# haproxy loads all files in a directory of certificates, including hidden ones, except those named *.issuer.
_HIDDEN_NAME = ".haproof-{}.issuer"
_HIDDEN = re.compile(_HIDDEN_NAME.replace(".", r"\.").format(r"[\da-f]{32}"))


class File(NamedTuple):
    """A present or wanted file. Owners are names, which check mode can compare before they exist."""

    dest: str
    content: bytes
    owner: str
    group: str
    mode: int


def read(path: str) -> File | None:
    """Return the file at *path*, None if there is none."""
    try:
        with open(path, "rb") as stream:
            content = stream.read()
            status = os.fstat(stream.fileno())
    except FileNotFoundError:
        return None
    return File(path, content, _user(status.st_uid), _group(status.st_gid), status.st_mode & 0o7777)


def diff(dest: str, before: File | None, after: File | None, mask: Callable[[str], str]) -> dict[str, str]:
    """Return Ansible's diff of one file, its texts masked by *mask*; owners and modes are in the headers."""
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
    """Return a function that sets a staged file's SELinux context; *module* is the running AnsibleModule."""

    def label(staged: str, dest: str) -> None:
        if module.selinux_enabled():
            module.set_context_if_different(staged, module.selinux_default_context(dest), False)

    return label


class FileSet:
    """Replaces files, and keeps the former ones until :meth:`settle`.

    New and kept files are beside the destination under hidden names, so both the change and its rollback are renames:
    a rollback needs no free disk space. ``label(staged, dest)`` is called for each new file before it is moved into
    place (SELinux contexts).
    """

    def __init__(self, label: Callable[[str, str], None]) -> None:
        self._label = label
        # Each changed file, and where the former one is kept; None if there was none.
        self._former: list[tuple[str, str | None]] = []
        self._staged: list[str] = []
        self._made: list[str] = []
        # Where former files will be kept.
        self._places: dict[str, str] = {}

    def stage(self, wanted: File) -> str:
        """Write *wanted* beside its destination, sync it to disk, and return the path.

        Raises LookupError for an unknown owner or group, OSError if writing fails.
        """
        folder = os.path.dirname(wanted.dest)
        staged = _hidden(folder)
        try:
            self._make(folder)
            with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                self._staged.append(staged)
                stream.write(wanted.content)
                shutil.chown(staged, wanted.owner, wanted.group)
                os.chmod(staged, wanted.mode)
                self._label(staged, wanted.dest)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            # The hidden name means nothing to the user.
            raise OSError(error.errno, error.strerror or str(error), wanted.dest) from error
        return staged

    def record(self, staged: Iterable[tuple[str, File]], gone: Iterable[str]) -> list[Any]:
        """Return, for :func:`roll_back_killed`, the files about to be swapped and removed, before the first change."""
        return [
            *([file.dest, self._place(file.dest), _identity(path)] for path, file in staged),
            # Removed files have no successor.
            *([path, self._place(path), []] for path in gone),
        ]

    def swap(self, staged: str, dest: str) -> None:
        """Move the staged file into place."""
        kept = self._place(dest)
        if kept:
            os.link(dest, kept, follow_symlinks=False)
        self._former.append((dest, kept))
        os.replace(staged, dest)
        _sync(os.path.dirname(dest))

    def remove(self, dest: str) -> None:
        """Remove the file."""
        kept = self._place(dest)
        os.rename(dest, str(kept))
        self._former.append((dest, kept))
        _sync(os.path.dirname(dest))

    def settle(self) -> None:
        """Delete the kept files: the change is final, or was rolled back. Raises OSError."""
        kept = [path for _dest, path in self._former if path]
        for path in (*kept, *self._staged):
            with suppress(FileNotFoundError):
                os.unlink(path)
        self._former, self._staged, self._made = [], [], []

    def restore(self) -> list[str]:
        """Restore every file, the last one first, and remove new ones; return the failures."""
        failures = []
        while self._former:
            dest, kept = self._former.pop()
            try:
                _restore(dest, kept)
            except OSError as error:
                failures.append(f"{dest} cannot be restored: {error}")
        for path in (*self._staged, *reversed(self._made)):
            try:
                _discard(path)
            except OSError as error:
                failures.append(f"{path} cannot be removed: {error}")
        self._staged, self._made = [], []
        return failures

    def _place(self, dest: str) -> str | None:
        """Return where the file at *dest* is kept, None if there is none."""
        if not os.path.lexists(dest):
            return None
        return self._places.setdefault(dest, _hidden(os.path.dirname(dest)))

    def _make(self, folder: str) -> None:
        missing = []
        while not os.path.isdir(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for path in reversed(missing):
            os.mkdir(path, 0o755)
            self._made.append(path)
            _sync(os.path.dirname(path))


def roll_back_killed(former: Iterable[Any]) -> None:
    """Roll back a killed run's swaps and removals, by its :meth:`FileSet.record`. Raises OSError.

    Half of a change must not stay: a new certificate would be beside an old key. Files changed since are left alone.
    """
    for dest, kept, identity in reversed(list(former)):
        if _identity(dest) == identity and (kept is None or os.path.lexists(kept)):
            _restore(dest, kept)


def sweep(folders: Iterable[str]) -> None:
    """Remove the files that a killed run wrote or kept in the directories. Raises OSError."""
    for folder in sorted(set(folders)):
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
            for path in [entry.path for entry in entries if _HIDDEN.fullmatch(entry.name)]:
                os.unlink(path)


def write_lasting(path: str, text: str) -> None:
    """Write a file that survives a power failure. Raises OSError."""
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def replace_lasting(path: str, text: str) -> None:
    """Replace a file atomically, as durable as by :func:`write_lasting`. Raises OSError."""
    new = f"{path}.new"
    write_lasting(new, text)
    os.replace(new, path)


def _identity(path: str) -> list[int]:
    """Return an identity that differs from the file's predecessor, and after an edit."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return []
    return [status.st_ino, status.st_mtime_ns]


def _hidden(folder: str) -> str:
    return os.path.join(folder, _HIDDEN_NAME.format(uuid.uuid4().hex))


def _restore(dest: str, kept: str | None) -> None:
    if kept is None:
        with suppress(FileNotFoundError):
            os.unlink(dest)
    else:
        os.replace(kept, dest)
        # If both names are one file, rename(2) keeps both: the new file had not been moved into place yet.
        with suppress(FileNotFoundError):
            os.unlink(kept)
    _sync(os.path.dirname(dest))


def _discard(path: str) -> None:
    try:
        if os.path.isdir(path):
            os.rmdir(path)
        else:
            os.unlink(path)
    except OSError as error:
        # A directory now used by others stays.
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY):
            raise


def _sync(folder: str) -> None:
    """Make the names in the directory survive a power failure."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems cannot sync a directory.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


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
