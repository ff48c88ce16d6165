# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A prober's subset of HTTP/1.1: one request, and whether its answer is complete. Pure."""

from __future__ import annotations

import re

MAX_HEAD = 64 * 1024

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: |\r?\n|$)")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:.*chunked[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CLOSE = re.compile(rb"^connection:(?:.*[, \t])?close[ \t]*(?:,.*)?\r?$", re.IGNORECASE | re.MULTILINE)
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?")


def request(authority: str, path: str, keep_alive: bool) -> bytes:
    """Return a GET request; without *keep_alive* it asks the server to close the connection after its answer."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {authority}", "User-Agent: haproof-vip-probe", "Accept: */*"]
    lines.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


class _Length:
    """A body of known length."""

    broken = False

    def __init__(self, length: int) -> None:
        self._left = length

    def feed(self, data: bytes) -> None:
        self._left -= len(data)

    def whole(self) -> bool:
        return self._left <= 0


class _Chunks:
    """A body in chunks (RFC 9112 section 7.1)."""

    def __init__(self) -> None:
        self._line = b""
        self._skip = 0
        self._trailer = False
        self._whole = False
        self.broken = False

    def feed(self, data: bytes) -> None:
        while data and not self._whole and not self.broken:
            if self._skip:
                data, self._skip = data[self._skip :], max(self._skip - len(data), 0)
                continue
            line, mark, data = (self._line + data).partition(b"\r\n")
            self._line = b"" if mark else line
            if mark:
                self._take(line)
            elif len(line) > MAX_HEAD:
                self.broken = True

    def _take(self, line: bytes) -> None:
        size = _CHUNK_SIZE.fullmatch(line)
        if self._trailer:
            self._whole = not line
        elif not size:
            self.broken = True
        elif int(size.group(1), 16):
            # The chunk ends with a line end of its own.
            self._skip = int(size.group(1), 16) + 2
        else:
            self._trailer = True

    def whole(self) -> bool:
        return self._whole


class Answer:
    """An arriving answer. Keeps the head and counts the rest, so a long body costs no memory."""

    def __init__(self) -> None:
        self._head = b""
        self._in_body = False
        # None: it ends when the peer closes.
        self._body: _Length | _Chunks | None = None
        self._closes = False
        self.status = 0

    def feed(self, data: bytes) -> None:
        """Add received data."""
        if not self._in_body:
            self._head, mark, data = (self._head + data).partition(b"\r\n\r\n")
            if not mark:
                return
            self._in_body = True
            self._read_head()
        if self._body:
            self._body.feed(data)

    def _read_head(self) -> None:
        line = _STATUS_LINE.match(self._head)
        if not line:
            return
        self.status = int(line.group(2))
        self._closes = line.group(1) == b"0" or bool(_CLOSE.search(self._head))
        length = _LENGTH.search(self._head)
        if self.status in (204, 304):
            self._body = _Length(0)
        elif _CHUNKED.search(self._head):
            self._body = _Chunks()
        elif length:
            self._body = _Length(int(length.group(1)))

    def whole(self) -> bool:
        """Return whether it is complete by its own length or chunks."""
        return self._body is not None and self._body.whole()

    def broken(self) -> bool:
        """Return whether this cannot become a valid HTTP answer."""
        if self._in_body:
            return not self.status or bool(self._body and self._body.broken)
        return len(self._head) > MAX_HEAD

    def reusable(self) -> bool:
        """Return whether the connection is good for another request."""
        return self.whole() and not self._closes

    def outcome(self, good_min: int, good_max: int) -> str:
        """Return "" for a good answer, else the error, once the peer has closed or the answer is complete.

        ``empty``: no data. ``malformed``: not HTTP. ``incomplete``: cut off. ``http_503``: a bad status.
        """
        if not self._head and not self._in_body:
            return "empty"
        if not self._in_body or not self.status:
            return "incomplete" if not self._in_body and self._head.startswith(b"HTTP/1.") else "malformed"
        if not good_min <= self.status <= good_max:
            return f"http_{self.status}"
        if self._body is None or self._body.whole():
            return ""
        return "malformed" if self._body.broken else "incomplete"
