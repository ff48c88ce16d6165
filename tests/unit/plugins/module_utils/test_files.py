# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._files import (
    File,
    FileSet,
    all_secret,
    diff,
    read,
    sweep,
)

USER = pwd.getpwuid(os.getuid()).pw_name
GROUP = grp.getgrgid(os.getgid()).gr_name


def wanted(path: Path, text: str, mode: int = 0o644) -> File:
    return File(str(path), text.encode(), USER, GROUP, mode)


@pytest.fixture
def files() -> FileSet:
    return FileSet(lambda _staged, _dest: None)


def test_swap_and_restore(tmp_path: Path, files: FileSet) -> None:
    old, new = tmp_path / "old", tmp_path / "folder" / "new"
    old.write_text("before")
    old.chmod(0o600)
    for file in (wanted(old, "after"), wanted(new, "fresh", 0o755)):
        files.swap(files.stage(file), file.dest)
    assert read(str(old)) == wanted(old, "after")
    assert read(str(new)) == wanted(new, "fresh", 0o755)
    files.restore()
    assert read(str(old)) == wanted(old, "before", 0o600)
    assert read(str(new)) is None
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["old"]


def test_restore_goes_back_to_the_first_state(tmp_path: Path, files: FileSet) -> None:
    path = tmp_path / "twice"
    for text in ("one", "two"):
        files.swap(files.stage(wanted(path, text)), str(path))
    files.restore()
    assert not path.exists()


def test_a_stage_that_fails_leaves_nothing(tmp_path: Path, files: FileSet) -> None:
    with pytest.raises(LookupError, match="no such user: 'nobody-at-all'"):
        files.stage(wanted(tmp_path / "folder" / "file", "text")._replace(owner="nobody-at-all"))
    assert files.restore() == []
    assert list(tmp_path.iterdir()) == []


def test_a_label_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def refuse(_staged: str, _dest: str) -> None:
        raise OSError("no label")

    files = FileSet(refuse)
    with pytest.raises(OSError, match=f"no label: '{tmp_path}/file'"):
        files.stage(wanted(tmp_path / "file", "text"))
    assert files.restore() == []
    assert list(tmp_path.iterdir()) == []


def test_diff_shows_owners_and_modes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert diff(str(path), None, wanted(path, "text"), str)["before_header"] == f"{path} (absent)"
    changed = diff(str(path), wanted(path, "text"), wanted(path, "text", 0o600), str)
    assert changed["before"] == changed["after"] == "text"
    assert changed["after_header"] == f"{path} ({USER}:{GROUP} 0600)"
    assert diff(str(path), wanted(path, "text"), None, str)["after"] == ""


def test_a_secret_diff_shows_only_that_something_differs() -> None:
    former = File("/etc/secret", b"old t0ken", "root", "root", 0o400)
    wanted = former._replace(content=b"new t0ken", mode=0o600)
    assert diff(former.dest, former, wanted, all_secret) == {
        "before_header": "/etc/secret (root:root 0400)",
        "after_header": "/etc/secret (root:root 0600)",
        "before": "(secret content)\n",
        "after": "(secret content)\n(new secret content)\n",
    }
    assert diff(former.dest, former, former._replace(mode=0o600), all_secret)["after"] == "(secret content)\n"
    assert diff(former.dest, None, wanted, all_secret)["before"] == ""
    assert diff(former.dest, former, None, all_secret)["before"] == "(secret content)\n"


def test_a_masked_diff_shows_that_a_secret_differs() -> None:
    former = File("/etc/conf", b"pass old\n", "root", "root", 0o400)
    shown = diff(former.dest, former, former._replace(content=b"pass new\n"), lambda text: text[:5] + "***\n")
    assert (shown["before"], shown["after"]) == ("pass ***\n", "pass ***\n(new secret content)\n")


def test_remove_and_restore(tmp_path: Path, files: FileSet) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    path.chmod(0o640)
    files.remove(str(path))
    assert not path.exists()
    assert files.restore() == []
    assert read(str(path)) == wanted(path, "before", 0o640)


def test_a_link_comes_back_as_a_link(tmp_path: Path, files: FileSet) -> None:
    path = tmp_path / "link"
    path.symlink_to("elsewhere")
    files.swap(files.stage(wanted(path, "after")), str(path))
    assert not path.is_symlink()
    assert files.restore() == []
    assert os.readlink(path) == "elsewhere"


def test_a_folder_that_others_use_meanwhile_stays(tmp_path: Path, files: FileSet) -> None:
    path = tmp_path / "folder" / "file"
    files.swap(files.stage(wanted(path, "after")), str(path))
    (tmp_path / "folder" / "of others").touch()
    assert files.restore() == []
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["of others"]


def test_what_a_killed_run_left_goes_and_nothing_else(tmp_path: Path, files: FileSet) -> None:
    kept = [".haproof-1.issuer", ".nginx.conf.swp", "haproof-" + "0" * 32 + ".issuer", "nginx.conf"]
    for name in kept:
        (tmp_path / name).touch()
    files.stage(wanted(tmp_path / "nginx.conf", "text"))
    files.remove(str(tmp_path / "nginx.conf"))
    sweep([str(tmp_path), str(tmp_path), str(tmp_path / "absent"), str(tmp_path / ".nginx.conf.swp")])
    assert sorted(path.name for path in tmp_path.iterdir()) == kept[:-1]
