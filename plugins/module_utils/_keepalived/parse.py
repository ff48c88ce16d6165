# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a keepalived.conf to nested data, the inverse of ``render.render``."""

from __future__ import annotations

import re
import textwrap
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

# Blocks whose lines are values, not directives.
LISTS = frozenset(
    {
        "group",
        "notification_email",
        "static_ipaddress",
        "static_routes",
        "static_rules",
        "track_bfd",
        "track_file",
        "track_interface",
        "track_process",
        "track_script",
        "unicast_peer",
        "virtual_ipaddress",
        "virtual_ipaddress_excluded",
        "virtual_routes",
        "virtual_rules",
    }
)
INCLUDES = frozenset({"include", "includea", "includeb", "includem", "includer", "includew"})

_PIECE = re.compile(
    r"""
      (?P<definition> \$\w+=[ \t]*\\\n (?:[^\n]*\\\n)* [^\n]* )
    | (?P<word> (?:
        "(?:\\.|[^"\\\n])*" | \$\{[^{}\n]*\} | \\[!\#]
        # Single quotes hold blanks together in a script's line, and keep nothing else from its meaning.
        | '[^'"{}!\#\\\n]*' | [^\s{}!\#"]
      )+ )
    | (?P<brace> [{}] )
    | (?P<comment> [!\#][^\n]* )
    | (?P<newline> \n )
    | (?P<space> [^\S\n]+ )
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"0|-?[1-9]\d*")


class ParseError(ValueError):
    """A text that is not a valid keepalived.conf; the message has the line number, from 1, and none of its text."""


class Statement(NamedTuple):
    """The words of a directive, and the statements between its braces, if it has any."""

    words: list[str]
    body: list[Any] | None


def parse(text: str) -> dict[str, Any] | list[Any]:
    """Return *text* as ``render`` takes it, without comments and includes.

    A block in which no directive is repeated is a dictionary, any other a list of dictionaries. Raises ParseError.
    """
    return _block(statements(text))


def normal(tree: Mapping[str, Any] | Sequence[Any]) -> list[Any]:
    """Return *tree* in the one spelling that all trees of its meaning share, for comparison."""
    entries = tree.items() if isinstance(tree, Mapping) else ((None, item) for item in tree)
    return [part for key, value in entries for part in _normal(key, value)]


def _normal(key: str | None, value: Any) -> list[Any]:
    if key is None:
        return normal(value) if isinstance(value, (Mapping, list)) else [(_squeeze(str(value)), None)]
    if value is False:
        return []
    if isinstance(value, (Mapping, list, tuple)) and not _is_definition(key):
        return [(_squeeze(key), normal(value))]
    return [(_squeeze(key if value is True or value is None else f"{key} {value}"), None)]


def _squeeze(text: str) -> str:
    return " ".join(match.group() for match in _PIECE.finditer(text) if match.lastgroup != "space")


def _is_definition(key: str) -> bool:
    return re.fullmatch(r"\$\w+=", key) is not None


def _pieces(text: str) -> Iterator[tuple[str, str, int]]:
    position, line = 0, 1
    while position < len(text):
        match = _PIECE.match(text, position)
        if match is None or match.lastgroup is None:
            raise ParseError(f"line {line}: a quote is not closed")
        yield match.lastgroup, match.group(), line
        line += match.group().count("\n")
        position = match.end()


def statements(text: str) -> list[Statement]:
    """Return *text* word by word, without comments. Raises ParseError."""
    top: list[Statement] = []
    # The blocks that are open, each with the line where it opened.
    blocks = [(top, 0)]
    words: list[str] = []
    for kind, piece, line in _pieces(text):
        here = blocks[-1][0]
        if kind in ("word", "definition"):
            words.append(piece)
            continue
        if piece == "{":
            # The brace may stand on the line after its directive.
            header = words or (here.pop().words if here and here[-1].body is None else [])
            if not header:
                raise ParseError(f"line {line}: a block opens without a directive")
            body: list[Statement] = []
            here.append(Statement(header, body))
            blocks.append((body, line))
            words = []
        elif words and (kind == "newline" or piece == "}"):
            here.append(Statement(words, None))
            words = []
        if piece == "}" and len(blocks) == 1:
            raise ParseError(f"line {line}: a block closes that was not opened")
        if piece == "}":
            blocks.pop()
    if len(blocks) > 1:
        raise ParseError(f"line {blocks[-1][1]}: a block opens that is never closed")
    return [*top, Statement(words, None)] if words else top


def _block(body: list[Statement]) -> dict[str, Any] | list[Any]:
    parts: list[dict[str, Any]] = [{}]
    for statement in body:
        if statement.words[0] in INCLUDES:
            continue
        key, value = _directive(statement)
        if key in parts[-1]:
            parts.append({})
        parts[-1][key] = value
    return parts[0] if len(parts) == 1 else list(parts)


def _directive(statement: Statement) -> tuple[str, Any]:
    words, body = statement
    if body is None and "auth_pass" in words[:2]:
        # keepalived uses the first word.
        words = words[: words.index("auth_pass") + 2]
    if body is not None:
        # With a name, "track_file" is a definition.
        lines = len(words) == 1 and words[0] in LISTS
        inner = [" ".join(line.words) for line in body] if lines else _block(body)
        return " ".join(words), inner
    if "\n" in words[0]:
        name, _equals, text = words[0].partition("=")
        value = [line.rstrip("\\").rstrip() for line in text.split("\n")[1:]]
        return f"{name}=", textwrap.dedent("\n".join(value))
    # A condition belongs to the directive that it is for.
    split = 2 if words[0].startswith("@") else 1
    return " ".join(words[:split]), _scalar(" ".join(words[split:]))


def _scalar(text: str) -> Any:
    if not text:
        return True
    return int(text) if _NUMBER.fullmatch(text) else text
