# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import grp
import os
import pwd
import shutil
import stat
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.files import (
    File,
    FileSet,
    all_secret,
    diff,
    read,
    selinux_label,
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
    gone = diff(str(path), wanted(path, "text"), None, str)
    assert (gone["after"], gone["after_header"]) == ("", f"{path} (absent)")
    bytes_of_no_text = wanted(path, "text")._replace(content=b"\xff")
    assert diff(str(path), bytes_of_no_text, None, str)["before"] == "\ufffd"


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


class Module:
    """The parts of AnsibleModule that selinux_label() uses."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self.set: list[tuple[str, list[str], bool]] = []

    def selinux_enabled(self) -> bool:
        return self._enabled

    def selinux_default_context(self, path: str) -> list[str]:
        return ["system_u", "object_r", f"type_of_{path}", "s0"]

    def set_context_if_different(self, path: str, context: list[str], changed: bool) -> None:
        self.set.append((path, context, changed))


def test_a_staged_file_gets_the_context_of_its_place() -> None:
    module = Module(enabled=True)
    selinux_label(module)("staged", "dest")
    assert module.set == [("staged", ["system_u", "object_r", "type_of_dest", "s0"], False)]


def test_without_selinux_there_are_no_contexts() -> None:
    module = Module(enabled=False)
    selinux_label(module)("staged", "dest")
    assert module.set == []


def test_a_whole_text_is_hidden() -> None:
    assert all_secret("") == ""
    assert all_secret("x") == "(secret content)\n"


def test_an_owner_without_a_name_is_told_by_number(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(mode=0o600)
    os.chown(path, 54321, 54322)
    found = read(str(path))
    assert found == File(str(path), b"", "54321", "54322", 0o600)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_folder_that_cannot_be_synced_is_no_trouble(
    tmp_path: Path, files: FileSet, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, "no")

    monkeypatch.setattr(os, "fsync", refuse)
    path = tmp_path / "file"
    files.swap(files.stage(wanted(path, "after")), str(path))
    assert path.read_text() == "after"


def test_a_disk_that_fails_to_sync_is_told(tmp_path: Path, files: FileSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    staged = files.stage(wanted(tmp_path / "file", "after"))
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        files.swap(staged, str(tmp_path / "file"))


def test_what_cannot_be_put_back_is_told_and_the_rest_is_done(tmp_path: Path, files: FileSet) -> None:
    one, other = tmp_path / "a" / "one", tmp_path / "other"
    other.write_text("before")
    one.parent.mkdir()
    one.write_text("before")
    files.swap(files.stage(wanted(other, "after")), str(other))
    files.swap(files.stage(wanted(one, "after")), str(one))
    shutil.rmtree(one.parent)
    (failure,) = files.restore()
    assert failure.startswith(f"{one} cannot be restored: ")
    assert other.read_text() == "before"


def test_settle_drops_what_was_kept(tmp_path: Path, files: FileSet) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    files.swap(files.stage(wanted(path, "after")), str(path))
    assert len(list(tmp_path.iterdir())) == 2
    files.settle()
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
    assert files.restore() == []
    assert path.read_text() == "after"
