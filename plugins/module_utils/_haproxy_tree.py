# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The haproxy role's variables: what is wrong with them, and the sections they stand for.

``settings`` below are the role's variables without their prefix: ``global``, ``defaults``, ``sections`` (mappings),
``frontends``, ``backends``, ``listens``, ``files`` (lists). ``defaults`` holds the role's own ``global``, ``defaults``
and ``frontends``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._haproxy_cfg import render_section
from ansible_collections.haproof.balancer.plugins.module_utils._role_findings import (
    file_findings,
    label,
    list_names,
    name_findings,
    render_findings,
)

PROXIES = {"frontends": "frontend", "listens": "listen", "backends": "backend"}
# What makes a backend answer; without any of these every request gets 503.
ANSWERS = {"dispatch", "http-request", "redirect", "server", "server-template", "stats"}


def sections(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """haproxy.cfg as sections for to_haproxy_cfg; needs settings without findings."""
    cfg = {
        "global": _merge(defaults["global"], settings["global"]),
        "defaults": _merge(defaults["defaults"], settings["defaults"]),
        **settings["sections"],
    }
    frontends = {"frontends": defaults["frontends"] + settings["frontends"]}
    for variable, kind in PROXIES.items():
        cfg.update(_proxy(kind, proxy) for proxy in {**settings, **frontends}[variable])
    return cfg


def findings(settings: Mapping[str, Any], defaults: Mapping[str, Any], main_file: str) -> Iterator[str]:
    """What the role refuses before it touches a node, one message a place."""
    for section in ("global", "defaults"):
        if section in settings["sections"]:
            yield f"haproxy_sections.{section}: the role writes this section; use haproxy_{section}"
        yield from render_findings(render_section, f"haproxy_{section}", settings[section])
    for header, keywords in settings["sections"].items():
        check = partial(render_section, header=str(header))
        yield from render_findings(check, f"haproxy_sections.{header}", keywords)
    yield from _name_findings(settings, defaults)
    for variable, kind in PROXIES.items():
        for index, proxy in enumerate(settings[variable]):
            place = label(f"haproxy_{variable}", index, proxy)
            if kind != "frontend" and not _answers(proxy):
                yield f"{place}: no server; give at least one under 'server', e.g. web01 192.0.2.21:80 check"
            yield from render_findings(render_section, place, _keywords(proxy))
    yield from file_findings("haproxy_files", settings["files"], main_file)


def _name_findings(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[str]:
    names = {variable: list_names(f"haproxy_{variable}", settings[variable]) for variable in PROXIES}
    own = [(f"haproxy_{frontend['name']}_bind", frontend["name"]) for frontend in defaults["frontends"]]
    # A listen is a frontend and a backend, so it shares names with neither.
    fronts = list(name_findings(own + names["frontends"] + names["listens"], "web"))
    yield from fronts
    yield from (found for found in name_findings(names["listens"] + names["backends"], "web") if found not in fronts)


def _answers(proxy: Mapping[str, Any]) -> bool:
    given = {str(key).split(" ", 1)[0] for key in proxy}
    return bool(given & ANSWERS) and proxy.get("server") != []


def _proxy(kind: str, proxy: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    header = f"{kind} {proxy['name']}"
    if proxy.get("from"):
        header += f" from {proxy['from']}"
    return header, _keywords(proxy)


def _keywords(proxy: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in proxy.items() if key not in ("name", "from")}


def _merge(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The user's keywords over the defaults; where both are mappings (``timeout``, ``option``), key by key."""
    merged = dict(defaults)
    for key, value in own.items():
        default = defaults.get(key)
        merged[key] = _merge(default, value) if isinstance(default, Mapping) and isinstance(value, Mapping) else value
    return merged
