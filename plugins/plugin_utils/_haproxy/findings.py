# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings about the haproxy role's variables that haproxy itself does not report, or only on the node.

``settings`` and ``defaults`` are those of ``tree``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.binds import Bind, binds
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.parse import words
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.finding import Finding, refusals
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_findings import (
    file_findings,
    label,
    list_names,
    name_findings,
    render_findings,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.render import render_section
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.tree import (
    PROXIES,
    Keyword,
    Section,
    section_list,
)

# Keywords that make a backend answer or useful otherwise; without any, every request gets a bare 503.
ANSWERS = {
    "default_backend",
    "dispatch",
    "errorfile",
    "errorfiles",
    "errorloc",
    "errorloc302",
    "errorloc303",
    "http-error",
    "http-request",
    "redirect",
    "server",
    "server-template",
    "stats",
    "stick-table",
    "tcp-request",
    "use-fcgi-app",
    "use_backend",
}
CHECKS = re.compile(r"httpchk|.*-check|ssl-hello-chk|smtpchk")
# Words of a server that check it, or use another server's check.
CHECKED = {"agent-check", "check", "track"}
# Words that let two lines share an address, such as separate threads or interfaces.
SHARED = {"interface", "namespace", "process", "shards", "thread"}
PORTS = range(1, 65536)
# A password as written in a userlist, or after a user's name and a colon. Only double quotes expand variables.
PASSWORD = re.compile(r"(user \S+ (insecure-)?password|stats auth) (?P<password>.*)")
REFERENCE = re.compile(r'"\$(\w+|\{\w+\})"', re.ASCII)
MIXED = re.compile(r'"(?:\\.|[^"\\$]|\$(?![A-Za-z_{]))*\$[A-Za-z_{]', re.ASCII)


def findings(settings: Mapping[str, Any], defaults: Mapping[str, Any], main_file: str) -> Iterator[str]:
    """Yield why the role refuses the settings before it changes a node, one message per place."""
    yield from _section_findings(settings, defaults)
    for place, proxy in _proxies(settings, *PROXIES):
        keywords = {key: value for key, value in proxy.items() if key not in ("name", "from")}
        yield from render_findings(render_section, place, keywords)
    yield from file_findings("haproxy_files", settings["files"], main_file)
    port = settings.get("peers_port", 0)
    if port and port not in PORTS:
        yield f"haproxy_peers_port: {port} is not a port; use 1 to 65535, or 0 for no peers"
    read = _read(settings, defaults)
    # With conditions only haproxy knows which sections and lines apply.
    if not _conditional(settings["sections"]):
        yield from _name_findings(settings, defaults)
        yield from _target_findings(read)
        yield from _server_findings(read)
    yield from refusals(_questionable(settings, read), settings.get("accept", ()), "haproxy_accept")


def kinds(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> set[str]:
    """Return the kinds of findings that haproxy accepts, but the role only with ``haproxy_accept``."""
    return {found.kind for found in _questionable(settings, _read(settings, defaults))}


def _questionable(settings: Mapping[str, Any], read: Sequence[tuple[Section, list[Keyword]]]) -> Iterator[Finding]:
    found: dict[str, Iterable[str]] = {
        "server": _answer_findings(settings),
        "bind": chain(_no_bind_findings(settings), _bind_findings(read)),
        "password": _password_findings(read),
        "check": _check_findings(read),
        "timeout": _timeout_findings(read),
    }
    return (Finding(kind, text) for kind, texts in found.items() for text in texts)


def _read(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[tuple[Section, list[Keyword]]]:
    """Return the sections with their lines, empty if a value does not fit in a line, which is a separate finding."""
    try:
        return [(section, list(section.lines())) for section in section_list(settings, defaults)]
    except ValueError:
        return []


def _proxies(settings: Mapping[str, Any], *names: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in names:
        for index, proxy in enumerate(settings[name]):
            yield label(f"haproxy_{name}", index, proxy), proxy


def _conditional(sections: Mapping[str, Any]) -> bool:
    keys = [*sections, *(key for keywords in sections.values() if isinstance(keywords, Mapping) for key in keywords)]
    return any(str(key).startswith(".") for key in keys)


def _section_findings(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[str]:
    for section in ("global", "defaults"):
        if section in settings["sections"] and (defaults[section] or settings[section]):
            yield f"haproxy_sections.{section}: the role writes this section; use haproxy_{section}"
        yield from render_findings(render_section, f"haproxy_{section}", settings[section])
    for header in defaults.get("sections", {}):
        if header in settings["sections"]:
            yield f"haproxy_sections.{header}: the role writes this section for haproxy_peers_port; use another name"
    for header, keywords in settings["sections"].items():
        if not str(header).strip():
            yield "haproxy_sections: a header is empty; name the section, e.g. 'peers lab'"
        check = partial(render_section, header=str(header))
        yield from render_findings(check, f"haproxy_sections.{header}", keywords)


def _name_findings(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[str]:
    names = {variable: list_names(f"haproxy_{variable}", settings[variable]) for variable in PROXIES}
    others: dict[str, list[tuple[str, Any]]] = {kind: [] for kind in PROXIES.values()}
    for header in settings["sections"]:
        with suppress(ValueError):
            section = Section(str(header), f"haproxy_sections.{header}", {})
            # A quoted name may have blanks, which haproxy itself refuses.
            if section.kind in others and len(section.name.split()) == 1:
                others[section.kind].append((section.place, section.name))
    own = [(f"haproxy_{frontend['name']}_bind", frontend["name"]) for frontend in defaults["frontends"]]
    # A listen is a frontend and a backend, so it shares names with neither.
    listens = others["listen"] + names["listens"]
    fronts = list(name_findings(own + others["frontend"] + names["frontends"] + listens, "web"))
    yield from fronts
    backs = name_findings(listens + others["backend"] + names["backends"], "web")
    yield from (found for found in backs if found not in fronts)


def _answer_findings(settings: Mapping[str, Any]) -> Iterator[str]:
    for place, proxy in _proxies(settings, "listens", "backends"):
        given = {str(key).split(" ", 1)[0] for key in proxy}
        if not given & ANSWERS or proxy.get("server") == []:
            yield f"{place}: no server; give at least one under 'server', e.g. web01 192.0.2.21:80 check"


def _no_bind_findings(settings: Mapping[str, Any]) -> Iterator[str]:
    for place, proxy in _proxies(settings, "frontends"):
        if not any(str(key).split(" ", 1)[0] == "bind" for key in proxy) or proxy.get("bind") == []:
            yield f"{place}: no bind; give an address, e.g. 'bind: \"*:80\"'"


def _password_findings(read: Sequence[tuple[Section, list[Keyword]]]) -> Iterator[str]:
    for _section, lines in read:
        for line in lines:
            secret = PASSWORD.fullmatch(" ".join(words(line.text))) if line.words[0] in ("stats", "user") else None
            if secret and MIXED.search(REFERENCE.sub("", secret["password"])):
                yield (
                    f"{line.path}: the password holds a '$' in double quotes, which haproxy takes for a variable of its"
                    " environment; put it in single quotes"
                )


def _target_findings(read: Sequence[tuple[Section, list[Keyword]]]) -> Iterator[str]:
    names = {section.name for section, _lines in read if section.kind in ("backend", "listen")}
    # A frontend may also name a backend under a condition (.if), which haproxy checks.
    for _section, lines in read:
        for line in lines:
            target = line.words[1] if line.words[0] in ("default_backend", "use_backend") and line.words[1:] else ""
            if target and target not in names and not re.search(r"[%$]", target):
                known = ", ".join(sorted(names)) or "none"
                yield f"{line.path}: backend or listen {target!r} is not defined; defined are: {known}"


def _bind_findings(read: Sequence[tuple[Section, list[Keyword]]]) -> Iterator[str]:
    seen: list[tuple[Bind, str]] = []
    for section, lines in read:
        if section.kind not in ("frontend", "listen"):
            continue
        for line in lines:
            if line.words[0] != "bind" or not SHARED.isdisjoint(line.words):
                continue
            for bind in binds(line.words[1]) if line.words[1:] else ():
                first = next((place for other, place in seen if bind.meets(other)), None)
                if first:
                    yield f"{line.path}: {bind} is also bound by {first}; each would get a part of the connections"
                seen.append((bind, line.path))


def _server_findings(read: Sequence[tuple[Section, list[Keyword]]]) -> Iterator[str]:
    for section, lines in read:
        first: dict[str, str] = {}
        for line in lines:
            if line.words[0] == "server" and line.words[1:] and section.kind in ("backend", "listen"):
                name = line.words[1]
                if name in first:
                    yield f"{line.path}: the server name {name} is already used by {first[name]}; rename one of them"
                first.setdefault(name, line.path)


def _check_findings(read: Sequence[tuple[Section, list[Keyword]]]) -> Iterator[str]:
    defaulted = [line for section, lines in read if section.kind == "defaults" for line in lines]
    for section, lines in read:
        if section.kind not in ("backend", "listen"):
            continue
        options = [line for line in lines if line.words[0] == "option" and CHECKS.fullmatch("".join(line.words[1:2]))]
        servers = [line for line in lines if line.words[0] in ("server", "server-template")]
        related = [*servers, *(line for line in (*lines, *defaulted) if line.words[0] == "default-server")]
        if options and servers and not any(CHECKED & set(line.words[1:]) for line in related):
            name = options[0].words[1]
            yield f"{options[0].path}: {name} checks nothing, for no server of {section.name} says 'check'; add it"


def _timeout_findings(read: Sequence[tuple[Section, list[Keyword]]]) -> Iterator[str]:
    for _section, lines in read:
        for line in lines:
            value = "".join(line.words[2:3])
            if line.words[0] == "timeout" and re.fullmatch("[1-9][0-9]?", value):
                yield f"{line.path}: {value} means {value} ms; write {value}s for seconds, or {value}ms"
