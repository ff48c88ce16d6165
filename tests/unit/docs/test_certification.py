# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What docs/certification.md claims, as far as files can show it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).parents[3]
PAGE = (CHECKOUT / "docs/certification.md").read_text(encoding="utf-8")
# Names of files, and of folders' contents; other texts in backticks are commands, keys and modules.
FILES = re.findall(r"`((?:[\w.-]+/)*(?:[A-Z_]{5,}|[\w.-]*\.(?:md|yml|yaml|toml|py)|\.ci/\w+|\.ansible-lint))`", PAGE)


def test_every_named_file_exists() -> None:
    assert {"CODE_OF_CONDUCT.md", "MAINTAINERS", "LICENSE", ".ci/run", "meta/execution-environment.yml"} < set(FILES)
    assert [name for name in FILES if not (CHECKOUT / name).is_file()] == []


def test_policies_are_in_the_tarball() -> None:
    galaxy = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))
    assert not {"CODE_OF_CONDUCT.md", "SECURITY.md", "MAINTAINERS", "meta", "docs"} & set(galaxy["build_ignore"])
    assert galaxy["tags"]
    assert galaxy["dependencies"] == {}


def test_plugins_have_only_the_allowed_folders() -> None:
    row = next(line for line in PAGE.splitlines() if "allowed folders" in line)
    named = set(re.findall(r"`(\w+)`", row))
    assert {path.name for path in (CHECKOUT / "plugins").iterdir() if path.name != "__pycache__"} == named


def test_no_sanity_test_is_ignored() -> None:
    assert list((CHECKOUT / "tests").glob("sanity/ignore*.txt")) == []


def test_modules_that_only_read_are_judged_by_name() -> None:
    read_only = {
        path.stem
        for path in (CHECKOUT / "plugins/modules").glob("*.py")
        if "haproof.balancer.attributes.read_only" in path.read_text(encoding="utf-8")
    }
    names = PAGE.split("### Names\n")[1].split("\n## ")[0]
    assert read_only - set(re.findall(r"`(\w+)`", names)) == set()


@pytest.mark.parametrize("page", ["CODE_OF_CONDUCT.md", "SECURITY.md", "docs/certification.md"])
def test_policies_are_linked(page: str) -> None:
    assert f"]({page})" in (CHECKOUT / "README.md").read_text(encoding="utf-8")
