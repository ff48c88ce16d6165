# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sections for the haproxy role's variables, and what the service needs for them.

``settings`` below are the role's variables without their prefix: ``global``, ``defaults``, ``sections`` (mappings),
``frontends``, ``backends``, ``listens``, ``files`` (lists). ``defaults`` holds the role's own ``global``, ``defaults``,
``sections`` and ``frontends``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.binds import binds
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.parse import plain, words
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_findings import label
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.render import section_lines

PROXIES = {"frontends": "frontend", "listens": "listen", "backends": "backend"}
# In every defaults section of the role, or an unresolvable name would keep haproxy from starting.
INIT_ADDR = "default-server init-addr"
_NUMBER = re.compile("[0-9]{1,18}")
IDLE = "idle-close-on-response"
LOG_OPTIONS = {"httplog", "httpslog", "tcplog", "dontlog-normal"}


class Section(NamedTuple):
    """A section, and the variable that it comes from."""

    header: str
    place: str
    keywords: Any

    @property
    def kind(self) -> str:
        """The first word of the header."""
        return plain("".join(words(self.header)[:1]))

    @property
    def name(self) -> str:
        """The second word of the header."""
        return plain("".join(words(self.header)[1:2]))

    def lines(self) -> Iterator[Keyword]:
        """Yield its lines. Raises ValueError for a value that haproxy.cfg cannot express."""
        words(self.header)
        for path, text in section_lines(self.keywords, self.place):
            yield Keyword(path, [plain(word) for word in words(text)], text)


class Keyword(NamedTuple):
    """A keyword with its arguments: the path of its value, its words as haproxy understands them, and its text."""

    path: str
    words: list[str]
    text: str


