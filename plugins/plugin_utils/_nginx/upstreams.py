# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nginx role's upstreams: their blocks and findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_findings import render_findings
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import arguments_of, lines, render

METHODS = ("hash", "ip_hash", "least_conn", "least_time", "random")
# Methods without backup servers.
WITHOUT_BACKUP = ("hash", "ip_hash", "random")

# Upstreams that have no other directives take some.
_WITH_BACKUP = {
    "keepalive",
    "keepalive_requests",
    "keepalive_time",
    "keepalive_timeout",
    "least_conn",
    "server",
    "zone",
}

# The parameters of a server that take a number, with the lowest, and those that take a time or stand alone.
_NUMBERS = {"weight": 1, "max_conns": 0, "max_fails": 0}
_TIMES = ("fail_timeout", "slow_start")
_FLAGS = ("backup", "down", "drain", "resolve")
_TIME = re.compile(r"(\d+(ms|[smhdwMy])?)+")


def block(upstream: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the directives of one upstream. Its method comes first: after ``keepalive`` it would switch that off.

    ``defaults`` are about kept connections, and come last, after methods of modules that are unknown here; an
    upstream whose ``keepalive`` is an empty list gets none of them. Their ``server`` has the parameters with which
    servers are retried, see :func:`_asked_again`.
    """
    directives = {key: value for key, value in upstream.items() if key != "name"}
    directives["server"] = [_server(server) for server in _list(upstream["server"])]
    if defaults.get("server"):
        directives["server"] = _asked_again(directives, str(defaults["server"]).split())
    first = {key: value for key, value in directives.items() if str(key).split()[0] in METHODS}
    missing = {key: value for key, value in defaults.items() if key not in upstream and not lines(upstream, key)}
    if upstream.get("keepalive") == []:
        missing = {}
    return {**first, **{key: value for key, value in directives.items() if key not in first}, **missing}


def _asked_again(directives: Mapping[str, Any], parameters: list[str]) -> list[Any]:
    """Return the servers of an upstream, so that they are retried even when all of them have failed.

    nginx skips a server for ten seconds after one failure, such as a kept connection that its reload closed, and
    answers 502 while it skips all. Each of them is therefore its own backup. With methods without backups the servers
    get ``parameters`` instead. The user's parameters for failures stay unchanged.
    """
    servers: list[Any] = directives["server"]
    words = [arguments_of(server) for server in servers]
    names = {str(key).split()[0] for key in directives}
    own = any(word == "backup" or word.startswith(("max_fails=", "fail_timeout=")) for line in words for word in line)
    # nginx never skips a single server.
    if own or len(servers) < 2:
        return servers
    if names & set(WITHOUT_BACKUP):
        return [[*line, *parameters] for line in words]
    # An unknown method may have no backups.
    return [*servers, *([*line, *parameters, "backup"] for line in words)] if names <= _WITH_BACKUP else servers


def findings(place: str, upstream: Mapping[str, Any]) -> Iterator[str]:
    """Yield the findings about an upstream at *place* in the role's variables."""
    servers = _list(upstream.get("server") or [])
    if not servers:
        yield f"{place}: no server; give at least one under 'server', e.g. 192.0.2.21:80"
        return
    found = [
        finding
        for index, server in enumerate(servers)
        for finding in _server_findings(f"{place}.server[{index}]", server)
    ]
    found = found or list(render_findings(render, place, block(upstream, {})))
    yield from found or _backup_findings(place, block(upstream, {}))


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _server(server: Any) -> Any:
    """Return a server's mapping as exact arguments: ``address``, ``key=value``, and ``backup: true`` as its key."""
    if not isinstance(server, Mapping):
        return server
    # 0 is a value: with max_fails 0 a server is never skipped.
    given = {key: value for key, value in server.items() if key != "address" and value is not False}
    parameters = {key: value for key, value in given.items() if value is not None}
    return [str(server["address"]), *(key if value is True else f"{key}={value}" for key, value in parameters.items())]


def _server_findings(place: str, server: Any) -> Iterator[str]:
    if not server or (isinstance(server, Mapping) and not server.get("address")):
        yield f"{place}: no address; give one, e.g. 'address: 192.0.2.21:80'"
        return
    for key, value in server.items() if isinstance(server, Mapping) else ():
        if key in _NUMBERS and not _is_number(value, _NUMBERS[key]):
            yield f"{place}.{key}: {value!r} is not a whole number from {_NUMBERS[key]} up"
        elif key in _TIMES and not (_is_number(value, 0) or _TIME.fullmatch(str(value))):
            yield f"{place}.{key}: {value!r} is not a time; give one, e.g. 10s"
        elif key in _FLAGS and not isinstance(value, bool):
            yield f"{place}.{key}: {value!r} is neither true nor false"


def _is_number(value: Any, lowest: int) -> bool:
    return not isinstance(value, bool) and re.fullmatch(r"\d+", str(value)) is not None and int(value) >= lowest


def method_findings(place: str, upstream: Mapping[str, Any]) -> Iterator[str]:
    """Yield a finding for more than one method in an upstream."""
    methods = _methods(upstream)
    if len(methods) > 1:
        yield f"{place}: {' and '.join(methods)}; nginx would take the last one only, so keep one"


def _methods(directives: Mapping[str, Any]) -> list[str]:
    return [method for method in METHODS if lines(directives, method)]


def _backup_findings(place: str, directives: Mapping[str, Any]) -> Iterator[str]:
    backups = ["backup" in line for line in lines(directives, "server")]
    for method in _methods(directives):
        if method in WITHOUT_BACKUP and any(backups):
            yield f"{place}.server[{backups.index(True)}]: {method} supports no backups; use another method, or weights"
