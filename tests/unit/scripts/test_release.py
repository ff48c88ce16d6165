# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release, in a scratch checkout with this one's scripts and metadata."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).parents[3]
NAMES = ("galaxy.yml", "README.md", "CHANGELOG.md", "LICENSE", ".gitignore", "changelogs", "meta", "scripts")


def git(folder: Path, *arguments: str) -> str:
    """Run git as a user of the test."""
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    names = {f"GIT_{who}_{what}": "test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", "-C", folder, *arguments],
        env={**os.environ, **own, **names},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def release(folder: Path, version: str) -> subprocess.CompletedProcess[str]:
    """Run the script of the scratch checkout."""
    return subprocess.run(
        [folder / "scripts/release", version], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Return a checkout without releases."""
    folder = tmp_path / "balancer"
    folder.mkdir()
    for name in NAMES:
        copy = shutil.copytree if (CHECKOUT / name).is_dir() else shutil.copy
        copy(CHECKOUT / name, folder / name)
    (folder / "changelogs/changelog.yaml").unlink(missing_ok=True)
    (folder / "changelogs/fragments/own.yml").write_text("bugfixes: [keepalived role - a fix.]\n")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    for key in ("user.name", "user.email"):
        git(folder, "config", key, "test")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Start")
    return folder


def test_release(scratch: Path) -> None:
    done = release(scratch, "9.8.7")
    assert done.returncode == 0, done.stdout + done.stderr
    assert yaml.safe_load((scratch / "galaxy.yml").read_text())["version"] == "9.8.7"
    assert r"* keepalived role \- a fix\." in (scratch / "CHANGELOG.md").read_text()
    assert not (scratch / "changelogs/fragments/own.yml").exists()
    assert git(scratch, "status", "--porcelain") == ""
    assert git(scratch, "log", "-1", "--format=%s") == "Release 9.8.7"
    assert git(scratch, "rev-parse", "9.8.7^{commit}") == git(scratch, "rev-parse", "HEAD")

    tarball = (scratch / "build/release/haproof-balancer-9.8.7.tar.gz").read_bytes()
    committed = int(git(scratch, "show", "--no-patch", "--format=%ct", "HEAD"))
    with tarfile.open(fileobj=io.BytesIO(tarball)) as opened:
        assert {member.mtime for member in opened} == {committed}
        manifest = json.load(opened.extractfile("MANIFEST.json") or io.BytesIO())
    assert manifest["collection_info"]["version"] == "9.8.7"

    # Later, and of a clone, whose files have other times and another order.
    while int(time.time()) <= committed + 1:
        time.sleep(0.1)
    git(scratch.parent, "clone", "--quiet", str(scratch), "clone")
    clone = scratch.parent / "clone"
    subprocess.run([clone / "scripts/tarball", "9.8.7", "again"], cwd=clone, check=True, capture_output=True)
    assert (clone / "again/haproof-balancer-9.8.7.tar.gz").read_bytes() == tarball
    # ansible-galaxy checks all sums.
    subprocess.run(
        ["ansible-galaxy", "collection", "install", "--offline", "-p", "own", "again/haproof-balancer-9.8.7.tar.gz"],
        cwd=clone,
        check=True,
        capture_output=True,
    )

    done = release(scratch, "9.8.7")
    assert (done.returncode, done.stderr) == (1, "release: the tag 9.8.7 already exists\n")


def test_a_dirty_checkout_is_not_released(scratch: Path) -> None:
    (scratch / "new").touch()
    done = release(scratch, "9.8.7")
    assert (done.returncode, done.stderr) == (
        1,
        "release: the checkout has changes: commit or remove them: ?? new\n",
    )


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.3", "1.02.3"])
def test_a_version_that_is_not_semantic_is_not_released(scratch: Path, version: str) -> None:
    done = release(scratch, version)
    assert done.returncode == 1
    assert done.stderr.startswith(f"release: VERSION is '{version}', which is not a semantic version")


def test_a_failed_release_leaves_no_trace(scratch: Path) -> None:
    # ansible-galaxy refuses to build it.
    galaxy = scratch / "galaxy.yml"
    galaxy.write_text(galaxy.read_text().replace("readme: README.md\n", ""))
    git(scratch, "commit", "--quiet", "--all", "--message", "Break")
    before = git(scratch, "rev-parse", "HEAD")
    done = release(scratch, "9.8.7")
    assert done.returncode == 1
    assert f"release: failed; the checkout is at {before} again" in done.stderr
    assert git(scratch, "rev-parse", "HEAD") == before
    assert git(scratch, "tag") == ""
    assert git(scratch, "status", "--porcelain") == ""
