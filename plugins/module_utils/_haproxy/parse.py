# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a haproxy.cfg to sections of keywords, the inverse of ``plugin_utils/_haproxy/render.py``.

The rules of words are in section 2.2, "Quoting and escaping", of haproxy's configuration manual; what it leaves open
was asked of ``haproxy -dC``, which shows the words that haproxy reads.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any, Iterator, Sequence

# The words that begin a section wherever they stand (haproxy 1.8 to 3.2).
SECTIONS = frozenset(
    {
        "acme",
        "backend",
        "cache",
        "crt-store",
        "defaults",
        "fcgi-app",
        "frontend",
        "global",
        "http-errors",
        "listen",
        "log-forward",
        "log-profile",
        "mailers",
        "peers",
        "program",
        "resolvers",
        "ring",
        "traces",
        "userlist",
    }
)
# Keywords that read better as a mapping of what follows them.
_NESTED = frozenset({"option", "stats", "timeout"})

_BLANKS = " \t\r\v\f"
_PART = r"""[^ \t\r\v\f\\"'#]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'"""
_WORD = re.compile(f"(?:{_PART})+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_QUOTING = re.compile(r"""\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'""")
_NUMBER = re.compile(r"0|[1-9]\d*")


class ParseError(ValueError):
    """A text that is no haproxy.cfg; the message has the line, counted from 1, and nothing of what it says."""


def words(line: str) -> list[str]:
    """The words of one line as they are written, quotes and escapes included, without a comment. Raises ValueError."""
    found: list[str] = []
    rest = line.lstrip(_BLANKS)
    while rest and rest[0] != "#":
        word = _WORD.match(rest)
        if word is None:
            raise ValueError("ends with a backslash" if rest[0] == "\\" else "a quote is not closed")
        found.append(word[0])
        if _CONTROL.search(word[0]):
            raise ValueError("a control character")
        rest = rest[word.end() :].lstrip(_BLANKS)
    if found and found[-1][-1] in _BLANKS:
        raise ValueError("ends with an escaped blank; quote it")
    return found


def plain(word: str) -> str:
    """What haproxy makes of a word's quotes and escapes; environment variables stay as they are."""
    return _QUOTING.sub(_unquoted, word)


def _unquoted(part: re.Match[str]) -> str:
    escaped, double, single = part.groups()
    if double is not None:
        return re.sub(r"\\(.)", r"\1", double)
    return escaped if escaped is not None else single


def parse(text: str) -> dict[str, Any]:
    """*text* as ``render`` takes it: headers to keywords, without comments. Raises ParseError.

    Every line comes out again, in its place and with its words. A header or keyword that repeats after others is told
    from the first one by more of its line, or by blanks after it.
    """
    sections: dict[str, list[list[str]]] = {}
    body: list[list[str]] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        try:
            line_words = words(line)
        except ValueError as error:
            raise ParseError(f"line {number}: {error}") from None
        if not line_words:
            continue
        if line_words[0] in SECTIONS or (body is None and line_words[0].startswith(".")):
            # A condition such as ".if" may stand before the first section.
            conditional = line_words[0] not in SECTIONS
            new = sections.setdefault(_fresh(" ".join(line_words), sections), [])
            body = None if conditional else new
        elif body is None:
            raise ParseError(f"line {number}: a keyword before the first section")
        else:
            body.append(line_words)
    return {header: _keywords(lines) for header, lines in sections.items()}


def _fresh(key: str, taken: Any) -> str:
    while key in taken:
        key += " "
    return key


def _keywords(lines: Sequence[list[str]]) -> dict[str, Any]:
    keywords: dict[str, Any] = {}
    for keyword, group in groupby(lines, _keyword):
        rests = [line[len(keyword.split(" ")) :] for line in group]
        if keyword not in keywords:
            keywords[keyword] = _values(keyword, rests)
            continue
        for rest in rests:
            key, value = _longer_key([*keyword.split(" "), *rest], len(keyword.split(" ")) + 1, keywords)
            keywords[key] = value
    return keywords


def _keyword(line: Sequence[str]) -> str:
    return " ".join(line[:2]) if line[0] == "no" else line[0]


def _longer_key(line: Sequence[str], length: int, taken: Any) -> tuple[str, Any]:
    for end in range(length, len(line) + 1):
        key = " ".join(line[:end])
        if key not in taken:
            return key, _value(line[end:])
    return _fresh(" ".join(line), taken), True


def _values(keyword: str, rests: Sequence[Sequence[str]]) -> Any:
    firsts = [rest[0] for rest in rests if rest]
    if keyword in _NESTED and len(set(firsts)) == len(rests):
        return {rest[0]: _value(rest[1:]) for rest in rests}
    values = [_value(rest) for rest in rests]
    return values[0] if len(values) == 1 else values


def _value(rest: Sequence[str]) -> Any:
    text = " ".join(rest)
    if not text:
        return True
    return int(text) if _NUMBER.fullmatch(text) else text


def line_words(text: str) -> Iterator[list[str]]:
    """The words of each line of *text* that has any; for comparing two texts. Raises ValueError."""
    return (found for found in map(words, text.split("\n")) if found)
