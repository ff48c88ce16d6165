# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_cluster_findings: what does not fit together on the hosts of a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_cluster_findings
short_description: What does not fit together in the keepalived configurations of a cluster
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Looks for settings that are valid on each host and wrong for all of them together. Different VRRP router ids,
    versions, intervals, passwords or addresses give two holders; equal priorities leave the holder to chance; a check
    whose weight is too small never moves a VIP.
options:
  _input:
    description: The configuration of each host, as P(haproof.balancer.keepalived_tree#filter) returns it.
    type: dict
    required: true
  accepted:
    description: Kinds of findings that are meant.
    type: list
    elements: str
    choices: [advert_int, nopreempt, priority, subnet, weight]
    default: []
"""

EXAMPLES = r"""
- name: Compare what two hosts say
  ansible.builtin.debug:
    msg: "{{ {'lb01': one, 'lb02': other} | haproof.balancer.keepalived_cluster_findings }}"
  vars:
    one: {vrrp_instance VI_1: {virtual_router_id: 51, priority: 254, virtual_ipaddress: [192.0.2.10/24]}}
    other: {vrrp_instance VI_1: {virtual_router_id: 52, priority: 253, virtual_ipaddress: [192.0.2.10/24]}}
"""

RETURN = r"""
_value:
  description: The findings, none when all is well.
  type: list
  elements: str
"""

from typing import Any, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.cluster import cluster_findings, told


def keepalived_cluster_findings(trees: Mapping[str, Any], accepted: Sequence[str] = ()) -> list[str]:
    """Return the findings about the configurations of all hosts."""
    return told(cluster_findings(trees), accepted)


class FilterModule:
    """Ansible filter keepalived_cluster_findings."""

    def filters(self) -> dict[str, Any]:
        return {"keepalived_cluster_findings": keepalived_cluster_findings}
