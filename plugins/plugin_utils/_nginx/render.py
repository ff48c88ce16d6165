# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Renders nginx.conf from a tree of mappings whose keys are directives.

Strings are read into arguments by nginx's own rules and written back with quotes where nginx needs them, so an
argument can hold any text without ending its directive. The rules are those of ngx_conf_read_token() in
nginx's src/core/ngx_conf_file.c.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError, child
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.lua import check_code, is_lua

INDENT = " " * 4
# Blocks in blocks; nginx has contexts for some six, and locations in locations.
DEEPEST = 64
# Directives that stand alone. As an entry of a map or types, "hostnames on" would be something else.
WITHOUT_VALUE = frozenset(
    {"break", "hostnames", "internal", "ip_hash", "least_conn", "proxy_recursive", "ranges", "volatile"}
)
_BLANKS = " \t\r\n"
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n"}
_ESCAPED = re.compile(r"""\\(["'\\trn])""")

_QUOTED = re.compile(r"""\"[^"\\]*(?:\\.[^"\\]*)*\"|'[^'\\]*(?:\\.[^'\\]*)*'""", re.DOTALL)
# Text without special characters except blanks.
_SIMPLE = re.compile(r"[\t\n\r !$-&(-:<-\[\]-~]*")
# Unlike nginx this accepts '{' and '}': blocks are mappings, so a brace in a string can only be text.
_UNQUOTED = re.compile(r"(?:[^\\ \t\r\n;]+|\\.)+", re.DOTALL)
# Text that nginx reads unchanged without quotes. A '{' ends an argument unless it belongs to ${variable}.
_PLAIN = re.compile(
    r"""
      (?! \# | \Z ) [^\x00-\x20\x7f"';{}\\]*
      (?: (?: \$\{\w+\} | \\[^\x00-\x20\x7f"'\\trn;{}] ) [^\x00-\x20\x7f"';{}\\]* )*
    """,
    re.ASCII | re.VERBOSE,
)


def read_arguments(text: str) -> list[str]:
    """Split *text* into arguments as nginx would. Raises ValueError if nginx would leave the directive."""
    if _SIMPLE.fullmatch(text):
        return text.split()
    arguments: list[str] = []
    position = 0
    while position < len(text):
        if text[position] in _BLANKS:
            position += 1
            continue
        argument, position = _read_argument(text, position)
        arguments.append(unescape(argument))
    return arguments


def unescape(argument: str) -> str:
    """Return an argument as nginx reads it; *argument* is without its quotes."""
    return _ESCAPED.sub(_unescaped, argument) if "\\" in argument else argument


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[1], found[1])


def _read_argument(text: str, start: int) -> tuple[str, int]:
    """Return the raw argument at *start* without its quotes, and its end."""
    if text[start] == "#":
        raise ValueError("'#' begins a comment in nginx.conf; quote the argument if it is literal text")
    if text[start] in "\"'":
        quoted = _QUOTED.match(text, start)
        if not quoted:
            raise ValueError(f"the quote {text[start:]} is not closed")
        end = quoted.end()
        if end < len(text) and text[end] not in _BLANKS + ")":
            raise ValueError(f"unexpected {text[end]!r} after {quoted[0]}; nginx wants a space there")
        return text[start + 1 : end - 1], end
    unquoted = _UNQUOTED.match(text, start)
    end = unquoted.end() if unquoted else start
    if unquoted is None or text[end : end + 1] == ";":
        raise ValueError("an unquoted ';' ends the directive; drop it, or quote the argument if it is literal text")
    if text[end : end + 1] == "\\":
        raise ValueError("ends with a backslash; write two for a literal one")
    return unquoted[0], end


def quote(argument: str) -> str:
    """Return *argument* quoted so that nginx reads it unchanged."""
    if _PLAIN.fullmatch(argument):
        return argument
    mark = "'" if '"' in argument and "'" not in argument else '"'
    # A backslash is an escape only before these characters: elsewhere (regular expressions) it stays single.
    escaped = re.sub(r"""\\(?=["'\\trn\t\r\n]|\Z)""", r"\\\\", argument).replace(mark, "\\" + mark)
    for letter, char in _ESCAPES.items():
        escaped = escaped.replace(char, "\\" + letter)
    return mark + escaped + mark


