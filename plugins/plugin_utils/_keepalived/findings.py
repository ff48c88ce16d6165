# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about a cluster's keepalived settings, before any host is changed."""

from __future__ import annotations

import ipaddress
import re
from itertools import combinations
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    Block,
    Configuration,
    Instance,
    instance_of,
    one_of,
    read,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.finding import Finding, refusals
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import (
    Cluster,
    interfaces,
    nowhere,
    own_address,
    vrid,
)

# Other kinds never work, so they cannot be accepted.
ACCEPTABLE = ("advert_int", "nopreempt", "priority", "subnet", "weight")

# Directives that name programs.
_RUNS = re.compile(r"vrrp_script|notify\w*|misc_path|quorum_(up|down)")


def refused(findings: Sequence[Finding], accepted: Sequence[str]) -> list[str]:
    """Return the messages of the findings that are not *accepted*, each with the setting that accepts it, if any."""
    return refusals(findings, accepted, "keepalived_accept", ACCEPTABLE)


def host_findings(settings: Mapping[str, Any], cluster: Cluster) -> list[Finding]:
    """Return the findings about *settings* (see ``tree.tree``) on ``cluster.host``."""
    findings = [*_vip_findings(settings["vips"], cluster), *_duplicates(settings["vips"])]
    places = {f"keepalived_vrrp_instances[{index}]": block for index, block in enumerate(settings["vrrp_instances"])}
    for index, vip in enumerate(settings["vips"]):
        places[f"keepalived_vips[{index}].vrrp_instance"] = vip.get("vrrp_instance") or {}
    places["keepalived_vrrp_instance"] = settings["vrrp_instance"]
    is_here = one_of(cluster.host, cluster.hosts)
    for place, directives in places.items():
        for instance in instance_of(directives, settings["conf"], place, is_here):
            findings.extend(_instance_findings(instance, cluster))
    if settings["vips"] and not settings["profile"]:
        findings.append(
            Finding("profile", "keepalived_base: false leaves out the VRRP timers, which keepalived_vips needs")
        )
    return [found._replace(text=f"{cluster.host}: {found.text}") for found in findings]


def _vip_findings(vips: Sequence[Mapping[str, Any]], cluster: Cluster) -> Iterator[Finding]:
    facts = cluster.facts.get(cluster.host, {})
    for index, vip in enumerate(vips):
        place = f"keepalived_vips[{index}]"
        address = str(vip["address"])
        owner = vip.get("owner")
        if owner and owner not in cluster.hosts:
            hosts = ", ".join(cluster.hosts)
            yield Finding("owner", f"{place}.owner: {owner} is not among the hosts of the group ({hosts})")
        if "/" not in address:
            yield Finding("address", f"{place}.address: {address} has no prefix; write it like {address}/24")
            continue
        try:
            ipaddress.ip_interface(address)
        except ValueError as error:
            yield Finding("address", f"{place}.address: {address} is not an address with a prefix: {error}")
            continue
        if not 1 <= vrid(vip) <= 255:
            source = "vrid" if vip.get("vrid") is not None else "address"
            text = f"{vip[source]} results in the VRRP router id {vrid(vip)}; set vrid to 1 to 255"
            yield Finding("vrid", f"{place}.{source}: {text}")
        interface = vip.get("interface")
        if interface and interface not in interfaces(facts):
            yield Finding("interface", f"{place}.interface: {_no_interface(interface, facts)}")
        elif own_address(vip, facts) is None:
            kind = "subnet" if interface else "address"
            yield Finding(kind, f"{place}.address: {address} {nowhere(vip, facts)}")


