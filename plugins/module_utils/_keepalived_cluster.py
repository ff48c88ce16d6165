# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a cluster's keepalived settings, seen before any host is touched."""

from __future__ import annotations

import ipaddress
import re
from itertools import combinations
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived_parse import normal
from ansible_collections.haproof.balancer.plugins.module_utils._vips import (
    Cluster,
    interfaces,
    nowhere,
    own_address,
    vrid,
)


class Finding(NamedTuple):
    """Something wrong: a kind, by which it can be accepted, and what to tell (host, place, value, what to do)."""

    kind: str
    text: str


_LISTS = ("virtual_ipaddress", "virtual_ipaddress_excluded")

# Kinds that can be meant. Anything else never works.
ACCEPTABLE = ("advert_int", "nopreempt", "priority", "subnet", "weight")


def told(findings: Sequence[Finding], accepted: Sequence[str]) -> list[str]:
    """Return the texts of the findings that are not *accepted*, with how to accept those that can be meant."""
    return [
        f"{text} (if you mean it: keepalived_accept: [{kind}])" if kind in ACCEPTABLE else text
        for kind, text in findings
        if kind not in ACCEPTABLE or kind not in accepted
    ]


def host_findings(settings: Mapping[str, Any], cluster: Cluster) -> list[Finding]:
    """Return what is wrong with *settings* (see ``_keepalived_tree.tree``) on ``cluster.host``."""
    findings = [*_vip_findings(settings["vips"], cluster), *_duplicates(settings["vips"])]
    places = {f"keepalived_vrrp_instances[{index}]": block for index, block in enumerate(settings["vrrp_instances"])}
    for index, vip in enumerate(settings["vips"]):
        places[f"keepalived_vips[{index}].vrrp_instance"] = vip.get("vrrp_instance") or {}
    places["keepalived_vrrp_instance"] = settings["vrrp_instance"]
    for place, directives in places.items():
        findings.extend(_instance_findings(place, directives, cluster))
    if settings["vips"] and not settings["profile"]:
        findings.append(
            Finding("profile", "keepalived_profile: none says nothing about VRRP, which keepalived_vips needs")
        )
    return [Finding(kind, f"{cluster.host}: {text}") for kind, text in findings]


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
            text = f"{vip[source]} gives the VRRP router id {vrid(vip)}; set vrid to 1 to 255"
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
        former = taken.setdefault((family, vrid(vip)), place)
        if former != place:
            yield Finding(
                "vrid",
                f"{place}.vrid: {vip['address']} has the VRRP router id {vrid(vip)}, as {former} has;"
                " give each VIP a vrid of its own",
            )


def _instance_findings(place: str, directives: Mapping[str, Any], cluster: Cluster) -> Iterator[Finding]:
    facts = cluster.facts.get(cluster.host, {})
    interface = directives.get("interface")
    if interface and interfaces(facts) and interface not in interfaces(facts) and "use_vmac" not in directives:
        yield Finding("interface", f"{place}.interface: {_no_interface(interface, facts)}")
    if _flag(directives, "nopreempt") and directives.get("state") == "MASTER":
        yield Finding("nopreempt", f"{place}.state: MASTER takes nopreempt away; set state to BACKUP on all hosts")
    number = directives.get("virtual_router_id")
    if number is not None and not 1 <= int(number) <= 255:
        yield Finding("vrid", f"{place}.virtual_router_id: {number} is no VRRP router id; set it to 1 to 255")


def _no_interface(name: object, facts: Mapping[str, Any]) -> str:
    return f"{name} does not exist on this host (it has {', '.join(interfaces(facts)) or 'none that is known'})"


def _flag(directives: Mapping[str, Any], name: str) -> bool:
    return name in directives and directives[name] is not False


