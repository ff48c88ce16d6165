# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers, complete and broken, in any pieces."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._probe.http import MAX_HEAD, Answer, request
from hypothesis import given
from hypothesis import strategies as st

OK = b"HTTP/1.1 200 OK\r\nServer: nginx\r\n"

# Bytes until the peer closes, and the outcome.
ANSWERS: list[tuple[bytes, str]] = [
    (OK + b"Content-Length: 5\r\n\r\nlb01\n", ""),
    (OK + b"content-length:0\r\n\r\n", ""),
    (OK + b"\r\nuntil close", ""),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nlb01\n\r\n0\r\n\r\n", ""),
    (b"HTTP/1.0 302 Found\r\n\r\n", ""),
    (b"HTTP/1.1 204\r\n\r\n", ""),
    (b"", "empty"),
    (OK + b"Content-Length: 5\r\n\r\nlb0", "incomplete"),
    (OK + b"Content-Len", "incomplete"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nlb01\n\r\n", "incomplete"),
    (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "http_503"),
    (b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n", "http_404"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "malformed"),
    (b"HTTP/2 200\r\n\r\n", "malformed"),
]


@pytest.mark.parametrize(("data", "outcome"), ANSWERS)
def test_answer(data: bytes, outcome: str) -> None:
    answer = Answer()
    answer.feed(data)
    assert answer.outcome(200, 399) == outcome


@given(st.sampled_from(ANSWERS), st.data())
def test_the_pieces_do_not_matter(case: tuple[bytes, str], data: st.DataObject) -> None:
    whole, outcome = case
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    answer = Answer()
    for start, end in zip([0, *cuts], [*cuts, len(whole)]):
        answer.feed(whole[start:end])
    assert answer.outcome(200, 399) == outcome


@given(st.binary())
def test_anything_has_an_outcome(data: bytes) -> None:
    answer = Answer()
    answer.feed(data)
    assert answer.outcome(200, 399) in ("empty", "malformed", "incomplete", "")
    assert isinstance(answer.broken(), bool)


def test_an_answer_is_whole_before_the_peer_closes() -> None:
    answer = Answer()
    answer.feed(OK + b"Content-Length: 2\r\n\r\na")
    assert not answer.whole()
    answer.feed(b"b")
    assert answer.whole()


def test_an_endless_head_is_given_up() -> None:
    answer = Answer()
    answer.feed(b"HTTP/1.1 200 OK\r\n" + b"x" * MAX_HEAD)
    assert answer.broken()


@pytest.mark.parametrize(
    ("data", "whole", "reusable"),
    [
        (OK + b"Content-Length: 2\r\n\r\nab", True, True),
        (OK + b"Content-Length: 2\r\nConnection: close\r\n\r\nab", True, False),
        (OK + b"Content-Length: 2\r\nconnection: TE, Close\r\n\r\nab", True, False),
        (OK + b"Content-Length: 2\r\nX-Connection: close\r\n\r\nab", True, True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", True, False),
        (OK + b"\r\nuntil close", False, False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", True, True),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", True, True),
        # A chunk whose data look like the end of the body.
        (OK + b"Transfer-Encoding: chunked\r\n\r\n6;a=b\r\n\r\n0\r\n\r\n", False, False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n0\r\n\r\n", False, False),
    ],
)
def test_what_is_good_for_another_request(data: bytes, whole: bool, reusable: bool) -> None:
    answer = Answer()
    answer.feed(data)
    assert (answer.whole(), answer.reusable()) == (whole, reusable)


def test_a_chunk_without_size_is_given_up() -> None:
    answer = Answer()
    answer.feed(OK + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n")
    assert answer.broken()
    assert answer.outcome(200, 399) == "malformed"


@pytest.mark.parametrize(("keep_alive", "says"), [(True, "keep-alive"), (False, "close")])
def test_request(keep_alive: bool, says: str) -> None:
    assert (
        request("[2001:db8::10]:8080", "/a?b=c", keep_alive)
        == (
            "GET /a?b=c HTTP/1.1\r\nHost: [2001:db8::10]:8080\r\nUser-Agent: haproof-vip-probe\r\nAccept: */*\r\n"
            f"Connection: {says}\r\n\r\n"
        ).encode()
    )
