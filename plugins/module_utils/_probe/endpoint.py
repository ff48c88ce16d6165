# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Check a service at an address by a TCP connection, or one HTTP request. The service's errors are results."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

MOST_BODY = 1024 * 1024
"""Bytes of a body that are read."""


class HttpUrl(NamedTuple):
    """A parsed URL."""

    text: str
    tls: bool
    host: str
    port: int
    path: str


def parse_url(url: str) -> HttpUrl:
    """Parse an ``http://`` or ``https://`` URL. Raises ValueError for any other."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url is {url!r}, it must be http[s]://host[:port]/path")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise ValueError(f"url is {url!r}, it must not have spaces, control or non-ASCII characters")
    try:
        return HttpUrl(url, tls, parts.hostname, parts.port or (443 if tls else 80), path)
    except ValueError as error:
        raise ValueError(f"url is {url!r}: {error}") from error


def tcp(address: str, port: int, timeout_s: float, scope: int = 0) -> dict[str, Any]:
    """Connect, and return ``{"port", "open", "connect_s", "error"}``. *scope* is a link-local address's interface."""
    start = time.monotonic()
    try:
        _connect(address, port, timeout_s, scope).close()
    except OSError as error:
        return {"port": port, "open": False, "connect_s": None, "error": _message(error, timeout_s)}
    return {"port": port, "open": True, "connect_s": round(time.monotonic() - start, 6), "error": None}


def fetch(
    address: str, url: HttpUrl, timeout_s: float, validate: bool = True, scope: int = 0
) -> tuple[int | None, bytes, str | None]:
    """Request the URL from *address*, whatever its host is, and return status, body and error."""
    deadline = time.monotonic() + timeout_s
    connection = http.client.HTTPConnection(url.host, url.port, timeout=timeout_s)
    try:
        connection.sock = _connect(address, url.port, timeout_s, scope)
        if url.tls:
            connection.sock = _context(validate).wrap_socket(connection.sock, server_hostname=url.host)
        connection.request("GET", url.path, headers={"User-Agent": "haproof-vip-check", "Connection": "close"})
        response = connection.getresponse()
        body = b""
        while len(body) < MOST_BODY:
            if time.monotonic() > deadline:
                return response.status, body, f"the body is incomplete after {timeout_s:g} s"
            part = response.read1(65536)
            if not part:
                break
            body += part
        return response.status, body, None
    except ssl.SSLCertVerificationError as error:
        return None, b"", f"its certificate is not trusted: {error.verify_message}"
    except OSError as error:
        return None, b"", _message(error, timeout_s)
    except http.client.HTTPException as error:
        return None, b"", f"is not HTTP: {type(error).__name__} {error}".strip()
    finally:
        connection.close()


def _context(validate: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not validate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _connect(address: str, port: int, timeout_s: float, scope: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect((address, port, 0, scope) if ":" in address else (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _message(error: OSError, timeout_s: float) -> str:
    if isinstance(error, socket.timeout):
        return f"no answer within {timeout_s:g} s"
    return (error.strerror or str(error)).lower()
