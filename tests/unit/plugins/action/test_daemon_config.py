# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.action.daemon_config import kept, packed
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


STATUS = {"mode": "0644", "pw_name": "admin", "gr_name": "adm"}
# A daemon, its live file, what the role would write, and whether the live file stays.
KEPT: list[tuple[str, bytes, str, bool]] = [
    ("keepalived", b"! mine\nvrrp_instance a{\n priority\t100 # high\n}\n", "vrrp_instance a {\npriority 100\n}", True),
    ("keepalived", b"vrrp_instance a {\n priority 90\n}\n", "vrrp_instance a {\n priority 100\n}\n", False),
    ("haproxy", b"# mine\nglobal\n maxconn  5 # few\n", "global\n    maxconn 5\n", True),
    ("haproxy", b"backend b\nfrontend f\n bind :80\n", "frontend f\n bind :80\nbackend b\n", True),
    ("haproxy", b"global\n maxconn 5\n", "global\n maxconn 6\n", False),
    ("nginx", b"events {} # mine\nhttp { gzip  on; }", "events {\n}\nhttp {\n    gzip on;\n}\n", True),
    ("nginx", b"events {} http { gzip on; }", "events {} http { gzip off; }", False),
    ("nginx", b"events {} http { gzip on;", "events {} http { gzip on; }", False),
    ("nginx", b"events {} # \xff", "events {}", False),
]


@pytest.mark.parametrize(("daemon", "live", "wanted", "stays"), KEPT)
def test_a_live_file_that_says_the_same_stays(daemon: str, live: bytes, wanted: str, stays: bool) -> None:
    arguments = {"daemon": daemon, "dest": "/a", "content": wanted, "mode": "0640"}
    expected = {**arguments, "content": live.decode(errors="replace"), "mode": "0644", "owner": "admin", "group": "adm"}
    assert kept(arguments, live, STATUS) == (expected if stays else arguments)
