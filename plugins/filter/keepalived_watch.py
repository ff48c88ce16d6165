# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_watch: what the watch is to look at, from a keepalived configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_watch
short_description: What the watch is to look at, from a keepalived configuration
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Lists the virtual IPs of every C(vrrp_instance), with what the watch of the role P(haproof.balancer.keepalived#role)
    needs to know about them.
options:
  _input:
    description: The configuration, as P(haproof.balancer.keepalived_tree#filter) returns it.
    type: raw
    required: true
  release:
    description: Whether the watch may let go of a virtual IP.
    type: bool
    default: false
  host:
    description: The host, one of O(hosts), whose C(@name) lines count.
    type: str
    default: ""
  hosts:
    description: The hosts of the cluster.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: List what is watched
  ansible.builtin.debug:
    msg: "{{ conf | haproof.balancer.keepalived_watch | map(attribute='address') }}"
  vars:
    conf: {vrrp_instance VI_1: {interface: eth0, virtual_router_id: 10, virtual_ipaddress: [192.0.2.10/24]}}
  # => ["192.0.2.10"]
"""

RETURN = r"""
_value:
  description:
    - For each virtual IP its C(name) (of the instance), C(address), C(interface), C(link) (where its adverts are),
      C(vrid), C(family) (of the adverts), C(failover_s), C(first) (of its instance) and C(release) (a file, or empty).
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.watch import watched


class FilterModule:
    """Ansible filter keepalived_watch."""

    def filters(self) -> dict[str, Any]:
        return {"keepalived_watch": watched}
