# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nginx role's variables as one tree of directives.

``settings`` below are the role's variables without their prefix: ``main``, ``events``, ``http``, ``stream`` (mappings
of directives), ``upstreams``, ``servers``, ``files`` (lists) and the switches of ``switches``, of which ``tls``
has a ``profile``. ``version`` is nginx's on the node, empty if unknown; only the findings read
``package_source``, ``program`` and ``vendor_key_checksum``. ``defaults`` holds the role's own ``main``, ``events``,
``http`` and ``servers``, and under ``upstream`` the defaults of each upstream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx import switches, upstreams
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import lines, quote

# The settings for the user's directives and nothing else.
NOTHING: dict[str, Any] = {
    "main": {},
    "events": {},
    "http": {},
    "stream": {},
    "upstreams": [],
    "servers": [],
    "files": [],
    "package_source": "distribution",
    "program": "",
    "conf_path": "/etc/nginx/nginx.conf",
    "vendor_key_checksum": "",
    "version": "",
    "gzip": False,
    "http2": False,
    "proxy_headers": False,
    "websocket": False,
    "tls": {"profile": "none"},
    "cache": {},
    "degraded": {},
    "hotlink": {},
    "limits": {},
    "static": {},
    "canonical_host": [],
    "real_ip": [],
}
# ``events`` if an included file has the block: null, which ansible-core 2.18 converts to an empty string.
NO_BLOCK = (None, "")
# Two descriptors per connection: the client's and the backend's.
_DESCRIPTORS = 2


def tree(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return nginx.conf as a tree for to_nginx_conf; needs settings without findings."""
    conf = _merge(_limits_of_files(settings, defaults), settings["main"])
    events = _merge(_connections(conf, defaults["events"]), settings["events"] or {})
    # nginx requires the block, in the file itself or in an included one.
    if events or settings["events"] not in NO_BLOCK:
        conf["events"] = events
    if settings["stream"]:
        conf["stream"] = settings["stream"]
    http = _http(settings, defaults)
    if http:
        conf["http"] = http
    return conf


def _http(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    servers = switches.as_list(settings["http"].get("server", [])) + settings["servers"]
    http = _merge({**defaults["http"], **switches.http_directives(settings)}, settings["http"])
    for directive, added in switches.inherited(settings).items():
        http = switches.with_lines(http, directive, added, True)
    # Servers in nginx_http keep their place, before or after an include.
    for one in settings["upstreams"]:
        http[f"upstream {quote(str(one['name']))}"] = upstreams.block(one, defaults["upstream"])
    blocks = [
        # nginx rejects anything except a block.
        switches.server(settings, server, http) if isinstance(server, Mapping) else server
        for server in servers
    ]
    return {**http, "server": blocks + defaults["servers"]} if blocks or defaults["servers"] else http


def _limits_of_files(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of the main context; its limit of open files follows the user's connections."""
    main = dict(defaults["main"])
    connections = lines(settings["events"] or {}, "worker_connections")
    if connections and "worker_rlimit_nofile" in main:
        wanted = _DESCRIPTORS * int(connections[-1][0])
        main["worker_rlimit_nofile"] = max(int(main["worker_rlimit_nofile"]), wanted)
    return main


def _connections(main: Mapping[str, Any], events: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of the events block; its connections follow the user's limit of open files."""
    files = lines(main, "worker_rlimit_nofile")
    if files and "worker_connections" in events:
        return {**events, "worker_connections": int(files[-1][0]) // _DESCRIPTORS}
    return dict(events)


def _merge(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the user's directives after the defaults that they do not replace.

    They keep their order, because some need it: log_format before the access_log that uses it. A default that is a
    whole directive, such as ``include mime.types``, is only replaced by the same directive.
    """
    kept = {}
    for key, value in defaults.items():
        directive, _blank, arguments = key.partition(" ")
        if key not in own and (not arguments or arguments not in switches.as_list(own.get(directive))):
            kept[key] = value
    return {**kept, **own}
