# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_templates import rendered, with_texts

# arguments of the task, and of the module
CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"dest": "/a", "template": "a.j2"}, {"dest": "/a", "content": "text of a.j2"}),
    ({"dest": "/a", "content": "x"}, {"dest": "/a", "content": "x"}),
    ({"template": None, "content": "x"}, {"template": None, "content": "x"}),
    # The module rejects both.
    ({"template": "a.j2", "content": "x"}, {"template": "a.j2", "content": "x"}),
    (
        {
            "content": "x",
            "files": [{"dest": "/b", "template": "b.j2"}, {"template": "c.j2", "state": "absent"}, "wrong"],
        },
        {"content": "x", "files": [{"dest": "/b", "content": "text of b.j2"}, {"state": "absent"}, "wrong"]},
    ),
    ({"content": "x", "files": "wrong"}, {"content": "x", "files": "wrong"}),
]


@pytest.mark.parametrize(("arguments", "expected"), CASES)
def test_templates_become_content(arguments: dict[str, Any], expected: dict[str, Any]) -> None:
    assert with_texts(arguments, "text of {}".format) == expected


@pytest.mark.parametrize(
    ("variables", "header"),
    [({}, "Ansible managed"), ({"ansible_managed": "Managed by ops"}, "Managed by ops")],
    ids=["default", "of the user"],
)
def test_a_template_is_rendered(tmp_path: Path, variables: dict[str, Any], header: str) -> None:
    path = tmp_path / "a.conf.j2"
    path.write_text("# {{ ansible_managed }}, {{ template_path }}\n{% if on %}\nö {{ name }}\n{% endif %}\n")
    known = {"name": 5, "on": True, **variables}
    assert rendered(str(path), Templar(loader=DataLoader()), known) == f"# {header}, a.conf.j2\nö 5\n"
