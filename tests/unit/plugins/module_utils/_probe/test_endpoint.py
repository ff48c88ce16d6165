# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to a real server on this machine, good, broken and silent."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import Iterator

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._probe.endpoint import HttpUrl, fetch, parse_url, tcp

URL_CASES: list[tuple[str, HttpUrl]] = [
    ("http://www.example.com", HttpUrl("http://www.example.com", False, "www.example.com", 80, "/")),
    ("https://[fd00::1]:8443/a?b", HttpUrl("https://[fd00::1]:8443/a?b", True, "fd00::1", 8443, "/a?b")),
]
BAD_URLS = ["", "www.example.com", "ftp://x/", "http:///x", "http://x/ y", "http://x/\r\nHost: z", "http://x:99999/"]

# The server's answer, and the result: status and error.
FETCH_CASES: list[tuple[str, bytes, int | None, str | None]] = [
    ("good", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, None),
    ("not HTTP", b"SSH-2.0-x\r\n\r\n", None, "is not HTTP: BadStatusLine"),
    ("nothing", b"", None, "remote end closed connection"),
]


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    """Serve this answer once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _peer = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize(("url", "expected"), URL_CASES)
def test_url(url: str, expected: HttpUrl) -> None:
    assert parse_url(url) == expected


@pytest.mark.parametrize("url", BAD_URLS)
def test_bad_url(url: str) -> None:
    with pytest.raises(ValueError, match="url is "):
        parse_url(url)


@pytest.mark.parametrize(("answer", "status", "problem"), [c[1:] for c in FETCH_CASES], ids=[c[0] for c in FETCH_CASES])
def test_fetch(answer: bytes, status: int | None, problem: str | None) -> None:
    with server(answer) as port:
        got, body, error = fetch("127.0.0.1", parse_url(f"http://name.example:{port}/"), 5)
    assert got == status
    assert (error or "").lower().startswith((problem or "").lower())
    assert (error is None) == (problem is None)
    assert body == (b"ok" if status else b"")


def test_tls_to_what_speaks_none() -> None:
    with server(b"HTTP/1.1 400 Bad HttpUrl\r\n\r\n") as port:
        status, _body, error = fetch("127.0.0.1", parse_url(f"https://name.example:{port}/"), 5)
    assert status is None
    assert error


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert fetch("127.0.0.1", parse_url(f"http://x:{port}/"), 0.1) == (None, b"", "no answer within 0.1 s")


def test_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert tcp("127.0.0.1", port, 5)["open"]
    closed = tcp("127.0.0.1", port, 5)
    assert closed == {"port": port, "open": False, "connect_s": None, "error": "connection refused"}
