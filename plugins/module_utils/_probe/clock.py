# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The offset between two hosts' monotonic clocks, measured over UDP as in NTP (RFC 5905 section 8).

A client's prober answers; a balancer asks a few times and uses the fastest exchange.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import NamedTuple, Sequence

_MAGIC = b"hpc1"
_QUESTION = struct.Struct("!4sd")
_ANSWER = struct.Struct("!4sddd")
ROUNDS = 16
TIMEOUT_S = 0.1
SILENT_ROUNDS = 3
"""After this many unanswered questions the peer is considered absent; a single packet may be lost."""


class ClockError(ValueError):
    """The clock's address is invalid; the message has the value."""


class Sample(NamedTuple):
    """Four times in seconds: asked and back on the asker's clock, received and sent on the other's."""

    asked_s: float
    received_s: float
    sent_s: float
    back_s: float


class Offset(NamedTuple):
    """Add ``offset_s`` to this host's clock for the other's; its error is at most ``error_s``."""

    offset_s: float
    error_s: float


def drift_s(early: Offset | None, late: Offset | None) -> float | None:
    """Return how far two clocks drifted apart between two measurements, beyond the errors of both; None if unknown."""
    if early is None or late is None:
        return None
    return max(0.0, abs(late.offset_s - early.offset_s) - early.error_s - late.error_s)


def question(now_s: float) -> bytes:
    """Return the packet that asks for the time."""
    return _QUESTION.pack(_MAGIC, now_s)


def answer(packet: bytes, received_s: float, sent_s: float) -> bytes | None:
    """Return the answer to a question, None for any other packet. It is at most twice as large as the question."""
    if len(packet) != _QUESTION.size or not packet.startswith(_MAGIC):
        return None
    return _ANSWER.pack(_MAGIC, _QUESTION.unpack(packet)[1], received_s, sent_s)


def read_answer(packet: bytes, asked_s: float, back_s: float) -> Sample | None:
    """Return the sample in an answer, None if it does not answer the question of *asked_s*."""
    if len(packet) != _ANSWER.size or not packet.startswith(_MAGIC):
        return None
    _magic, echoed_s, received_s, sent_s = _ANSWER.unpack(packet)
    return Sample(asked_s, received_s, sent_s, back_s) if echoed_s == asked_s else None


def offset(samples: Sequence[Sample]) -> Offset | None:
    """Return the offset of the fastest sample, whose round trip bounds the error (RFC 5905 section 8)."""
    found = [
        Offset(
            ((one.received_s - one.asked_s) + (one.sent_s - one.back_s)) / 2,
            ((one.back_s - one.asked_s) - (one.sent_s - one.received_s)) / 2,
        )
        for one in samples
    ]
    return min(found, key=lambda one: one.error_s, default=None)


def endpoint(text: str) -> tuple[str, int]:
    """Return address and port in ``"198.18.0.31 40000"``. Raises ClockError for anything else."""
    address, _blank, port = text.partition(" ")
    if not address or not port.isdigit() or not 0 < int(port) < 65536:
        raise ClockError(f"clock is {text!r}, it must be an address, a space, and a UDP port")
    return address, int(port)


def ask_at(text: str | None) -> Offset | None:
    """Ask the clock at ``"ADDRESS PORT"``; None without an answer, a route or a *text*.

    Raises ClockError.
    """
    if not text:
        return None
    address, port = endpoint(text)
    try:
        return ask(address, port)
    except OSError:
        # The same as no answer, as the result then shows.
        return None


def ask(address: str, port: int, rounds: int = ROUNDS, timeout_s: float = TIMEOUT_S) -> Offset | None:
    """Ask *address* for its time; None without an answer. Raises OSError if the address is unusable."""
    found: list[Sample] = []
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))
        for number in range(1, rounds + 1):
            one = _ask_once(sock, timeout_s)
            if one is not None:
                found.append(one)
            elif not found and number >= SILENT_ROUNDS:
                return None
    return offset(found)


def _ask_once(sock: socket.socket, timeout_s: float) -> Sample | None:
    asked_s = time.monotonic()
    sock.settimeout(timeout_s)
    try:
        sock.send(question(asked_s))
        # Skip late answers to earlier questions, until the time is over.
        while time.monotonic() - asked_s < timeout_s:
            one = read_answer(sock.recv(_ANSWER.size + 1), asked_s, time.monotonic())
            if one is not None:
                return one
    except OSError:
        # A time-out, or no listener.
        return None
    return None
