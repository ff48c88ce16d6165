# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a host, from the haproxy role's variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypedDict

from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import systemd_word
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.backends import backend_servers
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.findings_shown import without_secrets
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_files import with_manifest
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_findings import on_host
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_plan import (
    Inventory,
    family_of,
    one_line_findings,
    with_flags,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.findings import findings
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.tree import ports, sections, unit

MANIFEST = "/etc/haproxy/haproof/files"
"""Lists the files that the role has written beside it, so that a later run can remove obsolete ones."""
STATE_FOLDER = "haproxy-state"
STATE_FILE = f"/run/{STATE_FOLDER}/servers"
"""The servers' states: a script writes them before a reload, and the new haproxy reads them."""
OPEN_FILES = 524288
"""systemd's own hard limit, which no configuration lowers."""

FLAGS = ("base", "prometheus", "server_state", "unit")


class Plan(TypedDict, total=False):
    """The role's settings for a host; only ``findings`` if there are any."""

    findings: list[str]
    """Why the role refuses to change the host."""
    dest: str
    """The path of haproxy.cfg."""
    manifest: str
    conf: str
    """The text of haproxy.cfg."""
    files: list[Mapping[str, Any]]
    """The user's files beside it, as daemon_config takes them, the manifest last."""
    nofile: int
    """The limit of open files, 0 for the unit's own."""
    state: list[str]
    """The runtime socket and the file for the servers' states, escaped for a command; empty without them."""
    state_folder: str
    """The folder of that file, as systemd makes it below /run."""
    packaged_check: str
    """The commands before a reload: the packaged unit's, or the check by the user's own program."""
    scripts: str
    """The folder of the role's script."""
    tmp: bool
    """Whether haproxy uses /tmp."""
    programs: bool
    """Whether haproxy starts programs."""
    namespaces: bool
    """Whether haproxy enters network namespaces."""
    installation: dict[str, Any]
    """Options of package_info."""
    packages: list[str]
    sebooleans: list[str]
    ports: dict[str, bool]
    """Whether only TLS is spoken there, by TCP port at which HTTP is served to other hosts."""


def plan(settings: Mapping[str, Any], tables: Mapping[str, Any], inventory: Inventory) -> Plan:
    """Return the plan of a host.

    *settings* are the role's variables without their prefix. *tables* has ``families``, the differences between
    distributions, and ``base``, the role's own keywords and frontends.
    """
    settings = with_flags(settings, *FLAGS)
    settings["peers_port"] = int(settings["peers_port"])
    try:
        family = family_of(tables["families"], inventory.facts)
    except ValueError as error:
        return {"findings": [f"{inventory.host}: {error}"]}
    try:
        base = _base(settings, tables["base"], family, inventory)
    except ValueError as error:
        return {"findings": [f"{inventory.host}: haproxy_peers_group: {error}"]}
    refused = preflight(settings, base, inventory.host)
    if refused:
        return {"findings": refused}
    tree = sections(settings, base)
    conf = render(tree)
    needs = unit(tree)
    program = settings["program"]
    packages = [] if program else family["packages"]
    return {
        "findings": [],
        "dest": settings["conf_path"],
        "manifest": MANIFEST,
        "conf": conf,
        "files": with_manifest(settings["files"], MANIFEST),
        "nofile": max(needs["nofile"], OPEN_FILES) if needs["nofile"] else 0,
        "state": [systemd_word(path, command=True) for path in (needs["socket"], needs["state"])]
        if needs["state"]
        else [],
        "state_folder": STATE_FOLDER,
        "packaged_check": f"{program} -c -q -f {settings['conf_path']}" if program else family["check"],
        "scripts": family["scripts"],
        "tmp": "/tmp/" in conf,  # noqa: S108 - only searched for
        "programs": bool(re.search(r"^\s*program\b|external-check", conf, re.MULTILINE)),
        "namespaces": bool(re.search(r"\snamespace\s", conf)),
        "installation": {
            "names": [*packages, *settings["extra_packages"]],
            "database": family["database"],
        },
        "packages": packages,
        "sebooleans": family["sebooleans"],
        "ports": ports(tree),
    }


def preflight(settings: Mapping[str, Any], base: Mapping[str, Any], name: str) -> list[str]:
    """Return why the role refuses the settings of the host *name*, one message per place, without secrets."""
    found = without_secrets(on_host(name, findings(settings, base, settings["conf_path"])), settings)
    return [*one_line_findings("haproxy", settings, name), *found]


def _base(
    settings: Mapping[str, Any], base: Mapping[str, Any], family: Mapping[str, Any], inventory: Inventory
) -> dict[str, Any]:
    """Return the role's own keywords and sections, as ``sections`` takes them. Raises ValueError without peers."""
    own: dict[str, Any] = {"global": {}, "defaults": {}, "sections": {}, "frontends": []}
    if settings["base"]:
        own["global"] = {**family["global"], **base["global"]}
        own["defaults"] = dict(base["defaults"])
        if settings["server_state"] and settings["unit"]:
            own["global"]["server-state-file"] = STATE_FILE
            own["defaults"]["load-server-state-from-file"] = "global"
    if settings["peers_port"] > 0:
        # haproxy finds itself among its peers by this name.
        own["global"]["localpeer"] = inventory.host
        group = settings["peers_group"]
        peers = backend_servers(inventory.members(group), inventory.hostvars, settings["peers_port"])
        own["sections"] = {f"peers {group}": {"peer": peers}}
    if settings["stats_bind"]:
        # Before the statistics, which answer to every path.
        metrics = {"http-request use-service prometheus-exporter if": "{ path /metrics }"}
        stats = {"name": "stats", "bind": settings["stats_bind"], **base["stats_frontend"]}
        own["frontends"].append({**stats, **(metrics if settings["prometheus"] else {})})
    if settings["health_bind"]:
        own["frontends"].append({"name": "health", "bind": settings["health_bind"], **base["health_frontend"]})
    return own
