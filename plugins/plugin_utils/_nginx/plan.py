# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a host, from the nginx role's variables."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any, TypedDict

from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import systemd_word
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.findings_shown import without_secrets
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_files import with_manifest
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_findings import on_host
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_plan import (
    Inventory,
    family_of,
    one_line_findings,
    with_flags,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx import host, switches
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.findings import findings
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.tree import tree
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.vendor import MARK, source

MANIFEST = "/etc/nginx/haproof/files"
"""Lists the files that the role has written beside it, so that a later run can remove obsolete ones."""

FLAGS = ("base", "gzip", "http2", "proxy_headers", "websocket")
GRACE = (1, 27, 4)
"""The first version with ``keepalive_min_timeout``."""
GRACE_S = 10
"""How long a kept connection stays open after a reload, so that its client's next request can be answered."""
NO_BASE: Mapping[str, Mapping[str, Any]] = {"main": {}, "events": {}, "http": {}, "upstream": {}}


class Plan(TypedDict, total=False):
    """The role's settings for a host; only ``findings`` if there are any."""

    findings: list[str]
    """Why the role refuses to change the host."""
    dest: str
    """The path of nginx.conf."""
    manifest: str
    conf: str
    """The text of nginx.conf."""
    files: list[Mapping[str, Any]]
    """The files beside it, as daemon_config takes them, the manifest last."""
    nofile: int
    """The limit of open files."""
    capabilities: list[str]
    """The capabilities beyond the usual."""
    paths: list[str]
    """Folders that nginx writes to and systemd would protect, escaped for a unit."""
    installation: dict[str, Any]
    """Options of package_info."""
    packages: list[str]
    """nginx and its modules, without the user's extra packages."""
    source: dict[str, str]
    """The vendor's ``vendor.PackageSource``, with its whole ``text``, and ``used``, its text once nginx was installed.

    Both are empty for the distribution's nginx.
    """
    sebooleans: list[str]
    ports: dict[str, bool]
    """Whether only TLS is spoken there, by TCP port at which HTTP is served to other hosts."""


def plan(settings: Mapping[str, Any], tables: Mapping[str, Any], inventory: Inventory) -> Plan:
    """Return the plan of a host.

    *settings* are the role's variables without their prefix, and in ``version`` the output of ``nginx -v``, empty if
    unknown. *tables* has ``families``, the differences between distributions, and ``base``, the role's own directives.
    """
    settings = with_flags(settings, *FLAGS)
    version = re.search(r"nginx/([0-9.]+)", settings["version"])
    settings["version"] = version[1] if version else ""
    settings["tls"] = {"profile": "intermediate" if settings["base"] else "none", **settings["tls"]}
    try:
        family = family_of(tables["families"], inventory.facts)
    except ValueError as error:
        return {"findings": [f"{inventory.host}: {error}"]}
    refused = preflight(settings, inventory.host)
    if refused:
        return {"findings": refused}
    conf = tree(settings, _base(settings, tables["base"], family))
    needs = host.unit(conf)
    vendor = settings["package_source"] == "vendor"
    packages = [*family["packages"], *(family["stream_packages"] if settings["stream"] and not vendor else [])]
    program = settings["program"]
    if program:
        packages = []
        # Its own logs, process id and temporary files are in its prefix.
        needs["paths"].append(posixpath.dirname(posixpath.dirname(program)))
    found = _source(settings, inventory.facts, vendor)
    return {
        "findings": [],
        "dest": settings["conf_path"],
        "manifest": MANIFEST,
        "conf": render(conf),
        "files": with_manifest([*settings["files"], *switches.files(settings)], MANIFEST),
        "nofile": needs["nofile"],
        "capabilities": needs["capabilities"],
        "paths": [systemd_word(f"-{path}") for path in needs["paths"]],
        "installation": {
            "names": [*packages, *settings["extra_packages"]],
            "database": family["database"],
            "source": found["path"],
            "source_text": found["used"],
        },
        "packages": packages,
        "source": found,
        "sebooleans": family["sebooleans"],
        "ports": host.ports(conf),
    }


def preflight(settings: Mapping[str, Any], name: str) -> list[str]:
    """Return why the role refuses the settings of the host *name*, one message per place, without secrets."""
    found = without_secrets(on_host(name, findings(settings, settings["conf_path"])), settings)
    return [*one_line_findings("nginx", settings, name), *found]


def _base(settings: Mapping[str, Any], base: Mapping[str, Any], family: Mapping[str, Any]) -> dict[str, Any]:
    """Return the role's own directives, as ``tree`` takes them."""
    main = {**family["main"], **base["main"]}
    if settings["program"]:
        # It has its own modules, and its unit knows where its process id is.
        main = {key: value for key, value in main.items() if key != "pid" and not key.startswith("include ")}
    http = base["http"]
    if settings["version"] and tuple(int(number) for number in settings["version"].split(".")) >= GRACE:
        http = {**http, "keepalive_min_timeout": f"{GRACE_S}s"}
    own = {**base, "main": main, "http": http} if settings["base"] else NO_BASE
    health = {"listen": settings["health_listen"], **base["health_server"]}
    return {**own, "servers": [health] if settings["health_listen"] else []}


def _source(settings: Mapping[str, Any], facts: Mapping[str, Any], wanted: bool) -> dict[str, str]:
    found = source(settings, facts)
    text = found.text if wanted else ""
    return {**found._asdict(), "text": text, "used": f"{MARK}{text}" if wanted else ""}
