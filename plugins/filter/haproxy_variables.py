# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter haproxy_variables: live haproxy configurations to variables of the role."""

from __future__ import annotations

DOCUMENTATION = r"""
name: haproxy_variables
short_description: Live haproxy configurations to variables that reproduce them
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Turns the configuration of each host into variables of the role P(haproof.balancer.haproxy#role), and sets apart
    what all hosts share. C(haproxy_base) is V(false), so that the role adds nothing of its own.
  - Where there are several sections C(defaults), those without a name get one, and each proxy names its own with
    C(from).
  - A file with conditions (C(.if)) or with sections that only their order explains becomes C(haproxy_sections) as a
    whole.
options:
  _input:
    description: Each host's configuration, as P(haproof.balancer.from_haproxy_cfg#filter) returns it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what two hosts share, and what they do not
  ansible.builtin.debug:
    msg: "{{ {'lb01': one, 'lb02': other} | haproof.balancer.haproxy_variables }}"
  vars:
    one: {global: {node: lb01}, backend web: {server: web01 192.0.2.21:80}}
    other: {global: {node: lb02}, backend web: {server: web01 192.0.2.21:80}}
"""

RETURN = r"""
_value:
  description: C(group) with the variables that have one value on all hosts, and C(hosts) with each host's others.
  type: dict
"""

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.adopt import variables
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.tree import split


def haproxy_variables(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables for the hosts of *live*. Raises AnsibleFilterError for a host that they do not reproduce."""
    found = {}
    for host, tree in live.items():
        try:
            found[host] = variables(tree)
        except ValueError as error:
            raise AnsibleFilterError(f"haproxy_variables: {host}: {error}") from error
    return split(found)


class FilterModule:
    """Ansible filter haproxy_variables."""

    def filters(self) -> dict[str, Any]:
        return {"haproxy_variables": haproxy_variables}
