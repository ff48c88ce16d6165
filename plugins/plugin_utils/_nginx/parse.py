# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parses nginx.conf to the tree that ``render.render`` writes, by the rules of ngx_conf_read_token()."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._common.repeated_keys import free_key
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.lua import end_of_code, is_lua
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import (
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
      "(?P<double> [^"\\]* (?: \\. [^"\\]* )* )"
    | '(?P<single> [^'\\]* (?: \\. [^'\\]* )* )'
    | (?P<plain> (?!["']) (?: [^\\\ \t\r\n;{$]+ | \\. | \$\{* )+ )
    """,
    re.DOTALL | re.VERBOSE,
)
# A word without quotes or escapes, and a complete directive of such words.
_SIMPLE_WORD = re.compile(r"[!%&(-:<-\[\]-z|~]+(?=[ \t\r\n;{])")
_SIMPLE_DIRECTIVE = re.compile(r"([!%&(-:<-\[\]-z|~]+(?:[ \t\r\n]+[!%&(-:<-\[\]-z|~]+)*)[ \t\r\n]*([;{])")
# Bytes that are not UTF-8, in a text that was decoded with "surrogateescape".
_BYTE = re.compile("[\udc80-\udcff]")
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_SWITCHES = {"on": True, "off": False}


class Statement(NamedTuple):
    """The words of a directive, and the statements or the Lua code between its braces if it has any."""

    words: list[str]
    body: list[Any] | str | None


Known = dict[tuple[Any, "str | int | None"], Statement]
"""A cache of ``normal``: the statement for each directive with its value."""


def parse(text: str) -> dict[str, Any]:
    """Return *text* as ``render`` takes it, without comments. Raises ParseError.

    A repeated directive is a list. If others are in between, the whole directive becomes a key, since the order may
    matter, with trailing blanks or tabs if that key exists too.
    """
    # The blocks that are open.
    blocks = [_Block(0)]
    position = _space(text, 0)
    while position < len(text):
        first = position
        words, mark, position = _directive(text, first)
        if mark == "}":
            if len(blocks) == 1:
                raise _error(text, first, "a block closes that was not opened")
            blocks.pop()
        elif not words:
            raise _error(text, first, f"{mark!r} without a directive")
        elif mark == ";":
            blocks[-1].add(words, None)
        elif is_lua(words[0]):
            code, position = _code(text, position)
            blocks[-1].add(words, code)
        else:
            if len(blocks) > DEEPEST:
                raise _error(text, first, f"blocks are nested more than {DEEPEST} deep")
            block = _Block(first)
            blocks[-1].add(words, block.tree)
            blocks.append(block)
        position = _space(text, position)
    if len(blocks) > 1:
        raise _error(text, blocks[-1].opened, "a block opens that is never closed")
    return blocks[0].tree


def normal(tree: Mapping[Any, Any], known: Known | None = None) -> list[Statement]:
    """Return the statements of *tree*, which are the same for all spellings of a configuration.

    *known* is filled, and makes the next tree with the same lines much faster.
    """
    known = {} if known is None else known
    found = []
    for key, value in tree.items():
        for item in value if isinstance(value, list) else [value]:
            if item is None or (isinstance(item, (str, int)) and not isinstance(item, bool)):
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


class _Block:
    """A block being read, with the position of its directive."""

    def __init__(self, opened: int) -> None:
        self.tree: dict[str, Any] = {}
        self.opened = opened
        self._repeated: dict[str, int] = {}
        self._last = ""

    def add(self, words: list[str], body: dict[str, Any] | str | None) -> None:
        """Add a directive with its block, or the Lua code of its block, if it has one."""
        key = quote(words[0]) if body is None else join(words)
        if key in self.tree and key != self._last:
            # Blanks at its end do not change a key, except for YAML.
            key = free_key(join(words), self.tree, self._repeated)
            self.tree[key] = body
        else:
            value = _value(words) if body is None else body
            if key not in self.tree:
                self.tree[key] = value
            elif isinstance(self.tree[key], list):
                # A value that does not repeat is never a list.
                self.tree[key].append(value)
            else:
                self.tree[key] = [self.tree[key], value]
        self._last = key


def _directive(text: str, start: int) -> tuple[list[str], str, int]:
    """Return the words of the directive at *start*, its terminator (``}`` has no words), and its end."""
    simple = _SIMPLE_DIRECTIVE.match(text, start)
    if simple:
        return simple[1].split(), simple[2], simple.end()
    words: list[str] = []
    position = start
    while position < len(text):
        char = text[position]
        if char in ";{" or (char == "}" and not words):
            return words, char, position + 1
        simple = _SIMPLE_WORD.match(text, position)
        word, position = (simple[0], simple.end()) if simple else _word(text, position)
        words.append(word)
        position = _space(text, position)
    raise _error(text, start, f"{words[0]!r} has no ';' or block at its end")


def _code(text: str, start: int) -> tuple[str, int]:
    """Return the Lua code that begins at *start*, after its brace, and the end of its block."""
    end = end_of_code(text, start)
    if end is None:
        raise _error(text, start - 1, "a block of Lua opens that is never closed")
    _refuse_unwritable(text, start - 1, end)
    code = text[start:end]
    # Without the brace's indentation, YAML can show the code unchanged.
    return code.rstrip(" \t") if "\n" in code else code, end + 1


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
    byte = _BYTE.search(text, start, end)
    if byte:
        raise _error(text, byte.start(), "is not UTF-8")


def _error(text: str, position: int, what: str) -> ParseError:
    return ParseError(f"line {text.count(chr(10), 0, position) + 1}: {what}")


def _space(text: str, start: int) -> int:
    found = _SPACE.match(text, start) if text[start : start + 1] in _SPACES else None
    return found.end() if found else start


def _value(words: list[str]) -> Any:
    if not words[1:]:
        return None
    text = quote(words[1]) if len(words) == 2 else join(words[1:])
    if text in _SWITCHES and words[0] not in WITHOUT_VALUE:
        return _SWITCHES[text]
    return int(text) if _NUMBER.fullmatch(text) else text
