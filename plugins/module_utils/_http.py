# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""As much HTTP/1.1 as a prober needs: one request, and whether its answer came whole. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

MAX_HEAD = 64 * 1024

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |\r?\n|$)")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:.*chunked[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class Target(NamedTuple):
    """Where a URL points to, and the request for it."""

    host: str
    port: int
    request: bytes


def target(url: str) -> Target:
    """Take an ``http://`` URL apart. Raises ValueError, naming the URL, for any other."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"url is {url!r}, it must be http://host[:port]/path")
    if re.search(r"[\x00-\x20\x7f-\U0010ffff]", url):
        raise ValueError(f"url is {url!r}, it must not have blanks, control or non-ASCII characters")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        port = parts.port or 80
    except ValueError as error:
        raise ValueError(f"url is {url!r}: {error}") from error
    host = parts.netloc.rpartition("@")[2]
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "User-Agent: haproof-vip-probe", "Accept: */*"]
    request = "\r\n".join([*lines, "Connection: close", "", ""])
    return Target(parts.hostname, port, request.encode("ascii"))


class Answer:
    """An answer as it arrives. Keeps the head and counts the rest, so a long body costs no memory."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._body = 0
        self._in_body = False
        self.status = 0

    def feed(self, data: bytes) -> None:
        """Take what came in."""
        if not self._in_body:
            self._head += data
            head, mark, data = self._head.partition(b"\r\n\r\n")
            if not mark:
                return
            self._head = head
            self._in_body = True
            line = _STATUS_LINE.match(head)
            self.status = int(line.group(1)) if line else 0
        self._body += len(data)
        self._tail = (self._tail + data)[-5:]

    def whole(self) -> bool:
        """Return whether all of it is here, as far as its own length says."""
        length = self._length()
        return length is not None and self._body >= length

    def broken(self) -> bool:
        """Return whether this can never become an HTTP answer."""
        return (self._in_body and not self.status) or (not self._in_body and len(self._head) > MAX_HEAD)

    def outcome(self, good_min: int, good_max: int) -> str:
        """Return "" for a good answer, else what is wrong, when the peer has closed or it is whole.

        ``empty``: nothing came. ``malformed``: no HTTP. ``incomplete``: cut off. ``http_503``: a bad status.
        """
        if not self._head:
            return "empty"
        if not self._in_body or not self.status:
            return "incomplete" if not self._in_body and self._head.startswith(b"HTTP/1.") else "malformed"
        if not good_min <= self.status <= good_max:
            return f"http_{self.status}"
        return "incomplete" if self._cut_off() else ""

    def _cut_off(self) -> bool:
        if self._length() is not None:
            return not self.whole()
        return bool(_CHUNKED.search(self._head)) and self._tail != b"0\r\n\r\n"

    def _length(self) -> int | None:
        if not self._in_body:
            return None
        if self.status in (204, 304):
            return 0
        found = _LENGTH.search(self._head)
        return int(found.group(1)) if found else None
