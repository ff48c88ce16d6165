# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests of arping and ndisc6 captured on the nodes, answers of the nodes' kernels, and garbage."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._link.neighbour import (
    BROADCAST,
    Claim,
    arp_request,
    mac_bytes,
    mac_text,
    parse_claim,
    question,
    solicitation,
)
from hypothesis import given
from hypothesis import strategies as st

from .wire_frames import FRAMES, PACKETS, source_mac

CLIENT = "02:42:c6:12:e0:1f"
LINK_LOCAL = "fe80::42:c6ff:fe12:e01f"

CLAIM_CASES: list[tuple[str, Claim | None]] = [
    ("arp_request", Claim("198.18.224.31", CLIENT, False)),
    ("arp_reply", Claim("198.18.224.10", "02:42:c6:12:e0:0b", True)),
    ("arp_gratuitous", Claim("198.18.224.51", "02:42:c6:12:e0:15", False)),
    ("neighbour_advertisement", Claim("fd00:54::54", "02:42:c6:12:e0:15", True)),
    ("neighbour_advertisement_without_option", Claim(LINK_LOCAL, CLIENT, True)),
    ("neighbour_advertisement_unasked", Claim("fd00:54::54", "02:42:c6:12:e0:15", False)),
    ("neighbour_solicitation", None),
    ("router_solicitation", None),
    ("ping6", None),
    ("vrrp3_ipv4", None),
    ("vrrp3_ipv6", None),
]
ANSWERS = [name for name, claim in CLAIM_CASES if claim]


@pytest.mark.parametrize(("name", "expected"), CLAIM_CASES, ids=[case[0] for case in CLAIM_CASES])
def test_captured_claim(name: str, expected: Claim | None) -> None:
    assert parse_claim(PACKETS[name], source_mac(name)) == expected


def test_arp_request_is_that_of_arping() -> None:
    """Except the field without a meaning in a request: arping fills it with ones."""
    captured = PACKETS["arp_request"]
    own = arp_request("198.18.224.10", "198.18.224.31", CLIENT)
    assert own[:18] + own[24:] == captured[:18] + captured[24:]
    assert question("198.18.224.10", "198.18.224.31", CLIENT) == (own, BROADCAST)


def test_arp_request_without_an_address_of_its_own_is_a_probe() -> None:
    assert arp_request("198.18.224.10", None, CLIENT)[14:18] == bytes(4)
    assert parse_claim(arp_request("198.18.224.10", None, CLIENT), CLIENT) is None


def test_solicitation_is_that_of_ndisc6() -> None:
    """Except the flow label."""
    captured = PACKETS["neighbour_solicitation"]
    own = solicitation("fd00:54::54", LINK_LOCAL, CLIENT)
    assert own[4:] == captured[4:]
    assert question("fd00:54::54", LINK_LOCAL, CLIENT) == (own, mac_text(FRAMES["neighbour_solicitation"][:6]))


def test_solicitation_without_an_address_of_its_own_has_no_option() -> None:
    packet = solicitation("fd00:54::54", None, CLIENT)
    assert packet[8:24] == bytes(16)
    assert len(packet) == 64


@pytest.mark.parametrize("text", ["", "02:42", "02:42:c6:12:e0:1f:00", "zz:42:c6:12:e0:1f"])
def test_what_is_no_mac_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"MAC address|fromhex"):
        mac_bytes(text)


def test_an_advertisement_that_a_router_forwarded_claims_nothing() -> None:
    packet = bytearray(PACKETS["neighbour_advertisement"])
    packet[7] = 254
    assert parse_claim(bytes(packet), CLIENT) is None


def test_a_broken_advertisement_claims_nothing() -> None:
    packet = bytearray(PACKETS["neighbour_advertisement"])
    packet[-1] ^= 1
    assert parse_claim(bytes(packet), CLIENT) is None


@given(st.sampled_from(ANSWERS), st.data())
def test_a_captured_answer_with_changed_bytes_ends_well(name: str, data: st.DataObject) -> None:
    packet = bytearray(PACKETS[name])
    for _change in range(data.draw(st.integers(1, 8))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    parse_claim(bytes(packet[: data.draw(st.integers(0, len(packet)))]), CLIENT)


@given(st.binary(max_size=120))
def test_any_bytes_end_well(packet: bytes) -> None:
    for start in (b"", PACKETS["arp_reply"][:6], PACKETS["neighbour_advertisement"][:41]):
        parse_claim(start + packet, CLIENT)


@given(st.ip_addresses(), st.booleans())
def test_asking_for_any_address(target: IPv4Address | IPv6Address, known: bool) -> None:
    own = {4: "198.18.0.1", 6: "fe80::1"}[target.version] if known else None
    packet, mac = question(str(target), own, CLIENT)
    assert packet
    assert len(mac_bytes(mac)) == 6
