# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a running cluster by the observations on all its hosts. Pure functions.

``infos`` are the results of vip_info by host, ``probes`` those of vrrp_probe; a host that could not be inspected has
``msg`` instead. ``services`` are the results of vip_check by address, ``daemons`` those of daemon_info by host.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime, timezone
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import printable
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.maintenance import UPGRADE
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.members import former
from ansible_collections.haproof.balancer.plugins.module_utils._link.holders import HOLDER, holds, instance_of, role_of
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.finding import Finding
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.hand_made import job_kept, outside, untracked
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.wire_findings import (
    LEFT,
    Seen,
    left_text,
    take_out,
    wire_findings,
)

# File systems and systemd round times differently.
_ROUNDING_S = 1.0
NONE = "-"


class Observations(NamedTuple):
    """All observations.

    ``vips`` are expected virtual IPs, in addition to those of the instances. ``members`` are the hosts that share them
    by the inventory, also those that were not inspected.
    """

    infos: Mapping[str, Mapping[str, Any]]
    probes: Mapping[str, Mapping[str, Any]]
    services: Mapping[str, Mapping[str, Any]]
    vips: Sequence[str] = ()
    daemons: Mapping[str, Mapping[str, Any]] = {}
    members: Sequence[str] = ()

    def inspected(self) -> dict[str, Mapping[str, Any]]:
        """Return the hosts that could be inspected."""
        return {host: info for host, info in self.infos.items() if "addresses" in info}

    def all_vips(self) -> list[str]:
        """Return all virtual IPs, each once."""
        known = [
            vip
            for info in self.inspected().values()
            for instance in info["instances"]
            for vip in instance["virtual_addresses"]
        ]
        return list(dict.fromkeys([*map(_bare, self.vips), *known]))

    def own_addresses(self) -> dict[str, list[str]]:
        """Return each host's addresses without the virtual ones."""
        vips = self.all_vips()
        return {
            host: [entry["address"] for entry in info["addresses"] if entry["address"] not in vips]
            for host, info in self.inspected().items()
        }

    def former(self) -> dict[str, list[str]]:
        """Return the hosts that left the inventory and that others remember, each with its addresses."""
        present = {
            host: [entry["address"] for entry in self.infos.get(host, {}).get("addresses", ())]
            for host in (*self.members, *self.infos)
        }
        found: dict[str, list[str]] = {}
        for info in self.inspected().values():
            found.update(former(info.get("members", {}), present))
        return found


def probe_instances(infos: Mapping[str, Mapping[str, Any]], host: str) -> list[dict[str, Any]]:
    """Return the instances of *host* for vrrp_probe; peers are the hosts that share a VIP and its link."""
    cluster = Observations(infos, {}, {})
    looked = cluster.inspected()
    if host not in looked:
        return []
    found = []
    for instance in looked[host]["instances"]:
        vips = instance["virtual_addresses"]
        unicast = instance.get("unicast_peers") or []
        version = 6 if any(":" in vip for vip in vips[:1]) else 4
        here = _networks(looked[host], instance["interface"], vips)
        peers = []
        for peer, info in looked.items():
            shared = {vip for other in info["instances"] for vip in other["virtual_addresses"]} & set(vips)
            if peer == host or not shared or instance.get("authentication") == "ah":
                continue
            addresses = [
                entry["address"]
                for entry in info["addresses"]
                if entry["family"] == f"ipv{version}"
                and entry["address"] not in cluster.all_vips()
                # Adverts over IPv6 come from link-local addresses (RFC 9568 section 5.1.2.1).
                and (entry["address"] in unicast if unicast else _near(entry, here))
            ]
            if addresses:
                peers.append({"name": peer, "addresses": addresses})
        found.append(
            {
                "name": instance["name"],
                "vrid": instance["vrid"],
                "interface": instance["interface"],
                "addresses": vips,
                "advert_int_s": instance["advert_int_s"],
                "multicast": not unicast,
                "peers": peers,
            }
        )
    return found


def endpoints(infos: Mapping[str, Mapping[str, Any]], vips: Sequence[str]) -> list[str]:
    """Return the addresses at which the service is checked: the VIPs, and the hosts' own addresses in their subnets."""
    cluster = Observations(infos, {}, {}, vips)
    own = [next(iter(_beside(cluster, host, vip)), "") for vip in cluster.all_vips() for host in cluster.inspected()]
    return [address for address in dict.fromkeys([*cluster.all_vips(), *own]) if address]


