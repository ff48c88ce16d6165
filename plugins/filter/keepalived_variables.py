# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_variables: live keepalived configurations to variables of the role."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_variables
short_description: Live keepalived configurations to variables that reproduce them
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Turns the configuration of each host into variables of the role P(haproof.balancer.keepalived#role), and sets
    apart what all hosts share.
  - Makes sure that the variables give the same configuration again, line by line.
options:
  _input:
    description: Each host's configuration, as P(haproof.balancer.from_keepalived_conf#filter) returns it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what two hosts share, and what they do not
  ansible.builtin.debug:
    msg: "{{ {'lb01': one, 'lb02': other} | haproof.balancer.keepalived_variables }}"
  vars:
    one: {global_defs: {router_id: lb01}, vrrp_script ok: {script: /bin/true}}
    other: {global_defs: {router_id: lb02}, vrrp_script ok: {script: /bin/true}}
"""

RETURN = r"""
_value:
  description: C(group) with the variables that have one value on all hosts, and C(hosts) with each host's others.
  type: dict
"""

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.tree import difference, split, variables


def keepalived_variables(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables for the hosts of *live*. Raises AnsibleFilterError for a host that they do not reproduce."""
    found = {host: variables(tree) for host, tree in live.items()}
    for host, tree in live.items():
        differs = difference(found[host], tree)
        if differs:
            raise AnsibleFilterError(
                f"keepalived_variables: the variables for {host} do not give its configuration again: {differs}"
            )
    return split(found)


class FilterModule:
    """Ansible filter keepalived_variables."""

    def filters(self) -> dict[str, Any]:
        return {"keepalived_variables": keepalived_variables}
