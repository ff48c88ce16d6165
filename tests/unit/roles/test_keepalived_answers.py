# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script that checks the local service, against real sockets."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ANSWERS = Path(__file__).resolve().parents[3] / "roles" / "keepalived" / "files" / "answers"
GOOD = b"HTTP/1.1 200 OK\r\n\r\n"
# The arguments in the profile fast: it must end within keepalived's second, whatever the service does.
FAST = ("200", "2", "270", "550")
LONGEST_S = 0.95
# Allowance for bash on a busy machine.
SLACK_S = 0.3


@contextmanager
def service(*answers: bytes | None) -> Iterator[tuple[int, list[float]]]:
    """Give the answers in turn, the last one forever; None accepts the connection without an answer."""
    asked: list[float] = []
    held = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _address = server.accept()
                except OSError:
                    return
                held.append(connection)
                answer = answers[min(len(asked), len(answers) - 1)]
                asked.append(time.monotonic())
                if answer is not None:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], asked
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in held:
                connection.close()


def run(port: int, *arguments: str) -> tuple[bool, float]:
    """Return whether the service answers, and how long that took."""
    start = time.monotonic()
    command = ["bash", ANSWERS, "127.0.0.1", str(port), "/", *arguments]
    done = subprocess.run(command, check=False, timeout=10, stderr=subprocess.DEVNULL)
    return done.returncode == 0, time.monotonic() - start


@pytest.mark.parametrize(
    ("answer", "good"),
    [(GOOD, True), (b"HTTP/1.0 302 Found\r\n", True), (b"HTTP/1.1 503 No\r\n", False), (b"hello\r\n", False)],
)
def test_one_question(answer: bytes, good: bool) -> None:
    with service(answer) as (port, asked):
        assert run(port)[0] is good
    assert len(asked) == 1


def test_one_question_without_an_answer() -> None:
    with service(None) as (port, asked):
        answers, elapsed_s = run(port)
    assert not answers
    assert 0.5 <= elapsed_s < 0.5 + SLACK_S
    assert len(asked) == 1


def test_three_questions_within_a_second() -> None:
    with service(GOOD) as (port, asked):
        answers, elapsed_s = run(port, *FAST)
    assert answers
    assert elapsed_s < LONGEST_S
    assert len(asked) == 3
    # Late enough for the next run, a second after the start, to find a hang within a second.
    assert asked[2] - asked[0] > 0.5


@pytest.mark.parametrize("good_before", range(3))
def test_two_in_a_row_without_an_answer_are_a_failure(good_before: int) -> None:
    with service(*[GOOD] * good_before, None) as (port, asked):
        answers, elapsed_s = run(port, *FAST)
    assert not answers
    assert elapsed_s < LONGEST_S + SLACK_S
    assert len(asked) == good_before + 2


@pytest.mark.parametrize("good_before", range(3))
def test_a_single_one_is_none(good_before: int) -> None:
    with service(*[GOOD] * good_before, None, GOOD) as (port, _asked):
        answers, elapsed_s = run(port, *FAST)
    assert answers
    assert elapsed_s < LONGEST_S + SLACK_S


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answers, elapsed_s = run(port, *FAST)
    assert not answers
    assert elapsed_s < SLACK_S


def test_a_stopped_service_with_a_full_backlog_is_a_failure_in_time() -> None:
    """Connecting has no time-out, and would take minutes here."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        with socket.create_connection(address):
            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=0.05)
            answers, elapsed_s = run(address[1], *FAST)
    assert not answers
    assert 0.4 <= elapsed_s < 0.4 + SLACK_S