def report(cluster: Observations, accepted: Sequence[str] = ()) -> dict[str, Any]:
    """Return ``vips``, ``findings`` and ``table``.

    ``vips`` has a row for each VIP: ``vip``, ``holders``, ``standbys`` (host to effective priority, the next one
    first), ``macs`` that answer, ``service`` (True, False, None if not checked) and the names of its ``findings``.
    ``findings`` have ``finding``, ``host``, ``vip``, ``text`` and ``accepted``; ``warnings`` have ``warning``,
    ``host``, ``vip`` and ``text``. ``table`` has the rows as text.
    """
    found = findings(cluster)
    rows = [_row(cluster, vip, found) for vip in cluster.all_vips()]
    shown = [
        {"finding": f.kind, "host": f.host, "vip": f.vip, "text": printable(f.text), "accepted": f.kind in accepted}
        for f in found
    ]
    warned = [{"warning": f.kind, "host": f.host, "vip": f.vip, "text": printable(f.text)} for f in _warnings(cluster)]
    return {"vips": rows, "findings": shown, "warnings": warned, "table": printable(table(rows))}


def _warnings(cluster: Observations) -> Iterator[Finding]:
    """Find settings that work, but hardly as intended."""
    for host, info in cluster.inspected().items():
        if info["keepalived"].get("config", {}).get("script_security") is False:
            text = (
                f"{host}: its scripts run as root even if another user may change them:"
                " set enable_script_security and script_user in global_defs"
            )
            yield Finding("script_security", text, host)
        for entry in info.get("handover", ()):
            if entry["problem"]:
                text = f"{host}: {entry['vip']} would move without its connections: {entry['problem']}"
                yield Finding("handover", text, host, entry["vip"])
        for job in cluster.daemons.get(host, {}).get("cron", ()):
            yield Finding("cron", f"{host}: {job_kept(job)}", host)
    for vip in cluster.all_vips():
        found = {host: instance_of(info, vip) for host, info in cluster.inspected().items()}
        ranking = sorted(((one["priority"], host) for host, one in found.items() if one), reverse=True)
        if len(ranking) > 1:
            (highest, host), (next_one, _host) = ranking[:2]
            yield from _weights(host, vip, found[host] or {}, highest - next_one)


def _weights(host: str, vip: str, instance: Mapping[str, Any], gap: int) -> Iterator[Finding]:
    for entry in instance.get("tracked", ()):
        if entry["kind"] == "script" and 0 < abs(entry["weight"]) <= gap:
            text = (
                f"{host}: {vip} stays when script {entry['name']} fails: its weight is {entry['weight']}, but"
                f" the next priority is {gap} lower; set the weight to 0, or beyond {gap}"
            )
            yield Finding("weight", text, host, vip)


def findings(cluster: Observations) -> list[Finding]:
    """Return all findings."""
    found = []
    for host, info in cluster.infos.items():
        if "addresses" not in info:
            why = str(info.get("msg", "no answer")).strip()
            found.append(Finding("host_unknown", f"{host}: cannot be inspected: {why}", host))
        else:
            found += _host(host, info, cluster)
    for host in cluster.inspected():
        found += _daemons(host, cluster.daemons.get(host, {"daemons": {}}))
    for host, probe in cluster.probes.items():
        if "heard" not in probe and host in cluster.inspected():
            why = str(probe.get("msg", "no answer")).strip()
            found.append(Finding("host_unknown", f"{host}: its link cannot be inspected: {why}", host))
    for vip in cluster.all_vips():
        found += _vip(vip, cluster)
        found += _service(vip, cluster)
    probes = {host: probe for host, probe in cluster.probes.items() if "heard" in probe}
    addresses = {host: [entry["address"] for entry in info["addresses"]] for host, info in cluster.inspected().items()}
    instances = {host: probe["instances"] for host, probe in probes.items()}
    found += wire_findings(Seen(probes, instances, addresses, _macs(probes)))
    found += _gone(cluster, found)
    return list(dict.fromkeys(found))


def _gone(cluster: Observations, found: Sequence[Finding]) -> Iterator[Finding]:
    """Find former members that the link does not show."""
    shown = [finding.host for finding in found if finding.kind == LEFT]
    for host, addresses in cluster.former().items():
        if host not in shown:
            text = f"{left_text(host, addresses)}: it is not on the link now, and may return. {take_out(host)}"
            yield Finding(LEFT, text, host)


