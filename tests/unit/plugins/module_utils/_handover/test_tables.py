# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's tables, in its own words."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._handover.tables import parse, removal_in

NEW, DELETED, IP, INET, IP6 = 0xA00, 0xA02, 2, 1, 10


def message(kind: int, family: int, name: str) -> bytes:
    """Return a message about a table: after its name the attributes for its flags and its use."""
    text = name.encode() + b"\0"
    attributes = struct.pack("=HH", 4 + len(text), 1) + text + bytes(-len(text) % 4)
    attributes += struct.pack("=HHI", 8, 2, 0) + struct.pack("=HHI", 8, 3, 5)
    body = struct.pack("=BBH", family, 0, 7) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, 2, 1, 0) + body


def test_tables_are_named_as_nft_does() -> None:
    data = message(NEW, IP, "nat") + message(NEW, INET, "filter") + message(NEW, IP6, "haproof_handover_2001_db8__10")
    assert list(parse(data)) == ["ip nat", "ip6 haproof_handover_2001_db8__10"]


@pytest.mark.parametrize("data", [b"", bytes(16), message(NEW, IP, "nat")[:-30], message(DELETED, IP, "nat")])
def test_what_is_no_table(data: bytes) -> None:
    assert list(parse(data)) == []


def test_a_removal_is_noticed() -> None:
    assert removal_in(message(NEW, IP, "nat") + message(DELETED, IP, "nat"))
    assert not removal_in(message(NEW, IP, "nat"))
