# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers, whole and broken, in whatever pieces they arrive."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._http import MAX_HEAD, Answer, Target, target
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

TARGETS: list[tuple[str, Target]] = [
    ("http://198.18.0.10", Target("198.18.0.10", 80, b"GET / HTTP/1.1\r\nHost: 198.18.0.10\r\n")),
    ("http://[2001:db8::10]:8080/a?b=c#d", Target("2001:db8::10", 8080, b"GET /a?b=c HTTP/1.1\r\nHost: [2001:")),
    ("http://user@www.example/", Target("www.example", 80, b"GET / HTTP/1.1\r\nHost: www.example\r\n")),
]

BAD_URLS: list[str] = [
    "",
    "198.18.0.10",
    "https://198.18.0.10/",
    "http:///path",
    "http://h:99999/",
    "http://h:x/",
    "http://h/a b",
    "http://h/\r\nX: y",
    "http://h/\xe4",
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


@pytest.mark.parametrize(("url", "expected"), TARGETS)
def test_target(url: str, expected: Target) -> None:
    found = target(url)
    assert found[:2] == expected[:2]
    assert found.request.startswith(expected.request)
    assert found.request.endswith(b"\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize("url", BAD_URLS)
def test_bad_url(url: str) -> None:
    with pytest.raises(ValueError, match="url is "):
        target(url)
