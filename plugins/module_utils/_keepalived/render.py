# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders nested data as the text of a keepalived.conf (keepalived.conf(5))."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError, child
from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.lines import (
    LONGEST_LINE,
    content,
    read,
)

_INDENT = "    "
# The first one is found much faster.
_MAPPINGS = (dict, Mapping)
# By decomment() of keepalived's lib/parser.c only double quotes keep "!" and "#" from beginning a comment, and a
# backslash hides what follows it.
_NO_COMMENT = re.compile(r"\\.|\"(?:\\.|[^\"\\])*\"")
# By its read_line() only double quotes keep "{" and "}" from opening and closing blocks, and a backslash hides nothing.
_NO_BRACE = re.compile(r"\"[^\"]*\"|\$\{[^{}]*\}")
_DEFINITION = re.compile(r"(?:@\S+\s+)?\$\w+=", re.ASCII)
# Sequences use braces for lists, includes for patterns, and definitions keep them until the name is used.
_KEEPS_BRACES = re.compile(r"(?:@\S+\s+)?(?:\$\w+=|~SEQ|~LST)|include[abmrw]?[ \t]", re.ASCII)
_PLAIN = re.compile(r"[\w ./:-]+", re.ASCII)
_PASSWORD = re.compile(r"(?P<key>\s*(?:@\S+\s+)?auth_pass(?:\s+|$))(?P<password>.*)", re.DOTALL)
# keepalived replaces the name of a definition, anywhere.
_REFERENCE = re.compile(r"\$(\w+|\{\w+\})", re.ASCII)
_PASSWORD_LENGTH = 8
_CONTROL = re.compile(r"[\x00\n\v\f\r]")
_CONTROL_IN_QUOTES = re.compile(r"[\x00\n]")
_QUOTED = re.compile(r"\"[^\"]*\"")


def render(tree: Mapping[str, Any] | Sequence[Any] | str) -> str:
    """Return the text of *tree*: keys are directives with their arguments, in the order given.

    A mapping or list is a block (the items of a list are its lines, a mapping in a list continues the block; a
    condition on a block is on each of its lines), true and null are a directive without a value, false omits the
    directive, anything else is a directive's value. The value of a definition (``$NAME=``) may have several lines.
    *tree*, and its items if it is a list, may be text of several lines, which stays unchanged.

    Raises ConfigError for a key or value that would break out of its line.
    """
    former = ""
    lines = []
    for line in _body([tree] if isinstance(tree, str) else tree, "", 0, []):
        # An empty line separates blocks; plain directives stay together.
        opens = line.endswith("{") and not line.startswith(" ")
        if former and (opens or former == "}" or "\n" in former):
            lines.append("\n")
        lines.append(f"{line}\n")
        former = line
    return "".join(lines)


def quote(text: str) -> str:
    """Return *text* as one word, in double quotes where it needs them.

    Raises ConfigError for a double quote, and for a backslash at the end, which would escape the closing one.
    """
    if '"' in text:
        raise ConfigError("", f"{text!r} holds a double quote, which keepalived cannot escape")
    if text.endswith("\\"):
        raise ConfigError("", f"{text!r} ends with a backslash, which keepalived takes for an escape")
    return f'"{text}"' if text == "" or re.search(r"[\s!#{}']", text) else text


def password(text: str) -> str:
    """Return the password in *text*, the value of ``auth_pass``, with or without double quotes.

    Raises ValueError, whose text omits the password, for one that keepalived would change.
    """
    secret = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    if _REFERENCE.fullmatch(secret):
        return secret
    if not secret:
        raise ValueError("is empty")
    if not secret.isascii() or not secret.isprintable():
        raise ValueError("holds a character outside ASCII, whose bytes keepalived would send; choose another password")
    if '"' in secret or secret.endswith("\\"):
        raise ValueError(
            "holds a double quote or ends with a backslash, which keepalived cannot escape; choose another password"
        )
    if re.search(r"\$[\w{]", secret):
        raise ValueError("holds a '$', which keepalived takes for a definition; choose a password without it")
    if len(secret) > _PASSWORD_LENGTH:
        raise ValueError(f"has {len(secret)} characters, and keepalived uses {_PASSWORD_LENGTH}; shorten it to these")
    return secret


def _with_password(line: str, path: str) -> str:
    """Return *line* with its password, if it has one, in quotes if keepalived would misread it."""
    found = _PASSWORD.fullmatch(line)
    if not found:
        return line
    try:
        secret = password(found["password"])
    except ValueError as error:
        raise ConfigError(path if path.endswith("auth_pass") else f"{path} (auth_pass)", str(error)) from None
    quoted = secret != found["password"] or (re.search(r"[\s!#{}\\]", secret) and not _REFERENCE.fullmatch(secret))
    return found["key"] + (f'"{secret}"' if quoted else secret)


def _body(value: Any, path: str, depth: int, lines: list[str]) -> list[str]:
    """Append the lines of a block to *lines*, and return these."""
    if isinstance(value, _MAPPINGS):
        for key, inner in value.items():
            _directive(key, inner, child(path, key), depth, lines)
        return lines
    for index, item in enumerate(value):
        place = f"{path}[{index}]"
        if isinstance(item, str):
            lines.append(_as_it_stands(item, place) if "\n" in item and not depth else _line(item, place, depth))
        elif isinstance(item, (list, *_MAPPINGS)):
            _body(item, place, depth, lines)
        else:
            lines.append(_line(_scalar(item, place), place, depth))
    return lines


