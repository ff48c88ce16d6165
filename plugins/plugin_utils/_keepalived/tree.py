# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host's keepalived configuration, from the role's settings."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    defines,
    instance_of,
    one_of,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import LISTS
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import quote
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import (
    Cluster,
    instance,
    instance_name,
    unicast_between,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.watch import release_file, release_tracker

# The directives of settings that are lists of lines, and of those that are lists of named blocks.
LINES = ("static_ipaddress", "static_routes", "static_rules")
BLOCKS = {
    "track_files": "track_file",
    "vrrp_scripts": "vrrp_script",
    "track_processes": "vrrp_track_process",
    "bfd_instances": "bfd_instance",
    "vrrp_sync_groups": "vrrp_sync_group",
    "vrrp_instances": "vrrp_instance",
    "virtual_server_groups": "virtual_server_group",
    "virtual_servers": "virtual_server",
}
RLIMIT_RTTIME_US = 2_000_000
# Blocks that a virtual or real server may have several of.
REPEATED = ("real_server", "_CHECK", "_GET")


def tree(settings: Mapping[str, Any], cluster: Cluster) -> dict[str, Any] | list[Any]:
    """Return the configuration of ``cluster.host``, as ``to_keepalived_conf`` writes it.

    *settings* has the role's variables without their prefix: ``vips``, ``profile`` (the timers, or empty to add no
    defaults), ``unicast``, ``script_user``, ``track_services``, ``check_script``, ``global_defs``,
    ``vrrp_instance``, ``conf``, and the lists of :data:`LINES` and :data:`BLOCKS`; optionally ``release``, whether the
    watch may let go of VIPs.
    The user's directives win, except that what is tracked adds up.
    Raises ValueError when an address or interface cannot be found.
    """
    if settings["vips"] or settings["unicast"]:
        cluster = cluster._replace(moving=_moving(settings))
    conf = settings["conf"]
    if not isinstance(conf, Mapping):
        # A list, whose order matters, or text.
        rest = tree({**settings, "conf": {}}, cluster)
        lines = [conf] if isinstance(conf, str) else list(conf)
        return [rest, *lines] if rest else lines
    result = {key: value for key, value in conf.items() if _comes_first(key)}
    global_defs = _with_limits({**_defaults(settings, cluster), **settings["global_defs"]}, settings)
    if global_defs:
        result["global_defs"] = global_defs
    for name in LINES:
        if settings[name]:
            result[name] = settings[name]
    result.update(_tracking(settings))
    for name, directive in BLOCKS.items():
        for block in settings[name]:
            result[f"{directive} {block['name']}"] = _block(name, block, settings, cluster)
        if name == "vrrp_instances":
            result.update(_instances(settings, cluster))
    result.update({key: value for key, value in conf.items() if not _comes_first(key)})
    return result


def track_file(service: str) -> str:
    """Return the file that says whether *service* is up (0) or not (1)."""
    return f"/run/keepalived-{service}.track"


def _moving(settings: Mapping[str, Any]) -> set[str]:
    vips = {str(ipaddress.ip_interface(vip["address"]).ip) for vip in settings["vips"]}
    conf = settings["conf"]
    instances = [each for block in settings["vrrp_instances"] for each in instance_of(block, conf)]
    return vips | {vip.address for each in instances for vip in each.vips}


def _comes_first(key: str) -> bool:
    # Definitions take effect after their line; so do the names that instances track.
    return defines(key) or key.startswith(("vrrp_track_file ", "track_process "))


def _defaults(settings: Mapping[str, Any], cluster: Cluster) -> dict[str, Any]:
    profile = settings["profile"]
    if not profile:
        return {}
    return {
        "router_id": cluster.host,
        "enable_script_security": True,
        "script_user": settings["script_user"],
        "vrrp_version": profile["version"],
        "vrrp_down_timer_adverts": profile["down_timer_adverts"],
        "vrrp_rt_priority": 50,
        "vrrp_no_swap": True,
        # Of two holders the one that gives up sends a last advert. The other, which never stopped being master, answers
        # with gratuitous ARP, without which clients would keep the loser's MAC.
        "vrrp_higher_prio_send_advert": True,
        # Repeats gratuitous ARP after cases without an advert: a killed holder, or a foreign host that had the VIP.
        "vrrp_garp_master_refresh": 10,
    }


def _with_limits(global_defs: dict[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return *global_defs* with a limit for each process that has real-time priority.

    With keepalived's default of 10 ms without a pause, the kernel kills it on a slow or overloaded host; 2 s only stop
    a runaway. Only for processes that have real-time priority: a build without LVS or BFD rejects their directives.
    """
    if not settings["profile"]:
        return global_defs
    for process in ("vrrp", "checker", "bfd"):
        own = {f"{process}_rlimit_rttime", f"{process}_rlimit_rtime"} & global_defs.keys()
        if global_defs.get(f"{process}_rt_priority") and not own:
            global_defs[f"{process}_rlimit_rttime"] = RLIMIT_RTTIME_US
    return global_defs


def _tracking(settings: Mapping[str, Any]) -> dict[str, Any]:
    # Any value except 0 means FAULT, which hands over at once; the unit writes 0 when the service is up.
    files: dict[str, Any] = {
        f"track_file {service}": {"file": quote(track_file(service)), "weight": 0, "init_file": 1}
        for service in settings["track_services"]
    }
    if settings["check_script"]:
        script = {"script": quote(settings["check_script"]), "interval": 1, "fall": 2, "rise": 1}
        script.update(settings["profile"].get("vrrp_script", {}))
        files["vrrp_script answers"] = script
    if settings.get("release"):
        names = [block["name"] for block in settings["vrrp_instances"]]
        for name in (*names, *map(instance_name, settings["vips"])):
            # Without init_file: the watch writes it, and keepalived treats a missing file as 0.
            files[f"track_file {release_tracker(name)}"] = {"file": quote(release_file(name)), "weight": 0}
    return files


def _instances(settings: Mapping[str, Any], cluster: Cluster) -> dict[str, Any]:
    advert_int = settings["profile"]["advert_int"] if settings["profile"] else 1
    return {
        f"vrrp_instance {instance_name(vip)}": _merge(
            instance(vip, cluster, advert_int, settings["unicast"]),
            _tracked(settings, instance_name(vip)),
            settings["vrrp_instance"],
            vip.get("vrrp_instance") or {},
        )
        for vip in settings["vips"]
    }


def _tracked(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    tracked: dict[str, Any] = {}
    files = list(settings["track_services"])
    if settings.get("release"):
        files.append(release_tracker(name))
    if files:
        tracked["track_file"] = files
    if settings["check_script"]:
        tracked["track_script"] = ["answers"]
    return tracked


def _merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Merge directives: later layers win, except that what is tracked adds up."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if key.startswith("track_") and isinstance(merged.get(key), list):
                merged[key] = [*merged[key], *(line for line in value if line not in merged[key])]
            else:
                merged[key] = value
    return merged


def _block(name: str, block: Mapping[str, Any], settings: Mapping[str, Any], cluster: Cluster) -> Any:
    directives = {key: value for key, value in block.items() if key != "name"}
    if name == "vrrp_instances":
        if settings["unicast"] and "unicast_peer" not in directives:
            directives.update(
                unicast_between(_first_vip(block["name"], directives, settings["conf"], cluster), cluster)
            )
        return _merge(_tracked(settings, block["name"]), settings["vrrp_instance"], directives)
    return _repeat(directives)


def _first_vip(name: str, directives: Mapping[str, Any], conf: Any, cluster: Cluster) -> dict[str, Any]:
    for each in instance_of(directives, conf, is_here=one_of(cluster.host, cluster.hosts)):
        for vip in each.addresses("virtual_ipaddress"):
            return {"address": vip.written, "interface": each.value("interface")}
    raise ValueError(
        f"{cluster.host}: vrrp_instance {name}: keepalived_unicast finds its peers by the first address in"
        " virtual_ipaddress, which is not known; set unicast_src_ip and unicast_peer"
    )


def _repeat(directives: Mapping[str, Any]) -> Any:
    """Return *directives* with each list of blocks as consecutive blocks."""
    if not any(_is_repeated(key, value) for key, value in directives.items()):
        return dict(directives)
    lines: list[dict[str, Any]] = []
    for key, value in directives.items():
        if _is_repeated(key, value):
            lines.extend(_named(key, entry) for entry in value)
        else:
            lines.append({key: value})
    return lines


def _is_repeated(key: str, value: Any) -> bool:
    return isinstance(value, list) and key not in LISTS and key.endswith(REPEATED)


def _named(key: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    body = {inner: value for inner, value in entry.items() if inner != "name"}
    header = f"{key} {entry['name']}" if "name" in entry else key
    return {header: _repeat(body)}