def cluster_findings(trees: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Return what does not fit together in the configurations of all hosts.

    *trees* maps each host to its configuration, as ``_keepalived_tree.tree`` returns it.
    """
    hosts = {host: vrrp_instances(tree) for host, tree in trees.items()}
    findings: list[Finding] = []
    for (host, mine), (peer, theirs) in combinations(hosts.items(), 2):
        for name, here in mine.items():
            if name in theirs:
                findings.extend(_pair(name, (host, here), (peer, theirs[name])))
        findings.extend(_strangers(host, mine, peer, theirs))
    for host, mine in hosts.items():
        peers = [theirs for peer, theirs in hosts.items() if peer != host]
        findings.extend(_weights(host, mine, peers, _flat(trees[host])))
    return findings


def vrrp_instances(tree: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the VRRP instances of a configuration by name, with what they take from global_defs and defaults."""
    defaults = _flat(_flat(tree).get("global_defs", {}))
    found = {}
    for key, body in _flat(tree).items():
        words = key.split()
        if words[0] == "vrrp_instance":
            directives = _flat(body)
            directives.setdefault("version", defaults.get("vrrp_version", 2))
            directives.setdefault("advert_int", 1)
            directives.setdefault("priority", 100)
            found[words[1]] = directives
    return found


def _flat(body: Any) -> dict[str, Any]:
    """Return the directives of a block whose repetitions do not matter here."""
    if isinstance(body, Mapping):
        return dict(body)
    return {key: value for part in body if isinstance(part, Mapping) for key, value in part.items()}


def addresses(tree: Mapping[str, Any] | Sequence[Any]) -> list[str]:
    """Return the virtual IPs that a configuration names, the excluded ones too, without prefix.

    Those under a condition count on every host; those that are made of keepalived's own variables are not known.
    """
    bodies = [body for line, body in normal(tree) if body is not None and "vrrp_instance" in line.split()[:2]]
    lines = [
        entry for body in bodies for line, entries in body if line.split()[-1] in _LISTS for entry in entries or ()
    ]
    words = [next((word for word in line.split() if not word.startswith("@")), "") for line, _body in lines]
    return sorted({str(address) for word in words for address in _address(word)})


def _address(word: str) -> list[Any]:
    try:
        return [ipaddress.ip_interface(word.strip("\"'")).ip]
    except ValueError:
        return []


def _addresses(instance: Mapping[str, Any]) -> list[str]:
    return sorted(str(line).split()[0].partition("/")[0] for line in instance.get("virtual_ipaddress") or ())


# What all routers of one VRID must share, and why.
SHARED = {
    "virtual_router_id": "they would not hear each other, and both would hold the VIP",
    "version": "they would ignore each other's adverts, and both would hold the VIP",
    "advert_int": "the one with the shorter interval would take over again and again",
    "authentication": "they would ignore each other's adverts, and both would hold the VIP",
}


def _pair(name: str, one: tuple[str, Mapping[str, Any]], other: tuple[str, Mapping[str, Any]]) -> Iterator[Finding]:
    (host, here), (peer, there) = one, other
    for key, why in SHARED.items():
        if str(here.get(key)) != str(there.get(key)):
            # Never the password itself.
            values = "" if key == "authentication" else f" {here.get(key)} here, {there.get(key)} on {peer}:"
            yield Finding(key, f"{host}: vrrp_instance {name}: {key} differs from {peer}'s:{values} {why}")
    if _addresses(here) != _addresses(there):
        mine, theirs = ", ".join(_addresses(here)), ", ".join(_addresses(there))
        yield Finding(
            "virtual_ipaddress",
            f"{host}: vrrp_instance {name}: virtual_ipaddress is {mine} here and {theirs} on {peer}:"
            f" {peer} would ignore the adverts, and both would hold a VIP",
        )
    if str(here["priority"]) == str(there["priority"]):
        yield Finding(
            "priority",
            f"{host}: vrrp_instance {name}: priority {here['priority']} is also that of {peer}; which of them holds the"
            " VIP would be chance: make them differ",
        )


def _strangers(host: str, mine: Mapping[str, Any], peer: str, theirs: Mapping[str, Any]) -> Iterator[Finding]:
    for name, here in mine.items():
        for other, there in theirs.items():
            shared = set(_addresses(here)) & set(_addresses(there))
            if name != other and shared and str(here["virtual_router_id"]) != str(there["virtual_router_id"]):
                yield Finding(
                    "virtual_router_id",
                    f"{host}: vrrp_instance {name}: {', '.join(sorted(shared))} has virtual_router_id"
                    f" {here['virtual_router_id']} here and {there['virtual_router_id']} on {peer}: both would hold it",
                )


def _weights(
    host: str, mine: Mapping[str, Any], peers: Sequence[Mapping[str, Any]], tree: Mapping[str, Any]
) -> Iterator[Finding]:
    """Find checks that can fail on the holder without the VIP ever moving."""
    for name, here in mine.items():
        standbys = [int(theirs[name]["priority"]) for theirs in peers if name in theirs]
        below = [priority for priority in standbys if priority < int(here["priority"])]
        if not below or len(below) < len(standbys):
            continue
        gap = int(here["priority"]) - max(below)
        for check, weight in _checks(here, tree):
            if weight and abs(weight) <= gap:
                yield Finding(
                    "weight",
                    f"{host}: vrrp_instance {name}: {check} has weight {weight}, but the next priority is {gap} lower:"
                    f" when it fails the VIP stays; set weight to 0, or beyond {gap}",
                )
            if weight and _flag(here, "nopreempt"):
                yield Finding(
                    "nopreempt",
                    f"{host}: vrrp_instance {name}: {check} has weight {weight}, but with nopreempt the VIP stays when"
                    " a priority changes; set weight to 0",
                )


def _checks(instance: Mapping[str, Any], tree: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    # A track_file's weight is multiplied by what the file says, so nothing is known about it.
    kinds = {"track_script": "vrrp_script", "track_process": "vrrp_track_process"}
    for directive, block in kinds.items():
        for line in instance.get(directive) or ():
            name = str(line).split()[0]
            own = re.search(r"\bweight\s+(-?\d+)", str(line))
            configured = _flat(tree.get(f"{block} {name}", {})).get("weight", 0)
            yield f"{directive} {name}", int(own.group(1)) if own else int(str(configured).split()[0])
