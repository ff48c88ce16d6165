# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a filter costs the tasks that use another one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

FILTERS = sorted((Path(__file__).parents[4] / "plugins/filter").glob("*.py"))


@pytest.mark.parametrize("file", FILTERS, ids=lambda file: str(file.stem))
def test_a_filter_imports_the_collection_only_when_it_is_called(file: Path) -> None:
    # Ansible imports all filters of a collection, without cached bytecode, in each worker that uses one of them.
    imported = [node.module for node in ast.parse(file.read_text()).body if isinstance(node, ast.ImportFrom)]
    assert [name for name in imported if name and name.startswith("ansible_collections")] == []