def _host(host: str, info: Mapping[str, Any], cluster: Observations) -> Iterator[Finding]:
    daemon = info["keepalived"]
    if _in_maintenance(info):
        yield Finding("maintenance", maintenance_text(host, info), host)
    elif not daemon["running"]:
        for vip in cluster.all_vips() or [""]:
            text = f"{host}: keepalived is not running, so it cannot take over {vip}: start it"
            yield Finding("standby_not_ready", text, host, vip)
    if not daemon["running"]:
        return
    for instance in info["instances"]:
        vip = next(iter(instance["virtual_addresses"]), "")
        failing = [f"{entry['kind']} {entry['name']}" for entry in instance.get("tracked", ()) if entry["failing"]]
        what = f"{host}: {instance['name']}"
        because = f" because of {', '.join(failing)}" if failing else ""
        if instance["state"] == "fault":
            text = f"{what} is in FAULT{because}: it cannot hold any VIP until this is fixed"
            yield Finding("instance_fault", text, host, vip)
        elif failing and instance["state"] == "backup":
            text = f"{what} is at priority {instance['effective_priority']}{because}: it may not take over"
            yield Finding("standby_not_ready", text, host, vip)
        elif failing:
            yield Finding("check_failing", f"{what} holds {vip}, but {', '.join(failing)} fails", host, vip)
    ended = daemon.get("restarts") or []
    if ended:
        text = (
            f"{host}: keepalived had to restart a process (restarts: {len(ended)}, last: {ended[-1]}). Find"
            " the reason in journalctl --unit=keepalived (a CPU time limit, a crash), then restart keepalived"
        )
        yield Finding("process_restarted", text, host)
    yield from _disk(host, daemon)


def _disk(host: str, daemon: Mapping[str, Any]) -> Iterator[Finding]:
    config, program = daemon.get("config", {}), daemon.get("program", {})
    changed, loaded = config.get("changed_at"), config.get("loaded_at")
    files = ", ".join(config.get("files", ()))
    if config.get("differences"):
        text = (
            f"{host}: {files} is not the running configuration: {'; '.join(config['differences'])}. Reload keepalived,"
            " or undo the edit"
        )
        yield Finding("config_drift", text, host)
    elif changed is not None and loaded is not None and changed > loaded + _ROUNDING_S:
        text = (
            f"{host}: {files} was written {changed - loaded:.0f} s after keepalived last read it, although the"
            " comparable settings are the same. Reload keepalived, or undo the edit"
        )
        yield Finding("config_drift", text, host)
    for check in config.get("disabled", ()):
        yield Finding("check_disabled", f"{host}: {check}", host)
    if program.get("outdated"):
        installed = program["installed_version"] or "gone"
        text = (
            f"{host}: keepalived {daemon['version']} is running, but {program['program']} is another one ({installed}):"
            " restart keepalived, the standbys first"
        )
        yield Finding("binary_outdated", text, host)


def _daemons(host: str, answer: Mapping[str, Any]) -> Iterator[Finding]:
    if "daemons" not in answer:
        why = str(answer.get("msg", "no answer")).strip()
        yield Finding("host_unknown", f"{host}: its daemons cannot be inspected: {why}", host)
    for name, daemon in answer.get("daemons", {}).items():
        yield from _stale(host, name, daemon)


def _stale(host: str, name: str, daemon: Mapping[str, Any]) -> Iterator[Finding]:
    """Find files that a daemon has not read: edits after its last reload, or a run killed before its reload."""
    if daemon["stray"]:
        text = untracked(name, daemon["stray"]) or (
            f"{outside(name, daemon['stray'])}: systemctl neither reloads nor stops it, and the unit cannot start"
            " beside it. End the process, and start the unit"
        )
        yield Finding("outside_unit", f"{host}: {text}", host)
    if not daemon["running"]:
        return
    if daemon["unfinished"]:
        text = (
            f"{host}: a run was interrupted before {name}'s {daemon['unfinished']}, so it runs with its previous files."
            " Apply the playbook again"
        )
        yield Finding("config_drift", text, host)
        return
    loaded = daemon["loaded_at"]
    late = [path for path, written in daemon["files"].items() if loaded is not None and written > loaded + _ROUNDING_S]
    if late:
        seconds = max(daemon["files"][path] for path in late) - loaded
        text = (
            f"{host}: {', '.join(late)} was written {seconds:.0f} s after {name} last read it."
            f" Reload {name}, or undo the edit and reload it"
        )
        yield Finding("config_drift", text, host)
    if daemon["units_outdated"]:
        text = f"{host}: {name}'s unit files changed, but systemd has not read them: run systemctl daemon-reload"
        yield Finding("config_drift", text, host)


