# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where Lua in an nginx.conf ends: its directives ``*_by_lua_block`` have code between their braces, not directives."""

from __future__ import annotations

import re

# What may hold braces that are not the code's, and the braces.
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
    """Whether the block of the directive holds Lua."""
    return directive.endswith("_by_lua_block")


def end_of_code(text: str, start: int) -> int | None:
    """The position of the brace that closes the code at ``start``, None where there is none."""
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
