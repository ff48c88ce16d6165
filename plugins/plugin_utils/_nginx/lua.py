# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lua in an nginx.conf: directives ``*_by_lua_block`` have code between their braces, instead of directives."""

from __future__ import annotations

import re

# Text that may contain braces which do not count, and the braces.
_TOKEN = re.compile(
    r"""
      --\[(?P<comment>=*)\[ .*? \](?P=comment)\]
    | --[^\n]*
    | \[(?P<long>=*)\[ .*? \](?P=long)\]
    | "(?:\\.|[^"\\])*"
    | '(?:\\.|[^'\\])*'
    | [{}]
    """,
    re.DOTALL | re.VERBOSE,
)


def is_lua(directive: str) -> bool:
    """Return whether the directive's block contains Lua."""
    return directive.endswith("_by_lua_block")


def end_of_code(text: str, start: int) -> int | None:
    """Return the position of the brace that closes the code at *start*, None if there is none."""
    depth = 1
    for token in _TOKEN.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if depth == 0:
            return token.start()
    return None


def check_code(code: str) -> None:
    """Raise ValueError for code that would not end with its block."""
    if end_of_code(code + "\n}", 0) != len(code) + 1:
        raise ValueError("the braces, quotes or long brackets of the Lua code are not balanced")
