# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import struct

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._kernel_addresses import (
    Address,
    parse_addresses,
    read_addresses,
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
CASES: list[tuple[bytes, list[Address]]] = [
    (
        message(socket.AF_INET, 2, attribute(1, packed("192.0.2.10")), attribute(3, b"eth0\0")) + DONE,
        [Address(2, "192.0.2.10")],
    ),
    # The other end of a point-to-point link is no address of this host.
    (
        message(socket.AF_INET, 3, attribute(1, packed("192.0.2.2")), attribute(2, packed("192.0.2.1"))),
        [Address(3, "192.0.2.1")],
    ),
    (message(socket.AF_INET6, 2, attribute(1, packed("2001:db8::10"))), [Address(2, "2001:db8::10")]),
    (message(socket.AF_INET, 2, attribute(1, packed("2001:db8::10"))), []),
    (message(socket.AF_INET, 2, attribute(1, packed("192.0.2.10")), kind=16), []),
    (message(socket.AF_INET, 2, attribute(1, packed("192.0.2.10")))[:-2], []),
    (b"", []),
]


@pytest.mark.parametrize(("data", "expected"), CASES)
def test_parse_addresses(data: bytes, expected: list[Address]) -> None:
    assert parse_addresses(data) == expected


@given(data=st.binary(max_size=200))
def test_garbage_is_no_address_or_some(data: bytes) -> None:
    parse_addresses(data)
    parse_addresses(message(socket.AF_INET, 2, data))


def test_this_host_has_the_loopback_address() -> None:
    assert Address(socket.if_nametoindex("lo"), "127.0.0.1") in read_addresses()
