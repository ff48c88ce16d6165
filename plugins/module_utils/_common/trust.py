# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Trusted files: those of this user, in places where no other user can create or replace one."""

from __future__ import annotations

import errno
import os
import pwd
import stat
from typing import Iterator

MOST_LINKS = 40
"""The kernel's limit (path_resolution(7))."""


class UntrustedError(OSError):
    """A file or directory that another user created or may change; ``strerror`` names it, and the remedy."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(errno.EPERM, f"{path} {what}", path)

    def __str__(self) -> str:
        return str(self.strerror)


def check_own(path: str) -> None:
    """Raise UntrustedError unless only this user can write *path* and the directories above it. Raises OSError."""
    check_way(path)
    status = os.lstat(path)
    if status.st_uid != os.geteuid():
        raise UntrustedError(path, f"belongs to {user(status.st_uid)}: remove it")
    if stat.S_ISLNK(status.st_mode):
        raise UntrustedError(path, "is a symbolic link: remove it")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UntrustedError(path, f"may be written by other users: run chmod go-w {path}, once you have read it")


def check_way(path: str) -> None:
    """Raise UntrustedError if another user could create or replace a file at *path*.

    Where all users may create files, as in /tmp, the sticky bit protects them from others. Raises OSError.
    """
    for place in _way(path):
        status = os.lstat(place)
        if status.st_uid not in (0, os.geteuid()):
            raise UntrustedError(place, f"belongs to {user(status.st_uid)}, and leads to {path}: use another folder")
        writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
        if writable and not stat.S_ISLNK(status.st_mode):
            raise UntrustedError(place, f"may be written by other users, and leads to {path}: run chmod go-w {place}")


def make_private(folder: str) -> None:
    """Create a directory that only this user can access, unless it exists as such. Raises OSError."""
    if not os.path.lexists(folder):
        above = os.path.dirname(folder)
        if not os.path.isdir(above):
            make_private(above)
        check_way(folder)
        os.mkdir(folder, mode=0o700)
    check_own(folder)


def user(number: int) -> str:
    """Return a user's name, for messages."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _way(path: str) -> Iterator[str]:
    """Yield each directory and link above *path*, the root first."""
    at, left, links = "/", os.path.abspath(path).split("/")[1:-1], 0
    yield at
    while left:
        at = os.path.join(at, left.pop(0))
        yield at
        if os.path.islink(at):
            links += 1
            if links > MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            target = os.path.normpath(os.path.join(os.path.dirname(at), os.readlink(at)))
            at, left = "/", [*target.split("/")[1:], *left]
