# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parses the text of a keepalived.conf to nested data, the inverse of ``render.render``."""

from __future__ import annotations

import re
from typing import Any, Iterable, Iterator, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._common.collection import no_collection
from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.lines import (
    INCLUDES,
    SEQUENCES,
    Line,
    at_brace,
    is_definition,
    meaning,
    read,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render

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
_DEEPEST = 50
# At most as many digits as any of keepalived's numbers has.
_NUMBER = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
# A directive's name, with its condition, and the rest of its line. A quoted word is not a name.
_NAME = re.compile(r"((?:@[^\s\"'\\]+ )?[^@\s\"'\\][^\s\"'\\]*) (.*)", re.ASCII)


class Statement(NamedTuple):
    """A directive's line, and the statements between its braces, if it has any."""

    text: str
    body: list[Any] | None


class _EntangledError(Exception):
    """Lines and blocks that are not nested in each other: a brace under a condition, or in a definition."""


@no_collection()
def parse(text: str) -> dict[str, Any] | list[Any] | str:
    """Return *text* as ``render`` takes it, without comments.

    A block in which no directive is repeated is a dictionary, any other a list of dictionaries. Text that dictionaries
    and lists cannot represent, such as a brace under a condition, is returned unchanged. Raises ParseError.
    """
    lines = list(read(text))
    try:
        tree = _block(statements(_nested(lines)))
        if meaning(render(tree)) == [line.text for line in lines]:
            return tree
    except (_EntangledError, ConfigError):
        pass
    except ParseError:
        # Blocks can only be checked if no line depends on the host or on another file.
        if not any("$" in line.text or line.text[0] == "@" or _keeps_braces(line.text) for line in lines):
            raise
    # A blank after a backslash keeps it from continuing the line.
    return text.rstrip("\n") + "\n"


def statements(lines: Iterable[Line]) -> list[Statement]:
    """Return the statements of *lines*, in which braces are separate. Raises ParseError."""
    top: list[Statement] = []
    # The blocks that are open, each with the line where it opened.
    blocks = [(top, 0)]
    for number, text in lines:
        here = blocks[-1][0]
        if text == "{":
            # The brace belongs to the line before it.
            if not here or here[-1].body is not None:
                raise ParseError(f"line {number}: a block opens without a directive")
            body: list[Statement] = []
            here.append(Statement(here.pop().text, body))
            blocks.append((body, number))
            if len(blocks) > _DEEPEST:
                raise ParseError(f"line {number}: more than {_DEEPEST} blocks are open")
        elif text != "}":
            here.append(Statement(text, None))
        elif len(blocks) == 1:
            raise ParseError(f"line {number}: a block closes that was not opened")
        else:
            blocks.pop()
    if len(blocks) > 1:
        raise ParseError(f"line {blocks[-1][1]}: a block opens that is never closed")
    return top


def _nested(lines: Iterable[Line]) -> Iterator[Line]:
    """Return *lines* with opening braces separate, and without the condition on the lines of a conditional block.

    Raises _EntangledError for any other brace in a line, and for a block of which only a part is under its condition.
    """
    condition, depth = "", 0
    for line in lines:
        number, text = line
        if not depth and (len(text) == 1 or ("{" not in text and "}" not in text)):
            yield line
            continue
        if depth:
            mark, _space, text = text.partition(" ")
            if mark != condition or not text or text[0] == "@":
                raise _EntangledError
        before, rest = (text, "") if len(text) == 1 or _keeps_braces(text) else at_brace(text)
        if rest not in ("", "{"):
            raise _EntangledError
        if rest and text[0] == "@":
            condition, depth = before.split(" ")[0], 1
        elif depth:
            depth += bool(rest) - (text == "}")
        yield Line(number, before)
        if rest:
            yield Line(number, rest)


def _keeps_braces(text: str) -> bool:
    return text.startswith(SEQUENCES) or _is_include(text) or is_definition(text)


def _is_include(text: str) -> bool:
    return text.split(" ", 1)[0] in INCLUDES


def _block(body: list[Statement]) -> dict[str, Any] | list[Any]:
    parts: list[dict[str, Any]] = [{}]
    for statement in body:
        key, value = _directive(statement)
        if key in parts[-1]:
            parts.append({})
        parts[-1][key] = value
    return parts[0] if len(parts) == 1 else list(parts)


def _directive(statement: Statement) -> tuple[str, Any]:
    text, body = statement
    if body is not None:
        # With a name, "track_file" is a definition.
        if text in LISTS and all(line.body is None for line in body):
            return text, [line.text for line in body]
        return text, _block(body)
    if is_definition(text):
        name, _equals, value = text.partition("$")[2].partition("=")
        return f"{text.partition('$')[0]}${name}=", _indented(value[1:]) if value.startswith("\n") else _scalar(value)
    found = _NAME.fullmatch(text)
    return (found[1], _scalar(found[2])) if found else (text, True)


def _indented(text: str) -> str:
    """Return the lines of a definition, indented by nesting."""
    lines, depth = [], 0
    for line in text.split("\n"):
        depth -= line.startswith("}")
        lines.append("    " * max(0, depth) + line if line else "")
        depth += line.endswith("{") - (line.endswith("}") and not line.startswith("}"))
    return "\n".join(lines)


def _scalar(text: str) -> Any:
    if not text:
        return True
    return int(text) if _NUMBER.fullmatch(text) else text
