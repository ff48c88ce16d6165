# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths in the documentation exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
PAGES = sorted(
    str(path.relative_to(CHECKOUT))
    for pattern in ("*.md", "docs/*.md", "examples/*.md", "roles/*/README.md")
    for path in CHECKOUT.glob(pattern)
)
# Starts of paths in this checkout; other texts in backticks are commands, values and nodes' files.
PATH = re.compile(r"`((?:changelogs|docs|examples|molecule|playbooks|plugins|roles|scripts|tests)/[^`\s]*)`")


def missing(text: str) -> list[str]:
    """Return the paths in backticks, wildcards allowed, that match no file or folder of this checkout."""
    return [path for path in PATH.findall(text) if not any(CHECKOUT.glob(path))]


def test_a_path_that_does_not_exist_is_found() -> None:
    text = "`roles/*/tasks/main.yml`, `docs`, `make docs`, `/etc/roles/x`, `roles/none/` and `plugins/*/none.py`"
    assert missing(text) == ["roles/none/", "plugins/*/none.py"]


@pytest.mark.parametrize("page", PAGES)
def test_every_path_exists(page: str) -> None:
    assert missing((CHECKOUT / page).read_text(encoding="utf-8")) == []
