# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses from a real ``ip -json address``, compared as addresses and never as text."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import (
    AddressError,
    bare_address,
    held,
    parse_ip_address,
)
from hypothesis import given
from hypothesis import strategies as st

CAPTURE = (Path(__file__).parent / "fixtures" / "ip_address.json").read_text(encoding="utf-8")

# VIPs, and which of them the captured host has.
HELD_CASES: list[tuple[list[str], list[str]]] = [
    ([], []),
    (["198.19.240.20/24"], ["198.19.240.20/24"]),
    (["198.19.240.20"], ["198.19.240.20"]),
    (["198.19.240.20/32"], ["198.19.240.20/32"]),
    (["198.19.240.2/24", "98.19.240.20/24", "198.19.240.120/24"], []),
    (["2001:DB8:0::0020/64", "fe80::22"], ["2001:DB8:0::0020/64", "fe80::22"]),
    (["192.0.2.1"], ["192.0.2.1"]),  # this end of a point-to-point address
    (["192.0.2.2"], []),  # the other end
]

BAD_ADDRESSES: list[str] = ["", "eth0", "198.18.0.256", "198.18.0.1/33", "198.18.0.010", "2001:db8::/129"]
BAD_OUTPUTS: list[str] = ["{", "[1]", '[{"addr_info": [{}]}]', '[{"ifname": "eth0", "addr_info": [{"local": "x"}]}]']


@pytest.mark.parametrize(("vips", "expected"), HELD_CASES)
def test_held(vips: list[str], expected: list[str]) -> None:
    assert held(vips, parse_ip_address(CAPTURE)) == expected


def test_fields() -> None:
    by_address = {entry["address"]: entry for entry in parse_ip_address(CAPTURE)}
    assert by_address["198.19.240.20"] == {
        "address": "198.19.240.20",
        "prefix": 24,
        "family": "ipv4",
        "interface": "eth1",
        "label": "eth1",
        "scope": "global",
        "secondary": True,
    }
    assert by_address["fe80::22"]["label"] is None
    assert by_address["fe80::22"]["family"] == "ipv6"


@pytest.mark.parametrize("output", ["", "[]", "[{}]"])
def test_no_addresses(output: str) -> None:
    assert parse_ip_address(output) == []


@pytest.mark.parametrize("output", BAD_OUTPUTS)
def test_output_that_is_not_ips(output: str) -> None:
    with pytest.raises(AddressError, match="cannot read the output of ip -json address"):
        parse_ip_address(output)


@pytest.mark.parametrize("text", BAD_ADDRESSES)
def test_bad_address(text: str) -> None:
    with pytest.raises(AddressError, match="is not an IP address"):
        bare_address(text)


@given(st.ip_addresses(), st.ip_addresses())
def test_only_the_same_address_matches(one: object, other: object) -> None:
    assert bool(held([str(one)], [{"address": str(other)}])) == (one == other)


@given(st.text())
def test_any_text_is_an_address_or_an_error(text: str) -> None:
    try:
        assert bare_address(bare_address(text)) == bare_address(text)
    except AddressError as error:
        assert repr(text) in str(error)  # noqa: PT017 - some texts are valid
