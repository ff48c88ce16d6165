# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Maintenance of a balancer: whether the others can do without it, and whether it is back. Pure functions."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._daemon.maintenance import drop_in
from ansible_collections.haproof.balancer.plugins.module_utils._link.holders import (
    HOLDER,
    UNREADY,
    holds,
    instance_of,
    role_of,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import (
    Observations,
    findings,
    own_endpoints,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.service import prober_findings, url_of

NOT_READY = ("host_unknown", "instance_fault", "maintenance", "standby_not_ready")
"""The audit's findings that keep a host from taking over."""


class MaintenanceRequest(NamedTuple):
    """The playbook's variables, and the hosts that they may name."""

    host: str
    state: str
    probe_client: str
    balancers: Sequence[str]
    hosts: Sequence[str]


def plan(request: MaintenanceRequest, cluster: Observations) -> dict[str, Any]:
    """Return what to do, as ``findings``, ``heirs``, ``done``, ``endpoints``, ``file`` and ``url``.

    ``findings`` are the reasons to refuse the request. ``heirs`` has a ``vip`` and the ``host`` that takes it over, for
    each VIP that the balancer holds, and ``done`` reports that they have. ``endpoints`` are the balancer's own
    addresses where its service must answer before it comes back, ``file`` is the drop-in that keeps its keepalived
    stopped, ``url`` is the first VIP's, for a prober.
    """
    host = request.host
    result: dict[str, Any] = {
        "findings": request_findings(request),
        "heirs": [],
        "done": "",
        "endpoints": [],
        "file": drop_in("keepalived"),
        "url": url_of(next(iter(cluster.all_vips()), "")),
    }
    if not result["findings"] and host not in cluster.inspected():
        result["findings"] = [finding.text for finding in findings(cluster) if finding.host == host]
    if result["findings"]:
        return result
    if request.state == "off":
        return {**result, "endpoints": own_endpoints(cluster, host)}
    found, heirs = handed_over(cluster, host, cluster.all_vips())
    return {**result, "findings": found, "heirs": heirs, "done": _done(host, heirs)}


def handed_over(cluster: Observations, host: str, vips: Sequence[str]) -> tuple[list[str], list[dict[str, str]]]:
    """Return the findings and the heirs of a host that gives up those of the *vips* that it shares."""
    info, found, heirs = cluster.infos[host], [], []
    for vip in vips:
        if not (holds(info, vip) or instance_of(info, vip)):
            continue
        ready = ready_peers(cluster, host, vip)
        if not ready:
            why = _why(cluster, host, vip)
            found.append(f"{host} must stay in service, since no other host could hold {vip}: {why}")
        elif holds(info, vip):
            heirs.append({"vip": vip, "host": ready[0]})
    return found, heirs


def _done(host: str, heirs: Sequence[Mapping[str, str]]) -> str:
    moved = ", ".join(f"{heir['vip']} is on {heir['host']} now" for heir in heirs) or "it held no VIP"
    return f"{host} is in maintenance until maintenance_state=off, also over reboots and site: {moved}"


def request_findings(request: MaintenanceRequest) -> list[str]:
    """Return what is wrong with the playbook's variables."""
    found = []
    if request.host not in request.balancers:
        named = f"{request.host!r} is not a balancer" if request.host else "is not set"
        found.append(f"maintenance_host {named}: set it to one of {', '.join(request.balancers)}")
    if request.state not in ("on", "off"):
        named = f"{request.state!r} is unknown" if request.state else "is not set"
        found.append(f"maintenance_state {named}: set it to on or off")
    return found + prober_findings(request.probe_client, request.hosts)


def ready_peers(cluster: Observations, host: str, vip: str) -> list[str]:
    """Return the other hosts that hold the VIP or could at once, in the order in which they would."""
    obstacles = _obstacles(cluster, vip)
    ready = [
        peer
        for peer, info in cluster.inspected().items()
        if peer != host and role_of(info, vip) != UNREADY and peer not in obstacles
    ]

    def order(peer: str) -> tuple[bool, int]:
        info = cluster.infos[peer]
        return role_of(info, vip) != HOLDER, -int((instance_of(info, vip) or {})["effective_priority"])

    return sorted(ready, key=order)


def _obstacles(cluster: Observations, vip: str) -> dict[str, list[str]]:
    """Return the findings that keep hosts from holding the VIP, by host."""
    obstacles: dict[str, list[str]] = {}
    for finding in findings(cluster):
        # A finding of an instance names the first of its VIPs.
        instance = instance_of(cluster.infos.get(finding.host, {}), vip) or {}
        if finding.kind in NOT_READY and finding.vip in ("", vip, *instance.get("virtual_addresses", ())[:1]):
            obstacles.setdefault(finding.host, []).append(finding.text)
    return obstacles


def _why(cluster: Observations, host: str, vip: str) -> str:
    obstacles = _obstacles(cluster, vip)
    reasons = [
        text
        for peer, info in cluster.infos.items()
        if peer != host
        for text in obstacles.get(peer) or [f"{peer}: {_state(info, vip)}"]
    ]
    return "; ".join(reasons) or "the run has no other balancer"


def _state(info: Mapping[str, Any], vip: str) -> str:
    instance = instance_of(info, vip)
    return f"{instance['name']} is in state {instance['state']}" if instance else "it has no VRRP instance for it"


def back(host: str, info: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is ``missing`` until a host whose keepalived was started is back, and ``done``, which reports that.

    It is back when each instance is master with its VIPs, or backup of a master that it would not preempt. *info* is
    the result of vip_info, with details.
    """
    held = ", ".join(vip for instance in info.get("instances", ()) for vip in instance["held"])
    role = f"holds {held}" if held else "is a standby"
    return {"missing": _awaited(host, info), "done": f"{host} is back: it {role}"}


def _awaited(host: str, info: Mapping[str, Any]) -> list[str]:
    if "addresses" not in info:
        return [f"{host}: cannot be inspected: {str(info.get('msg', 'no answer')).strip()}"]
    if not info["keepalived"]["running"]:
        return [f"{host}: keepalived is not running"]
    missing = [(instance, _missing(instance)) for instance in info["instances"]]
    return [f"{host}: {instance['name']} {what}" for instance, what in missing if what]


def _missing(instance: Mapping[str, Any]) -> str:
    vips = ", ".join(instance["virtual_addresses"])
    if instance["state"] == "master":
        return "" if instance["agrees"] else f"is master without {vips}"
    if instance["state"] != "backup":
        failing = ", ".join(f"{one['kind']} {one['name']}" for one in instance.get("tracked", ()) if one["failing"])
        return f"is in state {instance['state']}{f' because of {failing}' if failing else ''}"
    if instance["master_priority"] is None:
        return "hears no master"
    if instance["preempt"] and instance["effective_priority"] > instance["master_priority"]:
        return f"has not taken {vips} back"
    return ""


def cost(client: str, probe: Mapping[str, Any]) -> str:
    """Return what a client felt, from vip_probe's result."""
    text = f"{client}: {probe['requests']} requests, {_failed(probe)}, longest outage {probe['outage_s']:.3f} s"
    if probe["latency_s"]:
        text += f", slowest answer {probe['latency_s']['max']:.3f} s"
    kept = probe["connections"]
    if not kept:
        return text
    return (
        f"{text}; on {kept['open']} kept connections {kept['requests']} requests, {kept['failed']} failed,"
        f" {kept['cut']} connections cut"
    )


def _failed(probe: Mapping[str, Any]) -> str:
    kinds = ", ".join(f"{number} {kind}" for kind, number in probe["errors"].items())
    return f"{probe['failed']} failed{f' ({kinds})' if kinds else ''}"
