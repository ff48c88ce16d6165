# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a host, from the keepalived role's variables."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import urlsplit

from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import systemd_word
from ansible_collections.haproof.balancer.plugins.module_utils._firewall.firewall import Allow
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.build import Source
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.build import findings as build_findings
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    one_of,
    read,
    virtual_addresses,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.members import FACT, former, valid
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_timers import DOWN_TIMER_ADVERTS, dead_bound_s
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.findings_shown import without_secrets
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.node_program import program_files, read_module
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_files import with_manifest
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_findings import on_host
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_plan import (
    Inventory,
    family_of,
    one_line_findings,
    with_flags,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived import alerts, peers, wire_plan
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.findings import host_findings, refused
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.handover import (
    NO_PEER,
    HandedOver,
    handed_over,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.tree import tree
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.watch import watched

FLAGS = ("base", "firewall", "handover", "unicast", "unit", "watch")
CONF = "/etc/keepalived/keepalived.conf"
MANIFEST = "/etc/keepalived/haproof/files"
"""Lists the user's scripts that the role has written, so that a later run can remove obsolete ones."""
FIFO = "/run/keepalived-alert.fifo"
"""keepalived writes transitions to it, and systemd starts the alerts."""
WATCH = "/usr/local/lib/keepalived-watch/watch"
"""The watch; its folder also has the modules of this collection that it imports."""
HANDOVER = "/usr/local/lib/keepalived-handover/handover"
"""The hand-over, likewise."""
HANDOVER_CONFIG = "/etc/keepalived/handover.json"
LEAST_RESTART_S = 2
LEAST_TIMEOUT_S = 10
_ROLE_FILES = Path(__file__).parents[3] / "roles/keepalived/files"


class Plan(TypedDict, total=False):
    """The role's settings for a host; only ``findings`` if there are any."""

    findings: list[str]
    """Why the role refuses to change the host."""
    dest: str
    """The path of keepalived.conf."""
    manifest: str
    fifo: str
    group: str
    """The group of the hosts that share its virtual IPs."""
    accept: list[str]
    """The kinds of findings to accept."""
    tree: Any
    """The configuration, with directives as keys, to compare with those of the other hosts."""
    conf: str
    """The text of keepalived.conf."""
    vips: list[str]
    """The virtual IPs, without prefixes."""
    vip_words: list[str]
    """The same, escaped for a command in a unit."""
    link_known: bool
    """Whether the link was probed for the running configuration, and each of its virtual IPs has one holder."""
    instances: list[dict[str, Any]]
    """Options of vrrp_probe."""
    facts_complete: bool
    """Whether the facts of all peers are known."""
    members: dict[str, list[str]]
    """What the host remembers: the members of the cluster, also those that left, each with its addresses."""
    former: dict[str, list[str]]
    """Of these, those that left the inventory and were not removed."""
    allow: list[dict[str, str]]
    """The packets that the firewall must accept, as vrrp_host takes them."""
    allow_known: bool
    """Whether ``allow`` is complete, which takes the facts of all peers."""
    interfaces: list[str]
    """The interfaces with VRRP."""
    sysctl: dict[str, Any]
    sebooleans: list[str]
    files: list[Mapping[str, Any]]
    """Files with data, the user's scripts and the watch, as daemon_config takes them."""
    handover: bool
    """Whether the host hands over connections."""
    units: list[str]
    """Units that run before keepalived reads its configuration."""
    secrets: list[str]
    """Secrets to mask in all output, in addition to those that daemon_config finds."""
    scripts: str
    """The folder of scripts."""
    restart_s: int
    """Seconds until systemd restarts a killed keepalived."""
    timeout_s: int
    """Seconds within which a reload must be complete, and a held virtual IP must have its master."""
    lvs: bool
    """Whether keepalived needs IPVS."""
    namespaces: bool
    """Whether keepalived enters a network namespace."""
    installation: dict[str, Any]
    """Options of package_info."""
    packages: list[str]
    """The packages to install: keepalived, or the build's dependencies."""
    packaged: list[str]
    """The distribution's keepalived, which a build replaces; none beside the user's own program."""
    source: dict[str, Any]
    """Options of keepalived_build."""
    binary: str
    """The program of the build, or the user's own; empty for the package's."""
    environment: str
    """The file of an administrator's arguments; ``arguments`` is their variable in it."""
    arguments: str


def plan(settings: Mapping[str, Any], tables: Mapping[str, Any], inventory: Inventory) -> Plan:
    """Return the plan of a host.

    *settings* are the role's variables without their prefix, and ``live``, the text of keepalived.conf on the host,
    empty where it was not read. *tables* has ``profiles``, the timers by profile, and
    ``families``, what differs between distributions.
    """
    host = inventory.host
    settings = with_flags(settings, *FLAGS)
    group = settings["group"]
    try:
        family = family_of(tables["families"], inventory.facts)
    except ValueError as error:
        return {"findings": [f"{host}: {error}"]}
    try:
        hosts = inventory.members(group)
    except ValueError as error:
        return {"findings": [f"{host}: keepalived_group: {error}"]}
    if settings["vips"] and host not in hosts:
        return {"findings": [f"{host}: keepalived_group: {host} is not in {group}, whose hosts share keepalived_vips"]}
    cluster = Cluster(host, hosts, {name: inventory.facts_of(name) for name in hosts})
    refused = one_line_findings("keepalived", settings, host)
    if refused:
        return {"findings": refused}
    source = _source(settings)
    program, built = settings["program"], settings["install_method"] == "source"
    packaged = [] if program else family["packages"]
    wanted = _tree_settings(settings, tables["profiles"], family["scripts"])
    refused = [
        *preflight(settings, wanted, cluster),
        *on_host(host, _program_findings(program, built)),
        *(on_host(host, build_findings(source)) if built else []),
    ]
    if refused:
        return {"findings": refused}
    conf = tree(wanted, cluster)
    complete = all("interfaces" in facts for facts in cluster.facts.values())
    text = render(conf)
    vips = virtual_addresses(conf)
    # A single balancer hands nothing over, and the audit need not say why.
    wants_handover = settings["handover"] and settings["unit"] and len(cluster.hosts) > 1
    handed, left_out = handed_over(conf, cluster) if wants_handover else ([], {})
    # In a run with --limit the peers' addresses may be unknown, which switches nothing off.
    handover = bool(handed) or (not complete and NO_PEER in left_out.values())
    present, left = _members(conf, cluster, inventory) if settings["unit"] else ({}, {})
    packages = [
        *(_build_packages(settings, family) if built else packaged),
        *(family["handover_packages"] if handover else []),
    ]
    return {
        "findings": [],
        "dest": CONF,
        "manifest": MANIFEST,
        "fifo": FIFO,
        "group": group,
        "accept": settings["accept"],
        "tree": conf,
        "conf": text,
        "vips": vips,
        "vip_words": [systemd_word(vip, command=True) for vip in vips],
        "link_known": wire_plan.link_known(
            conf, host, {name: cluster.facts[name] for name in hosts if name in inventory.play_hosts}, settings["live"]
        ),
        "instances": _instances(conf, cluster, inventory),
        "facts_complete": complete,
        "members": {**left, **present},
        "former": left,
        "allow": [allow._asdict() for allow in _allows(conf, cluster, handed)] if settings["firewall"] else [],
        "allow_known": complete or not settings["firewall"],
        "interfaces": peers.vrrp_interfaces(conf, cluster),
        "sysctl": {**_sysctl(settings, conf, inventory, vips), **settings["sysctl"]},
        "sebooleans": family["sebooleans"],
        "files": [
            *_files(settings, conf, cluster, family["scripts"]),
            *_handover_files(settings, handed, left_out, complete, handover),
        ],
        # Without its configuration it does not start.
        "units": _units(settings, bool(handed) and complete),
        "handover": handover,
        "secrets": [*settings["secrets"], *_alert_secrets(settings)],
        "scripts": family["scripts"],
        "restart_s": _restart_s(wanted["profile"] or tables["profiles"]["compatible"]),
        "timeout_s": _timeout_s(conf, cluster),
        "lvs": _has(text, "virtual_server"),
        "namespaces": _has(text, "net_namespace"),
        "installation": {"names": [*packages, *settings["extra_packages"]], "database": family["database"]},
        "packages": packages,
        "packaged": packaged,
        "source": source._asdict(),
        "binary": source.binary if built else program,
        "environment": family["environment"],
        "arguments": family["arguments"],
    }


def preflight(settings: Mapping[str, Any], wanted: Mapping[str, Any], cluster: Cluster) -> list[str]:
    """Return why the role refuses the *settings* of ``cluster.host``; *wanted* are the same as ``tree`` takes them."""
    return [
        *without_secrets(_own_findings(wanted, cluster), wanted),
        *alerts.alert_findings(
            cluster.host, settings["alert_mail"], settings["alert_webhook"], settings["global_defs"]
        ),
        *alerts.script_findings(cluster.host, settings["scripts"]),
        *(on_host(cluster.host, _unit_findings(settings)) if not settings["unit"] else []),
    ]


def _unit_findings(settings: Mapping[str, Any]) -> list[str]:
    """Return the settings that need the unit, which ``keepalived_unit: false`` leaves out."""
    names = ("track_services", "check_url", "alert_mail", "alert_webhook", "watch")
    return [f"keepalived_{name} needs keepalived_unit: true" for name in names if settings[name]]


def _program_findings(program: str, built: bool) -> list[str]:
    """Return what is wrong where the host has a *program* of the user's own."""
    if not (program and built):
        return []
    return [f"keepalived_program is {program}, but keepalived_install_method: source builds another one; set only one"]


def _own_findings(wanted: Mapping[str, Any], cluster: Cluster) -> list[str]:
    """Return the findings about the settings; if there are none, why the settings cannot be rendered."""
    found = refused(host_findings(wanted, cluster), wanted["accept"])
    if found:
        return found
    try:
        render(tree(wanted, cluster))
    except ConfigError as error:
        return [f"{cluster.host}: {error}"]
    except ValueError as error:
        return [str(error)]
    return []


def _tree_settings(settings: Mapping[str, Any], profiles: Mapping[str, Any], scripts: str) -> dict[str, Any]:
    """Return the settings as ``tree`` takes them: with the timers of the profile, the check and the alerts' hook."""
    profile = profiles[settings["profile"]] if settings["base"] else {}
    hook = {alerts.HOOK: FIFO} if _alerts(settings) else {}
    return {
        **settings,
        "profile": profile,
        "check_script": _check_script(settings["check_url"], profile, scripts),
        "global_defs": {**hook, **settings["global_defs"]},
        "release": settings["watch"] and settings["watch_release_after"] > 0,
    }


def _check_script(url: str, profile: Mapping[str, Any], scripts: str) -> str:
    if not url:
        return ""
    parts = urlsplit(url)
    words = [f"{scripts}/answers", parts.hostname, parts.port or 80, parts.path or "/", profile.get("asks", "")]
    return " ".join(map(str, words)).strip()


def _alerts(settings: Mapping[str, Any]) -> bool:
    return bool(settings["alert_mail"] or settings["alert_webhook"])


def _alert_secrets(settings: Mapping[str, Any]) -> list[str]:
    webhook = settings["alert_webhook"]
    secrets = [settings["alert_mail"].get("password"), webhook.get("url"), *(webhook.get("headers") or {}).values()]
    return [str(secret) for secret in secrets if secret]


def _members(conf: Any, cluster: Cluster, inventory: Inventory) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the members of the cluster, and its former ones, each with the addresses that are or were known."""
    remembered = valid(inventory.facts.get("ansible_local", {}).get(FACT))
    found = peers.members(conf, cluster)
    present = {host: addresses or remembered.get(host, []) for host, addresses in found.items()}
    return present, former(remembered, {**{host: [] for host in cluster.hosts}, **present}, inventory.targeted)


def _allows(conf: Any, cluster: Cluster, handed: Sequence[HandedOver]) -> list[Allow]:
    asking = [Allow("handover", peer) for vip in handed for peer in vip["peers"]]
    return [*peers.allows(conf, cluster), *dict.fromkeys(asking)]


def _units(settings: Mapping[str, Any], handover: bool) -> list[str]:
    units = [f"keepalived-track@{service}" for service in settings["track_services"]]
    units += ["keepalived-alert.socket"] if _alerts(settings) else []
    units += ["keepalived-handover"] if handover else []
    return units + (["keepalived-watch"] if settings["watch"] else [])


def _instances(conf: Any, cluster: Cluster, inventory: Inventory) -> list[dict[str, Any]]:
    # Hosts beyond Ansible's forks would probe after the others are done, and hear none of them.
    together = inventory.play_hosts if len(inventory.play_hosts) <= inventory.forks else ()
    return wire_plan.planned(conf, cluster._replace(hosts=together, moving=virtual_addresses(conf)))


def _sysctl(settings: Mapping[str, Any], conf: Any, inventory: Inventory, vips: Sequence[str]) -> dict[str, int]:
    """Return the kernel parameters that let the tracked services bind a virtual IP that another host holds."""
    # The variables of the services' roles begin with the service's name, and may refer to the virtual IPs.
    prefixes = [f"{service}_" for service in settings["track_services"]]
    asks = settings["nonlocal_bind"] == "auto" and vips and prefixes
    variables = inventory.variables(prefixes, {"__keepalived_plan": {"vips": vips}}) if asks else {}
    return peers.sysctl(conf, settings["nonlocal_bind"], variables)


def _files(settings: Mapping[str, Any], conf: Any, cluster: Cluster, scripts: str) -> list[Mapping[str, Any]]:
    alert = {
        "host": cluster.host,
        "interval": settings["alert_interval"],
        "services": settings["track_services"],
        "instances": alerts.instances(conf, cluster.host, cluster.hosts),
        "mail": settings["alert_mail"],
        "webhook": settings["alert_webhook"],
    }
    own = with_manifest(alerts.script_files(settings["scripts"], scripts), MANIFEST)
    watch = _watch_files(settings, conf, cluster, scripts)
    if not settings["unit"]:
        return [*own, *watch]
    return [
        *own,
        {
            "dest": "/etc/keepalived/alert.json",
            "content": alert,
            "secret": True,
            "owner": settings["script_user"],
            "mode": "0400",
        },
        # The configuration as seen on the link: site.yml probes the link again when this will change.
        {"dest": "/etc/ansible/facts.d/haproof.fact", "content": {"keepalived_link": wire_plan.fingerprint(conf)}},
        *watch,
    ]


def _watch_files(settings: Mapping[str, Any], conf: Any, cluster: Cluster, scripts: str) -> list[dict[str, Any]]:
    """Return the watch's files, marked as absent if it is off."""
    release = settings["watch_release_after"] > 0
    config = {
        "alert": f"{scripts}/alert" if _alerts(settings) else "",
        "release_after": settings["watch_release_after"],
        "vips": watched(conf, release, cluster.host, cluster.hosts),
    }
    files: list[dict[str, Any]] = [
        *program_files((_ROLE_FILES / "watch.py").read_text(encoding="utf-8"), WATCH, read_module),
        {"dest": "/etc/keepalived/watch.json", "content": config},
    ]
    return files if settings["watch"] else [{"dest": file["dest"], "state": "absent"} for file in files]


def _handover_files(
    settings: Mapping[str, Any],
    handed: Sequence[HandedOver],
    left_out: Mapping[str, str],
    complete: bool,
    service: bool,
) -> list[dict[str, Any]]:
    """Return the hand-over's files, marked as absent if it is off.

    Without the facts of all peers their addresses are unknown, and the configuration stays unchanged. Without the
    service it still says why a virtual IP is left out.
    """
    config = {
        "limit": settings["handover_limit"],
        "check": settings["check_url"],
        "vips": handed,
        "left_out": left_out,
    }
    program = (_ROLE_FILES / "handover.py").read_text(encoding="utf-8")
    files: list[dict[str, Any]] = program_files(program, HANDOVER, read_module)
    if not service:
        files = [{"dest": file["dest"], "state": "absent"} for file in files]
    if handed or left_out:
        return [*files, {"dest": HANDOVER_CONFIG, "content": config}] if complete else files
    return [*files, {"dest": HANDOVER_CONFIG, "state": "absent"}]


def _restart_s(timers: Mapping[str, Any]) -> int:
    """Return the seconds until systemd restarts a killed keepalived.

    It has left its virtual IPs behind. If it started before the peers took over, it would be master again unnoticed,
    and sooner than its own lock file allows.
    """
    bound = dead_bound_s(timers["version"], timers["advert_int"], 1, timers["down_timer_adverts"])
    return max(LEAST_RESTART_S, math.ceil(bound))


def _timeout_s(conf: Any, cluster: Cluster) -> int:
    """Return the seconds that the slowest instance takes to become the master, its checks included."""
    instances = read(conf, one_of(cluster.host, cluster.hosts)).instances
    silences = [(each.down_timer_adverts or DOWN_TIMER_ADVERTS) * (each.advert_int_s or 1) for each in instances]
    return LEAST_TIMEOUT_S + math.ceil(max(silences, default=0))


def _has(text: str, directive: str) -> bool:
    return re.search(rf"^[ \t]*(@[^ ]+ )?{directive}", text, re.MULTILINE) is not None


def _source(settings: Mapping[str, Any]) -> Source:
    site = f"https://www.keepalived.org/software/keepalived-{settings['version']}.tar.gz"
    return Source(
        version=settings["version"],
        url=settings["source_url"] or site,
        checksum=settings["checksum"],
        prefix=settings["prefix"],
        options=tuple(settings["configure_options"]),
    )


def _build_packages(settings: Mapping[str, Any], family: Mapping[str, Any]) -> list[str]:
    options = [re.match(r"--enable-(dbus|nm|snmp)", option) for option in settings["configure_options"]]
    libraries = [library for option in options if option for library in family["optional_libraries"][option[1]]]
    return [*family["compiler"], *dict.fromkeys(libraries)]