def _duplicates(vips: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    taken: dict[tuple[int, int], str] = {}
    for index, vip in enumerate(vips):
        try:
            family = ipaddress.ip_interface(vip["address"]).version
        except ValueError:
            continue
        place = f"keepalived_vips[{index}]"
        first = taken.setdefault((family, vrid(vip)), place)
        if first != place:
            yield Finding(
                "vrid",
                f"{place}.vrid: {vip['address']} has the VRRP router id {vrid(vip)}, like {first};"
                " set a different vrid for each VIP",
            )


def _instance_findings(instance: Instance, cluster: Cluster) -> Iterator[Finding]:
    place = instance.name
    facts = cluster.facts.get(cluster.host, {})
    interface = instance.value("interface")
    missing = interface and interfaces(facts) and interface not in interfaces(facts)
    if interface and missing and instance.flag("use_vmac") is False:
        yield Finding("interface", f"{place}.interface: {_no_interface(interface, facts)}")
    if instance.nopreempt and instance.value("state") == "MASTER":
        yield Finding("nopreempt", f"{place}.state: MASTER cancels nopreempt; set state to BACKUP on all hosts")
    number = instance.number("virtual_router_id")
    if number is not None and not 1 <= number <= 255:
        yield Finding("vrid", f"{place}.virtual_router_id: {number:g} is not a VRRP router id; set it to 1 to 255")


def _no_interface(name: object, facts: Mapping[str, Any]) -> str:
    return f"{name} does not exist on this host (it has {', '.join(interfaces(facts)) or 'no known interfaces'})"


def cluster_findings(trees: Mapping[str, Any]) -> list[Finding]:
    """Return the contradictions between the hosts' configurations. An unknown setting contradicts nothing.

    *trees* maps each host to its configuration, as ``tree.tree`` returns it.
    """
    return _cluster_findings(_read(trees))


def _read(trees: Mapping[str, Any]) -> dict[str, Configuration]:
    return {host: read(tree, one_of(host, list(trees))) for host, tree in trees.items()}


def _cluster_findings(read_by: Mapping[str, Configuration]) -> list[Finding]:
    hosts = {host: {each.name: each for each in conf.instances} for host, conf in read_by.items()}
    findings: list[Finding] = []
    for (host, mine), (peer, theirs) in combinations(hosts.items(), 2):
        for name, here in mine.items():
            if name in theirs:
                findings.extend(_pair((host, here), (peer, theirs[name])))
        findings.extend(_strangers(host, mine, peer, theirs))
    for host, mine in hosts.items():
        peers = [theirs for peer, theirs in hosts.items() if peer != host]
        findings.extend(_weights(host, mine, peers, read_by[host]))
    return findings


def acceptable_kinds(trees: Mapping[str, Any]) -> list[str]:
    """Return the kinds that ``keepalived_accept`` needs for configurations that run (see ``cluster_findings``)."""
    read_by = _read(trees)
    found = {each.kind for each in _cluster_findings(read_by)}
    for host, configuration in read_by.items():
        # Without facts no interface is missing.
        cluster = Cluster(host, list(trees), {})
        for instance in configuration.instances:
            found.update(each.kind for each in _instance_findings(instance, cluster))
        if _runs_scripts(configuration) and not Block(tuple(configuration.entries("global_defs"))).flag(
            "enable_script_security"
        ):
            found.add("script_security")
    return sorted(found & {*ACCEPTABLE, "script_security"})


def _runs_scripts(block: Block) -> bool:
    """Return whether keepalived runs programs for a configuration, as far as it is known."""
    return not block.complete or any(
        _RUNS.fullmatch(line.word(0)) or (line.block is not None and _runs_scripts(line.block)) for line in block.lines
    )


# The directives that track checks, each with the directive that defines its checks. A track_file's weight is
# multiplied by the file's content, so it is unknown.
_CHECKS = {"track_script": "vrrp_script", "track_process": "vrrp_track_process"}

# The settings that all routers of one VRID must share, and why.
SHARED = {
    "virtual_router_id": "they would not hear each other, and both would hold the VIP",
    "version": "they would ignore each other's adverts, and both would hold the VIP",
    "advert_int": "the one with the shorter interval would take over again and again",
    "authentication": "they would ignore each other's adverts, and both would hold the VIP",
}


def _pair(one: tuple[str, Instance], other: tuple[str, Instance]) -> Iterator[Finding]:
    (host, here), (peer, there) = one, other
    place = f"{host}: vrrp_instance {here.name}"
    settings, peers = shared_settings(here), shared_settings(there)
    for key, why in SHARED.items():
        mine, theirs = settings[key], peers[key]
        if None not in (mine, theirs) and mine != theirs:
            # Never the password itself.
            values = "" if key == "authentication" else f" {mine:g} here, {theirs:g} on {peer}:"
            yield Finding(key, f"{place}: {key} differs from {peer}'s:{values} {why}")
    signing, peers_signing = here.signing, there.signing
    if signing and peers_signing and not (signing.accepts(peers_signing) and peers_signing.accepts(signing)):
        yield Finding("authentication", f"{place}: auth_hmac does not match {peer}'s: {SHARED['authentication']}")
    vips, others = (instance.all_addresses("virtual_ipaddress") for instance in (here, there))
    if vips is not None and others is not None and vips != others:
        yield Finding(
            "virtual_ipaddress",
            f"{place}: virtual_ipaddress is {', '.join(vips)} here and {', '.join(others)} on {peer}:"
            f" {peer} would ignore the adverts, and both would hold a VIP",
        )
    if here.priority is not None and here.priority == there.priority:
        yield Finding(
            "priority",
            f"{place}: priority {here.priority:g} is also that of {peer}; which of them holds the"
            " VIP would be random: make them differ",
        )


def shared_settings(instance: Instance) -> dict[str, Any]:
    """Return an instance's values of :data:`SHARED`, None for those that only keepalived knows."""
    return {
        "virtual_router_id": instance.number("virtual_router_id"),
        "version": instance.version,
        "advert_int": instance.advert_int_s,
        "authentication": instance.authentication,
    }


def _strangers(host: str, mine: Mapping[str, Instance], peer: str, theirs: Mapping[str, Instance]) -> Iterator[Finding]:
    elsewhere = [(name, _known(there), there.number("virtual_router_id")) for name, there in theirs.items()]
    holders: dict[str, list[int]] = {}
    for index, (_name, vips, _vrid) in enumerate(elsewhere):
        for address in vips:
            holders.setdefault(address, []).append(index)
    for name, here in mine.items():
        vips, vrid = _known(here), here.number("virtual_router_id")
        for index in sorted({index for address in vips for index in holders.get(address, ())}):
            other, others, their_vrid = elsewhere[index]
            if name != other and vrid is not None and their_vrid not in (None, vrid):
                yield Finding(
                    "virtual_router_id",
                    f"{host}: vrrp_instance {name}: {', '.join(sorted(vips & others))} has virtual_router_id"
                    f" {vrid:g} here and {their_vrid:g} on {peer}: both would hold it",
                )


def _known(instance: Instance) -> set[str]:
    return {vip.address for vip in instance.addresses("virtual_ipaddress") if vip.known}


def _weights(
    host: str, mine: Mapping[str, Instance], peers: Sequence[Mapping[str, Instance]], configuration: Configuration
) -> Iterator[Finding]:
    """Find checks that can fail on the holder without the VIP ever moving."""
    scripts = {directive: configuration.blocks(kind) for directive, kind in _CHECKS.items()}
    for name, here in mine.items():
        standbys = [theirs[name].priority for theirs in peers if name in theirs]
        own = here.priority
        below = [priority for priority in standbys if priority is not None and own is not None and priority < own]
        if own is None or not below or len(below) < len(standbys):
            continue
        gap = own - max(below)
        for check, weight in _checks(here, scripts):
            if abs(weight) <= gap:
                yield Finding(
                    "weight",
                    f"{host}: vrrp_instance {name}: {check} has weight {weight:g}, but the next priority is {gap:g}"
                    f" lower: when it fails the VIP stays; set weight to 0, or beyond {gap:g}",
                )
            if here.nopreempt:
                yield Finding(
                    "nopreempt",
                    f"{host}: vrrp_instance {name}: {check} has weight {weight:g}, but with nopreempt the VIP stays"
                    " when a priority changes; set weight to 0",
                )


def _checks(instance: Instance, scripts: Mapping[str, Mapping[str, Block]]) -> Iterator[tuple[str, float]]:
    for directive, configured in scripts.items():
        for line in instance.entries(directive):
            own = re.search(r"\bweight (-?\d+)", line.text)
            script = configured.get(line.word(0), Block(()))
            weight = float(own[1]) if own else script.number("weight", 0)
            if line.known and weight:
                yield f"{directive} {line.word(0)}", weight
