# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables for an nginx.conf written by hand: the inverse of ``tree.tree``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx import upstreams
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.findings import kinds
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.parse import Known, Statement, normal
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import join, key_arguments
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.tree import NOTHING, tree

CONTEXTS = ("events", "http", "stream")
# These keep the role and site from adding anything. Without a block ``events`` an include has it.
ADDS_NOTHING: dict[str, Any] = {
    "nginx_base": False,
    "nginx_unit": False,
    "nginx_proxy_headers": False,
    "nginx_health_listen": "",
    "nginx_main": {},
    "nginx_events": None,
    "nginx_http": {},
    "nginx_stream": {},
    "nginx_upstreams": [],
    "nginx_servers": [],
}
_NO_DEFAULTS: dict[str, Any] = {"main": {}, "events": {}, "http": {}, "upstream": {}, "servers": []}


def variables(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return the role's variables that reproduce the result of ``parse.parse``, and accept its findings."""
    found = dict(ADDS_NOTHING)
    main = {}
    for key, value in live.items():
        if key not in CONTEXTS or not isinstance(value, Mapping):
            main[key] = value
        elif key == "http":
            found.update(_http(value))
        else:
            found[f"nginx_{key}"] = dict(value)
    found["nginx_main"] = main
    return {**found, "nginx_accept": sorted(kinds(_settings(found)))}


def includes(live: Mapping[str, Any]) -> list[str]:
    """Return the files, or patterns, that *live* includes, each once and as written."""

    def found(tree: Mapping[Any, Any]) -> Iterator[str]:
        for key, value in tree.items():
            if str(key).partition(" ")[0] == "include":
                yield from (word for words, _body in normal({key: value}) for word in words[1:])
            for block in value if isinstance(value, list) else [value]:
                if isinstance(block, Mapping):
                    yield from found(block)

    return list(dict.fromkeys(found(live)))


def difference(found: Mapping[str, Any], live: Mapping[str, Any]) -> str:
    """Return the first line, after its blocks, that the variables *found* lack or add compared with *live*.

    The order of blocks and of upstreams, and the position of servers among other directives, are ignored.
    """
    known: Known = {}
    before = effect(live, known)
    after = effect(tree(_settings(found), _NO_DEFAULTS), known)
    if before == after:
        return ""
    pairs = zip_longest(_texts(before), _texts(after), fillvalue="")
    return next((one or other for one, other in pairs if one != other), "")


def effect(live: Mapping[Any, Any], known: Known | None = None) -> list[Statement]:
    """Return the statements of a configuration; equivalent configurations have equal ones."""
    return _ordered(normal(live, known))


def _settings(found: Mapping[str, Any]) -> dict[str, Any]:
    return {**NOTHING, **{name.partition("_")[2]: value for name, value in found.items()}}


def _http(block: Mapping[str, Any]) -> dict[str, Any]:
    http, servers, groups = {}, [], []
    words = {key: key_arguments(key) for key in block}
    keys = list(block)
    first_server = next((index for index, key in enumerate(keys) if words[key] == ["server"]), len(keys))
    # The first server of an address is its default, and an included file may have servers: these keep their places.
    movable = not any(words[key][0] == "include" for key in keys[first_server:])
    for key, value in block.items():
        values = value if isinstance(value, list) else [value]
        if words[key] == ["server"] and movable and all(isinstance(item, Mapping) for item in values):
            servers += [dict(item) for item in values]
        elif words[key][0] == "upstream" and len(words[key]) == 2 and _is_plain_upstream(words[key][1], value):
            groups.append({"name": words[key][1], **value})
        else:
            http[key] = value
    return {"nginx_http": http, "nginx_upstreams": groups, "nginx_servers": servers}


def _is_plain_upstream(name: str, value: Any) -> bool:
    """Return whether the role would write the upstream identically."""
    if not isinstance(value, Mapping) or not value.get("server") or "name" in value or name.split() != [name]:
        return False
    return normal(upstreams.block(value, {})) == normal(value)


def _ordered(statements: list[Statement]) -> list[Statement]:
    """Return the statements of the main context, sorted where their order is irrelevant, without empty contexts."""
    contexts = [one for one in statements if isinstance(one.body, list) and " ".join(one.words) in CONTEXTS]
    found = [one for one in statements if one not in contexts]
    for one in sorted(contexts, key=lambda context: context.words):
        body = list(one.body or [])
        if one.words == ["http"]:
            groups = [inner for inner in body if inner.words[0] == "upstream"]
            servers = [inner for inner in body if inner.words[0] in ("server", "include")]
            others = [inner for inner in body if inner.words[0] not in ("upstream", "server")]
            body = [*others, *sorted(groups, key=lambda group: group.words), *servers]
        if body or one.words == ["events"]:
            found.append(Statement(one.words, body))
    return found


def _texts(statements: list[Statement], path: str = "") -> Iterator[str]:
    for words, body in statements:
        text = path + join(words)
        yield text if body is None else f"{text}: {body}" if isinstance(body, str) else f"{text}:"
        if isinstance(body, list):
            yield from _texts(body, f"{text}: ")
