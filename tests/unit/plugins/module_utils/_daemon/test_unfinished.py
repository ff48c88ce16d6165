# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon import unfinished
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.unfinished import Mark, Unfinished, lock


@pytest.fixture(autouse=True)
def _run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "FOLDER", str(tmp_path / "run"))


def test_a_mark_comes_back_as_it_was_set() -> None:
    left = Unfinished(restart=True, units=False, folders=["/etc/nginx"])
    assert Mark("nginx").read() is None
    Mark("nginx").write(left)
    assert Mark("nginx").read() == left
    assert Mark("haproxy").read() is None
    Mark("nginx").write(None)
    Mark("nginx").write(None)
    assert Mark("nginx").read() is None


def test_only_one_run_at_a_time() -> None:
    handle = lock(0)
    words = (
        "another run has been changing daemons on this host for 0.1 s"
        f" (its process has {unfinished.FOLDER}/lock open); try again when it has ended"
    )
    with pytest.raises(TimeoutError, match=f"^{re.escape(words)}$"):
        lock(0.1)
    os.close(handle)
    os.close(lock(0))
