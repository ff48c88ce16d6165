# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about a cluster's links, from vrrp_probe's results on all its hosts. Pure functions."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.plugin_utils._common.finding import Finding

CLOCK_TOLERANCE_S = 2.0
"""A larger difference misleads in logs and breaks certificate checks; VRRP itself is unaffected."""

LEFT = "member_left"
"""The finding about a former member of the cluster."""


class Seen(NamedTuple):
    """What is known about the links of a group.

    By host: ``probes``, vrrp_probe's results; ``instances``, the instances passed to it, with ``vrid``; ``addresses``
    and ``macs``, all that the host has. ``opens`` are the hosts whose firewall is about to be opened.
    """

    probes: Mapping[str, Mapping[str, Any]]
    instances: Mapping[str, Sequence[Mapping[str, Any]]]
    addresses: Mapping[str, Sequence[str]]
    macs: Mapping[str, Sequence[str]]
    opens: Sequence[str] = ()


def wire_findings(seen: Seen) -> list[Finding]:
    """Return the findings, once for each host that sees the problem."""
    found: list[Finding] = []
    for host, probe in seen.probes.items():
        found += _interfaces(host, probe, seen)
        found += _taken(host, probe, seen)
        found += _foreign(host, probe, seen)
        found += _unreachable(host, probe, seen)
        found += _clocks(host, probe)
    found += _left(seen)
    return list(dict.fromkeys(found))


def _interfaces(host: str, probe: Mapping[str, Any], seen: Seen) -> Iterator[Finding]:
    for instance in seen.instances.get(host, ()):
        name = instance["interface"]
        link = probe["links"].get(name)
        vip = next(iter(instance["addresses"]), "")
        if link is None:
            problem = "does not exist: set an existing one"
        elif not link["up"]:
            problem = "is down: bring it up"
        elif not link["carrier"]:
            problem = "has no carrier: connect it"
        elif instance["multicast"] and not link["multicast"]:
            problem = "cannot do multicast: send the adverts to the peers by unicast"
        else:
            problem = ""
        if problem:
            yield Finding("interface_unfit", f"{host}: interface {name} {problem}", host, vip)
            continue
        for other, mtu in _mtus(instance, seen):
            if link and mtu != link["mtu"] and host < other:
                text = (
                    f"{host}: interface {name} has MTU {link['mtu']}, and {other} has {mtu} for {vip}: make them equal"
                )
                yield Finding("interface_unfit", text, host, vip)


def _mtus(instance: Mapping[str, Any], seen: Seen) -> Iterator[tuple[str, int]]:
    """Yield the MTU that the same instance has on each host."""
    for host, instances in seen.instances.items():
        for other in instances:
            same = set(other["addresses"]) & set(instance["addresses"]) and other["vrid"] == instance["vrid"]
            link = seen.probes.get(host, {}).get("links", {}).get(other["interface"])
            if same and link:
                yield host, link["mtu"]


def _taken(host: str, probe: Mapping[str, Any], seen: Seen) -> Iterator[Finding]:
    ours = {address for addresses in seen.addresses.values() for address in addresses}
    # A finding of its own reports these.
    ours |= {address for each in probe.get("former", ()) for address in each["addresses"]}
    for router in probe["routers"]:
        for instance in seen.instances.get(host, ()):
            # IPv4 and IPv6 have separate router ids (RFC 9568 section 5.2.3).
            same_family = any((":" in vip) == (":" in router["source"]) for vip in instance["addresses"])
            same = (instance["interface"], instance["vrid"]) == (router["interface"], router["vrid"])
            if same and same_family and router["source"] not in ours:
                shown = ", ".join(router["addresses"]) or "no address"
                yield Finding(
                    "vrid_taken",
                    f"{host}: VRID {router['vrid']} is in use on {router['interface']} by {router['source']}"
                    f" ({router['mac']}, priority {router['priority']}, for {shown}), which is not in the group:"
                    f" choose another vrid, or stop that router",
                    host,
                    next(iter(instance["addresses"]), ""),
                )


def _foreign(host: str, probe: Mapping[str, Any], seen: Seen) -> Iterator[Finding]:
    ours = {mac.lower() for macs in seen.macs.values() for mac in macs}
    ours |= {mac for each in probe.get("former", ()) for mac in each["macs"]}
    vrids = {vip: instance["vrid"] for instance in seen.instances.get(host, ()) for vip in instance["addresses"]}
    for vip, macs in probe["macs"].items():
        for mac in macs:
            if mac not in ours and mac not in virtual_macs(vrids.get(vip, 0)):
                yield Finding(
                    "vip_foreign_mac",
                    f"{host}: {vip} is answered by {mac}, which belongs to no host of the group: choose another "
                    "address, or remove it from that host",
                    host,
                    vip,
                )


