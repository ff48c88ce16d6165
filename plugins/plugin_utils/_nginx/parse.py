# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parses nginx.conf to the tree that ``render.render`` writes, by the rules of ngx_conf_read_token()."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._common.repeated_keys import free_key
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.lua import end_of_code, is_lua
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import (
    CONTROL,
    DEEPEST,
    WITHOUT_VALUE,
    arguments_of,
    join,
    key_arguments,
    quote,
    unescape,
)

_SPACES = (" ", "\t", "\r", "\n", "#")
_SPACE = re.compile(r"(?:[ \t\r\n]|\#[^\n]*(?:\n|\Z))*")
# A word may contain its terminators after a backslash, and the '{' of a ${variable}.
_WORD = re.compile(
    r"""
      "(?P<double> (?: \\. | [^"\\] )* )"
    | '(?P<single> (?: \\. | [^'\\] )* )'
    | (?P<plain> (?!["']) (?: \\. | \$\{+ | [^\\\ \t\r\n;{] )+ )
    """,
    re.DOTALL | re.VERBOSE,
)
# A word without quotes or escapes, and the blanks after it.
_SIMPLE_WORD = re.compile(r"([!%&(-:<-\[\]-z|~]+)(?=[ \t\r\n;{])[ \t\r\n]*")
# A complete directive of such words.
_SIMPLE_DIRECTIVE = re.compile(r"([!%&(-:<-\[\]-z|~]+(?:[ \t\r\n]+[!%&(-:<-\[\]-z|~]+)*)[ \t\r\n]*;[ \t\r\n]*")
# Bytes that are not UTF-8, in a text that was decoded with "surrogateescape".
_BYTE = re.compile("[\udc80-\udcff]")
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_SWITCHES = {"on": True, "off": False}


class Statement(NamedTuple):
    """The words of a directive, and the statements or the Lua code between its braces if it has any."""

    words: list[str]
    body: list[Any] | str | None


Known = dict[tuple[Any, "str | None"], Statement]
"""A cache of ``normal``: the statement for each directive with its value."""


def parse(text: str) -> dict[str, Any]:
    """Return *text* as ``render`` takes it, without comments. Raises ParseError.

    A repeated directive is a list. If others are in between, the whole directive becomes a key, since the order may
    matter, with trailing blanks or tabs if that key exists too.
    """
    return _tree(_statements(text))


def normal(tree: Mapping[Any, Any], known: Known | None = None) -> list[Statement]:
    """Return the statements of *tree*, which are the same for all spellings of a configuration.

    *known* is filled, and makes the next tree with the same lines much faster.
    """
    known = {} if known is None else known
    found = []
    for key, value in tree.items():
        for item in value if isinstance(value, list) else [value]:
            if item is None or isinstance(item, str):
                one = known.get((key, item))
                if one is None:
                    one = known[key, item] = _line(key, item)
                found.append(one)
            elif isinstance(item, Mapping):
                found.append(Statement(key_arguments(key), normal(item, known)))
            elif not (item is False and key in WITHOUT_VALUE):
                found.append(_line(key, item))
    return found


def _line(key: Any, value: Any) -> Statement:
    words = key_arguments(key)
    if is_lua(words[0]):
        return Statement(words, value)
    return Statement(words + arguments_of(value, words[0]), None)