def render(tree: Mapping[Any, Any], path: str = "") -> str:
    """Return the text of an nginx.conf, with a final newline.

    ``tree`` maps directives, with block arguments as typed in nginx.conf, to a mapping (block), a scalar (arguments),
    true or false (on, off), None (no arguments) or a list of these (the directive repeated), in which an inner list
    holds exact arguments. A directive that never has a value is written for true and omitted for false. The
    string of a Lua block is its code. Raises ConfigError with the path, which begins with ``path``, of an invalid
    value.
    """
    return "".join(f"{line}\n" for line in _block(tree, path, 0))


def _block(tree: Any, path: str, depth: int) -> list[str]:
    if not isinstance(tree, Mapping):
        raise ConfigError(path, f"a mapping of directives is needed, not {tree!r}")
    if depth > DEEPEST:
        raise ConfigError(path, f"blocks are nested more than {DEEPEST} deep")
    indent = INDENT * depth
    written: list[str] = []
    after_block = False
    for key, value in tree.items():
        for place, item in _repetitions(value, child(path, key)):
            if item is False and key in WITHOUT_VALUE:
                continue
            is_block = isinstance(item, Mapping)
            if written and (is_block or after_block):
                written.append("")
            if is_block:
                written += [f"{indent}{_opener(key, place)} {{", *_block(item, place, depth + 1), f"{indent}}}"]
            else:
                written.append(_line(key, item, place, indent))
            after_block = is_block
    return written


def _repetitions(value: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, list):
        return [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    return [(path, value)]


def _opener(key: Any, path: str) -> str:
    try:
        return join(key_arguments(key))
    except ValueError as error:
        raise ConfigError(path, str(error)) from error


def _line(key: Any, value: Any, path: str, indent: str) -> str:
    try:
        words = key_arguments(key)
        if is_lua(words[0]) and isinstance(value, str):
            return _lua(join(words), value, indent)
        return f"{indent}{join(words + arguments_of(value, words[0]))};"
    except ValueError as error:
        raise ConfigError(path, f"{error} (value: {value!r})") from error


def _lua(opener: str, code: str, indent: str) -> str:
    check_code(code)
    closer = indent if code.endswith("\n") else ""
    return f"{indent}{opener} {{{code}{closer}}}"


def key_arguments(key: Any) -> list[str]:
    """Return a key's directive and block arguments. Raises ValueError."""
    if isinstance(key, bool) or not isinstance(key, (str, int, float)):
        raise ValueError(
            f"the directive {key!r} is not a string; quote it (YAML reads a bare on, off, yes, no as boolean)"
        )
    return read_arguments(str(key)) or [""]


def arguments_of(value: Any, directive: str = "") -> list[str]:
    """Return the arguments in a scalar, or in an inner list of exact arguments. Raises ValueError."""
    if value is None or (value is True and directive in WITHOUT_VALUE):
        return []
    if isinstance(value, str):
        return read_arguments(value) or [""]
    if isinstance(value, list):
        return [_scalar(item) for item in value]
    return [_scalar(value)]


def lines(block: Mapping[Any, Any], directive: str) -> list[list[str]]:
    """Return the arguments of each *directive* in a block, also of whole directives as keys. Raises ValueError."""
    found = []
    for key, value in block.items():
        # Reading every key would take seconds for a thousand servers.
        if directive in str(key) and key_arguments(key)[0] == directive and not is_lua(directive):
            items = value if isinstance(value, list) else [value]
            arguments = [arguments_of(item, directive) for item in items if not isinstance(item, Mapping)]
            found += [key_arguments(key)[1:] + line for line in arguments]
    return found


def blocks(value: Any) -> list[Mapping[Any, Any]]:
    """Return the blocks in a directive's value: none, one, or one per item of a list."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, Mapping)]


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f"{value!r} is not an argument; use a string, a number, or true or false for on or off")


def join(arguments: Sequence[str]) -> str:
    """Return a line of quoted arguments, at least one."""
    words = [quote(argument) for argument in arguments]
    if arguments[0] == "if" and arguments[-1] == ")" and words[-2][0] not in "($":
        # `if ($a = "b")` arrives as ($a, =, b and a separate ')', which nginx only allows right after a quote.
        text = words[-2] if words[-2][0] in "\"'" else f'"{words[-2]}"'
        words[-2:] = [f"{text})"]
    return " ".join(words)
