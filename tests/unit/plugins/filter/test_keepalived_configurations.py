# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configurations of every kind survive writing and reading. The molecule scenarios ask keepalived about them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.lines import meaning
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import parse
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.adopt import difference, variables

sys.path.insert(0, str(Path(__file__).parents[4] / "tests" / "configurations"))
from configurations import NAMES, configuration


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_can_be_read(name: str) -> None:
    tree = configuration(name, "eth0")
    assert meaning(render(parse(render(tree)))) == meaning(render(tree))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_can_be_taken_over(name: str) -> None:
    live = parse(render(configuration(name, "eth0")))
    assert difference(variables(live), live) == ""
