# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that shows that a module is ready, and whose removal ends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._probe.run_file import RunFile


def test_run_file(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run_file = RunFile(str(path))
    run_file.create()
    assert not run_file.on_tick(ready=False)
    assert path.read_text() == ""
    assert not run_file.on_tick(ready=True)
    assert path.read_text() == "ready\n"
    path.unlink()
    assert run_file.on_tick(ready=True)
    run_file.remove()
    assert not list(tmp_path.iterdir())


def test_a_removed_run_file_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run_file = RunFile(str(path))
    run_file.create()
    path.unlink()
    assert run_file.on_tick(ready=True)
    assert not path.exists()


@pytest.mark.parametrize("link", [True, False])
def test_a_run_file_that_is_there_already_is_another_ones(tmp_path: Path, link: bool) -> None:
    path = tmp_path / "run"
    if link:
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.touch()
    with pytest.raises(FileExistsError):
        RunFile(str(path)).create()
    assert not (tmp_path / "elsewhere").exists()


def test_the_run_file_is_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run_file = RunFile(str(path))
    run_file.create()
    run_file.remove()
    assert not path.exists()


def test_another_file_of_its_name_is_left_alone(tmp_path: Path) -> None:
    path, victim = tmp_path / "run", tmp_path / "victim"
    run_file = RunFile(str(path))
    run_file.create()
    victim.write_text("untouched")
    path.unlink()
    path.symlink_to(victim)
    assert run_file.on_tick(ready=True)
    assert victim.read_text() == "untouched"
    run_file.remove()
    assert path.is_symlink()


def test_no_run_file_where_others_may_write(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    with pytest.raises(OSError, match=r"shared may be written by other users, and leads to "):
        RunFile(str(tmp_path / "shared/run")).create()
    (tmp_path / "shared").chmod(0o1777)
    RunFile(str(tmp_path / "shared/run")).create()


def test_without_run_file() -> None:
    run_file = RunFile(None)
    run_file.create()
    assert not run_file.on_tick(ready=True)
    run_file.remove()


def test_run_file_with_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run_file = RunFile(str(path), "ready 192.0.2.1 4711")
    run_file.create()
    assert not run_file.on_tick(ready=True)
    assert path.read_text() == "ready 192.0.2.1 4711\n"


def test_run_file_with_failed_requests(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run_file = RunFile(str(path))
    run_file.create()
    # Before the first good answer its readers wait for that.
    assert not run_file.on_tick(ready=False, failed=1)
    assert path.read_text() == ""
    for failed in (0, 9, 9, 10):
        assert not run_file.on_tick(ready=True, failed=failed)
        assert path.read_text() == (f"ready\nfailed {failed}\n" if failed else "ready\n")
