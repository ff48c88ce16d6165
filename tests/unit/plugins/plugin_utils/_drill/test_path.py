# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the clients' requests go through what is about to be broken?"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.path import (
    Path,
    find_detours,
    refused,
    unproven,
)

PATH = Path("192.0.2.10", "http://192.0.2.10/", {"client": "192.0.2.31"}, "nginx", "app")
STATE = {"holder": "lb01", "addresses": {"lb01": ["192.0.2.10", "192.0.2.11"]}}
THROUGH: dict[str, Any] = {"lb01": {"peers": ["192.0.2.31"], "others": []}}
BESIDE: dict[str, Any] = {"lb01": {"peers": [], "others": ["192.0.2.31"]}}
AROUND: dict[str, Any] = {"lb01": {"peers": ["192.0.2.99"], "others": []}}
NO_CONNECTION = (
    "lb01 has no connection from client (192.0.2.31) to 192.0.2.10 port 80, "
    "so its requests for http://192.0.2.10/ may not go through the holder of 192.0.2.10"
)
ACCEPT = " (if this is intended, set drill_accept: [path])"
ELSEWHERE = f"{NO_CONNECTION}: where a NAT changes their source, set drill_sources{ACCEPT}"

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
            "the fault breaks systemd-logind, but another process serves client at 192.0.2.10 port 80 of lb01: "
            f"set drill_service{ACCEPT}"
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
        [f"app of web02 has no connection from lb01, so requests may not need it{ACCEPT}"],
    ),
]


@pytest.mark.parametrize(("fault", "path", "backends", "served", "findings"), CASES)
def test_detours(fault: str, path: Path, backends: list[str], served: dict[str, Any], findings: list[str]) -> None:
    assert refused(find_detours(fault, path, backends, STATE, served), []) == findings
    assert unproven(find_detours(fault, path, backends, STATE, served), []) == []


def test_a_path_that_is_not_proven_can_be_accepted() -> None:
    findings = find_detours("keepalived_stop", PATH, [], STATE, AROUND)
    assert refused(findings, ["path"]) == []
    assert unproven(findings, ["path"]) == [NO_CONNECTION]


def test_a_client_that_has_the_vip_itself_cannot_be_accepted() -> None:
    findings = find_detours("link_down", PATH._replace(sources={"client": "192.0.2.10"}), [], STATE, THROUGH)
    assert refused(findings, ["path", ""]) == ["client has 192.0.2.10 itself: its requests never leave it"]
    assert unproven(findings, ["path", ""]) == []
