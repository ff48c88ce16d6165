# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.action.daemon_config import packed
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.packed import pack

# arguments of the task, and of the module
CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"dest": "/a", "content": 's3cret "k\\x"\n'}, {"dest": "/a", "content": pack('s3cret "k\\x"\n')}),
    ({"content": {"a": [1]}}, {"content": pack('{\n    "a": [\n        1\n    ]\n}\n')}),
    ({"content": 5, "secrets": ["a", 7]}, {"content": pack("5"), "secrets": [pack("a"), pack("7")]}),
    (
        {"files": [{"dest": "/b", "content": "text"}, {"dest": "/c", "state": "absent"}, "wrong"]},
        {"files": [{"dest": "/b", "content": pack("text")}, {"dest": "/c", "state": "absent"}, "wrong"]},
    ),
    ({"content": None, "files": "wrong", "secrets": {}}, {"content": None, "files": "wrong", "secrets": {}}),
]


@pytest.mark.parametrize(("arguments", "expected"), CASES)
def test_texts_are_packed(arguments: dict[str, Any], expected: dict[str, Any]) -> None:
    assert packed(arguments) == expected
