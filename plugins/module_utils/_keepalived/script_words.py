# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The words of a script's command, in keepalived's file and in its dump. Pure functions."""

from __future__ import annotations

import re
import shlex

# A word of a script's line, and the parts of a word.
_PARTS = r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\\x[0-9a-fA-F]+|\\c.|\\[0-7]{1,3}|\\."
_PART = re.compile(_PARTS)
_WORD = re.compile(rf"(?:{_PARTS}|[^\s\"'\\])+", re.ASCII)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]+)|c(.)|([0-7]{1,3})|(.))")
_ESCAPES = {"a": "\a", "b": "\b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def command(line: str) -> list[str] | None:
    """Return the words of a script's line in the dump, None if they are ambiguous."""
    if line.startswith("'") and line.endswith("'") and len(line) > 1:
        return line[1:-1].split("' '")
    try:
        return shlex.split(line)
    except ValueError:
        return None


def file_command(line: str) -> list[str] | None:
    """Return the words of a script's line in the file, None if they are ambiguous."""
    words = _words(line)
    # The whole command may be in quotes.
    return _words(words[0]) if words and len(words) == 1 else words


def _words(text: str) -> list[str] | None:
    """Return the words of *text* as keepalived reads them (alloc_strvec_quoted_escaped() of its lib/parser.c)."""
    found = _WORD.findall(text)
    if not found or _WORD.sub("", text).strip():
        return None
    return [_PART.sub(_unquoted, word) for word in found]


def _unquoted(found: re.Match[str]) -> str:
    return _ESCAPE.sub(_escaped, found[0][1:-1] if found[0][0] in "\"'" else found[0])


def _escaped(found: re.Match[str]) -> str:
    hexadecimal, control, octal, other = found.groups()
    if hexadecimal or octal:
        return chr((int(hexadecimal, 16) if hexadecimal else int(octal, 8)) & 0xFF)
    return chr(ord(control) & 0x1F) if control else _ESCAPES.get(other, other)