def section_list(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[Section]:
    """Return the sections in the order of the file. A proxy without ``from`` uses the defaults section before it."""
    others = [
        Section(str(header), f"haproxy_sections.{header}", _startable(str(header), keywords, defaults["defaults"]))
        for header, keywords in settings["sections"].items()
    ]
    own = [
        Section(name, f"haproxy_{name}", _merge(defaults[name], settings[name]))
        for name in ("global", "defaults")
        if defaults[name] or settings[name]
    ]
    if any(section.header == "defaults" for section in own):
        others.sort(key=lambda section: not section.header.startswith("defaults "))
        named = sum(section.header.startswith("defaults ") for section in others)
        others[named:named] = own[-1:]
        own = own[:-1]
    added = [Section(header, header, keywords) for header, keywords in defaults.get("sections", {}).items()]
    added += [_proxy("frontend", f"haproxy_{proxy['name']}_bind", proxy) for proxy in defaults["frontends"]]
    proxies = [
        _proxy(kind, label(f"haproxy_{variable}", index, proxy), proxy)
        for variable, kind in PROXIES.items()
        for index, proxy in enumerate(settings[variable])
    ]
    return [*own, *others, *added, *proxies]


def sections(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return haproxy.cfg as sections for to_haproxy_cfg; needs settings without findings."""
    found = section_list(settings, defaults)
    shared = [line for section in found if section.header == "defaults" for line in section.lines()]
    if ["option", IDLE] in [line.words for line in shared]:
        found = [_without_idle(section, shared) for section in found]
    if "log" not in defaults["defaults"] or any(_chooses_log(line) for line in shared):
        return {section.header: section.keywords for section in found}
    return {section.header: _quiet(section, shared) for section in found}


def tree_sections(tree: Mapping[str, Any]) -> list[Section]:
    """Return the sections of a tree."""
    return [Section(header, header, keywords) for header, keywords in tree.items()]


def unit(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the systemd unit for a tree of sections.

    ``state``: the server-state file, ``socket``: the runtime socket that fills it (both empty unless both are set).
    ``nofile``: open files for the ``maxconn`` or ``ulimit-n`` of global, 0 without one.
    """
    lines = [line.words for section in tree_sections(tree) for line in section.lines() if section.kind == "global"]
    values = {line[0]: line[1] for line in lines if len(line) == 2}
    sockets = [line[2].replace("unix@", "") for line in lines if line[:2] == ["stats", "socket"] and len(line) > 2]
    paths = [path for path in sockets if path.startswith("/")]
    state = values.get("server-state-file", "")
    servers = sum(line.words[0] == "server" for section in tree_sections(tree) for line in section.lines())
    nofile = 0
    if _NUMBER.fullmatch(values.get("ulimit-n", "")):
        nofile = int(values["ulimit-n"])
    elif _NUMBER.fullmatch(values.get("maxconn", "")):
        # Two for each connection, a pipe for every fourth (maxpipes), checks, and some for listeners, threads and logs.
        nofile = int(values["maxconn"]) * 5 // 2 + servers + 1000
    known = bool(paths) and state.startswith("/")
    return {"state": state if known else "", "socket": paths[0] if known else "", "nofile": nofile}


def ports(tree: Mapping[str, Any]) -> dict[str, bool]:
    """Return whether only TLS is spoken, by TCP port at which the proxies for HTTP listen to other hosts."""
    found: dict[str, bool] = {}
    for section in tree_sections(tree):
        keywords = [line.words for line in section.lines()]
        if section.kind not in ("frontend", "listen") or ["mode", "tcp"] in keywords:
            continue
        for _bind, address, *options in (line for line in keywords if line[0] == "bind" and len(line) > 1):
            for bind in binds(address):
                if bind.first == bind.last and not bind.host.startswith(("127.", "::1", "localhost")):
                    found[str(bind.first)] = found.get(str(bind.first), True) and "ssl" in options
    return found


def _proxy(kind: str, place: str, proxy: Mapping[str, Any]) -> Section:
    header = f"{kind} {proxy.get('name')}"
    if proxy.get("from"):
        header += f" from {proxy['from']}"
    return Section(header, place, {key: value for key, value in proxy.items() if key not in ("name", "from")})


def _quiet(section: Section, shared: list[Keyword]) -> Any:
    """Return the keywords of a section; a proxy without a log logs failures, in the format of its mode.

    haproxy's own default is a line "Connect from …" for each request, which costs a quarter of the throughput.
    """
    if not _inherits(section) or any(_chooses_log(line) for line in section.lines()):
        return section.keywords
    log = "option httplog" if _mode(section, shared) == "http" else "option tcplog"
    return {log: None, "option dontlog-normal": None, **section.keywords}


def _without_idle(section: Section, shared: list[Keyword]) -> Section:
    """Return a section, if it is a proxy for TCP without an option for HTTP, of which haproxy would warn."""
    if not _inherits(section) or _mode(section, shared) == "http":
        return section
    return section._replace(keywords={f"no option {IDLE}": None, **section.keywords})


def _inherits(section: Section) -> bool:
    """Tell whether a section is a frontend or listen with the unnamed defaults, whose keywords can be added to."""
    bare = section.kind in ("frontend", "listen") and len(words(section.header)) == 2
    return bare and isinstance(section.keywords, Mapping)


def _mode(section: Section, shared: list[Keyword]) -> str:
    modes = [line.words[1] for line in [*shared, *section.lines()] if line.words[0] == "mode"]
    return modes[-1] if modes else "tcp"


def _chooses_log(line: Keyword) -> bool:
    keyword, *rest = line.words[line.words[0] == "no" :] or [""]
    return (
        keyword == "log-format"
        or (keyword == "log" and not rest)
        or (keyword == "option" and not LOG_OPTIONS.isdisjoint(rest))
    )


def _startable(header: str, keywords: Any, base: Mapping[str, Any]) -> Any:
    if header.startswith("defaults ") and isinstance(keywords, Mapping) and INIT_ADDR in base:
        return {INIT_ADDR: base[INIT_ADDR], **keywords}
    return keywords


def _merge(defaults: Mapping[str, Any], own: Any) -> Any:
    """Return the user's keywords over the defaults; mappings (``timeout``, ``option``) are merged key by key."""
    if not isinstance(own, Mapping):
        return own
    merged = dict(defaults)
    for key, value in own.items():
        default = defaults.get(key)
        merged[key] = _merge(default, value) if isinstance(default, Mapping) and isinstance(value, Mapping) else value
    return merged
