# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced as a set, atomically one by one, and can be put back."""

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

# haproxy takes all files of a folder with certificates, hidden ones too, but those of a certificate's issuer.
_HIDDEN_NAME = ".haproof-{}.issuer"
_HIDDEN = re.compile(_HIDDEN_NAME.replace(".", r"\.").format(r"[\da-f]{32}"))


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
    """Replaces files, and keeps the former ones until :meth:`settle`.

    A file that is written or kept is beside its place under a hidden name of this collection, so both the change and
    undoing it are renames: undoing needs no free disk space. ``label(staged, dest)`` is called for each new file before
    it takes its place (SELinux contexts).
    """

    def __init__(self, label: Callable[[str, str], None]) -> None:
        self._label = label
        # Where a file was changed, and where the former one is kept; None when there was none.
        self._former: list[tuple[str, str | None]] = []
        self._staged: list[str] = []
        self._made: list[str] = []
        # Where former files are going to be kept.
        self._places: dict[str, str] = {}

    def stage(self, wanted: File) -> str:
        """Write *wanted* beside its place, down to the disk, and return the path.

        Raises LookupError for an owner or group that the host does not have, OSError for what the disk refuses.
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
            # The hidden name tells a person nothing.
            raise OSError(error.errno, error.strerror or str(error), wanted.dest) from error
        return staged

    def record(self, staged: Iterable[tuple[str, File]], gone: Iterable[str]) -> list[Any]:
        """Return, for :func:`put_back_killed`, what is about to be swapped and removed, before the first of these."""
        return [
            *([file.dest, self._place(file.dest), _identity(path)] for path, file in staged),
            # Nothing is to be in their place.
            *([path, self._place(path), []] for path in gone),
        ]

    def swap(self, staged: str, dest: str) -> None:
        """Let the staged file take its place."""
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
        """Drop what was kept: the change is meant to stay, or was undone. Raises OSError."""
        kept = [path for _dest, path in self._former if path]
        for path in (*kept, *self._staged):
            with suppress(FileNotFoundError):
                os.unlink(path)
        self._former, self._staged, self._made = [], [], []

    def restore(self) -> list[str]:
        """Put every file back, the last one first, and remove what was made; return what could not be done."""
        failures = []
        while self._former:
            dest, kept = self._former.pop()
            try:
                _put_back(dest, kept)
            except OSError as error:
                failures.append(f"{dest} is not as it was: {error}")
        for path in (*self._staged, *reversed(self._made)):
            try:
                _discard(path)
            except OSError as error:
                failures.append(f"{path} cannot be removed: {error}")
        self._staged, self._made = [], []
        return failures

    def _place(self, dest: str) -> str | None:
        """Return where the file at *dest* is kept, None when there is none."""
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


def put_back_killed(former: Iterable[Any]) -> None:
    """Undo what a killed run has swapped and removed, by its :meth:`FileSet.record`. Raises OSError.

    Half of a change must not stay: a new certificate would be beside an old key. What was changed since stays.
    """
    for dest, kept, identity in reversed(list(former)):
        if _identity(dest) == identity and (kept is None or os.path.lexists(kept)):
            _put_back(dest, kept)


def sweep(folders: Iterable[str]) -> None:
    """Remove from the folders what a run that was killed has written or kept there. Raises OSError."""
    for folder in sorted(set(folders)):
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
            for path in [entry.path for entry in entries if _HIDDEN.fullmatch(entry.name)]:
                os.unlink(path)


def write_lasting(path: str, text: str) -> None:
    """Write a file that is there after a loss of power too. Raises OSError."""
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def replace_lasting(path: str, text: str) -> None:
    """Write a file as :func:`write_lasting` does, at once or not at all. Raises OSError."""
    new = f"{path}.new"
    write_lasting(new, text)
    os.replace(new, path)


def _identity(path: str) -> list[int]:
    """Return what tells a file from the one that had the path before, and from one that was edited since."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return []
    return [status.st_ino, status.st_mtime_ns]


def _hidden(folder: str) -> str:
    return os.path.join(folder, _HIDDEN_NAME.format(uuid.uuid4().hex))


def _put_back(dest: str, kept: str | None) -> None:
    if kept is None:
        with suppress(FileNotFoundError):
            os.unlink(dest)
    else:
        os.replace(kept, dest)
        # Two names of one file stay both (rename(2)): the new file had not taken its place yet.
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
        # A folder that others use meanwhile stays.
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY):
            raise


def _sync(folder: str) -> None:
    """Let the names in the folder survive a power failure."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems cannot do that for a folder.
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
