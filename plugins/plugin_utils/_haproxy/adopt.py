# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A haproxy.cfg as ``module_utils/_haproxy/parse.py`` returns it to the haproxy role's variables that give it again."""

from __future__ import annotations

import re
from typing import Any, Mapping, Sequence

PROXIES = {"frontend": "haproxy_frontends", "listen": "haproxy_listens", "backend": "haproxy_backends"}
# Nothing of the role's own, and nothing of site's.
_BARE: Mapping[str, Any] = {
    "haproxy_base": False,
    "haproxy_stats_bind": "",
    "haproxy_health_bind": "",
    "haproxy_frontends": [],
    "haproxy_backends": [],
}
_QUOTED = re.compile(r"""[\\"'$]""")


class _AsItStandsError(Exception):
    """The role's order of sections, or its items, would not give the same again."""


def variables(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables that give *tree*. Where there are several defaults sections, each proxy names its own.

    What only its place in the file explains (conditions, repeated sections) makes all of it ``haproxy_sections``.
    """
    try:
        return {**_BARE, **_by_kind(tree)}
    except _AsItStandsError:
        return {**_BARE, "haproxy_sections": dict(tree)}


def _by_kind(tree: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    names = _defaults_names(tree)
    current = ""
    for header, keywords in tree.items():
        kind, *rest = header.split()
        if _QUOTED.search(header) or any(str(key).startswith(".") for key in (kind, *keywords)):
            raise _AsItStandsError
        if kind == "defaults" and names:
            current = names[header]
            found.setdefault("haproxy_sections", {})[" ".join([kind, current, *rest[1:]])] = keywords
        elif header in ("global", "defaults"):
            found["haproxy_" + header] = keywords
        elif header != header.rstrip():
            raise _AsItStandsError
        elif kind in PROXIES:
            found.setdefault(PROXIES[kind], []).append(_proxy(rest, current, keywords))
        else:
            found.setdefault("haproxy_sections", {})[header] = keywords
    return found


def _defaults_names(tree: Mapping[str, Any]) -> dict[str, str]:
    """The names of the defaults sections, by header; nothing where one without a name serves all proxies."""
    kinds = [header.split()[0] for header in tree]
    headers = [header for header in tree if header.split()[0] == "defaults"]
    if headers and any(kind in PROXIES for kind in kinds[: kinds.index("defaults")]):
        # These proxies use no defaults at all.
        raise _AsItStandsError
    if headers in ([], ["defaults"]):
        return {}
    given = {header: header.split()[1] for header in headers if header.split()[1:]}
    taken = set(given.values())
    if len(taken) < len(given):
        raise _AsItStandsError
    for header in headers:
        if header not in given:
            given[header] = next(name for name in map("defaults-{}".format, range(1, 1 << 16)) if name not in taken)
            taken.add(given[header])
    return given


def _proxy(names: Sequence[str], defaults: str, keywords: Mapping[str, Any]) -> dict[str, Any]:
    if len(names) not in (1, 3) or (names[1:] and names[1] != "from") or {"name", "from"} & set(keywords):
        raise _AsItStandsError
    source = names[2] if names[1:] else defaults
    return {"name": names[0], **({"from": source} if source else {}), **keywords}
