# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the clients' requests go through what is about to be broken?"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._drill_path import Path, path_findings

PATH = Path("192.0.2.10", "http://192.0.2.10/", {"client": "192.0.2.31"}, "nginx", "app")
PLAN = {"holder": "lb01", "addresses": {"lb01": ["192.0.2.10", "192.0.2.11"]}}
THROUGH: dict[str, Any] = {"lb01": {"peers": ["192.0.2.31"], "others": []}}
BESIDE: dict[str, Any] = {"lb01": {"peers": [], "others": ["192.0.2.31"]}}
AROUND: dict[str, Any] = {"lb01": {"peers": ["192.0.2.99"], "others": []}}
ELSEWHERE = (
    "lb01 has no connection from client (192.0.2.31) to 192.0.2.10 port 80: "
    "the requests for http://192.0.2.10/ do not go through the holder of 192.0.2.10, or a NAT changes "
    "their source: then set drill_sources"
)

CASES: list[tuple[str, Path, list[str], dict[str, Any], list[str]]] = [
    ("service_stop", PATH, [], THROUGH, []),
    ("service_stop", PATH, [], AROUND, [ELSEWHERE]),
    ("keepalived_stop", PATH, [], AROUND, [ELSEWHERE]),
    ("keepalived_stop", PATH, [], {}, [ELSEWHERE]),
    # Whatever serves it: keepalived is what is broken.
    ("keepalived_stop", PATH, [], BESIDE, []),
    (
        "service_slow",
        PATH._replace(service="systemd-logind"),
        [],
        BESIDE,
        [
            "what serves client at 192.0.2.10 port 80 of lb01 is not systemd-logind, which the fault is done to: "
            "set drill_service"
        ],
    ),
    (
        "link_down",
        PATH._replace(sources={"client": "192.0.2.31", "other": "192.0.2.10"}),
        [],
        THROUGH,
        ["other has 192.0.2.10 itself: its requests never leave it"],
    ),
    ("link_down", PATH._replace(url="icmp://192.0.2.10"), [], {}, []),
    ("backend_stop", PATH, ["web01"], {**THROUGH, "web01": {"peers": ["192.0.2.11"]}}, []),
    (
        "backends_stop",
        PATH,
        ["web01", "web02"],
        {**THROUGH, "web01": {"peers": ["192.0.2.11"]}, "web02": {"peers": ["192.0.2.99"]}},
        ["app of web02 has no connection from lb01: no request goes through it"],
    ),
]


@pytest.mark.parametrize(("fault", "path", "backends", "served", "findings"), CASES)
def test_path_findings(
    fault: str, path: Path, backends: list[str], served: dict[str, Any], findings: list[str]
) -> None:
    assert path_findings(fault, path, backends, PLAN, served) == findings
