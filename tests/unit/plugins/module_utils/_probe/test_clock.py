# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clock offsets: properties for any delays, invalid packets, and a real exchange."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._probe.clock import (
    ROUNDS,
    ClockError,
    Offset,
    Sample,
    answer,
    ask,
    ask_at,
    drift_s,
    endpoint,
    offset,
    question,
    read_answer,
)
from hypothesis import given
from hypothesis import strategies as st

# At least a millisecond, or the rounding of the sums is larger.
seconds = st.floats(min_value=0.001, max_value=10)
moments = st.floats(min_value=0, max_value=1e6)

QUESTION = b"hpc1" + struct.pack("!d", 12.5)
ANSWER = b"hpc1" + struct.pack("!ddd", 12.5, 100.0, 100.25)


@given(
    st.floats(min_value=-1e6, max_value=1e6),
    moments,
    st.lists(st.tuples(seconds, seconds, seconds, seconds), min_size=1, max_size=20),
)
def test_the_true_offset_is_within_the_error(
    true_s: float, asked_s: float, delays: list[tuple[float, float, float, float]]
) -> None:
    """Whatever the delays in both directions and on the other side are."""
    exchanges = []
    for there_s, thinks_s, back_s, pause_s in delays:
        received_s = asked_s + there_s + true_s
        sent_s = received_s + thinks_s
        exchanges.append(Sample(asked_s, received_s, sent_s, sent_s + back_s - true_s))
        asked_s += there_s + thinks_s + back_s + pause_s
    found = offset(exchanges)
    assert found
    assert abs(found.offset_s - true_s) <= found.error_s + 1e-6
    assert found.error_s == pytest.approx(min(there + back for there, _held, back, _pause in delays) / 2, abs=1e-6)


def test_offset_of_nothing() -> None:
    assert offset([]) is None


def test_offset() -> None:
    """The second one is faster: 1 s there, 1 s back, 3 s in between, the other clock is 100 s ahead."""
    assert offset([Sample(0, 105, 106, 10), Sample(20, 121, 124, 25)]) == Offset(100.0, 1.0)


def test_question_and_answer() -> None:
    assert question(12.5) == QUESTION
    assert answer(QUESTION, 100.0, 100.25) == ANSWER
    assert read_answer(ANSWER, 12.5, 13.0) == Sample(12.5, 100.0, 100.25, 13.0)


@pytest.mark.parametrize("packet", [b"", b"hpc1", QUESTION[:-1], QUESTION + b"x", b"hpc2" + QUESTION[4:], ANSWER])
def test_no_question(packet: bytes) -> None:
    assert answer(packet, 1.0, 2.0) is None


@pytest.mark.parametrize("packet", [b"", ANSWER[:-1], ANSWER + b"x", b"hpc2" + ANSWER[4:], QUESTION])
def test_no_answer(packet: bytes) -> None:
    assert read_answer(packet, 12.5, 13.0) is None


def test_an_answer_to_another_question() -> None:
    assert read_answer(ANSWER, 12.6, 13.0) is None


@given(st.binary(max_size=64))
def test_no_packet_hurts(packet: bytes) -> None:
    reply = answer(packet, 1.0, 2.0)
    assert reply is None or len(reply) <= 3 * len(packet)
    assert read_answer(packet, 12.5, 13.0) is None or packet == ANSWER[:12] + packet[12:]


Reply = Callable[[bytes, int], "list[bytes | None]"]


