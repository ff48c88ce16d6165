# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nginx role's variables: what is wrong with them, and the tree of directives they stand for.

``settings`` below are the role's variables without their prefix: ``main``, ``events``, ``http``, ``stream`` (mappings
of directives), ``upstreams``, ``servers``, ``files`` (lists). ``defaults`` holds the role's own ``main``, ``events``,
``http`` and ``servers``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._nginx_conf import quote, render
from ansible_collections.haproof.balancer.plugins.module_utils._role_findings import (
    file_findings,
    label,
    list_names,
    name_findings,
    render_findings,
)

CONTEXTS = ("events", "http", "stream")


def tree(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """nginx.conf as a tree for to_nginx_conf; needs settings without findings."""
    http = _merge(defaults["http"], settings["http"])
    servers = _list(http.pop("server", [])) + settings["servers"] + defaults["servers"]
    http.update((f"upstream {quote(str(upstream['name']))}", _upstream(upstream)) for upstream in settings["upstreams"])
    conf = _merge(defaults["main"], settings["main"])
    conf["events"] = _merge(defaults["events"], settings["events"])
    if settings["stream"]:
        conf["stream"] = settings["stream"]
    conf["http"] = {**http, "server": servers}
    return conf


def findings(settings: Mapping[str, Any], main_file: str) -> Iterator[str]:
    """What the role refuses before it touches a node, one message a place."""
    for context in CONTEXTS:
        if context in settings["main"]:
            yield f"nginx_main.{context}: the role writes this block; put its directives into nginx_{context}"
    for context in ("main", *CONTEXTS):
        yield from render_findings(render, f"nginx_{context}", settings[context])
    yield from name_findings(list_names("nginx_upstreams", settings["upstreams"]), "web")
    for index, upstream in enumerate(settings["upstreams"]):
        yield from _upstream_findings(label("nginx_upstreams", index, upstream), upstream)
    for index, server in enumerate(settings["servers"]):
        yield from render_findings(render, f"nginx_servers[{index}]", server)
    yield from file_findings("nginx_files", settings["files"], main_file)


def _merge(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The user's directives after those defaults that they do not replace.

    They keep their order, because some need it: log_format before the access_log that uses it. A default that is
    written whole, such as ``include mime.types``, goes only when the user says the same.
    """
    kept = {}
    for key, value in defaults.items():
        directive, _blank, arguments = key.partition(" ")
        if key not in own and (not arguments or arguments not in _list(own.get(directive))):
            kept[key] = value
    return {**kept, **own}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _upstream(upstream: Mapping[str, Any]) -> dict[str, Any]:
    block = {key: value for key, value in upstream.items() if key != "name"}
    block["server"] = [_upstream_server(server) for server in _list(upstream["server"])]
    return block


def _upstream_server(server: Any) -> Any:
    """A server given as mapping as exact arguments: ``address``, ``key=value``, and ``backup: true`` as its key."""
    if not isinstance(server, Mapping):
        return server
    parameters = {key: value for key, value in server.items() if key != "address" and value not in (False, None)}
    return [str(server["address"]), *(key if value is True else f"{key}={value}" for key, value in parameters.items())]


def _upstream_findings(place: str, upstream: Mapping[str, Any]) -> Iterator[str]:
    servers = _list(upstream.get("server") or [])
    if not servers:
        yield f"{place}: no server; give at least one under 'server', e.g. 192.0.2.21:80"
        return
    nameless = [
        f"{place}.server[{index}]: no address; give one, e.g. 'address: 192.0.2.21:80'"
        for index, server in enumerate(servers)
        if not server or (isinstance(server, Mapping) and not server.get("address"))
    ]
    yield from nameless or render_findings(render, place, _upstream(upstream))
