#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_probe
short_description: Inspect a cluster's link from one of its hosts
version_added: "0.1.0"
description:
  - Run it on all hosts of a group in one task. Each listens for VRRP routers on its links, checks which hosts answer
    for the virtual IPs, and sends probes to its peers, which do the same at the same time.
  - A probe is a VRRP packet with router id 0, which every router ignores. It lists the peers that its sender hears, so
    the hosts know when they are done.
  - Needs no keepalived on any host, and does not disturb a running one. Nothing on the host changes.
  - Only reports; the playbooks C(site) and C(audit) judge.
  - Needs root or CAP_NET_RAW.
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
options:
  instances:
    description: The VRRP instances that the host has, or will have.
    type: list
    elements: dict
    required: true
    suboptions:
      interface:
        description: Interface of the instance.
        type: str
        required: true
      name:
        description: Its name. Only needed, like the router id, to judge the result.
        type: str
      vrid:
        description: Its virtual router id.
        type: int
      addresses:
        description: Its virtual IPs, without prefix.
        type: list
        elements: str
        default: []
      advert_int_s:
        description: Its advert interval, in seconds.
        type: float
        default: 1.0
      multicast:
        description: Whether it sends to the multicast group, instead of each peer.
        type: bool
        default: true
      source:
        description: Its source address, if it is not the first of the interface.
        type: str
      peers:
        description: The other hosts. Without any, no probes are sent.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Name of the host.
            type: str
            required: true
          addresses:
            description: Its addresses on the link, one of which it sends from.
            type: list
            elements: str
            required: true
  former:
    description:
      - Hosts that left the cluster, by name, each with a list of its addresses. The result tells which are still up.
    type: dict
    default: {}
  timeout:
    description: How long to wait for the peers, in seconds, since they do not all start at the same moment.
    type: float
    default: 8.0
seealso:
  - module: haproof.balancer.vip_check
  - module: haproof.balancer.vrrp_listen
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Inspect the link of two hosts that will become a pair
  haproof.balancer.vrrp_probe:
    instances:
      - interface: eth1
        addresses: [198.18.0.10]
        peers:
          - name: the other
            addresses: ["{{ (inventory_hostname == 'lb01') | ternary('198.18.0.12', '198.18.0.11') }}"]
  register: link

- name: Show the peers heard
  ansible.builtin.debug:
    msg: "{{ link.heard }}"
"""

RETURN = r"""
instances:
  description: As given.
  type: list
  elements: dict
  returned: success
