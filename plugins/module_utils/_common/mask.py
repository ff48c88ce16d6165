# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mask secrets in output, in every spelling."""

from __future__ import annotations

import re
from typing import Callable, Iterable, Iterator, Pattern

MASK = "********"

# A shorter secret is masked only as a whole word: "on" must not mask half of a configuration.
_LONG = 8
# Lines to mask in a secret of several lines: all except braces, blank lines and the rulers of PEM files.
_LINE_WORTH = 4
_RULER = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----\Z")
# The character before and after such a word. JSON and repr() write a line break as a backslash and a letter.
_BEFORE, _AFTER = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))", r"(?![A-Za-z0-9_])"


class Mask:
    """Replaces the given secrets in texts.

    Each is found literally, with any of its characters escaped by backslashes (the daemons' quoting, JSON), and
    URL-encoded; one with several lines is also found line by line.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take the *secrets*; they are read when the first text is masked."""
        self._given = secrets
        self._patterns: list[tuple[str, Pattern[str]]] | None = None

    def __call__(self, text: str) -> str:
        """Return *text* with each secret replaced."""
        if self._patterns is None:
            pieces = {piece for secret in self._given for piece in _pieces(secret)}
            # The longest first: it may hold a shorter one.
            ordered = sorted(pieces, key=lambda piece: (-len(piece), piece))
            self._patterns = [(_core(piece), _pattern(piece)) for piece in ordered]
        for core, pattern in self._patterns:
            # Searching for plain text is a hundred times as fast, and most secrets do not occur.
            if core in text:
                text = pattern.sub(MASK, text)
        return text


def replaced_secrets(mask: Callable[[str], str], former: str, new: str) -> Iterator[str]:
    """Yield the values in *former* that *new* replaces by a secret known to *mask*."""
    kept = set(new.splitlines())
    gone = [line for line in former.splitlines() if line not in kept]
    for line in mask(new).splitlines() if gone else ():
        start, found, rest = line.partition(MASK)
        end = rest.rpartition(MASK)[2]
        if found and start.strip():
            for old in gone:
                if old.startswith(start) and old.endswith(end):
                    yield old[len(start) : len(old) - len(end)]


def url_shown(url: str) -> str:
    """Return *url* without its password."""
    return re.sub(r"(://[^/\s:@\[]*:)(?!\d*[/?#])\S+@", rf"\1{MASK}@", url)


def _pieces(secret: str) -> Iterator[str]:
    secret = secret.strip()
    if not secret:
        return
    yield secret
    lines = [line.strip() for line in secret.splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= _LINE_WORTH and not _RULER.match(line))


def _core(piece: str) -> str:
    """Return the longest part of *piece* that is in every spelling."""
    parts: list[str] = re.findall(r"[A-Za-z0-9]+", piece)
    return max(parts, key=len, default="")


def _pattern(piece: str) -> Pattern[str]:
    # A run of these is one pattern: several in a row would backtrack over all ways to split it.
    folded = re.sub(r"\\+", r"\\", re.sub(r"[\n\r\t]+", "\n", piece))
    text = "".join(_spellings(character) for character in folded)
    if len(piece) < _LONG:
        text = (_BEFORE if piece[0].isalnum() else "") + text + (_AFTER if piece[-1].isalnum() else "")
    return re.compile(text)


def _spellings(character: str) -> str:
    """Return a pattern for one character of a secret."""
    if character.isascii() and character.isalnum():
        return r"\\*" + character
    if character == "\\":
        return r"(?:\\|%5[Cc])+"
    if character in "\n\r\t":
        # The next line may be indented.
        return r"(?:\s|\\+[nrt]|%0[9AaDd]|\\+u000[9AaDd])+"
    octets = character.encode(errors="surrogatepass")
    url = "".join(f"%{_ignoring_case(f'{octet:02x}')}" for octet in octets)
    others = [re.escape(character), url, _json(character)]
    if character == " ":
        others.append(r"\+")
    return rf"\\*(?:{'|'.join(others)})"


def _json(character: str) -> str:
    """Return a pattern for *character* as JSON's escapes, without the first backslash."""
    units = character.encode("utf-16-be", errors="surrogatepass").hex()
    return r"\\+".join(f"u{_ignoring_case(units[start : start + 4])}" for start in range(0, len(units), 4))


def _ignoring_case(digits: str) -> str:
    return "".join(f"[{digit.lower()}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
