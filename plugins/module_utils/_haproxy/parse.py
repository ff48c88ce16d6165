# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a haproxy.cfg to sections of keywords, the inverse of ``plugin_utils/_haproxy/render.py``.

The rules of words are in section 2.2, "Quoting and escaping", of haproxy's configuration manual; what it leaves open
was asked of ``haproxy -dC``, which shows the words that haproxy reads.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any, Container, Iterator, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._common.repeated_keys import free_key

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
        "namespace_list",
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

_BLANKS = " \t\v\f\r"
# A comment ends a line, and so does a carriage return right behind a word; behind a blank it is one more blank.
_ENDS = ("", "#", "\r")
# A backslash escapes these; before anything else, and at the end of a line, it stands for itself.
_PART = r"""[^ \t\r\v\f\\"'#]|\\[ \\#"']|\\|"(?:[^"\\]|\\.)*"|'[^']*'"""
_WORD = re.compile(f"(?:{_PART})+")
# A line in which a blank is a blank, and nothing else means more than itself.
_SIMPLE = re.compile(r"[\t !$-&(-[\]-~]*")
# What haproxy does not accept in a word.
_CONTROL = re.compile(r"[\x00\r]")
# Bytes that are not UTF-8, in a text that was decoded with "surrogateescape".
_BYTE = re.compile("[\udc80-\udcff]")
_QUOTING = re.compile(r"""(\\x[0-9A-Fa-f]{2}|\\.)|"((?:[^"\\]|\\.)*)"|'([^']*)'""")
_ESCAPED = re.compile(r"""\\(?:([ \\#"'$])|([nrt])|x([0-9A-Fa-f]{2}))""")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}
# As many digits as any setting has.
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


def words(line: str) -> list[str]:
    """The words of one line, quotes and escapes included, without a comment. Raises ValueError.

    Each is as it is written, unless it would mean something else with a single blank, or nothing, behind it.
    """
    if _SIMPLE.fullmatch(line):
        return line.split()
    found: list[str] = []
    rest = line.lstrip(_BLANKS)
    while rest[:1] not in _ENDS:
        word = _WORD.match(rest)
        if word is None:
            raise ValueError("a quote is not closed")
        if _CONTROL.search(word[0]):
            raise ValueError("a control character")
        if _BYTE.search(word[0]):
            raise ValueError("is not UTF-8")
        found.append(_closed(word[0]))
        rest = rest[word.end() :]
        if rest[:1] not in _ENDS:
            rest = rest.lstrip(_BLANKS)
    return found


def _closed(word: str) -> str:
    if word[-1] == " ":
        return word[:-2] + "' '"
    lone = (len(word) - len(word.rstrip("\\"))) % 2
    return word + "\\" * lone


def plain(word: str) -> str:
    """What haproxy makes of a word's quotes and escapes; environment variables stay as they are."""
    return word if _SIMPLE.fullmatch(word) else _QUOTING.sub(_unquoted, word)


def _unquoted(part: re.Match[str]) -> str:
    escaped, double, single = part.groups()
    if single is not None:
        return single
    # Only double quotes have variables, and so an escape for "$".
    return escaped if escaped == "\\$" else _ESCAPED.sub(_unescaped, escaped if double is None else double)


def _unescaped(found: re.Match[str]) -> str:
    char, letter, code = found.groups()
    return char or _LETTERS.get(letter) or chr(int(code, 16))


def parse(text: str) -> dict[str, Any]:
    """*text* as ``render`` takes it: headers to keywords, without comments. Raises ParseError.

    Every line comes out again, in its place and with its words. A header or keyword that repeats after others is told
    from the first one by more of its line, or by blanks after it.
    """
    sections: dict[str, list[list[str]]] = {}
    repeated: dict[str, int] = {}
    body: list[list[str]] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        try:
            line_words = words(line)
        except ValueError as error:
            raise ParseError(f"line {number}: {error}") from None
        if not line_words:
            continue
        first = plain(line_words[0])
        if first in SECTIONS or (body is None and first.startswith(".")):
            # A condition such as ".if" may stand before the first section.
            new = sections.setdefault(free_key(" ".join(line_words), sections, repeated), [])
            body = new if first in SECTIONS else None
        elif body is None:
            raise ParseError(f"line {number}: a keyword before the first section")
        else:
            body.append(line_words)
    return {header: _keywords(lines) for header, lines in sections.items()}


def _keywords(lines: Sequence[list[str]]) -> dict[str, Any]:
    keywords: dict[str, Any] = {}
    repeated: dict[str, int] = {}
    for keyword, group in groupby(lines, _keyword):
        rests = [line[len(keyword) :] for line in group]
        if " ".join(keyword) not in keywords:
            keywords[" ".join(keyword)] = _values(keyword[0], rests)
            continue
        for rest in rests:
            key, value = _longer_key([*keyword, *rest], len(keyword) + 1, keywords, repeated)
            keywords[key] = value
    return keywords


def _keyword(line: Sequence[str]) -> Sequence[str]:
    return line[: 2 if line[0] == "no" else 1]


def _longer_key(line: Sequence[str], length: int, taken: Container[str], repeated: dict[str, int]) -> tuple[str, Any]:
    for end in range(length, len(line) + 1):
        key = " ".join(line[:end])
        if key not in taken:
            return key, _value(line[end:])
    return free_key(" ".join(line), taken, repeated), True


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
