# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import struct

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._link.kernel_addresses import (
    AddressChange,
    InterfaceAddress,
    parse_addresses,
    parse_changes,
    read_addresses,
    settings_of,
)
from hypothesis import given
from hypothesis import strategies as st


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(family: int, interface: int, *attributes: bytes, kind: int = 20) -> bytes:
    body = struct.pack("=BBBBI", family, 24, 0, 0, interface) + b"".join(attributes)
    return struct.pack("=IHHII", 16 + len(body), kind, 2, 1, 0) + body


def packed(text: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


DONE = struct.pack("=IHHIII", 20, 3, 2, 1, 0, 0)
CASES: list[tuple[bytes, list[InterfaceAddress]]] = [
    (
        message(socket.AF_INET, 2, attribute(1, packed("192.0.2.10")), attribute(3, b"eth0\0")) + DONE,
        [InterfaceAddress(2, "192.0.2.10")],
    ),
    # The remote end of a point-to-point link is not an address of this host.
    (
        message(socket.AF_INET, 3, attribute(1, packed("192.0.2.2")), attribute(2, packed("192.0.2.1"))),
        [InterfaceAddress(3, "192.0.2.1")],
    ),
    (message(socket.AF_INET6, 2, attribute(1, packed("2001:db8::10"))), [InterfaceAddress(2, "2001:db8::10")]),
    (message(socket.AF_INET, 2, attribute(1, packed("2001:db8::10"))), []),
    (message(socket.AF_INET, 2, attribute(1, packed("192.0.2.10")), kind=16), []),
    (message(socket.AF_INET, 2, attribute(1, packed("192.0.2.10")))[:-2], []),
    (b"", []),
]


@pytest.mark.parametrize(("data", "expected"), CASES)
def test_parse_addresses(data: bytes, expected: list[InterfaceAddress]) -> None:
    assert parse_addresses(data) == expected


@given(data=st.binary(max_size=200))
def test_garbage_is_no_address_or_some(data: bytes) -> None:
    parse_addresses(data)
    parse_addresses(message(socket.AF_INET, 2, data))
    parse_changes(data)
    parse_changes(message(socket.AF_INET, 2, data, kind=21))


# Linux's messages for "ip address add", "change" and "del" on a veth pair.
V4_ADD = (
    "50000000140000002320076b147d0000021880000300000008000100c612000a08000200c612000a0b00030076303a766970000008000800"
    "8000000014000600ffffffffffffffff048b0400048b0400"
)
V4_DEL = (
    "50000000150000002320076b1e7d0000021800000300000008000100c612000a08000200c612000a0b00030076303a766970000008000800"
    "00000000140006001e0000003c000000048b0400098b0400"
)
# The other end is 198.18.0.1.
V4_PEER = (
    "4c000000140000002620076b847d0000022080000300000008000100c612000108000200c612000a07000300763000000800080080000000"
    "14000600ffffffffffffffff188c0400188c0400"
)
V6_TENTATIVE = (
    "480000001400000000000000000000000a40c000030000001400010020010db800000000000000000000001014000600ffffffffffffffff"
    "148b0400148b040008000800c0000000"
)
# When no other host has it (RFC 4862), and with other lifetimes.
V6_AGAIN = (
    "480000001400000000000000000000000a408000030000001400010020010db800000000000000000000001014000600ffffffffffffffff"
    "148b0400148b04000800080080000000"
    "480000001400000000000000000000000a400000030000001400010020010db8000000000000000000000010140006001e0000003c000000"
    "148b04000e8c04000800080000000000"
)
V6_DEL = (
    "480000001500000000000000000000000a400000030000001400010020010db8000000000000000000000010140006001e0000003c000000"
    "148b04000e8c04000800080000000000"
)
VIP, VIP6 = InterfaceAddress(3, "198.18.0.10"), InterfaceAddress(3, "2001:db8::10")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (V4_ADD, [AddressChange(VIP, True)]),
        (V4_DEL, [AddressChange(VIP, False)]),
        (V4_PEER, [AddressChange(VIP, True)]),
        (V6_TENTATIVE, [AddressChange(VIP6, True)]),
        (V6_AGAIN, [AddressChange(VIP6, True), AddressChange(VIP6, True)]),
        (V6_DEL, [AddressChange(VIP6, False)]),
        (V4_DEL + V4_ADD, [AddressChange(VIP, False), AddressChange(VIP, True)]),
        (V4_DEL + V4_ADD[:-8], [AddressChange(VIP, False)]),
    ],
)
def test_parse_changes(told: str, expected: list[AddressChange]) -> None:
    assert parse_changes(bytes.fromhex(told)) == expected


def test_other_changes_are_none() -> None:
    # RTM_NEWLINK
    assert parse_changes(message(socket.AF_INET, 2, attribute(1, packed("192.0.2.10")), kind=16)) == []


def test_this_host_has_the_loopback_address() -> None:
    assert InterfaceAddress(socket.if_nametoindex("lo"), "127.0.0.1") in read_addresses()


def test_an_address_is_added_again_as_it_was() -> None:
    # Permanent and secondary (0x80, 0x01) is what it becomes, and its lifetimes (6) are endless.
    own = [attribute(1, packed("192.0.2.10")), attribute(2, packed("192.0.2.10")), attribute(3, b"eth1:v\0")]
    told = struct.pack("=BBBBI", socket.AF_INET, 24, 0x81, 0, 2)
    found = settings_of(told + b"".join([*own, attribute(8, struct.pack("=I", 0x281)), attribute(6, bytes(16))]))
    assert found == struct.pack("=BBBBI", socket.AF_INET, 24, 0, 0, 2) + b"".join(
        [*own, attribute(8, struct.pack("=I", 0x200))]
    )


def test_an_ipv6_address_is_added_again_without_looking_for_duplicates() -> None:
    own = attribute(1, packed("2001:db8::10"))
    found = settings_of(struct.pack("=BBBBI", socket.AF_INET6, 64, 0x80, 0, 2) + own)
    assert found == struct.pack("=BBBBI", socket.AF_INET6, 64, 0x02, 0, 2) + own + attribute(8, struct.pack("=I", 2))