def _directive(key: object, value: Any, path: str, depth: int, lines: list[str]) -> None:
    """Append the lines of a directive to *lines*."""
    name = str(key)
    if "auth_pass" in name and name.split()[-1] == "auth_pass" and _changed_by_yaml(value):
        raise ConfigError(
            path, "is a boolean or a number with a point, or has a blank at an end; put it in double quotes"
        )
    if value is False:
        return
    if value is True or value is None:
        lines.append(_line(name, path, depth))
    elif isinstance(value, (str, int, float)):
        if "$" in name and _DEFINITION.fullmatch(name):
            text = str(value)
            lines.append(_definition(name, text, path) if "\n" in text else _line(name + text, path, depth))
        else:
            lines.append(_line(f"{name} {value}", path, depth))
    elif name.lstrip().startswith("@"):
        lines += _under(name.split()[0], _block(name, value, path, depth, []), path)
    else:
        _block(name, value, path, depth, lines)


def _block(name: str, value: Any, path: str, depth: int, lines: list[str]) -> list[str]:
    """Append the lines of a directive with a block to *lines*, and return these."""
    if not isinstance(value, (list, tuple, *_MAPPINGS)):
        raise ConfigError(path, f"{value!r} is not a text or number")
    lines.append(_line(name, path, depth) + " {")
    _body(value, path, depth + 1, lines)
    lines.append(_INDENT * depth + "}")
    return lines


def _under(condition: str, block: Sequence[str], path: str) -> list[str]:
    """Return a block's lines with *condition* on each, since keepalived only has conditions on lines."""
    lines = [block[0]]
    for line in block[1:]:
        text = line.lstrip(" ")
        if text.startswith("@") or "\n" in text:
            raise ConfigError(path, f"{text!r} cannot be under the condition {condition}, too")
        lines.append(f"{line[: len(line) - len(text)]}{condition} {text}")
    return lines


def _changed_by_yaml(value: Any) -> bool:
    """Return whether YAML may have changed a password: *value* differs from its text, or loses part of it here."""
    return isinstance(value, (bool, float)) or str(value) != str(value).strip()


def _as_it_stands(text: str, path: str) -> str:
    try:
        for _line_of_it in read(text):
            pass
    except ParseError as error:
        raise ConfigError(path, str(error)) from None
    # An empty line ends a definition that continues.
    return text.strip("\n") + "\n"


def _definition(name: str, text: str, path: str) -> str:
    lines = text.lstrip("\n").split("\n")
    # A final line break stays: it ends the value's last line.
    while lines[-2:] == ["", ""]:
        lines.pop()
    for index, line in enumerate(lines):
        place = f"{path}[{index}]"
        if _CONTROL.search(line) or line.endswith("\\"):
            raise ConfigError(place, f"{line!r} ends in a backslash or holds a control character")
        if not line.strip(" \t") and index < len(lines) - 1:
            raise ConfigError(place, "is empty, which ends the definition")
        try:
            kept = content(_INDENT + line)
        except ValueError as error:
            raise ConfigError(place, f"{line!r} {error}") from None
        if kept != line.strip(" \t"):
            raise ConfigError(place, f"{line!r} holds ! or #; put the word in double quotes")
    # A backslash at the end of a line continues the definition, so no line can break out of it.
    return " \\\n".join([name, *(_INDENT + line if line else "" for line in lines)])


def _scalar(value: Any, path: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ConfigError(path, f"{value!r} is not a text or number")
    return str(value)


def _line(text: str, path: str, depth: int) -> str:
    stripped = text.strip(" \t")
    if "auth_pass" in stripped or not _PLAIN.fullmatch(stripped):
        stripped = _checked(text, path)
    line = _INDENT * depth + stripped
    if len(line) * 4 > LONGEST_LINE and len(line.encode("utf-8", "surrogatepass")) > LONGEST_LINE:
        raise ConfigError(path, f"is longer than the {LONGEST_LINE} bytes that keepalived takes for one line")
    return line


def _checked(text: str, path: str) -> str:
    # Never show a password.
    shown = "the value" if path.endswith("password") or _PASSWORD.match(text) else repr(text)
    if _CONTROL_IN_QUOTES.search(text) or _CONTROL.search(_QUOTED.sub("", text)):
        raise ConfigError(path, f"{shown} holds a line break or control character")
    text = text.strip(" \t")
    if not text:
        raise ConfigError(path, "is empty")
    if "auth_pass" in text:
        text = _with_password(text, path)
    if not _PLAIN.fullmatch(text):
        _check(text, path, shown)
    return text


def _check(text: str, path: str, shown: str) -> None:
    """Raise ConfigError when keepalived would not read *text* as one line."""
    no_comment = _NO_COMMENT.sub("", text)
    no_brace = "" if _KEEPS_BRACES.match(text) else _NO_BRACE.sub("", text)
    if '"' in no_comment or '"' in no_brace:
        raise ConfigError(path, f"{shown} leaves a quote open")
    if no_comment.endswith("\\"):
        raise ConfigError(path, f"{shown} ends with a backslash, which keepalived takes for an escape")
    if re.search("[!#]", no_comment) or re.search("[{}]", no_brace):
        raise ConfigError(path, f"{shown} holds one of ! # {{ }}; put the word in double quotes")
