# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The haproxy role's variables that reproduce a haproxy.cfg, as ``module_utils/_haproxy/parse.py`` reads it."""

from __future__ import annotations

import re
from itertools import count, zip_longest
from typing import Any, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.parse import plain, words
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.findings import kinds
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.render import section_lines
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.tree import (
    Section,
    section_list,
    tree_sections,
)

PROXIES = {"frontend": "haproxy_frontends", "listen": "haproxy_listens", "backend": "haproxy_backends"}
# All variables that affect the file, to override the defaults of the role and of site.
_BARE: Mapping[str, Any] = {
    "haproxy_base": False,
    "haproxy_unit": False,
    "haproxy_stats_bind": "",
    "haproxy_health_bind": "",
    "haproxy_peers_port": 0,
    "haproxy_global": {},
    "haproxy_defaults": {},
    "haproxy_sections": {},
    "haproxy_frontends": [],
    "haproxy_listens": [],
    "haproxy_backends": [],
}
# The role's additions with these.
_NOTHING: Mapping[str, Any] = {"global": {}, "defaults": {}, "sections": {}, "frontends": []}
# A valid name of a proxy.
_NAME = re.compile(r"[A-Za-z0-9_.:-]+")


class _AsItStandsError(Exception):
    """The role's order of sections, or its items, would not reproduce the file."""


def variables(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables that reproduce *tree*. With several defaults sections, each proxy names its own.

    If the position of a line matters (conditions, repeated sections), all sections go to ``haproxy_sections``. The
    file's findings are accepted.
    """
    try:
        found = {**_BARE, **_by_kind(tree)}
    except _AsItStandsError:
        found = {**_BARE, "haproxy_sections": dict(tree)}
    return {**found, "haproxy_accept": sorted(kinds(_settings(found), _NOTHING))}


def difference(found: Mapping[str, Any], tree: Mapping[str, Any]) -> str:
    """Return the first line, after its section, that the variables *found* lack or add compared with *tree*.

    The order of proxies, and of other sections after global, is ignored.
    """
    live = effect(tree)
    again = _effect(section_list(_settings(found), _NOTHING))
    pairs = zip_longest(live, again, fillvalue="")
    return next((one or other for one, other in pairs if one != other), "")


def effect(tree: Mapping[str, Any]) -> list[str]:
    """Return the lines of a configuration, each after its section; equivalent configurations have equal ones."""
    return _effect(tree_sections(tree))


def _settings(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"files": [], **{name.partition("_")[2]: value for name, value in found.items()}}


def _effect(sections: Sequence[Section]) -> list[str]:
    """Return the lines of the sections, in a fixed order of sections where theirs is irrelevant."""
    found: list[tuple[bool, str, list[str]]] = []
    # The lines of the defaults sections: of the one before, and by name.
    before: list[str] = []
    named: dict[str, list[str]] = {}
    for index, section in enumerate(sections):
        kind, name, *rest = [*map(plain, words(section.header)), ""]
        lines = [" ".join(words(text)) for _path, text in section_lines(section.keywords, section.place)]
        source = named.get(rest[1], rest[1:2]) if rest[:1] == ["from"] else None
        if kind == "defaults":
            before = named[name] = [*(source or []), *lines]
            continue
        if kind in PROXIES:
            lines = [*(before if source is None else source), *lines]
            rest = rest if source is None else rest[2:]
        header = " ".join([kind, name, *rest]).rstrip()
        place = f"{header} ({index})" if kind == "global" else header
        found.append((kind != "global", place, [place, *(f"{header}: {line}" for line in lines)]))
    return [line for *_place, lines in sorted(found) for line in lines]


def _by_kind(tree: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    names = _defaults_names(tree)
    current = ""
    for index, (header, keywords) in enumerate(tree.items()):
        kind, *rest = map(plain, words(header))
        if any(plain(key).startswith(".") for key in (kind, *keywords)):
            raise _AsItStandsError
        if kind == "defaults" and names:
            current = names[header]
            found.setdefault("haproxy_sections", {})[" ".join([kind, current, *rest[1:]])] = keywords
        elif header != header.rstrip() or (kind == "global" and index):
            # Its variables and limits are for what follows.
            raise _AsItStandsError
        elif kind in ("global", "defaults"):
            found["haproxy_" + kind] = keywords
        elif kind in PROXIES:
            found.setdefault(PROXIES[kind], []).append(_proxy(rest, current, keywords))
        else:
            found.setdefault("haproxy_sections", {})[header] = keywords
    return found


def _defaults_names(tree: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of the defaults sections by header, empty if an unnamed one serves all proxies."""
    headers = {header: [plain(word) for word in words(header)] for header in tree}
    kinds_found = [header[0] for header in headers.values()]
    defaults = [header for header, (kind, *_rest) in headers.items() if kind == "defaults"]
    if defaults and any(kind in PROXIES for kind in kinds_found[: kinds_found.index("defaults")]):
        # These proxies use no defaults at all.
        raise _AsItStandsError
    if [headers[header] for header in defaults] in ([], [["defaults"]]):
        return {}
    given = {header: headers[header][1] for header in defaults if headers[header][1:]}
    taken = set(given.values())
    if len(taken) < len(given) or not all(map(_NAME.fullmatch, taken)):
        raise _AsItStandsError
    for header in defaults:
        if header not in given:
            given[header] = next(name for name in map("defaults-{}".format, count(1)) if name not in taken)
            taken.add(given[header])
    return given


def _proxy(names: Sequence[str], defaults: str, keywords: Mapping[str, Any]) -> dict[str, Any]:
    if len(names) not in (1, 3) or (names[1:] and names[1] != "from") or {"name", "from"} & set(keywords):
        raise _AsItStandsError
    if not all(map(_NAME.fullmatch, names)):
        raise _AsItStandsError
    source = names[2] if names[1:] else defaults
    return {"name": names[0], **({"from": source} if source else {}), **keywords}
