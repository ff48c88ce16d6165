#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_listen
short_description: Which VRRP routers advertise on a link
version_added: "0.1.0"
description:
  - Listens for O(duration) and returns the routers whose advertisements arrive. VRRPv2 and VRRPv3, IPv4 and IPv6,
    multicast, and unicast that is meant for this host. It sends nothing.
  - It hears what arrives at the interface, also what a firewall of this host then drops, and not what this host sends
    itself.
  - At most 1,024 routers are kept, and 100,000 packets looked at. Anybody may send anything, so checksums are judged
    and broken packets counted.
  - Needs root or CAP_NET_RAW.
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
options:
  interfaces:
    description: Interfaces to listen on; when omitted, all that are up, but for the loopback.
    type: list
    elements: str
  duration:
    description: How long to listen, in seconds. Three intervals of the slowest router that one wants to hear.
    type: float
    default: 3.0
seealso:
  - module: haproof.balancer.vip_check
  - module: haproof.balancer.vip_info
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Find out which VRRP router ids are taken before choosing one
  haproof.balancer.vrrp_listen:
    duration: 5
  register: link

- name: Show them
  ansible.builtin.debug:
    msg: "{{ link.routers | map(attribute='vrid') | unique | sort }}"

- name: Hear the master on one interface
  haproof.balancer.vrrp_listen:
    interfaces: [eth1]
    duration: 1
  register: link
  failed_when: link is failed or link.routers | selectattr('vrid', 'eq', 10) | length != 1
"""

RETURN = r"""
routers:
  description: The routers that were heard, by interface, VRID and source.
  type: list
  elements: dict
  returned: success
  contains:
    interface:
      description: Where its adverts arrived.
      type: str
      sample: eth1
    mac:
      description: MAC address that the last one came from.
      type: str
      sample: "02:42:c6:12:00:0b"
    source:
      description: Address that they came from.
      type: str
      sample: 198.18.0.11
    destination:
      description: Where the last one went, the multicast group or an address of this host.
      type: str
      sample: 224.0.0.18
    vrid:
      description: Virtual router id.
      type: int
      sample: 10
    version:
      description: VRRP version.
      type: int
      sample: 3
    priority:
      description: Priority in the last one; 0 is a goodbye.
      type: int
      sample: 254
    interval_s:
      description: Seconds between adverts, as the router says.
      type: float
      sample: 0.2
    addresses:
      description: Virtual addresses in the last one.
      type: list
      elements: str
      sample: [198.18.0.10]
    authentication:
      description: V(none), V(pass) or V(ah), or V(type N) for one that does not exist. Never a password.
      type: str
      sample: none
    ttl:
      description: TTL or hop limit of the last one; anything but 255 came through a router.
      type: int
      sample: 255
    count:
      description: How many arrived.
      type: int
      sample: 15
    checksum_ok:
      description: Whether all their checksums were good.
      type: bool
    age_s:
      description: Seconds between the last one and the end of listening.
      type: float
      sample: 0.05
interfaces:
  description: Where it listened.
  type: list
  elements: str
  returned: success
  sample: [eth0, eth1]
malformed:
  description: How many packets claimed to be VRRP and were broken.
  type: int
  returned: success
overflow:
  description: How many adverts came from routers beyond the bound.
  type: int
  returned: success
complete:
  description: Whether it listened to the end, and did not stop at the bound on packets.
  type: bool
  returned: success
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._link.neighbour import mac_text
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_routers import Routers
from ansible_collections.haproof.balancer.plugins.module_utils._link.wire import (
    Listener,
    Origin,
    WireError,
    link_names,
    read_link,
    receive,
)

LONGEST_S = 3600.0


def listen(interfaces: list[str], duration_s: float) -> dict[str, Any]:
    """Return what RETURN says. Raises WireError."""
    routers = Routers()
    listeners: list[Listener] = []

    def take(packet: bytes, origin: Origin) -> bool:
        routers.take(packet, mac_text(origin[4]), str(origin[0]), time.monotonic())
        return False

    try:
        for name in interfaces:
            listeners.append(Listener(read_link(name), take))
        handlers = {sock: handler for listener in listeners for sock, handler in listener.handlers.items()}
        more = receive(handlers, time.monotonic() + duration_s)
    finally:
        for listener in listeners:
            listener.close()
    return {
        "routers": routers.told(time.monotonic()),
        "interfaces": interfaces,
        "malformed": routers.malformed,
        "overflow": routers.overflow,
        "complete": not more,
    }


def main() -> None:
    """Connect the parts."""
    module = AnsibleModule(
        argument_spec={
            "interfaces": {"type": "list", "elements": "str"},
            "duration": {"type": "float", "default": 3.0},
        },
        supports_check_mode=True,
    )
    duration: float = module.params["duration"]
    if not 0 < duration <= LONGEST_S:
        module.fail_json(msg=f"duration is {duration:g}, it must be above 0 and at most {LONGEST_S:g} seconds")
    try:
        heard = listen(module.params["interfaces"] or link_names(), duration)
    except WireError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **heard)


if __name__ == "__main__":
    main()