routers:
  description: VRRP routers, as RV(haproof.balancer.vrrp_listen#module:routers).
  type: list
  elements: dict
  returned: success
macs:
  description: Every MAC address that answers for each virtual IP, except this host's own.
  type: dict
  returned: success
  sample: {"198.18.0.10": ["02:42:c6:12:00:0b"]}
former:
  description: The hosts in O(former).
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name of the host.
      type: str
      sample: lb03
    addresses:
      description: Its addresses, as given.
      type: list
      elements: str
      sample: [198.18.0.13]
    macs:
      description: The MAC addresses that answer for them.
      type: list
      elements: str
      sample: ["02:42:c6:12:00:0d"]
own_macs:
  description: The MAC addresses of all interfaces of this host, except those of virtual routers.
  type: list
  elements: str
  returned: success
  sample: ["02:42:c6:12:00:0b"]
links:
  description: The instances' interfaces, by name; null for a missing one.
  type: dict
  returned: success
  contains:
    mac:
      description: MAC address.
      type: str
      sample: "02:42:c6:12:00:0b"
    mtu:
      description: Its MTU.
      type: int
      sample: 1500
    up:
      description: Whether it is up.
      type: bool
    carrier:
      description: Whether it has a carrier.
      type: bool
    multicast:
      description: Whether it supports multicast.
      type: bool
heard:
  description: What arrived from each peer, for each expected way.
  type: list
  elements: dict
  returned: success
  contains:
    peer:
      description: Name of the peer.
      type: str
      sample: lb02
    addresses:
      description: Its addresses, as given.
      type: list
      elements: str
    interface:
      description: Interface at which it should arrive.
      type: str
      sample: eth1
    way:
      description: V(multicast) or V(unicast).
      type: str
      sample: multicast
    link:
      description: Whether a probe arrived at the interface.
      type: bool
    host:
      description: Whether one also passed this host's own firewall.
      type: bool
    clock_difference_s:
      description: How far the peer's clock is ahead, in seconds; null if nothing arrived.
      type: float
      sample: 0.0004
"""

import time
from typing import Any, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.members import valid
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import (
    AddressError,
    bare_address,
    read_addresses,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.neighbour import Claim, mac_text
from ansible_collections.haproof.balancer.plugins.module_utils._link.vip_check import vantage
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_exchange import (
    HOST,
    LINK,
    Exchange,
    routes_of,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_packet import (
    PacketError,
    parse,
    parse_packet,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_routers import Routers
from ansible_collections.haproof.balancer.plugins.module_utils._link.wire import (
    Asker,
    Link,
    Listener,
    Origin,
    Raw,
    WireError,
    own_macs,
    read_link,
    receive,
)

TICK_S = 0.2
# Probes sent after the exchange is complete, for peers that started later.
FAREWELL = 3
ASK_TICKS = (0, 2, 5)
ANSWERS_S = 1.5
# By default a router advertises each second; listen for three adverts.
LISTEN_S = 3.2
ADVERTS = 3.2


class Probing:
    """All sockets of one inspection of the links, and what arrived at them."""

    def __init__(
        self,
        instances: Sequence[dict[str, Any]],
        links: dict[str, Link],
        addresses: list[Any],
        former: Sequence[str] = (),
    ) -> None:
        self.routers = Routers()
        vips = [vip for instance in instances for vip in instance["addresses"]]
        self.macs: dict[str, set[str]] = {address: set() for address in (*vips, *former)}
        usable = [instance for instance in instances if instance["interface"] in links]
        sources = {id(instance): _source(instance, addresses) for instance in usable}
        routes = [route for instance in usable for route in routes_of(instance, sources[id(instance)])]
        self.exchange = Exchange(list(dict.fromkeys(routes)))
        self._listeners: list[Listener] = []
        self._raws: dict[tuple[str, str], Raw] = {}
        self._asker: Asker | None = None
        try:
            self._listeners = [Listener(link, self._packet) for link in links.values()]
            for route in self.exchange.routes:
                place = (route.interface, route.source)
                if place not in self._raws:
                    self._raws[place] = Raw(links[route.interface], route.source, self._reader(route.interface))
            questions = [
                (links[instance["interface"]], vantage(vip, addresses, instance["interface"]).own, vip)
                for instance in usable
                for vip in instance["addresses"]
            ]
            questions += [
                (link, vantage(each, addresses, name).own, each) for each in former for name, link in links.items()
            ]
            self._asker = Asker(questions, self._claim)
        except WireError:
            self.close()
            raise

    def run(self, listen_s: float, timeout_s: float) -> None:
        """Listen, ask and probe. Raises WireError."""
        parts: list[Any] = [*self._listeners, *self._raws.values(), *([self._asker] if self._asker else [])]
        handlers = {sock: handler for part in parts for sock, handler in part.handlers.items()}
        start = time.monotonic()
        tick, farewell = 0, FAREWELL
        while True:
            if tick in ASK_TICKS and self._asker:
                self._asker.ask()
            for route in self.exchange.routes:
                payload = self.exchange.probe(route, time.time())
                self._raws[route.interface, route.source].send(payload, route.target)
            tick += 1
            receive(handlers, start + tick * TICK_S)
            farewell -= int(self.exchange.complete())
            passed = time.monotonic() - start
            if passed >= max(listen_s, ANSWERS_S) and (farewell <= 0 or passed >= timeout_s):
                return

    def close(self) -> None:
        """Close the sockets."""
        parts: list[Any] = [*self._listeners, *self._raws.values(), *([self._asker] if self._asker else [])]
        for part in parts:
            part.close()

    def _packet(self, packet: bytes, origin: Origin) -> bool:
        interface = str(origin[0])
        self.routers.take(packet, mac_text(origin[4]), interface, time.monotonic())
        try:
            advert = parse_packet(packet)
        except PacketError:
            return False
        if advert is not None:
            self.exchange.take(advert, interface, LINK, time.time())
        return False

    def _reader(self, interface: str) -> Any:
        def read(payload: bytes, source: str, destination: str) -> bool:
            try:
                self.exchange.take(parse(payload, source, destination), interface, HOST, time.time())
            except PacketError:
                return False
            return False

        return read

    def _claim(self, claim: Claim) -> None:
        if claim.address in self.macs:
            self.macs[claim.address].add(claim.mac)


def _source(instance: dict[str, Any], addresses: Sequence[dict[str, Any]]) -> str | None:
    """Return an instance's source address: over IPv6 a link-local one (RFC 9568 section 5.1.2.1)."""
    if instance["source"]:
        return bare_address(instance["source"])
    version = 6 if any(":" in vip for vip in instance["addresses"][:1]) else 4
    mine = [
        entry["address"]
        for entry in addresses
        if entry["interface"] == instance["interface"]
        and entry["family"] == f"ipv{version}"
        and entry["address"] not in instance["addresses"]
        and (version == 4 or entry["scope"] == "link")
    ]
    return str(mine[0]) if mine else None


def read_links(instances: Sequence[dict[str, Any]]) -> dict[str, Link | None]:
    """Return the interfaces of the instances, None for a missing one."""
    links: dict[str, Link | None] = {}
    for name in (instance["interface"] for instance in instances):
        try:
            links[name] = read_link(name)
        except WireError:
            links[name] = None
    return links


def probe(
    instances: list[dict[str, Any]],
    addresses: list[dict[str, Any]],
    timeout_s: float,
    former: dict[str, list[str]],
) -> dict[str, Any]:
    """Return the result as in RETURN. Raises AddressError, WireError."""
    former = {name: [bare_address(address) for address in own] for name, own in former.items()}
    for instance in instances:
        instance["addresses"] = [bare_address(vip) for vip in instance["addresses"]]
        for peer in instance["peers"]:
            peer["addresses"] = [bare_address(address) for address in peer["addresses"]]
    links = read_links(instances)
    usable = {name: link for name, link in links.items() if link is not None and link.up}
    asked = list(dict.fromkeys(address for own in former.values() for address in own))
    probing = Probing(instances, usable, addresses, asked)
    slowest = max([instance["advert_int_s"] for instance in instances], default=1.0)
    try:
        probing.run(max(LISTEN_S, ADVERTS * slowest), timeout_s)
    finally:
        probing.close()
    shown = ("mac", "mtu", "up", "carrier", "multicast")
    return {
        "instances": instances,
        "routers": probing.routers.report(time.monotonic()),
        "macs": {vip: sorted(macs) for vip, macs in probing.macs.items() if vip not in asked},
        "former": [
            {"name": name, "addresses": own, "macs": sorted({mac for address in own for mac in probing.macs[address]})}
            for name, own in former.items()
        ],
        "own_macs": own_macs(),
        "links": {
            name: link and {key: value for key, value in link._asdict().items() if key in shown}
            for name, link in links.items()
        },
        "heard": probing.exchange.report(),
    }


def main() -> None:
    """Connect the parts."""
    peer = {
        "name": {"type": "str", "required": True},
        "addresses": {"type": "list", "elements": "str", "required": True},
    }
    instance = {
        "interface": {"type": "str", "required": True},
        "name": {"type": "str"},
        "vrid": {"type": "int"},
        "addresses": {"type": "list", "elements": "str", "default": []},
        "advert_int_s": {"type": "float", "default": 1.0},
        "multicast": {"type": "bool", "default": True},
        "source": {"type": "str"},
        "peers": {"type": "list", "elements": "dict", "default": [], "options": peer},
    }
    module = AnsibleModule(
        argument_spec={
            "instances": {"type": "list", "elements": "dict", "required": True, "options": instance},
            "former": {"type": "dict", "default": {}},
            "timeout": {"type": "float", "default": 8.0},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C"}
    try:
        params = module.params
        addresses = read_addresses(module.run_command)
        seen = probe(params["instances"], addresses, params["timeout"], valid(params["former"]))
    except (AddressError, WireError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **seen)


if __name__ == "__main__":
    main()
