# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a keepalived.conf as keepalived reads them, by decomment() and read_line() of its lib/parser.c.

Comments, conditions, definitions and includes belong to the lines of the file. keepalived looks for braces only
after it has removed a line's condition and replaced its definitions, so these lines are kept in one piece.
"""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError

INCLUDES = frozenset({"include", "includea", "includeb", "includem", "includer", "includew"})
SEQUENCES = ("~SEQ", "~LST")
LONGEST_LINE = 1022
"""In bytes; keepalived reads the rest of a longer line as a separate line."""

_SPECIAL = re.compile(r"[!#\"\\]")
# Only double quotes keep "!" and "#" from beginning a comment, and a backslash hides what follows it.
_NO_COMMENT = re.compile(r"(?:[^!#\"\\]+|\\.|\"(?:[^\"\\]|\\.)*\")*")
_LAST_BACKSLASHES = re.compile(r"\\*\Z")
# Only double quotes keep braces from opening and closing blocks, and a backslash hides nothing.
_NO_BRACE = re.compile(r"(?:[^{}\"$]+|\"[^\"]*\"|\$\{\w+\}|\$)*", re.ASCII)
# Matches most lines, for speed: plain words with single blanks, and a brace at the end.
_ORDINARY = re.compile(r"[ \t]*(?!include|auth_pass)([\w.:/-]+(?: [\w.:/-]+)*)? ?([{}])?[ \t]*", re.ASCII)
_UNREADABLE = re.compile(r"[\x00\n\ud800-\udfff]")
# Blanks between words, but not at the ends of lines, nor behind a condition or a definition's name.
_ODD_BLANK = re.compile(r"[\v\f\r]")
_TEXT_WITH_ODD_BLANKS = re.compile(r"(?:[^\"'\\$@~]|\"[^\"\\$]*\")+")
_ODD_BLANK_OR_QUOTED = re.compile(r"[\v\f\r]|\"[^\"]*\"")
# After a brace keepalived reads an included file twice, on a separate line once.
_INCLUDE = re.compile(r"(?:^|^@\S+[ \t]+|[{}][ \t]*)include[abmrw]?\s", re.ASCII)
_DEFINITION = re.compile(r"(@\S+)?[ \t]*(\$[A-Za-z_]\w*=)[ \t]*(.*)", re.ASCII)
_BLANKS = re.compile(r"[ \t]+")
_UNQUOTED = re.compile(r"[^\"'\\]*")
# The first word, with or without quotes.
_PASSWORD = re.compile(r"((?:@\S+ )?auth_pass) (?:\"([^\"]*)\"|([^\s\"]+))", re.ASCII)
_PASSWORD_LENGTH = 8


class Line(NamedTuple):
    """A line as keepalived reads it, in a normalized spelling.

    ``number`` is that of the line in the file. A definition of several lines has line breaks; its name stands alone in
    the first, and its last one is empty where nothing follows the last backslash.
    """

    number: int
    text: str


def content(raw: str) -> str:
    """Return a line of the file without its comment and the blanks around it.

    Raises ValueError with the reason for a line that keepalived cannot read.
    """
    # Bytes that are not UTF-8 were decoded as one character each.
    if len(raw) * 4 > LONGEST_LINE and len(raw.encode("utf-8", "replace")) > LONGEST_LINE:
        raise ValueError(f"is longer than the {LONGEST_LINE} bytes that keepalived takes for one line")
    text = raw.rstrip("\r")
    if _SPECIAL.search(text):
        kept = _NO_COMMENT.match(text)
        end = kept.end() if kept else 0
        if text[end : end + 1] == '"':
            raise ValueError("a quote is not closed")
        # A backslash continues a definition even from within a comment.
        backslashes = _LAST_BACKSLASHES.search(text, end)
        continued = backslashes is not None and len(backslashes.group()) % 2 == 1
        text = text[:end].strip(" \t") + ("\\" if continued else "")
    else:
        text = text.strip(" \t")
    unreadable = _UNREADABLE.search(text)
    if unreadable:
        raise ValueError("is not UTF-8" if unreadable.group() >= "\ud800" else "holds a control character")
    return text


def _with_plain_blanks(text: str, in_definition: bool) -> str:
    """Return a line's content with a plain blank for each other one outside quotes. Raises ValueError."""
    if in_definition or "include" in text or not _TEXT_WITH_ODD_BLANKS.fullmatch(text):
        raise ValueError(
            "holds a form feed, vertical tab or carriage return, which keepalived does not take for a blank everywhere;"
            " replace it with a blank"
        )
    return _ODD_BLANK_OR_QUOTED.sub(lambda found: found[0] if found[0][0] == '"' else " ", text).strip(" ")


