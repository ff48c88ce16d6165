# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files are trusted."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common import trust
from ansible_collections.haproof.balancer.plugins.module_utils._common.trust import (
    UntrustedError,
    check_own,
    check_way,
    make_private,
)

# Owner and mode of the directory and of the file in it, and the error.
CASES: list[tuple[int, int, int, int, str]] = [
    (1000, 0o700, 1000, 0o600, ""),
    (0, 0o755, 1000, 0o644, ""),
    (0, 0o1777, 1000, 0o600, ""),
    (0, 0o1777, 1001, 0o600, "/a/b belongs to user 1001: remove it"),
    (0, 0o755, 0, 0o600, "/a/b belongs to user 0: remove it"),
    (1000, 0o700, 1000, 0o620, "/a/b may be written by other users: run chmod go-w /a/b, once you have read it"),
    (1000, 0o700, 1000, 0o602, "/a/b may be written by other users: run chmod go-w /a/b, once you have read it"),
    (1001, 0o755, 1000, 0o600, "/a belongs to user 1001, and leads to /a/b: use another folder"),
    (1001, 0o1777, 1000, 0o600, "/a belongs to user 1001, and leads to /a/b: use another folder"),
    (0, 0o777, 1000, 0o600, "/a may be written by other users, and leads to /a/b: run chmod go-w /a"),
    (0, 0o775, 1000, 0o600, "/a may be written by other users, and leads to /a/b: run chmod go-w /a"),
]


@pytest.mark.parametrize(("folder_uid", "folder_mode", "uid", "mode", "message"), CASES)
def test_check_own(
    monkeypatch: pytest.MonkeyPatch, folder_uid: int, folder_mode: int, uid: int, mode: int, message: str
) -> None:
    files = {"/": (0, 0o40755), "/a": (folder_uid, 0o40000 | folder_mode), "/a/b": (uid, 0o100000 | mode)}

    def lstat(path: str) -> SimpleNamespace:
        return SimpleNamespace(st_uid=files[path][0], st_mode=files[path][1])

    monkeypatch.setattr(trust, "os", SimpleNamespace(path=os.path, lstat=lstat, geteuid=lambda: 1000))
    monkeypatch.setattr(trust, "user", lambda number: f"user {number}")
    if not message:
        check_own("/a/b")
        return
    with pytest.raises(UntrustedError) as untrusted:
        check_own("/a/b")
    assert str(untrusted.value) == message


def test_links_are_followed_to_what_they_lead_to(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "open/inner").mkdir()
    (tmp_path / "link").symlink_to("open/inner")
    with pytest.raises(UntrustedError, match=r"/open may be written by other users"):
        check_way(str(tmp_path / "link/file"))
    with pytest.raises(UntrustedError, match=r"/link is a symbolic link: remove it"):
        check_own(str(tmp_path / "link"))


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        check_way(str(tmp_path / "a/file"))


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o077])
def test_private_folder_whatever_the_mask(tmp_path: Path, mask: int) -> None:
    folder = tmp_path / "one/two"
    former = os.umask(mask)
    try:
        make_private(str(folder))
        make_private(str(folder))
    finally:
        os.umask(former)
    assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700, 0o700]
