# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Renders haproxy.cfg from mappings: headers to keywords, and keywords to the rest of their line.

Strings are haproxy's own line syntax and are written unchanged; text that would break out of its line (a newline, an
open quote, a comment) is refused. Parameters of servers and binds given as mappings are quoted here. The rules
are in section 2.2, "Quoting and escaping", of haproxy's configuration manual.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError, child

INDENT = " " * 4
BLANKS = " \t\r\n"
# Keywords whose line may be a mapping of parameters, and the keys that come first, without their names.
LINE_MAPPINGS: Mapping[str, tuple[str, ...]] = {
    "bind": ("address",),
    "default-server": (),
    "nameserver": ("name", "address"),
    "peer": ("name", "address"),
    "server": ("name", "address"),
    "server-template": ("prefix", "num", "fqdn"),
}

# A line without special characters.
_SIMPLE = re.compile(r"[\t !$-&(-[\]-~]*")
# The part of a line with complete words and closed quotes.
_WHOLE = re.compile(r"""(?:[^\\"'#]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')*""")
_CONTROL = re.compile(r"[\x00\n\r]")
_PLAIN = re.compile(r"""[^\x00-\x20\x7f"'\\#]+""")


def check_line(text: str) -> None:
    """Raise ValueError unless ``text`` is one whole haproxy.cfg line, or the end of one."""
    if _SIMPLE.fullmatch(text):
        return
    control = _CONTROL.search(text)
    if control:
        name = "a newline" if control[0] == "\n" else f"control character U+{ord(control[0]):04X}"
        raise ValueError(f"{name} cannot stand in a haproxy.cfg line; use a list for several lines")
    whole = _WHOLE.match(text)
    rest = text[whole.end() :] if whole else text
    if rest.startswith("#"):
        raise ValueError(f"haproxy would take {rest!r} for a comment; write \\# or quote it")
    if rest.startswith("\\"):
        raise ValueError("ends with a backslash; write two for a literal one")
    if rest:
        raise ValueError(f"the quote {rest} is not closed")


def quote(word: str) -> str:
    """Return *word* quoted so that haproxy reads it unchanged. Raises ValueError if no quotes can do that."""
    if _PLAIN.fullmatch(word):
        return word
    quoted = "'" + word.replace("'", "'\\''") + "'"
    check_line(quoted)
    return quoted


def render(sections: Mapping[Any, Any]) -> str:
    """Return the text of a haproxy.cfg, with a final newline.

    ``sections`` maps headers (``global``, ``frontend web``) to keywords. A keyword's value is a string or number (the
    rest of its line), None or true (nothing follows), false (``no`` precedes), a mapping (the keyword begins each line)
    or a list of these (one line each). Raises ConfigError with the path of an invalid value.
    """
    if not isinstance(sections, Mapping):
        raise ConfigError("", f"a mapping of sections is needed, not {sections!r}")
    return "\n".join(render_section(keywords, str(header), str(header)) for header, keywords in sections.items())


def render_section(keywords: Any, path: str, header: str = "section") -> str:
    """Return the lines of one section; ``path`` begins the paths in errors."""
    lines = [_checked(header, path)]
    lines += [INDENT + line for _path, line in section_lines(keywords, path)]
    return "".join(f"{line}\n" for line in lines)


def section_lines(keywords: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the lines under a section's header, each after the path of its value. Raises ConfigError."""
    yield from _lines("", keywords, path)


def _lines(prefix: str, keywords: Any, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(keywords, Mapping):
        raise ConfigError(path, f"a mapping of keywords is needed, not {keywords!r}")
    for key, value in keywords.items():
        place = child(path, key)
        if isinstance(key, bool) or not isinstance(key, (str, int, float)) or not str(key).strip():
            raise ConfigError(place, f"the keyword {key!r} is not a string; quote it (YAML reads a bare on as boolean)")
        keyword = f"{prefix}{_checked(str(key), place)}"
        if not isinstance(value, list):
            yield from _line(keyword, value, place)
            continue
        for index, item in enumerate(value):
            yield from _line(keyword, item, f"{place}[{index}]")


def _line(keyword: str, value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        if keyword in LINE_MAPPINGS:
            yield path, f"{keyword} {_parameters(LINE_MAPPINGS[keyword], value, path)}"
        else:
            yield from _lines(f"{keyword} ", value, path)
    elif value is None or value is True:
        yield path, keyword
    elif value is False:
        yield path, f"no {keyword}"
    else:
        yield path, f"{keyword} {_checked(_text(value, path).strip(BLANKS), path)}"


def _parameters(leading: tuple[str, ...], parameters: Mapping[Any, Any], path: str) -> str:
    missing = [key for key in leading if parameters.get(key) in (None, "")]
    if missing:
        raise ConfigError(path, f"lacks {missing[0]!r}")
    words = [_word(parameters[key], child(path, key)) for key in leading]
    for key, value in parameters.items():
        if key in leading:
            continue
        place = child(path, key)
        name = _word(key, place)
        if value is None or value is True:
            words.append(name)
        elif value is False:
            words.append(f"no-{name}")
        else:
            words += [name, *(_word(item, place) for item in (value if isinstance(value, list) else [value]))]
    return " ".join(words)


def _word(value: Any, path: str) -> str:
    try:
        return quote(_text(value, path))
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(path, f"{error} (value: {value!r})") from error


def _text(value: Any, path: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ConfigError(path, f"{value!r} is neither a string nor a number")
    text = str(value)
    if not text.strip(BLANKS):
        raise ConfigError(path, "is empty; use null for a keyword alone, '\"\"' for an empty argument")
    return text


def _checked(text: str, path: str) -> str:
    try:
        check_line(text)
    except ValueError as error:
        raise ConfigError(path, f"{error} (value: {text!r})") from error
    return text
