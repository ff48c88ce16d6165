# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What dpkg and rpm print about packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.packages import has_source, installed

OUTPUTS: list[tuple[int, str, bool]] = [
    (0, "installed\n", True),
    (0, "installed\ninstalled\n", True),
    # Removed, with its configuration left behind.
    (0, "installed\nconfig-files\n", False),
    # One of them is unknown.
    (1, "installed\n", False),
    (1, "package nginx is not installed\n", False),
    (0, "", False),
]


def wanted(names: list[str], database: str, source: str = "", text: str = "") -> dict[str, Any]:
    return {"names": names, "database": database, "source": source, "source_text": text}


def never(argv: list[str]) -> tuple[int, str, str]:
    raise AssertionError(f"asked {argv}")


@pytest.mark.parametrize(("code", "output", "expected"), OUTPUTS)
@pytest.mark.parametrize("database", ["dpkg", "rpm"])
def test_installed(database: str, code: int, output: str, expected: bool) -> None:
    asked = []

    def run(argv: list[str]) -> tuple[int, str, str]:
        asked.append(argv)
        return code, output, ""

    assert installed(wanted(["nginx", "a"], database), run) is expected
    (argv,) = asked
    assert (argv[0], *argv[-2:]) == ({"dpkg": "dpkg-query", "rpm": "rpm"}[database], "nginx", "a")


def test_nothing_is_asked_for_nothing() -> None:
    assert installed(wanted([], "dpkg"), never)


@pytest.mark.parametrize(("there", "text", "expected"), [("a", "a", True), ("a", "b", False), ("a", "", False)])
def test_a_source(tmp_path: Path, there: str, text: str, expected: bool) -> None:
    source = tmp_path / "source"
    assert has_source(wanted([], "rpm", str(source)))
    source.write_text(there)
    assert has_source(wanted([], "rpm", str(source), text)) is expected