def read(text: str) -> Iterator[Line]:
    """Return the lines of *text* that are not empty. Raises ParseError."""
    started, parts = 0, [""]
    for number, raw in enumerate(text.split("\n"), 1):
        ordinary = _ORDINARY.fullmatch(raw) if len(raw) <= LONGEST_LINE and not started else None
        if ordinary:
            words, brace = ordinary.groups()
            if words:
                yield Line(number, words)
            if brace:
                yield Line(number, brace)
            continue
        here = _content(number, raw, bool(started))
        goes_on = here.endswith("\\")
        if started:
            part = here[:-1].rstrip(" \t") if goes_on else here
            # keepalived's processes disagree on whether a line with only a comment ends a definition.
            parts.append("#" if not here and raw.rstrip("\r") else part)
        elif goes_on and is_definition(here):
            started, parts = number, [here[:-1]]
        else:
            yield from (Line(number, piece) for piece in _spelled_pieces(here))
        if started and not goes_on:
            yield Line(started, _definition(parts))
            started = 0
    if started:
        yield Line(started, _definition([*parts, ""]))


def _content(number: int, raw: str, in_definition: bool) -> str:
    try:
        text = content(raw)
        return _with_plain_blanks(text, in_definition) if _ODD_BLANK.search(text) else text
    except ValueError as error:
        raise ParseError(f"line {number}: {error}") from None


def _spelled_pieces(text: str) -> Iterator[str]:
    return (_definition([piece]) if is_definition(piece) else spelled(piece) for piece in pieces(text))


def meaning(text: str) -> list[str]:
    """Return the texts of all lines. If they are equal, keepalived reads the same on any host."""
    return [line.text for line in read(text)]


def is_definition(text: str) -> bool:
    """Return whether a line defines a name, with or without a condition."""
    return "$" in text and _DEFINITION.match(text) is not None


def pieces(text: str) -> Iterator[str]:
    """Split a line without comment into the pieces that keepalived reads: braces are separate."""
    while text and not ("$" in text or text[0] == "@" or text.startswith(SEQUENCES) or _INCLUDE.search(text)):
        before, rest = at_brace(text)
        if not rest:
            break
        if before:
            yield before
        yield rest[0]
        text = rest[1:].lstrip(" \t")
    if text:
        yield text


def at_brace(text: str) -> tuple[str, str]:
    """Split *text* at its first brace outside quotes; the second part is empty if there is none.

    The brace of ``${NAME}`` does not count.
    """
    if "{" not in text and "}" not in text:
        return text, ""
    before = _NO_BRACE.match(text)
    end = before.end() if before else 0
    return (text[:end].rstrip(" \t"), text[end:]) if text[end : end + 1] in ("{", "}") else (text, "")


def spelled(text: str) -> str:
    """Return a line in a normalized spelling.

    Blanks are significant from the first quote or backslash on, and in what an include names.
    """
    unquoted = _UNQUOTED.match(text)
    end = unquoted.end() if unquoted else 0
    include = _INCLUDE.search(text, 0, end)
    if include:
        return _BLANKS.sub(" ", text[: include.end()]) + text[include.end() :].lstrip(" \t")
    text = _BLANKS.sub(" ", text[:end]) + text[end:]
    password = _PASSWORD.match(text) if "auth_pass " in text and "$" not in text else None
    if not password:
        return text
    key, quoted, bare = password.groups()
    used = (bare or quoted).encode()[:_PASSWORD_LENGTH].decode(errors="ignore")
    return f"{key} {used}" if bare else f'{key} "{used}"'


def _definition(parts: list[str]) -> str:
    """Return the definition whose first line is the first of *parts*, without its backslash."""
    found = _DEFINITION.match(parts[0])
    if not found:
        return parts[0]
    condition, name, value = found.groups()
    lines = [value.rstrip(" \t"), *parts[1:]]
    name = f"{condition} {name}" if condition else name
    if len(lines) == 1:
        return name + lines[0]
    # Empty lines are ignored, except that the last one ends the line before it.
    filled = [line for line in lines if line]
    return "\n".join([name, *filled, *([""] if filled and not lines[-1] else [])])
