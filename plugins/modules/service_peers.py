#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: service_peers
short_description: List the peers connected to a service
version_added: "0.1.0"
description:
  - Reports from the kernel's tables which addresses have TCP connections to the processes of a systemd unit, or had one
    while the module ran. A drill uses it to verify that its clients' requests go through the service to break.
  - Needs root, to see which sockets belong to the unit.
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
options:
  service:
    description: The systemd unit.
    type: str
    required: true
  address:
    description: Only connections to this address of the host, without prefix.
    type: str
  url:
    description: Only connections to the port of this URL. A URL without a TCP port, such as C(icmp), has none.
    type: str
  wanted:
    description: Addresses to wait for. The module returns as soon as all of them are in RV(peers).
    type: list
    elements: str
    default: []
  any_wanted:
    description: Whether one of O(wanted) is enough.
    type: bool
    default: false
  duration:
    description: Maximum time to wait for them, in seconds.
    type: float
    default: 2.0
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Verify that the client's requests go through nginx
  haproof.balancer.service_peers:
    service: nginx
    address: 198.18.0.10
    url: http://198.18.0.10/
    wanted: [198.18.0.31]
  register: served
  failed_when: "'198.18.0.31' not in served.peers"
"""

RETURN = r"""
peers:
  description: Addresses that are, or were while the module ran, connected to the service.
  type: list
  elements: str
  returned: always
  sample: [198.18.0.31]
others:
  description: Addresses connected to O(address) and the port of O(url) but served by other processes.
  type: list
  elements: str
  returned: always
  sample: []
"""

import os
import time
from typing import Any, Container

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.sockets import LISTEN, Socket, served
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.unit_sockets import (
    read_inodes,
    read_processes,
    read_sockets,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError, bare_address
from ansible_collections.haproof.balancer.plugins.module_utils._probe.url import tcp_port

POLL_S = 0.02


def inspect(run: Runner, unit: str) -> tuple[list[Socket], set[int]]:
    """Return all sockets in a unit's network namespace, and the inodes of its own."""
    pids = read_processes(run, unit)
    return read_sockets(pids[0] if pids else os.getpid()), read_inodes(pids)


def list_peers(
    found: list[Socket], own: set[int], address: str, port: int, ended: Container[Socket]
) -> dict[str, list[str]]:
    """Return ``peers`` and ``others``, as in RETURN. *ended* are those that had ended before the module started."""
    everyone = {one.inode for one in found if one.state == LISTEN or one.inode}
    peers = served(found, own, address, port, ended)
    return {"peers": peers, "others": sorted(set(served(found, everyone, address, port, ended)) - set(peers))}


def complete(peers: list[str], wanted: list[str], any_wanted: bool) -> bool:
    """Return whether all wanted peers are connected, or one of them if *any_wanted*."""
    there = [address in peers for address in wanted]
    return any(there) if any_wanted and wanted else all(there)


def main() -> None:
    """Connect the parts."""
    module = AnsibleModule(
        argument_spec={
            "service": {"type": "str", "required": True},
            "address": {"type": "str"},
            "url": {"type": "str"},
            "wanted": {"type": "list", "elements": "str", "default": []},
            "any_wanted": {"type": "bool", "default": False},
            "duration": {"type": "float", "default": 2.0},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C"}
    params: dict[str, Any] = module.params
    try:
        address = bare_address(params["address"]) if params["address"] else ""
        port = tcp_port(params["url"]) if params["url"] else 0
    except (AddressError, ValueError) as error:
        module.fail_json(msg=str(error))
    if params["url"] and not port:
        module.exit_json(changed=False, peers=[], others=[])
    end_s = time.monotonic() + params["duration"]
    ended: frozenset[Socket] | None = None
    while True:
        try:
            found, own = inspect(module.run_command, params["service"])
        except PermissionError as error:
            module.fail_json(msg=f"cannot read {error.filename}: become root")
        if ended is None:
            ended = frozenset(one for one in found if not one.inode)
        seen = list_peers(found, own, address, port, ended)
        if complete(seen["peers"], params["wanted"], params["any_wanted"]) or time.monotonic() > end_s:
            module.exit_json(changed=False, **seen)
        time.sleep(POLL_S)


if __name__ == "__main__":
    main()
