# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From an nginx.conf that was written by hand to the role's variables: the inverse of ``tree.tree``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx import upstreams
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.parse import Statement, normal
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import key_arguments
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.tree import NOTHING, tree

CONTEXTS = ("events", "http", "stream")
# With these the role adds nothing of its own, and neither does site.
ADDS_NOTHING: dict[str, Any] = {
    "nginx_defaults": False,
    "nginx_proxy_headers": False,
    "nginx_health_listen": "",
    "nginx_upstreams": [],
    "nginx_servers": [],
}
_NO_DEFAULTS: dict[str, Any] = {"main": {}, "events": {}, "http": {}, "upstream": {}, "servers": []}


def variables(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return the role's variables that reproduce a configuration that ``parse.parse`` read."""
    found = dict(ADDS_NOTHING)
    main = {}
    for key, value in live.items():
        if key not in CONTEXTS or not isinstance(value, Mapping):
            main[key] = value
        elif key == "http":
            found.update(_http(value))
        else:
            found[f"nginx_{key}"] = dict(value)
    return {**found, "nginx_main": main}


def reproduces(found: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Return whether the role makes *live* of the variables *found* again, but for the order where it does not count.

    That is the order of blocks, and of servers and upstreams among the other directives.
    """
    settings = {**NOTHING, **{name.partition("_")[2]: value for name, value in found.items()}}
    return _ordered(normal(tree(settings, _NO_DEFAULTS))) == _ordered(normal(live))


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
    """Whether the role would write the upstream just so."""
    if not isinstance(value, Mapping) or not value.get("server") or "name" in value or name.split() != [name]:
        return False
    return normal(upstreams.block(value, {})) == normal(value)


def _ordered(statements: list[Statement]) -> dict[str, Any]:
    """The statements of the main context, sorted by what keeps an order of its own."""
    found: dict[str, Any] = {"main": [], "http": [], "servers": [], "upstreams": []}
    for words, body in statements:
        if body is None or words[0] not in CONTEXTS:
            found["main"].append((words, body))
        elif words == ["http"]:
            found["upstreams"] = [one for one in body if one.words[0] == "upstream"]
            found["servers"] = [one for one in body if one.words[0] in ("server", "include")]
            found["http"] = [one for one in body if one.words[0] not in ("upstream", "server")]
        else:
            found.setdefault(" ".join(words), []).append(body)
    return found
