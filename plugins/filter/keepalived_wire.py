# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_wire: what a configuration of keepalived means for the link."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_wire
short_description: What a keepalived configuration means for the link
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Returns the VRRP instances of a configuration as M(haproof.balancer.vrrp_probe) takes them. Those whose interface
    does not exist yet are left out.
  - O(hosts) are those that look at the same time; without them no probes are sent.
extends_documentation_fragment: [haproof.balancer.cluster]
options:
  _input:
    description: The configuration of the host, as P(haproof.balancer.keepalived_tree#filter) returns it.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Look at the link before keepalived uses it
  haproof.balancer.vrrp_probe:
    instances: "{{ tree | haproof.balancer.keepalived_wire(inventory_hostname, groups['balancers'], facts) }}"
"""

RETURN = r"""
_value:
  description: The module's option C(instances).
  type: list
  elements: dict
"""

from typing import Any, Callable, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import virtual_addresses
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.wire_plan import planned


def keepalived_wire(
    tree: Any, host: str, hosts: Sequence[str], facts: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the instances; see DOCUMENTATION."""
    return planned(tree, Cluster(host, hosts, facts, virtual_addresses(tree)))


class FilterModule:
    """Ansible filter keepalived_wire."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"keepalived_wire": keepalived_wire}
