# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.loaded import LOADERS
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.running import Stray
from ansible_collections.haproof.balancer.plugins.modules import daemon_info
from ansible_collections.haproof.balancer.plugins.modules.daemon_info import inspect, read_loaded


@pytest.mark.parametrize(("name", "asked"), [("nginx", [["/a", "-V"]]), ("haproxy", [])])
def test_only_a_daemon_with_paths_of_its_build_is_asked_for_them(name: str, asked: list[list[str]]) -> None:
    commands: list[list[str]] = []

    def run(argv: list[str]) -> tuple[int, str, str]:
        commands.append(argv)
        return 0, "", ""

    assert read_loaded(run, LOADERS[name], os.getpid(), "/a")["loaded_at"] > 0
    assert commands == asked


STRAYS: list[tuple[str, str, bool]] = [
    ("active", "haproxy.service", True),
    ("activating", "haproxy.service", False),
    ("deactivating", "haproxy.service", False),
    ("activating", "keepalived.service", True),
]


@pytest.mark.parametrize(("state", "unit", "reported"), STRAYS)
def test_a_process_of_a_unit_that_is_starting_is_not_outside_of_it(
    state: str, unit: str, reported: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon_info, "stray", lambda _name: Stray(7, unit))
    found = inspect(
        lambda _argv: (0, f"MainPID=0\nActiveState={state}\nUnitFileState=generated\n", ""), "haproxy", False
    )
    assert found["stray"] == ({"pid": 7, "unit": unit} if reported else None)
    assert found["at_boot"] is True
