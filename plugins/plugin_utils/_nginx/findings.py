# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings about the nginx role's variables, which are the ``settings`` of ``tree``.

Only those that ``nginx -t`` does not report, or reports less clearly.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import child
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.finding import Finding, refusals
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_findings import (
    file_findings,
    label,
    list_names,
    name_findings,
    render_findings,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx import switches, upstreams
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import blocks, key_arguments, lines, render
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.tree import NO_BLOCK

CONTEXTS = ("events", "http", "stream")
# A host as a single word without a port probably means an upstream.
_ONE_WORD = re.compile(r"(?:https?|grpcs?)://([\w-]+)(?:/.*)?", re.ASCII)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_CHECKSUM = re.compile(r"\w+:[0-9a-f]{32,}")
_RATE = re.compile(r"[1-9]\d*r/[sm]")


def findings(settings: Mapping[str, Any], main_file: str) -> Iterator[str]:
    """Yield why the role refuses the settings before it changes a node, one message per place."""
    found = [*_directive_findings(settings), *_switch_findings(settings)]
    yield from found
    # These read the directives, which must be valid for that.
    if not found:
        yield from _number_findings(settings)
        yield from _server_findings(settings)
        yield from refusals(_questionable(settings), settings.get("accept", ()), "nginx_accept")
    yield from file_findings("nginx_files", settings["files"], main_file)


def kinds(settings: Mapping[str, Any]) -> set[str]:
    """Return the kinds of findings that nginx accepts, but the role only with ``nginx_accept``."""
    return {found.kind for found in _questionable(settings)}


def _questionable(settings: Mapping[str, Any]) -> Iterator[Finding]:
    for index, upstream in enumerate(settings["upstreams"]):
        for text in upstreams.method_findings(label("nginx_upstreams", index, upstream), upstream):
            yield Finding("method", text)
    for text in _proxy_findings(settings):
        yield Finding("proxy_pass", text)


def _directive_findings(settings: Mapping[str, Any]) -> Iterator[str]:
    for context in CONTEXTS:
        if context in settings["main"]:
            yield f"nginx_main.{context}: the role writes this block; put its directives into nginx_{context}"
    for context in ("main", *CONTEXTS):
        directives = {} if settings[context] in NO_BLOCK else settings[context]
        yield from render_findings(render, f"nginx_{context}", directives)
    yield from name_findings(list_names("nginx_upstreams", settings["upstreams"]), "web")
    for index, upstream in enumerate(settings["upstreams"]):
        place = label("nginx_upstreams", index, upstream)
        if f"upstream {upstream.get('name')}" in settings["http"]:
            yield f"{place}: the name is already used by an upstream in nginx_http; rename one of them"
        yield from upstreams.findings(place, upstream)
    for index, server in enumerate(settings["servers"]):
        yield from render_findings(render, f"nginx_servers[{index}]", server)


def _switch_findings(settings: Mapping[str, Any]) -> Iterator[str]:
    for switch, needed in switches.NEEDED.items():
        if settings[switch] and not switches.is_on(settings, switch):
            yield f"nginx_{switch}: has no {' or '.join(needed)}, and has no effect without it"
    if settings["package_source"] == "vendor" and settings["program"]:
        yield f"nginx_program is {settings['program']}, but nginx_package_source: vendor installs another; set only one"
    if settings["package_source"] == "vendor" and not _CHECKSUM.fullmatch(settings["vendor_key_checksum"]):
        yield (
            "nginx_vendor_key_checksum: the vendor's key must be pinned; fetch it, compare its fingerprints with those "
            "published by the vendor, and set its checksum, e.g. sha256:0123..."
        )
    for switch in ("hotlink", "static"):
        for extension in settings[switch].get("extensions") or []:
            if not re.fullmatch(r"\w+", str(extension)):
                yield f"nginx_{switch}.extensions: {extension!r} is not an extension; write it without a dot, e.g. png"
    rate = settings["limits"].get("rate")
    if rate and not _RATE.fullmatch(str(rate)):
        yield f"nginx_limits.rate: {rate!r} is not a rate; write e.g. 20r/s or 90r/m"
    for index, proxy in enumerate(settings["real_ip"]):
        yield from _real_ip_findings(f"nginx_real_ip[{index}]", str(proxy))


def _real_ip_findings(place: str, proxy: str) -> Iterator[str]:
    if proxy == "unix:":
        return
    try:
        network = ipaddress.ip_network(proxy, strict=False)
    except ValueError:
        yield f"{place}: {proxy!r} is not an address or network; set a proxy's, e.g. 192.0.2.0/24"
        return
    if not network.prefixlen:
        yield f"{place}: {proxy} covers every client, and each could forge its address; set only the proxies' networks"


def _number_findings(settings: Mapping[str, Any]) -> Iterator[str]:
    for context, directive in (("main", "worker_rlimit_nofile"), ("events", "worker_connections")):
        for line in lines(settings[context] or {}, directive):
            if len(line) != 1 or not re.fullmatch(r"[0-9]{1,18}", line[0]):
                yield f"nginx_{context}.{directive}: {' '.join(line)!r} is not a whole number"


def _server_findings(settings: Mapping[str, Any]) -> Iterator[str]:
    servers = [*blocks(settings["http"].get("server")), *settings["servers"]]
    names = [set(switches.server_names(server)) for server in servers]
    for switch in switches.NEEDED:
        for name in settings[switch].get("servers") or []:
            if not any(name in one for one in names):
                yield f"nginx_{switch}.servers: no server has the server_name {name!r}"
    for index, host in enumerate(settings["canonical_host"]):
        place = f"nginx_canonical_host[{index}]"
        if not _HOST.fullmatch(str(host)):
            yield f"{place}: {host!r} is not a host name; write it in lower case, without scheme or port"
        elif not any(host in one for one in names):
            yield f"{place}: no server has the server_name {host!r}"
        elif any({host, other} <= one for one in names for other in settings["canonical_host"][:index]):
            yield f"{place}: another canonical host belongs to the server of {host} too; keep one of them"
    if settings["tls"].get("redirect") and not any(switches.redirects_to_tls(settings, server) for server in servers):
        yield "nginx_tls.redirect: no server listens both with ssl and without, so there is nothing to redirect"


def _proxy_findings(settings: Mapping[str, Any]) -> Iterator[str]:
    http = settings["http"]
    names = {str(upstream["name"]) for upstream in settings["upstreams"]}
    names |= {key_arguments(key)[1] for key in http if re.match(r"upstream\s+\S", str(key))}
    places: list[tuple[str, Mapping[Any, Any]]] = [("nginx_http", http)]
    places += [(f"nginx_servers[{index}]", server) for index, server in enumerate(settings["servers"])]
    # Included files may define upstreams too.
    if not any(line != ["mime.types"] for line in lines(http, "include")):
        for place, block in places:
            yield from _unknown_upstreams(place, block, names)


def _unknown_upstreams(place: str, block: Mapping[Any, Any], names: set[str]) -> Iterator[str]:
    for line in lines(block, "proxy_pass"):
        target = _ONE_WORD.fullmatch(line[0]) if line else None
        if target and target[1] not in names | {"localhost"}:
            yield (
                f"{place}.proxy_pass: {target[1]} is not an upstream, so nginx would look it up in DNS; add it to "
                f"nginx_upstreams, or write the port if it is a host ({target[1]}:80)"
            )
    for key, value in block.items():
        for inner in blocks(value):
            yield from _unknown_upstreams(child(place, key), inner, names)
