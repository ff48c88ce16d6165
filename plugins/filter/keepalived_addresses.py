# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_addresses: the virtual IPs of a keepalived configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_addresses
short_description: The virtual IPs of a keepalived configuration
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Lists the addresses in C(virtual_ipaddress) and C(virtual_ipaddress_excluded) of every C(vrrp_instance), those under
    a condition too.
options:
  _input:
    description: The configuration, as P(haproof.balancer.keepalived_tree#filter) returns it.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: List the virtual IPs
  ansible.builtin.debug:
    msg: "{{ conf | haproof.balancer.keepalived_addresses }}"
  vars:
    conf: {vrrp_instance VI_1: {virtual_ipaddress: [192.0.2.10/24 dev eth0]}}
  # => ["192.0.2.10"]
"""

RETURN = r"""
_value:
  description: The addresses without their prefixes, sorted.
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import virtual_addresses


class FilterModule:
    """Ansible filter keepalived_addresses."""

    def filters(self) -> dict[str, Any]:
        return {"keepalived_addresses": virtual_addresses}
