# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual IPs whose connections a host can hand over, from that host's keepalived configuration."""

from __future__ import annotations

from typing import Any, TypedDict

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    Address,
    Instance,
    one_of,
    read,
    virtual_addresses,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.peers import peers_of
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster

NO_PEER = "no peer has an address of its IP version on the interface"


class HandedOver(TypedDict):
    """A virtual IP, its interface, and the other balancers' own addresses there.

    ``alive_s``: a peer that was alive this short before a takeover has not lost the VIP by dying. ``source`` is this
    host's own address, empty if only the kernel knows it.
    """

    address: str
    interface: str
    alive_s: float
    source: str
    peers: list[str]


def handed_over(tree: Any, cluster: Cluster) -> tuple[list[HandedOver], dict[str, str]]:
    """Return the virtual IPs that move with their connections, and the reason of each one that does not."""
    conf = read(tree, one_of(cluster.host, cluster.hosts))
    vips = virtual_addresses(tree)
    found: list[HandedOver] = []
    left_out: dict[str, str] = {}
    for instance in conf.instances:
        link = instance.value("interface") or ""
        peers = peers_of(instance, vips, cluster)
        for vip in instance.vips:
            family = [peer for peer in peers if (":" in peer) == (":" in vip.address)]
            entry: HandedOver = {
                "address": vip.address,
                "interface": link,
                "alive_s": _alive_s(instance),
                "source": instance.value("unicast_src_ip") or "",
                "peers": family,
            }
            reason = "IPVS has its own connections" if conf.named("virtual_server") else _obstacle(instance, vip, entry)
            if reason:
                left_out[vip.address] = reason
            else:
                found.append(entry)
    return found, left_out


def _obstacle(instance: Instance, vip: Address, entry: HandedOver) -> str:
    """Return why a virtual IP moves without its connections, empty when nothing prevents it."""
    if instance.flag("use_vmac") is not False:
        return "it is on a VMAC's interface"
    if not entry["interface"] or not vip.known:
        return "the address or its interface is not known"
    if vip.interface not in ("", entry["interface"]):
        return "it is on another interface than the adverts, where the peers' addresses are not known"
    return "" if entry["peers"] else NO_PEER


def _alive_s(instance: Instance) -> float:
    # A holder may die just before its next advert. Without known timers nothing is certain.
    missed = (instance.down_timer_adverts or 1) - 1
    return round(missed * (instance.advert_int_s or 0), 3)