def _vip(vip: str, cluster: Observations) -> Iterator[Finding]:
    looked = cluster.inspected()
    holders = [host for host, info in looked.items() if holds(info, vip)]
    masters = [host for host, info in looked.items() if (instance_of(info, vip) or {}).get("state") == "master"]
    both = list(dict.fromkeys([*holders, *masters]))
    for host in holders:
        if host not in masters:
            state = (instance_of(looked[host], vip) or {}).get("state")
            running = looked[host]["keepalived"]["running"]
            state = f"is in state {state}" if state else "does not manage it"
            state = state if running else "is not running"
            text = f"{host}: the kernel has {vip}, but its keepalived {state}: run ip address del, or start keepalived"
            yield Finding("vip_orphaned", text, host, vip)
    answered = {mac for probe in cluster.probes.values() for mac in probe.get("macs", {}).get(vip, ())}
    # A host with two interfaces on the link may answer from both.
    answering = {
        host: sorted(answered & set(macs)) for host, macs in _macs(cluster.probes).items() if answered & set(macs)
    }
    if len(both) > 1 or len(answering) > 1:
        text = f"{vip}: {' and '.join(both if len(both) > 1 else answering)} hold it at the same time"
        if len(answering) > 1:
            text += f", and {' and '.join(mac for macs in answering.values() for mac in macs)} answer for it"
        yield Finding("split_brain", f"{text}: find out why they do not hear each other", vip=vip)
    if not holders:
        yield Finding("no_holder", f"{vip}: no host has it", vip=vip)
    elif len(both) == 1:
        yield from _on_the_wire(vip, both[0], cluster)
    standbys = [host for host, info in looked.items() if (instance_of(info, vip) or {}).get("state") == "backup"]
    # A separate finding reports the maintenance.
    resting = any(_in_maintenance(info) for info in looked.values())
    if len(holders) == 1 and not standbys and len(cluster.infos) > 1 and not resting:
        yield Finding("standby_not_ready", f"{vip}: no host except {holders[0]} could hold it", vip=vip)


def _on_the_wire(vip: str, holder: str, cluster: Observations) -> Iterator[Finding]:
    own = cluster.own_addresses()[holder]
    asking = {host: probe for host, probe in cluster.probes.items() if host != holder and vip in probe.get("macs", {})}
    if asking and not any(probe["macs"][vip] for probe in asking.values()):
        yield Finding("vip_unanswered", f"{vip}: {holder} has it, but does not answer for it on the link", holder, vip)
    for host, probe in asking.items():
        mine = [entry for entry in probe["instances"] if vip in entry["addresses"]]
        heard = [
            router
            for router in probe["routers"]
            if router["source"] in own and any(router["vrid"] == entry["vrid"] for entry in mine)
        ]
        if mine and not heard:
            text = f"{host}: {holder} has {vip}, but no advert from it arrives on {mine[0]['interface']}: let VRRP pass"
            yield Finding("peer_silent", text, host, vip)


def _service(vip: str, cluster: Observations) -> Iterator[Finding]:
    bad = _service_problem(cluster, vip)
    if bad:
        yield Finding("service_unanswered", bad, vip=vip)
        return
    if not _answers_beside(cluster, vip):
        return
    for host, address in _checked_beside(cluster, vip).items():
        problem = _service_problem(cluster, address)
        if problem and not _in_maintenance(cluster.infos[host]):
            text = f"{host}: its service does not answer, so it could not serve {vip}: {problem}"
            yield Finding("standby_not_ready", text, host, vip)


def own_endpoints(cluster: Observations, host: str) -> list[str]:
    """Return the host's own addresses at which its service answers if it is ready."""
    beside = [_checked_beside(cluster, vip).get(host) for vip in cluster.all_vips() if _answers_beside(cluster, vip)]
    return [address for address in dict.fromkeys(beside) if address]


