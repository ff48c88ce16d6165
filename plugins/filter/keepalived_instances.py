# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_instances: the virtual IPs of each vrrp_instance, and whether this host owns them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_instances
short_description: The virtual IPs of each vrrp_instance, and whether this host owns them
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Reads one host's configuration, as P(haproof.balancer.keepalived_tree#filter) returns it.
  - The owner is the host that starts as C(MASTER) or has a priority of 254 or more.
options:
  _input:
    description: The configuration, with directives as keys.
    type: raw
    required: true
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
- name: Show who owns what
  ansible.builtin.debug:
    msg: >-
      {{ {'vrrp_instance VI_1': {'state': 'MASTER', 'virtual_ipaddress': ['192.0.2.10/24 dev eth0']}}
         | haproof.balancer.keepalived_instances }}
  # VI_1:
  #   owner: true
  #   vips: [192.0.2.10/24]
"""

RETURN = r"""
_value:
  description: For each name of a C(vrrp_instance) its C(vips), a list of addresses, and C(owner), a boolean.
  type: dict
"""

from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.alerts import instances


class FilterModule:
    """Ansible filter keepalived_instances."""

    def filters(self) -> dict[str, Any]:
        return {"keepalived_instances": instances}
