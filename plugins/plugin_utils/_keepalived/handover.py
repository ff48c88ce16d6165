# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual IPs whose connections a host can hand over, from that host's keepalived configuration."""

from __future__ import annotations

from typing import Any, TypedDict

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    Instance,
    one_of,
    read,
    virtual_addresses,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.peers import peers_of
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster


class HandedOver(TypedDict):
    """A virtual IP, its interface, and the other balancers' own addresses there.

    ``alive_s``: a peer that was alive this short before a takeover has not lost the VIP by dying.
    """

    address: str
    interface: str
    alive_s: float
    peers: list[str]


def handed_over(tree: Any, cluster: Cluster) -> list[HandedOver]:
    """Return the virtual IPs that move with their connections.

    Left out: instances with a VMAC, whose address is on a separate interface; IPVS, which has its own connection table;
    addresses on another interface than the adverts, where the peers' addresses are unknown; unknown addresses; and
    addresses whose IP version no peer has.
    """
    conf = read(tree, one_of(cluster.host, cluster.hosts))
    if conf.named("virtual_server"):
        return []
    vips = virtual_addresses(tree)
    return [entry for instance in conf.instances for entry in _entries(instance, vips, cluster)]


def _entries(instance: Instance, vips: list[str], cluster: Cluster) -> list[HandedOver]:
    link = instance.value("interface")
    if not link or instance.flag("use_vmac") is not False:
        return []
    peers = peers_of(instance, vips, cluster)
    found: list[HandedOver] = []
    for vip in instance.vips:
        family = [peer for peer in peers if (":" in peer) == (":" in vip.address)]
        if vip.known and vip.interface in ("", link) and family:
            found.append({"address": vip.address, "interface": link, "alive_s": _alive_s(instance), "peers": family})
    return found


def _alive_s(instance: Instance) -> float:
    # A holder may die just before its next advert. Without known timers nothing is certain.
    missed = (instance.down_timer_adverts or 1) - 1
    return round(missed * (instance.advert_int_s or 0), 3)