@contextmanager
def answering(host: str, reply: Reply) -> Iterator[int]:
    """Answer each question with *reply* of it and its number; yield the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        # Wakes the thread so that it ends.
        sock.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            number = 0
            while not over.is_set():
                try:
                    packet, asker = sock.recvfrom(64)
                except TimeoutError:
                    continue
                for one in reply(packet, number):
                    if one is not None:
                        sock.sendto(one, asker)
                number += 1

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("ahead_s", [0.0, 1000.0])
def test_ask(host: str, ahead_s: float) -> None:
    def reply(packet: bytes, _number: int) -> list[bytes | None]:
        now = time.monotonic() + ahead_s
        return [answer(packet, now, now)]

    with answering(host, reply) as port:
        found = ask(host, port)
    assert found
    assert abs(found.offset_s - ahead_s) <= found.error_s < 0.05


def test_ask_reads_past_what_is_no_answer_to_it() -> None:
    def reply(packet: bytes, _number: int) -> list[bytes | None]:
        now = time.monotonic()
        return [b"nonsense", answer(question(1.0), 5000.0, 5000.0), answer(packet, now, now)]

    with answering("127.0.0.1", reply) as port:
        found = ask("127.0.0.1", port)
    assert found
    assert abs(found.offset_s) <= found.error_s < 0.05


def test_ask_takes_what_it_gets() -> None:
    """Every second question is lost."""
    seen = []

    def reply(packet: bytes, number: int) -> list[bytes | None]:
        seen.append(number)
        now = time.monotonic()
        return [answer(packet, now, now) if number % 2 == 0 else None]

    with answering("127.0.0.1", reply) as port:
        found = ask("127.0.0.1", port, timeout_s=0.05)
    assert found
    assert abs(found.offset_s) <= found.error_s
    assert len(seen) == ROUNDS


@pytest.mark.parametrize(("lost", "answered"), [(1, True), (2, True), (3, False)])
def test_ask_bears_the_loss_of_the_first_packets(lost: int, answered: bool) -> None:
    def reply(packet: bytes, number: int) -> list[bytes | None]:
        now = time.monotonic()
        return [answer(packet, now, now) if number >= lost else None]

    with answering("127.0.0.1", reply) as port:
        assert (ask("127.0.0.1", port, timeout_s=0.05) is not None) == answered


DRIFTS: list[tuple[Offset | None, Offset | None, float | None]] = [
    (None, None, None),
    (Offset(1.0, 0.1), None, None),
    (None, Offset(1.0, 0.1), None),
    (Offset(1.0, 0.1), Offset(1.25, 0.2), 0.0),
    (Offset(1.0, 0.1), Offset(2.0, 0.2), 0.7),
    (Offset(2.0, 0.1), Offset(1.0, 0.2), 0.7),
]


@pytest.mark.parametrize(("early", "late", "expected"), DRIFTS)
def test_drift(early: Offset | None, late: Offset | None, expected: float | None) -> None:
    assert drift_s(early, late) == pytest.approx(expected)


def test_nobody_answers() -> None:
    with answering("127.0.0.1", lambda _packet, _number: []) as port:
        assert ask("127.0.0.1", port, timeout_s=0.05) is None


def test_nobody_listens() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert ask("127.0.0.1", port) is None


def test_an_address_that_is_none() -> None:
    with pytest.raises(socket.gaierror):
        ask("fe80::1%nosuch0", 9)


def test_endpoint() -> None:
    assert endpoint("198.18.0.31 40000") == ("198.18.0.31", 40000)
    assert endpoint("fd00::31 9") == ("fd00::31", 9)


@pytest.mark.parametrize("text", ["", "198.18.0.31", "198.18.0.31:40000", "fd00::31 http", "a 0", " 9", "a 65536"])
def test_an_endpoint_that_is_none(text: str) -> None:
    with pytest.raises(ClockError, match=rf"^clock is {text!r}, it must be an address, a space, and a UDP port$"):
        endpoint(text)


def test_ask_at_nowhere() -> None:
    assert ask_at(None) is None
    # Port 9 is "discard"; if it is closed the kernel reports it.
    assert ask_at("127.0.0.1 9") is None
    # No route is the same as no answer.
    assert ask_at("fe80::1%nosuch0 9") is None


def test_ask_at() -> None:
    def reply(packet: bytes, _number: int) -> list[bytes | None]:
        now = time.monotonic()
        return [answer(packet, now, now)]

    with answering("127.0.0.1", reply) as port:
        found = ask_at(f"127.0.0.1 {port}")
    assert found
    assert abs(found.offset_s) <= found.error_s
