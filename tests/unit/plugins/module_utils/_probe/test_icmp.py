# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Echo packets against the RFCs' rules."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._probe.icmp import (
    Echo,
    checksum,
    echo_reply,
    echo_request,
    filter_replies,
)
from hypothesis import given
from hypothesis import strategies as st

IP_HEADER = b"\x45" + bytes(19)
IP_HEADER_WITH_OPTIONS = b"\x46" + bytes(23)
REPLY = b"\x00\x00\x12\x34\x00\x07\x00\x08ok"

echoes = st.builds(Echo, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=64))


def test_checksum() -> None:
    """The example of RFC 1071 section 3."""
    assert checksum(b"\x00\x01\xf2\x03\xf4\xf5\xf6\xf7") == 0x220D


def test_requests() -> None:
    echo = Echo(0x1234, 1, b"ab")
    # 0x0800 + 0x1234 + 0x0001 + 0x6162 = 0x7b97
    assert echo_request(4, echo) == b"\x08\x00\x84\x68\x12\x34\x00\x01ab"
    assert echo_request(6, echo) == b"\x80\x00\x00\x00\x12\x34\x00\x01ab"


@given(echoes)
def test_a_packet_with_its_checksum_sums_to_zero(echo: Echo) -> None:
    assert checksum(echo_request(4, echo)) == 0


@given(echoes)
def test_a_reply_repeats_the_request(echo: Echo) -> None:
    assert echo_reply(4, IP_HEADER + b"\x00" + echo_request(4, echo)[1:]) == echo
    assert echo_reply(6, b"\x81" + echo_request(6, echo)[1:]) == echo


@pytest.mark.parametrize(
    ("version", "packet", "expected"),
    [
        (4, IP_HEADER + REPLY, Echo(7, 8, b"ok")),
        (4, IP_HEADER_WITH_OPTIONS + REPLY, Echo(7, 8, b"ok")),
        (4, b"", None),
        (4, IP_HEADER + REPLY[:7], None),
        (4, IP_HEADER + b"\x08" + REPLY[1:], None),
        (4, IP_HEADER + b"\x00\x01" + REPLY[2:], None),
        (6, b"\x81" + REPLY[1:], Echo(7, 8, b"ok")),
        (6, b"\x80" + REPLY[1:], None),
        (6, b"", None),
    ],
)
def test_replies(version: int, packet: bytes, expected: Echo | None) -> None:
    assert echo_reply(version, packet) == expected


@given(st.sampled_from([4, 6]), st.binary())
def test_no_packet_hurts(version: int, packet: bytes) -> None:
    echo_reply(version, packet)


def test_filters_pass_replies_alone() -> None:
    assert int.from_bytes(filter_replies(4), "little") == 0xFFFFFFFF - 1
    blocked = int.from_bytes(filter_replies(6), "little")
    assert [kind for kind in range(256) if not blocked >> kind & 1] == [129]