def _pieces(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield the kind (``directive``, ``word``, ``lua``, or what ends a directive), text and position of each piece."""
    position, directive = _space(text, 0), ""
    while position < len(text):
        char = text[position]
        whole = None if directive else _SIMPLE_DIRECTIVE.match(text, position)
        simple = None if whole else _SIMPLE_WORD.match(text, position)
        if whole:
            end = whole.end()
            yield "directive", whole[1], position
        elif simple:
            word, end = simple[1], simple.end()
            yield "word", word, position
            directive = directive or word
        elif char in ";{" or (char == "}" and not directive):
            end = position + 1
            if char == "{" and is_lua(directive):
                end = _end_of_code(text, position)
                # Without the brace's indentation, YAML can show the code unchanged.
                code = text[position + 1 : end - 1]
                yield "lua", code.rstrip(" \t") if "\n" in code else code, position
            else:
                yield char, char, position
            directive = ""
        else:
            word, end = _word(text, position)
            yield "word", word, position
            directive = directive or word or char
        position = _space(text, end) if text[end : end + 1] in _SPACES else end


def _end_of_code(text: str, opened: int) -> int:
    closed = end_of_code(text, opened + 1)
    if closed is None:
        raise _error(text, opened, "a block of Lua opens that is never closed")
    _refuse_unwritable(text, opened, closed)
    return closed + 1


def _statements(text: str) -> list[Statement]:
    top: list[Statement] = []
    # The blocks that are open, each with the position where it opened.
    blocks = [(top, 0)]
    words: list[str] = []
    first = 0
    for kind, piece, position in _pieces(text):
        if kind == "word":
            first = first if words else position
            words.append(piece)
            continue
        if kind == "}":
            if len(blocks) == 1:
                raise _error(text, position, "a block closes that was not opened")
            blocks.pop()
            continue
        words = piece.split() if kind == "directive" else words
        if not words:
            raise _error(text, position, f"{kind!r} without a directive")
        body: list[Statement] | str | None = [] if kind == "{" else piece if kind == "lua" else None
        blocks[-1][0].append(Statement(words, body))
        if isinstance(body, list):
            if len(blocks) > DEEPEST:
                raise _error(text, first, f"blocks are nested more than {DEEPEST} deep")
            blocks.append((body, first))
        words = []
    if words:
        raise _error(text, first, f"{words[0]!r} has no ';' or block at its end")
    if len(blocks) > 1:
        raise _error(text, blocks[-1][1], "a block opens that is never closed")
    return top


def _word(text: str, start: int) -> tuple[str, int]:
    """Return the word at *start* without quotes and escapes, and its end."""
    if text[start] == "}":
        raise _error(text, start, "a block closes inside a directive; is a ';' missing?")
    found = _WORD.match(text, start)
    if found is None:
        kind = "a quote" if text[start] in "\"'" else "a backslash"
        raise _error(text, start, f"{kind} opens that is never closed")
    end = found.end()
    _refuse_unwritable(text, start, end)
    after = text[end : end + 1]
    if found["plain"] is None and after not in tuple(" \t\r\n;{)"):
        raise _error(text, start, "a space, ';' or '{' is missing after a quoted word")
    if after == "\\":
        raise _error(text, end, "a backslash at the end of the file")
    return unescape(found["plain"] or found["double"] or found["single"] or ""), end


def _refuse_unwritable(text: str, start: int, end: int) -> None:
    control = CONTROL.search(text, start, end)
    if control:
        what = f"control character U+{ord(control[0]):04X}, which this collection does not write"
        raise _error(text, control.start(), what)
    byte = _BYTE.search(text, start, end)
    if byte:
        raise _error(text, byte.start(), "is not UTF-8")


def _error(text: str, position: int, what: str) -> ParseError:
    return ParseError(f"line {text.count(chr(10), 0, position) + 1}: {what}")


def _space(text: str, start: int) -> int:
    found = _SPACE.match(text, start)
    return found.end() if found else start


def _tree(statements: list[Statement]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    repeated: Counter[str] = Counter()
    last = ""
    for words, body in statements:
        key = join(words) if body is not None else quote(words[0])
        value = _value(words) if body is None else body if isinstance(body, str) else _tree(body)
        if key not in tree:
            tree[key] = value
        elif key == last:
            # A value that does not repeat is never a list.
            if isinstance(tree[key], list):
                tree[key].append(value)
            else:
                tree[key] = [tree[key], value]
        else:
            # Blanks at its end do not change a key, except for YAML.
            key = free_key(join(words), tree, repeated)
            tree[key] = None if body is None else value
        last = key
    return tree


def _value(words: list[str]) -> Any:
    if not words[1:]:
        return None
    text = quote(words[1]) if len(words) == 2 else join(words[1:])
    if text in _SWITCHES and words[0] not in WITHOUT_VALUE:
        return _SWITCHES[text]
    return int(text) if _NUMBER.fullmatch(text) else text
