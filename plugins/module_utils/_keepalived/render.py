# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nested data to the text of a keepalived.conf (keepalived.conf(5))."""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError, child

_INDENT = "    "
# By decomment() of keepalived's lib/parser.c only double quotes keep "!" and "#" from beginning a comment, and a
# backslash hides what follows it.
_NO_COMMENT = re.compile(r"\\.|\"(?:\\.|[^\"\\])*\"")
# By its read_line() only double quotes keep "{" and "}" from opening and closing blocks, and a backslash hides nothing.
_NO_BRACE = re.compile(r"\"[^\"]*\"|\$\{[^{}]*\}")
_DEFINITION = re.compile(r"\$\w+=")
_PASSWORD = re.compile(r"(?P<key>\s*(?:@\S+\s+)?auth_pass(?:\s+|$))(?P<password>.*)", re.DOTALL)
# keepalived replaces the name of a definition, anywhere.
_REFERENCE = re.compile(r"\$(\w+|\{\w+\})", re.ASCII)
_PASSWORD_LENGTH = 8
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def render(tree: Mapping[str, Any] | Sequence[Any]) -> str:
    """Return the text of *tree*: keys are directives with their arguments, in the order given.

    A mapping or list is a block (the items of a list are its lines, a mapping in a list continues the block), true
    and null a directive without a value, false no directive at all, anything else a directive's value. The value of
    a definition (``$NAME=``) may have several lines.
    Raises ConfigError for a key or value that would break out of its line.
    """
    lines = list(_body(tree, "", 0))
    # Blocks are set apart by an empty line, plain directives stay together.
    for index in reversed(range(1, len(lines))):
        opens = lines[index].endswith("{") and not lines[index].startswith(" ")
        if opens or lines[index - 1] == "}":
            lines.insert(index, "")
    return "".join(f"{line}\n" for line in lines)


def quote(text: str) -> str:
    """Return *text* as one word, in double quotes where it needs them.

    Raises ConfigError for what no quotes can hold: a double quote, and a backslash at the end, which would escape one.
    """
    if '"' in text:
        raise ConfigError("", f"{text!r} holds a double quote, which keepalived cannot escape")
    if text.endswith("\\"):
        raise ConfigError("", f"{text!r} ends with a backslash, which keepalived takes for an escape")
    return f'"{text}"' if text == "" or re.search(r"[\s!#{}']", text) else text


def password(text: str) -> str:
    """Return the password that *text*, the value of ``auth_pass``, stands for: with or without double quotes.

    Raises ValueError, without the password, for one that keepalived would not use as it is.
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
    """Return *line* with its password, if it has one, in quotes where keepalived would read another word."""
    found = _PASSWORD.fullmatch(line)
    if not found:
        return line
    try:
        secret = password(found["password"])
    except ValueError as error:
        raise ConfigError(path if path.endswith("auth_pass") else f"{path} (auth_pass)", str(error)) from None
    quoted = secret != found["password"] or (re.search(r"[\s!#{}\\]", secret) and not _REFERENCE.fullmatch(secret))
    return found["key"] + (f'"{secret}"' if quoted else secret)


def _body(value: Any, path: str, depth: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _directive(key, inner, child(path, key), depth)
        return
    for index, item in enumerate(value):
        place = f"{path}[{index}]"
        if isinstance(item, (Mapping, list)):
            yield from _body(item, place, depth)
        else:
            yield _line(_scalar(item, place), place, depth)


def _directive(key: object, value: Any, path: str, depth: int) -> Iterator[str]:
    name = str(key)
    if name.split()[-1:] == ["auth_pass"] and _changed_by_yaml(value):
        raise ConfigError(
            path, "is a boolean or a number with a point, or has a blank at an end; put it in double quotes"
        )
    if value is False:
        return
    if isinstance(value, (Mapping, list, tuple)):
        yield _line(name, path, depth) + " {"
        yield from _body(value, path, depth + 1)
        yield _INDENT * depth + "}"
    elif value is True or value is None:
        yield _line(name, path, depth)
    elif _DEFINITION.fullmatch(name) and "\n" in str(value):
        yield from _definition(name, str(value), path)
    else:
        yield _line(f"{name} {_scalar(value, path)}", path, depth)


def _changed_by_yaml(value: Any) -> bool:
    """Return whether a password was written as another text than *value*, or loses some of it here."""
    return isinstance(value, (bool, float)) or str(value) != str(value).strip()


def _definition(name: str, text: str, path: str) -> Iterator[str]:
    lines = text.strip("\n").split("\n")
    for index, line in enumerate(lines):
        if _CONTROL.search(line) or line.endswith("\\"):
            raise ConfigError(f"{path}[{index}]", f"{line!r} ends in a backslash or holds a control character")
    # A backslash at the end of a line continues the definition, so no line can leave it.
    yield " \\\n".join([name, *(_INDENT + line for line in lines)])


def _scalar(value: Any, path: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ConfigError(path, f"{value!r} is no text or number")
    return str(value)


def _line(text: str, path: str, depth: int) -> str:
    # Never the password itself.
    shown = "the value" if _PASSWORD.match(text) or path.endswith("password") else repr(text)
    if _CONTROL.search(text):
        raise ConfigError(path, f"{shown} holds a line break or control character")
    text = _with_password(text.strip(), path)
    if not text:
        raise ConfigError(path, "is empty")
    no_comment, no_brace = _NO_COMMENT.sub("", text), _NO_BRACE.sub("", text)
    if '"' in no_comment or '"' in no_brace:
        raise ConfigError(path, f"{shown} leaves a quote open")
    if no_comment.endswith("\\"):
        raise ConfigError(path, f"{shown} ends with a backslash, which keepalived takes for an escape")
    if re.search("[!#]", no_comment) or re.search("[{}]", no_brace):
        raise ConfigError(path, f"{shown} holds one of ! # {{ }}; put the word in double quotes")
    return _INDENT * depth + text
