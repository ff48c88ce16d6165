#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_listen
short_description: List the VRRP routers that advertise on a link
version_added: "0.1.0"
description:
  - Listens for O(duration) and returns the routers whose adverts arrive. VRRPv2 and VRRPv3, IPv4 and IPv6, multicast,
    and unicast to this host. It sends nothing.
  - It hears all packets that arrive at the interface, even those that this host's firewall then drops, except the
    host's own.
  - At most 1,024 routers are kept, and 100,000 packets read. Any host may send garbage, so checksums are verified and
    broken packets counted.
  - Needs root or CAP_NET_RAW.
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
options:
  interfaces:
    description: Interfaces to listen on. Defaults to all that are up, except the loopback.
    type: list
    elements: str
  duration:
    description: How long to listen, in seconds. Allow three intervals of the slowest router.
    type: float
    default: 3.0
seealso:
  - module: haproof.balancer.vip_check
  - module: haproof.balancer.vip_info
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: List the VRRP router ids in use before choosing one
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
  description: The routers heard, by interface, VRID and source.
  type: list
  elements: dict
  returned: success
  contains:
    interface:
      description: Interface at which its adverts arrived.
      type: str
      sample: eth1
    mac:
      description: Source MAC address of the last one.
      type: str
      sample: "02:42:c6:12:00:0b"
    source:
      description: Their source address.
      type: str
      sample: 198.18.0.11
    destination:
      description: Destination of the last one, the multicast group or an address of this host.
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
      description: Priority in the last one; 0 means that the router is stopping.
      type: int
      sample: 254
    interval_s:
      description: Seconds between adverts, as advertised.
      type: float
      sample: 0.2
    addresses:
      description: Virtual addresses in the last one.
      type: list
      elements: str
      sample: [198.18.0.10]
    authentication:
      description: V(none), V(pass), V(ah), V(hmac) for a signed one, or V(type N) for an unknown one. Never a password.
      type: str
      sample: none
    ttl:
      description: TTL or hop limit of the last one; any value except 255 came through a router.
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
  description: The interfaces listened on.
  type: list
  elements: str
  returned: success
  sample: [eth0, eth1]
malformed:
  description: Number of broken VRRP packets.
  type: int
  returned: success
overflow:
  description: Number of adverts from routers beyond the limit.
  type: int
  returned: success
complete:
  description: Whether it listened to the end, and did not stop at the limit on packets.
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
    """Return the result as in RETURN. Raises WireError."""
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
        "routers": routers.report(time.monotonic()),
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