def _answers_beside(cluster: Observations, vip: str) -> bool:
    """Return whether the holder's service also answers at its own address.

    A service that listens only on the VIP answers nowhere else, which says nothing about a standby.
    """
    return any(
        role_of(cluster.infos[host], vip) == HOLDER and not _service_problem(cluster, address)
        for host, address in _checked_beside(cluster, vip).items()
    )


def _checked_beside(cluster: Observations, vip: str) -> dict[str, str]:
    """Return the address of each host, in the VIP's subnet, at which its service was checked."""
    return {
        host: address
        for host in cluster.inspected()
        for address in _beside(cluster, host, vip)[:1]
        if address in cluster.services
    }


def _service_problem(cluster: Observations, address: str) -> str:
    return "; ".join(cluster.services.get(address, {}).get("findings", ()))


def _beside(cluster: Observations, host: str, vip: str) -> list[str]:
    """Return the host's own addresses in a subnet that contains the VIP."""
    info = cluster.inspected()[host]
    own = cluster.own_addresses()[host]
    return [
        entry["address"]
        for entry in info["addresses"]
        if entry["address"] in own
        and ipaddress.ip_address(vip) in ipaddress.ip_interface(f"{entry['address']}/{entry['prefix']}").network
    ]


def _row(cluster: Observations, vip: str, found: Sequence[Finding]) -> dict[str, Any]:
    looked = cluster.inspected()
    standbys = {
        host: (instance_of(info, vip) or {})["effective_priority"]
        for host, info in looked.items()
        if (instance_of(info, vip) or {}).get("state") == "backup"
    }
    macs = sorted({mac for probe in cluster.probes.values() for mac in probe.get("macs", {}).get(vip, ())})
    service = cluster.services.get(vip)
    # A host's findings concern all VIPs that it could hold.
    sharing = [
        host
        for host, info in cluster.infos.items()
        if "addresses" not in info or _in_maintenance(info) or instance_of(info, vip)
    ]
    return {
        "vip": vip,
        "holders": [host for host, info in looked.items() if holds(info, vip)],
        "standbys": dict(sorted(standbys.items(), key=lambda entry: -entry[1])),
        "macs": macs,
        "service": None if service is None else not service.get("findings"),
        "findings": sorted({f.kind for f in found if f.vip == vip or (not f.vip and f.host in sharing)}),
    }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as text."""
    lines = [["VIP", "holder", "standbys", "wire", "service", "findings"]]
    for row in rows:
        service = {None: NONE, True: "answers", False: "fails"}[row["service"]]
        standbys = ", ".join(f"{host} ({priority})" for host, priority in row["standbys"].items())
        cells = [", ".join(row["holders"]), standbys, ", ".join(row["macs"]), service, ", ".join(row["findings"])]
        lines.append([row["vip"], *(cell or NONE for cell in cells)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def _macs(probes: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    return {host: list(probe.get("own_macs", ())) for host, probe in probes.items()}


def _networks(info: Mapping[str, Any], interface: str, vips: Sequence[str]) -> set[Any]:
    return {
        ipaddress.ip_interface(f"{entry['address']}/{entry['prefix']}").network
        for entry in info["addresses"]
        if entry["interface"] == interface and entry["address"] not in vips
    }


def _near(entry: Mapping[str, Any], networks: set[Any]) -> bool:
    if entry["family"] == "ipv6":
        return bool(entry["scope"] == "link")
    return ipaddress.ip_interface(f"{entry['address']}/{entry['prefix']}").network in networks


def maintenance_text(host: str, info: Mapping[str, Any]) -> str:
    """Return a message that a host is in maintenance, since when, and how to end it."""
    began = datetime.fromtimestamp(info["maintenance_since"], timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if info.get("maintenance_by") == UPGRADE:
        again = "ansible-playbook haproof.balancer.upgrade"
        return f"{host}: out of service since {began} for an upgrade; if that no longer runs, complete it: {again}"
    end = f"ansible-playbook haproof.balancer.maintenance -e maintenance_host={host} -e maintenance_state=off"
    return f"{host}: in maintenance since {began}; to end it: {end}"


def _in_maintenance(info: Mapping[str, Any]) -> bool:
    return info.get("maintenance_since") is not None


def _bare(vip: str) -> str:
    return str(ipaddress.ip_interface(vip).ip)
