# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds as directories: fetched, unpacked, switched, and removed; the molecule scenario tests compiling."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.build import Source
from ansible_collections.haproof.balancer.plugins.modules import keepalived_build
from ansible_collections.haproof.balancer.plugins.modules.keepalived_build import BuildError

TARBALL = b"\x1f\x8b tarball"


def source(folder: Path, **changes: Any) -> Source:
    (folder / "source.tar.gz").write_bytes(TARBALL)
    checksum = "sha256:" + hashlib.sha256(TARBALL).hexdigest()
    url = f"file://{folder}/source.tar.gz"
    return Source("2.3.3", url, checksum, str(folder / "keepalived"), ())._replace(**changes)


def have(wanted: Source, at: int) -> str:
    """Create a working build, last used at this time."""
    binary = Path(wanted.binary)
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\necho 'Keepalived v{wanted.version} (03/30,2025)' >&2\n")
    binary.chmod(0o755)
    summary = Path(wanted.build) / "configure.summary"
    summary.write_text("Keepalived configuration\n---\nUse VRRP Framework       : Yes\n")
    os.utime(wanted.build, (at, at))
    return wanted.build


@pytest.mark.parametrize(("check_mode", "left"), [(True, 4), (False, 2)])
def test_current_points_to_the_build_and_drops_the_oldest(tmp_path: Path, check_mode: bool, left: int) -> None:
    wanted = source(tmp_path)
    builds = [have(wanted._replace(version=f"2.3.{number}"), number) for number in range(4)]
    os.symlink(os.path.basename(builds[0]), wanted.prefix)
    result = keepalived_build.reach("current", wanted, 1, 1, check_mode)
    assert result["changed"]
    assert result["builds"] == [builds[3], builds[2]]
    assert result["diff"] == {
        "before": "".join(f"{build}\n" for build in builds) + f"{wanted.prefix} -> {builds[0]}\n",
        "after": f"{builds[2]}\n{builds[3]}\n{wanted.prefix} -> {builds[3]}\n",
    }
    assert len(list(tmp_path.glob("keepalived-*"))) == left
    assert Path(wanted.prefix).resolve() == Path(builds[0] if check_mode else builds[3])
    assert result["settled"]
    if not check_mode:
        assert not keepalived_build.reach("current", wanted, 1, 1, False)["changed"]


def test_a_build_that_works_is_not_built_again(tmp_path: Path) -> None:
    wanted = source(tmp_path)
    have(wanted, 1)
    result = keepalived_build.reach("built", wanted, 1, 1, False)
    assert not result["changed"]
    assert result["summary"] == {"Use VRRP Framework": "Yes"}
    assert not result["settled"]


@pytest.mark.parametrize("broken", ["exit 127", "echo 'Keepalived v2.3.2 (03/30,2025)'"])
def test_a_build_that_does_not_start_is_built_again(tmp_path: Path, broken: str) -> None:
    wanted = source(tmp_path)
    have(wanted, 1)
    Path(wanted.binary).write_text(f"#!/bin/sh\n{broken}\n")
    result = keepalived_build.reach("built", wanted, 1, 1, True)
    assert result["changed"]
    assert result["builds"] == [wanted.build]


def test_absent_removes_the_builds_and_nothing_else(tmp_path: Path) -> None:
    wanted = source(tmp_path)
    have(wanted, 1)
    os.symlink(os.path.basename(wanted.build), wanted.prefix)
    (tmp_path / "keepalived-notes").mkdir()
    assert keepalived_build.reach("absent", wanted, 0, 1, False)["changed"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keepalived-notes", "source.tar.gz"]
    assert not keepalived_build.reach("absent", wanted, 0, 1, False)["changed"]


def test_a_folder_in_the_place_of_the_link_stays(tmp_path: Path) -> None:
    wanted = source(tmp_path)
    Path(wanted.prefix).mkdir()
    with pytest.raises(BuildError, match="is not a link made by this module; move it away or set another"):
        keepalived_build.reach("built", wanted, 1, 1, False)


def test_fetch(tmp_path: Path) -> None:
    tarball = io.BytesIO()
    keepalived_build.fetch(source(tmp_path), 1, tarball)
    assert tarball.read() == TARBALL


def test_a_tarball_with_another_checksum(tmp_path: Path) -> None:
    wanted = source(tmp_path, checksum="sha256:" + "0" * 64)
    actual = hashlib.sha256(TARBALL).hexdigest()
    with pytest.raises(BuildError) as caught:
        keepalived_build.fetch(wanted, 1, io.BytesIO())
    assert str(caught.value) == f"{wanted.url} has the checksum sha256:{actual}, not {wanted.checksum}"


def test_a_tarball_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"cannot fetch file:///nowhere/at\.all"):
        keepalived_build.fetch(source(tmp_path, url="file:///nowhere/at.all"), 1, io.BytesIO())


@pytest.mark.parametrize(
    ("start", "expected"), [(b"\x1f\x8b\x08", "--gzip"), (b"\xfd7zXZ\x00", "--xz"), (b"BZh91AY", "--bzip2")]
)
def test_archive_format(start: bytes, expected: str) -> None:
    assert keepalived_build.archive_format(io.BytesIO(start), "file:///x") == expected


def test_a_page_is_no_tarball() -> None:
    with pytest.raises(BuildError, match="https://x/y is not a tarball"):
        keepalived_build.archive_format(io.BytesIO(b"<html>"), "https://x/y")


def archive(*members: tuple[str, int, bytes | None, str]) -> io.BytesIO:
    """Create an archive of (name, mode, content, link target)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        for name, mode, content, target in members:
            member = tarfile.TarInfo(name)
            member.mode, member.uid, member.linkname = mode, 61706, target
            member.type = tarfile.SYMTYPE if target else tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            member.size = len(content or b"")
            made.addfile(member, io.BytesIO(content or b""))
    return stream


def test_unpack_gives_no_special_rights(tmp_path: Path) -> None:
    members = [
        (".", 0o755, None, ""),
        ("./sbin", 0o777, None, ""),
        ("./sbin/keepalived", 0o6755, b"daemon", ""),
        ("./bin", 0o755, None, ""),
        ("./bin/genhash", 0o777, None, "../sbin/keepalived"),
        ("./README", 0o666, b"read", ""),
    ]
    keepalived_build.unpack(archive(*members), str(tmp_path))
    assert (tmp_path / "sbin/keepalived").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "README").stat().st_mode & 0o7777 == 0o644
    assert (tmp_path / "bin/genhash").read_text() == "daemon"


@pytest.mark.parametrize(
    ("name", "target"), [("../outside", ""), ("/outside", ""), ("./link", "/etc"), ("./link", "../outside")]
)
def test_unpack_stays_in_its_folder(tmp_path: Path, name: str, target: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(BuildError, match=f"the build made {name}, which cannot be installed"):
        keepalived_build.unpack(archive((name, 0o644, b"", target)), str(folder))
    assert list(tmp_path.rglob("*")) == [folder]