def _left(seen: Seen) -> Iterator[Finding]:
    """Find former members of the cluster that are still up. What each host saw of one is one finding."""
    former = {each["name"]: each["addresses"] for probe in seen.probes.values() for each in probe.get("former", ())}
    for name, addresses in former.items():
        does, vips, macs = [], [], set()
        for probe in seen.probes.values():
            macs |= {mac for each in probe.get("former", ()) if each["name"] == name for mac in each["macs"]}
            for router in probe["routers"]:
                if router["source"] in addresses:
                    shown = ", ".join(router["addresses"]) or "no address"
                    does.append(f"advertises VRID {router['vrid']} with priority {router['priority']} for {shown}")
                    vips += router["addresses"]
        for vip in dict.fromkeys(vip for probe in seen.probes.values() for vip in probe["macs"]):
            if any(macs & set(probe["macs"].get(vip, ())) for probe in seen.probes.values()):
                does.append(f"answers for {vip}")
                vips.append(vip)
        if does or macs:
            silent = "is up, and takes a virtual IP over when it hears no adverts for it, unless its keepalived is gone"
            what = " and ".join(dict.fromkeys(does)) or silent
            yield Finding(
                LEFT, f"{left_text(name, addresses)}: it {what}. {take_out(name)}", name, next(iter(vips), "")
            )


def left_text(name: str, addresses: Sequence[str]) -> str:
    """Return that a host is no longer a balancer in the inventory."""
    shown = f" ({', '.join(addresses)})" if addresses else ""
    return f"{name}{shown} left the balancers without the playbook remove"


def take_out(name: str) -> str:
    """Return how to remove a host that is no longer a balancer in the inventory."""
    command = f"ansible-playbook haproof.balancer.remove -e remove_host={name}"
    return (
        f"Return it to the inventory, outside of the balancers, and run {command}, or if it no longer exists,"
        f" {command} -e remove_gone=true"
    )


def virtual_macs(vrid: int) -> tuple[str, str]:
    """Return the MAC addresses of a virtual router, for IPv4 and IPv6 (RFC 9568 section 7.3)."""
    return f"00:00:5e:00:01:{vrid:02x}", f"00:00:5e:00:02:{vrid:02x}"


def _unreachable(host: str, probe: Mapping[str, Any], seen: Seen) -> Iterator[Finding]:
    for heard in probe["heard"]:
        peer, interface, way = heard["peer"], heard["interface"], heard["way"]
        if peer not in seen.probes:
            # It could not send; another check reports that it is unreachable.
            continue
        who = f"{peer} ({', '.join(heard['addresses'])})"
        vips = [
            vip
            for instance in seen.instances.get(host, ())
            if instance["interface"] == interface
            for vip in instance["addresses"]
        ]
        vip = next(iter(vips), "")
        if not heard["link"]:
            hint = "; where the network carries no multicast, use unicast" if way == "multicast" else ""
            text = f"{host}: no VRRP from {who} arrives on {interface} by {way}: allow IP protocol 112{hint}"
            yield Finding("vrrp_unreachable", text, host, vip)
        elif not heard["host"] and host not in seen.opens:
            text = (
                f"{host}: VRRP from {who} arrives on {interface} by {way}, and the firewall of {host} drops it: accept"
                f" IP protocol 112 from {', '.join(heard['addresses'])}"
            )
            yield Finding("vrrp_unreachable", text, host, vip)


def _clocks(host: str, probe: Mapping[str, Any]) -> Iterator[Finding]:
    for peer in sorted({heard["peer"] for heard in probe["heard"]}):
        found = [
            heard["clock_difference_s"]
            for heard in probe["heard"]
            if heard["peer"] == peer and heard["clock_difference_s"] is not None
        ]
        difference = min(found, key=abs, default=0.0)
        # Both hosts see it; only the one that is behind reports it.
        if difference > CLOCK_TOLERANCE_S:
            text = f"{host}: its clock is {difference:.1f} s behind that of {peer}: run NTP on both"
            yield Finding("clock_differs", text, host)
