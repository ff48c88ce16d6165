# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A keepalived configuration as one host reads it: its blocks, and their instances.

Definitions and conditions are resolved according to keepalived.conf(5). None stands for values that only keepalived
knows: conditions on an unknown config-id, undefined names, and the content of an include.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.lines import (
    INCLUDES,
    LONGEST_LINE,
    SEQUENCES,
    Line,
    at_brace,
    content,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import Statement, statements
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError, bare_address
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_timers import DOWN_TIMER_ADVERTS

IsHere = Callable[[str], Optional[bool]]
"""Whether a config-id is this host's; None if that is unknown."""

ADDRESSES = ("virtual_ipaddress", "virtual_ipaddress_excluded")
# A condition without a config-id: keepalived never includes its line.
_NEVER = "@ "
_INCLUDE = re.compile(rf"^[ \t]*(?:@\S+[ \t]+)?(?:{'|'.join(sorted(INCLUDES))})[ \t]+([^\s!#][^\n!#]*)", re.MULTILINE)
# What conditions, definitions, references and sequences begin with.
_MARK = re.compile("[$@~]")
_CONDITION = re.compile(r"@(\^?)(\S*)\s+(.*)")
_DEFINITION = re.compile(r"\$([A-Za-z_]\w*)=\s*(.*)", re.ASCII)
_REFERENCE = re.compile(r"\$(?:([A-Za-z_]\w*)(?=[\s,)]|\Z)|\{([A-Za-z_]\w*)\})", re.ASCII)
_UNRESOLVED = re.compile(r"\$\{?[A-Za-z_]")
_SEQUENCE = re.compile(r"~SEQ(x?)[ \t]*\([ \t]*([A-Za-z_]\w*)[ \t]*,([^)]*)\)[ \t]*(.*)", re.ASCII)
_LIST = re.compile(r"~LST[ \t]*\([ \t]*(\{[^}]*\}|[A-Za-z_]\w*)[ \t]*,([^)]*)\)[ \t]*(.*)", re.ASCII)
_VALUES = re.compile(r"[ \t]*(?:\{([^}]*)\}|([^,{}]*))[ \t]*,")
_C_NUMBER = re.compile(r"(-?)(0[xX][0-9a-fA-F]+|[0-9]+)", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_RESIDUE = re.compile(r"[{}][ \t]*[@$~]")
_WORD = re.compile(r"(?:\"(?:\\.|[^\"\\])*\"|'[^'\"\\]*'|\\.|[^\s\"])+|\"", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
# keepalived also ends endless definitions, by the length of their line.
_MOST_REPLACEMENTS = 100_000


def undecided(_config_id: str) -> None:
    """Leave every condition open: an IsHere."""


def one_of(host: str, hosts: Sequence[str]) -> IsHere:
    """Return the IsHere of *host* in a cluster of *hosts*.

    keepalived's config-id is the first label of the node's name, unless ``-i`` sets another one. So a word that is not
    a host's name is left open.
    """
    own, *names = (name.partition(".")[0] for name in (host, *hosts))
    return lambda config_id: config_id == own if config_id in (own, *names) else None


class Directive(NamedTuple):
    """A directive, or an entry of a list: its words as written, the block it opens, and its condition if left open."""

    words: tuple[str, ...]
    block: Block | None = None
    condition: str = ""

    def word(self, number: int) -> str:
        """Return a word without its quotes, empty if there is none. Word 0 is the directive's name."""
        return self.words[number].strip("\"'") if number < len(self.words) else ""

    @property
    def text(self) -> str:
        """The line in a normalized spelling."""
        return " ".join([self.condition, *(self.word(number) for number in range(len(self.words)))]).strip()

    @property
    def unresolved(self) -> bool:
        """Whether the line has undefined names."""
        return any(map(_UNRESOLVED.search, self.words))

    @property
    def known(self) -> bool:
        """Whether the line applies on this host and is fully resolved."""
        return not self.condition and not self.unresolved

    @property
    def opaque(self) -> bool:
        """Whether the line stands for unknown lines."""
        name = self.word(0)
        return name in INCLUDES or name.startswith(("~", "$"))


@dataclass(frozen=True)
class Block:
    """The lines between two braces, in order."""

    lines: tuple[Directive, ...]

    @cached_property
    def complete(self) -> bool:
        """Whether all lines are known."""
        return not any(line.opaque for line in self.lines)

    def named(self, *names: str) -> list[Directive]:
        """Return the lines of these directives, also under an open condition."""
        return [line for line in self.lines if line.word(0) in names]

    def entries(self, *names: str) -> list[Directive]:
        """Return the lines in the blocks of these directives."""
        return [entry for line in self.named(*names) if line.block for entry in line.block.lines]

    def last(self, *names: str) -> tuple[bool, Directive | None]:
        """Return whether it is known which line of these directives applies, and that line."""
        found: tuple[bool, Directive | None] = (self.complete, None)
        for line in self.named(*names):
            found = (not line.condition, line)
        return found

    def flag(self, name: str, *opposites: str) -> bool | None:
        """Return whether the directive is set, None if unknown."""
        known, line = self.last(name, *opposites)
        return (line is not None and line.word(0) == name) if known else None

    def value(self, name: str, default: str | None = "") -> str | None:
        """Return the directive's first argument, *default* if it is not set, None if unknown."""
        known, line = self.last(name)
        if line is None:
            return default if known else None
        return line.word(1) if known and line.known else None

    def number(self, name: str, default: float | None = None) -> float | None:
        """Return the directive's first argument as a number, likewise; None also if it is not a number."""
        text = self.value(name)
        if text == "":
            return default
        return float(text) if text and _NUMBER.fullmatch(text) else None


class Signing(NamedTuple):
    """``auth_hmac`` of keepalived 2.4: the keys by id, the id of the one that signs, and the mode. Empty without it."""

    keys: dict[str, str]
    active: str
    mode: str

    @property
    def signs(self) -> bool:
        """Whether the adverts carry a signature."""
        return self.active in self.keys and not self.mode.startswith("receive")

    def accepts(self, other: Signing) -> bool:
        """Return whether this router accepts the adverts of *other*, as far as their files say."""
        if not other.signs:
            return not self.keys or self.mode != "enforce"
        here, there = self.keys.get(other.active), other.keys[other.active]
        if here is None:
            return False
        # The same key may be in files of different names.
        return here == there or any(value.startswith("file:") for value in (here, there))


@dataclass(frozen=True)
class Address:
    """An address as it is ``written``, without prefix, and the interface after its ``dev``, if there is one."""

    written: str
    address: str
    interface: str
    known: bool


@dataclass(frozen=True)
class Instance(Block):
    """A vrrp_instance. ``defaults`` is global_defs."""

    name: str
    defaults: Block

    def addresses(self, *blocks: str) -> list[Address]:
        """Return the addresses that begin the lines of these blocks, also under an open condition."""
        return [address for line in self.entries(*blocks) for address in _address(line)]

    def all_addresses(self, *blocks: str) -> list[str] | None:
        """Return these addresses without prefix, sorted, None if they are not all known."""
        found = self.addresses(*blocks)
        known = self.complete and len(found) == len(self.entries(*blocks)) and all(each.known for each in found)
        return sorted(each.address for each in found) if known else None

    @property
    def vips(self) -> list[Address]:
        """The virtual addresses, the excluded ones last."""
        return [address for name in ADDRESSES for address in self.addresses(name)]

    @property
    def family(self) -> int:
        """The IP version of the adverts: that of the first address."""
        return 6 if self.flag("native_ipv6") or any(":" in vip.address for vip in self.vips[:1]) else 4

    @property
    def version(self) -> float | None:
        """The version of VRRP: 3 for IPv6, whatever is set."""
        default = self.defaults.number("vrrp_version", 2)
        return 3.0 if self.family == 6 else self.number("version", default)

    @property
    def priority(self) -> float | None:
        """The priority before tracking changes it."""
        return self.number("priority", 100)

    @property
    def advert_int_s(self) -> float | None:
        """The seconds between two adverts."""
        return self.number("advert_int", 1)

    @property
    def down_timer_adverts(self) -> float | None:
        """The missed adverts after which a standby takes over."""
        default = self.defaults.number("vrrp_down_timer_adverts", DOWN_TIMER_ADVERTS)
        return self.number("down_timer_adverts", default)

    @property
    def nopreempt(self) -> bool | None:
        """Whether the instance lets a lower priority keep the VIP."""
        return self.flag("nopreempt", "preempt")

    @property
    def uses_ah(self) -> bool:
        """Whether the adverts may be in AH."""
        return any(line.word(0) == "auth_type" and line.word(1) == "AH" for line in self.entries("authentication"))

    @property
    def authentication(self) -> list[tuple[str, str]] | None:
        """The directives of authentication with their arguments, sorted; None if they are not all known."""
        # keepalived drops the block where it signs.
        lines = [] if self.named("auth_hmac") else [*self.named("authentication"), *self.entries("authentication")]
        known = self.complete and all(line.known and not line.opaque for line in lines)
        return sorted((line.word(0), line.word(1)) for line in lines) if known else None

    @property
    def signing(self) -> Signing | None:
        """How the adverts are signed; None if not all of its directives are known."""
        lines = [*self.named("auth_hmac"), *self.entries("auth_hmac")]
        if not self.complete or not all(line.known and not line.opaque for line in lines):
            return None
        last = {line.word(0): line.word(1) for line in lines}
        keys = {line.word(1): line.word(2) for line in lines if line.word(0) == "key"}
        return Signing(keys, last.get("active_key", ""), last.get("mode", "enforce"))


@dataclass(frozen=True)
class Configuration(Block):
    """The whole configuration."""

    def blocks(self, kind: str) -> dict[str, Block]:
        """Return the blocks of a *kind*, such as ``vrrp_script``, by name. The first of equal names applies."""
        found: dict[str, Block] = {}
        for line in self.named(kind):
            if line.block:
                found.setdefault(line.word(1), line.block)
        return found

    @property
    def instances(self) -> list[Instance]:
        """The VRRP instances in order."""
        # One unknown line makes them incomplete.
        opaque = [line for line in self.lines if line.opaque][:1]
        defaults = Block((*self.entries("global_defs"), *opaque))
        found = self.blocks("vrrp_instance").items()
        return [Instance(block.lines, name, defaults) for name, block in found if name]


def read(tree: Any, is_here: IsHere = undecided) -> Configuration:
    """Return the configuration *tree* as the host reads it, all unknown if the tree cannot be rendered."""
    try:
        return read_text(render(tree), is_here)
    except (ConfigError, ParseError):
        return Configuration((Directive(("include",)),))


def read_text(text: str, is_here: IsHere) -> Configuration:
    """Return the configuration *text* as the host reads it. Raises ParseError."""
    lines = (Line(0, piece) for line in expand(text.split("\n"), is_here) for piece in _pieces(line))
    return Configuration(_lines(statements(lines)))


def virtual_addresses(tree: Any) -> list[str]:
    """Return the virtual addresses that a configuration names, the excluded ones too, without prefix.

    Addresses under a condition count on every host. Addresses that only keepalived can resolve are left out.
    """
    return sorted({vip.address for instance in read(tree).instances for vip in instance.vips})


def includes(tree: Any) -> list[str]:
    """Return the files, or patterns, that a configuration includes, each once and as written."""
    # Not with read(), which takes seconds for a large file.
    return list(dict.fromkeys(pattern.strip() for pattern in _INCLUDE.findall(render(tree))))


def defines(key: str) -> bool:
    """Return whether a directive defines a name, with or without a condition."""
    return key.startswith("$") or (key.startswith("@") and "$" in key)


def instance_of(directives: Any, conf: Any, name: str = "x", is_here: IsHere = undecided) -> list[Instance]:
    """Return the instance of these *directives* with the definitions in *conf*, empty if it cannot be rendered."""
    entries = conf.items() if isinstance(conf, Mapping) else ()
    defined = {key: value for key, value in entries if defines(key)}
    return read({**defined, f"vrrp_instance {name}": directives}, is_here).instances


def bare(word: str) -> list[str]:
    """Return a word's address without prefix, empty if it is not an address (a keyword, an unknown name)."""
    try:
        return [bare_address(word)]
    except AddressError:
        return []


def expand(lines: Sequence[str], is_here: IsHere) -> list[str]:
    """Return a file's *lines* as keepalived reads them, with defined names replaced.

    Lines whose condition does not hold are left out, and sequences are expanded. Unknown parts stay unchanged.
    Raises ParseError.
    """
    known: dict[str, list[str] | None] = {}
    waiting = _contents(lines)[::-1]
    found: list[str] = []
    replacements = 0
    while waiting:
        line = waiting.pop()
        if not _MARK.search(line):
            found += [line] if line else []
            continue
        condition, line = _condition(line, is_here)
        if condition == _NEVER:
            continue
        defined = _DEFINITION.match(line)
        if defined:
            value = _defined(defined[2], waiting)
            known[defined[1]] = None if condition else value
            continue
        if line.startswith(SEQUENCES):
            written_out = [] if condition else _written_out(line, known)
            replacements += len(written_out)
            if written_out and replacements <= _MOST_REPLACEMENTS:
                waiting += reversed(written_out)
            else:
                found.append(condition + line)
            continue
        name, start, end = _reference(line, known)
        first, *others = known.get(name) or [""]
        if not name or len(line) > LONGEST_LINE or replacements >= _MOST_REPLACEMENTS:
            before, rest = at_brace(line) if _RESIDUE.search(line) and not condition else (line, "")
            found += [part for part in (condition + before, rest[:1]) if part]
            if rest[1:].strip():
                waiting.append(rest[1:].strip())
            continue
        replacements += 1
        # Replaced on use, so its value is read like any other line.
        waiting += [part if part[:1] in ("{", "}") else condition + part for part in reversed(others)]
        waiting.append(condition + line[:start] + first + line[end:])
    return found


def _contents(lines: Sequence[str]) -> list[str]:
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(content(line))
        except ValueError as error:
            raise ParseError(f"line {number}: {error}") from None
    return found


def _condition(line: str, is_here: IsHere) -> tuple[str, str]:
    """Return the condition of a line, empty if it holds, and the rest of the line."""
    match = _CONDITION.fullmatch(line)
    if not match:
        return "", line
    negated, config_id, rest = match.groups()
    holds = is_here(config_id) if config_id else False
    if holds is None:
        return f"@{negated}{config_id} ", rest
    return "" if holds != bool(negated) else _NEVER, rest


def _defined(text: str, waiting: list[str]) -> list[str]:
    """Return a definition's lines; those after its first are taken from *waiting*."""
    value = []
    while text.endswith("\\"):
        value.append(text[:-1].rstrip())
        text = waiting.pop() if waiting else ""
    return [part for part in (*value, text) if part] or [""]


def _written_out(line: str, known: Mapping[str, list[str] | None]) -> list[str]:
    """Expand a sequence or list to lines, each after the definitions of its names; none if unknown."""
    sequence, items = _SEQUENCE.fullmatch(line), _LIST.fullmatch(line)
    if sequence:
        numbers = _numbers(sequence[3], known)
        return [
            part
            for number in numbers
            for part in (f"${sequence[2]}={number:x}" if sequence[1] else f"${sequence[2]}={number}", sequence[4])
        ]
    if items:
        names = items[1].strip("{}").replace(",", " ").split()
        if names and all(map(_NAME.fullmatch, names)):
            return [
                part
                for group, single in _VALUES.findall(f"{items[2]},")
                for part in (*_assigned(names, group or single), items[3])
            ]
    return []


def _assigned(names: Sequence[str], values: str) -> list[str]:
    given = [value.strip(" \t") for value in values.split(",")]
    return [f"${name}={value}" for name, value in zip(names, [*given, *[""] * len(names)])]


def _numbers(text: str, known: Mapping[str, list[str] | None]) -> Sequence[int]:
    """Return the numbers of a sequence: up to an end, from a start, or from a start by a step."""
    name, start, end = _reference(text, known)
    while name and len(text) <= LONGEST_LINE:
        text = text[:start] + (known[name] or [""])[0] + text[end:]
        name, start, end = _reference(text, known)
    found = [_C_NUMBER.fullmatch(word.strip(" \t")) for word in text.split(",")]
    values = [
        int(f"{number[1]}{number[2]}", 8 if re.fullmatch("0[0-7]+", number[2]) else 0)
        for number in found
        if number and not re.fullmatch("0[0-9]*[89][0-9]*", number[2])
    ]
    if not 1 <= len(values) <= 3 or len(values) < len(found):
        return []
    last = values[-1]
    first = values[0] if len(values) > 1 else (-1 if last < 0 else 1)
    step = values[1] if len(values) == 3 else (1 if (first <= last if len(values) == 2 else last >= 1) else -1)
    return range(first, last + (1 if step > 0 else -1), step) if step else []


def _reference(line: str, known: Mapping[str, list[str] | None]) -> tuple[str, int, int]:
    """Return the first replaceable name in *line*, empty if there is none, and its position."""
    for match in _REFERENCE.finditer(line) if "$" in line and not line.startswith("~") else ():
        name = match[1] or match[2]
        value = known.get(name)
        # A name with several lines is only replaced at the end of a line.
        if value and (len(value) == 1 or match.end() == len(line)):
            return name, match.start(), match.end()
    return "", 0, 0


def _pieces(text: str) -> list[str]:
    """Split a line at its braces."""
    if "{" not in text and "}" not in text:
        return [text] if text else []
    before, rest = (text, "") if text.startswith(SEQUENCES) or text.split(" ", 1)[0] in INCLUDES else at_brace(text)
    found = [part for part in (before, rest[:1]) if part]
    return found + _pieces(rest[1:].strip(" \t")) if rest[1:] else found


def _lines(found: Sequence[Statement], condition: str = "") -> tuple[Directive, ...]:
    lines = []
    for text, body in found:
        words = _WORD.findall(text)
        marks = list(takewhile(lambda word: word.startswith("@"), words)) if text.startswith("@") else []
        if len(marks) == len(words):
            continue
        own = " ".join([condition, *marks]).strip()
        block = None if body is None else Block(_lines(body, own))
        lines.append(Directive(tuple(words[len(marks) :]), block, own))
    return tuple(lines)


def _address(line: Directive) -> list[Address]:
    words = [line.word(number) for number in range(len(line.words))]
    interface = dict(zip(words[1:], words[2:])).get("dev", "")
    return [Address(words[0], address, interface, line.known) for address in bare(words[0])]
