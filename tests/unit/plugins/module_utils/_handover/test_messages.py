# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What balancers ask each other, and what anybody else may send."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._handover.messages import (
    HOLDING,
    LONGEST,
    NO,
    QUESTIONS,
    SERVING,
    PeerMessage,
    pack,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.integers(0, 2**32 - 1)
VIPS = st.ip_addresses().map(str)


@given(st.sampled_from((HOLDING, SERVING, NO)), VIPS, NUMBERS, NUMBERS)
def test_answers_come_back(kind: str, vip: str, number: int, connections: int) -> None:
    message = PeerMessage(kind, vip, number, connections)
    assert parse(pack(message)) == message
    assert len(pack(message)) < LONGEST


@given(st.sampled_from(QUESTIONS), VIPS, NUMBERS)
def test_questions_come_back(kind: str, vip: str, number: int) -> None:
    assert parse(pack(PeerMessage(kind, vip, number))) == PeerMessage(kind, vip, number)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"haproof-handover 1 ask 192.0.2.10 1",
        b"haproof-handover 2 ask 192.0.2.10 1\n",
        b"haproof-handover 1 ask 192.0.2.10 1 5\n",
        b"haproof-handover 1 serving 192.0.2.10 1\n",
        b"haproof-handover 1 serving 192.0.2.256 1 5\n",
        b"haproof-handover 1 serving 192.0.2.10 1 -5\n",
        b"haproof-handover 1 serving 192.0.2.10 1 12345678901\n",
        b"haproof-handover 1 serving 192.0.2.10 1 5\n\n",
        "haproof-handover 1 serving 192.0.2.10 \u0661 5\n".encode(),
        b"\xff\xfe",
    ],
)
def test_anything_else_is_no_message(datagram: bytes) -> None:
    assert parse(datagram) is None


@given(st.binary(max_size=LONGEST))
def test_no_datagram_is_too_strange(datagram: bytes) -> None:
    parse(datagram)
