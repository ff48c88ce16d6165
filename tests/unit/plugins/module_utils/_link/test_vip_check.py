# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where to ask for a VIP, given the addresses of a real host, and the findings in the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError, parse_ip_address
from ansible_collections.haproof.balancer.plugins.module_utils._link.vip_check import (
    NoVantageError,
    Vantage,
    expected_holder,
    judge_http,
    link_findings,
    service_findings,
    vantage,
)

ADDRESSES = parse_ip_address((Path(__file__).parent / "fixtures" / "ip_address.json").read_text(encoding="utf-8"))
VIP, ONE, OTHER = "198.18.0.10", "02:42:c6:12:00:0b", "02:42:c6:12:00:0c"

LINK_CASES: list[tuple[str, list[str], str | None, list[str], list[str]]] = [
    ("one", [ONE], None, [], []),
    ("no host", [], None, [], [f"{VIP}: no host answers for it on the link"]),
    ("two", [ONE, OTHER], None, [], [f"{VIP}: 2 MAC addresses answer for it: {ONE}, {OTHER}"]),
    ("two, one of them expected", [ONE, OTHER], ONE, [ONE], [f"{VIP}: 2 MAC addresses answer for it: {ONE}, {OTHER}"]),
    ("the expected one", [ONE], ONE.upper(), [ONE], []),
    ("another", [ONE], OTHER, [OTHER], [f"{VIP}: {ONE} answers for it, not the expected holder {OTHER}"]),
    (
        "another than that host",
        [ONE],
        "198.18.0.12",
        [OTHER],
        [f"{VIP}: {ONE} answers for it, not the expected holder 198.18.0.12 ({OTHER})"],
    ),
    (
        "the expected host is silent",
        [ONE],
        "198.18.0.12",
        [],
        [f"{VIP}: {ONE} answers for it, but the expected holder 198.18.0.12 does not answer"],
    ),
]

HTTP_CASES: list[tuple[int, bytes, str | None, str | None]] = [
    (200, b"web01\n", None, None),
    (200, b"web01\n", "web0[12]", None),
    (200, b"web01\n", "^web02", "answers with a body that does not match '^web02'"),
    (200, b"\xff\xfe", "x", "answers with a body that does not match 'x'"),
    (503, b"", None, "answers with status 503, not 200 or 204"),
]


@pytest.mark.parametrize(
    ("macs", "holder", "holder_macs", "expected"), [c[1:] for c in LINK_CASES], ids=[c[0] for c in LINK_CASES]
)
def test_link(macs: list[str], holder: str | None, holder_macs: list[str], expected: list[str]) -> None:
    assert link_findings(VIP, macs, holder, holder_macs) == expected


@pytest.mark.parametrize(("status", "body", "pattern", "problem"), HTTP_CASES)
def test_http(status: int, body: bytes, pattern: str | None, problem: str | None) -> None:
    assert judge_http(status, body, [200, 204], pattern) == problem


def test_service() -> None:
    closed: dict[str, Any] = {"port": 80, "open": False, "error": "connection refused"}
    assert service_findings(VIP, closed, None) == [f"{VIP}: TCP port 80: connection refused"]
    assert service_findings(VIP, {**closed, "open": True}, {"url": "http://x/", "error": None}) == []
    assert service_findings(VIP, None, {"url": "http://x/", "error": "no"}) == [f"{VIP}: http://x/: no"]
    assert service_findings(VIP, None, None) == []


def test_the_interface_follows_from_the_subnet() -> None:
    """The captured host has the VIP itself, as another address beside its own."""
    own = next(a for a in ADDRESSES if a["interface"] == "eth1" and a["family"] == "ipv4" and not a["secondary"])
    assert vantage("198.19.240.99", ADDRESSES, None) == Vantage("eth1", own["address"], False)
    assert vantage("198.19.240.20", ADDRESSES, None).holds


def test_ipv6_asks_from_the_link_local_address() -> None:
    entries = [
        {"address": "2001:db8::11", "prefix": 64, "family": "ipv6", "interface": "eth1", "scope": "global"},
        {"address": "fe80::11", "prefix": 64, "family": "ipv6", "interface": "eth1", "scope": "link"},
    ]
    assert vantage("2001:db8::10", entries, None) == Vantage("eth1", "fe80::11", False)


def test_a_host_without_an_address_there_can_ask_when_told_where() -> None:
    assert vantage("203.0.113.1", [], "eth7") == Vantage("eth7", None, False)


def test_no_link() -> None:
    with pytest.raises(
        NoVantageError, match=r"^203\.0\.113\.1 is not in a subnet of this host \(it has .*198\.19\.240\."
    ):
        vantage("203.0.113.1", ADDRESSES, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("02-42-C6-12-00-0B", (ONE, None)), (ONE, (ONE, None)), ("198.18.0.11/24", (None, "198.18.0.11"))],
)
def test_holder(text: str, expected: tuple[str | None, str | None]) -> None:
    assert expected_holder(text) == expected


def test_no_holder() -> None:
    with pytest.raises(AddressError, match="holder: 'lb01' is neither a MAC address nor an IP address"):
        expected_holder("lb01")


def test_the_fixture_is_what_this_test_thinks() -> None:
    assert json.dumps(ADDRESSES).count("198.19.240.20")
