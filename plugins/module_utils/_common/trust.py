# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which files may be believed: those of this user, in places where no other user can put or replace one."""

from __future__ import annotations

import errno
import os
import pwd
import stat
from typing import Iterator

MOST_LINKS = 40
"""As many as the kernel follows (path_resolution(7))."""


class UntrustedError(OSError):
    """A file or folder that another user has made or may change; ``strerror`` says which, and what to do."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(errno.EPERM, f"{path} {what}", path)

    def __str__(self) -> str:
        return str(self.strerror)


def check_own(path: str) -> None:
    """Raise UntrustedError unless *path* is this user's alone, and so is the way to it. Raises OSError."""
    check_way(path)
    status = os.lstat(path)
    if status.st_uid != os.geteuid():
        raise UntrustedError(path, f"belongs to {user(status.st_uid)}: remove it")
    if stat.S_ISLNK(status.st_mode):
        raise UntrustedError(path, "is a symbolic link: remove it")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UntrustedError(path, f"may be written by other users: run chmod go-w {path}, once you have read it")


def check_way(path: str) -> None:
    """Raise UntrustedError when another user could put a file of that user's at *path*, or replace it there.

    Where every user may make files, as in /tmp, the sticky bit protects them from others. Raises OSError.
    """
    for place in _way(path):
        status = os.lstat(place)
        if status.st_uid not in (0, os.geteuid()):
            raise UntrustedError(place, f"belongs to {user(status.st_uid)}, and leads to {path}: use another folder")
        writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
        if writable and not stat.S_ISLNK(status.st_mode):
            raise UntrustedError(place, f"may be written by other users, and leads to {path}: run chmod go-w {place}")


def make_private(folder: str) -> None:
    """Make a folder for this user alone, unless it is there and is so. Raises OSError."""
    if not os.path.lexists(folder):
        above = os.path.dirname(folder)
        if not os.path.isdir(above):
            make_private(above)
        check_way(folder)
        os.mkdir(folder, mode=0o700)
    check_own(folder)


def user(number: int) -> str:
    """Return the name of a user for a message."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _way(path: str) -> Iterator[str]:
    """Yield each folder and link above *path*, the root first."""
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
