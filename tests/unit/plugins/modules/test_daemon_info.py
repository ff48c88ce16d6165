# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.loaded import LOADERS
from ansible_collections.haproof.balancer.plugins.modules.daemon_info import read_loaded


@pytest.mark.parametrize(("name", "asked"), [("nginx", [["/a", "-V"]]), ("haproxy", [])])
def test_only_a_daemon_with_paths_of_its_build_is_asked_for_them(name: str, asked: list[list[str]]) -> None:
    commands: list[list[str]] = []

    def run(argv: list[str]) -> tuple[int, str, str]:
        commands.append(argv)
        return 0, "", ""

    assert read_loaded(run, LOADERS[name], os.getpid(), "/a")["loaded_at"] > 0
    assert commands == asked
