# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter nginx_variables: live nginx configurations to variables of the role."""

from __future__ import annotations

DOCUMENTATION = r"""
name: nginx_variables
short_description: Live nginx configurations to variables that reproduce them
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Turns the configuration of each host into variables of the role P(haproof.balancer.nginx#role), and sets apart what
    all hosts share. The role's own directives are switched off by them.
  - Makes sure that the variables give the same configuration again. The order of blocks does not count.
options:
  _input:
    description: Each host's configuration, as P(haproof.balancer.from_nginx_conf#filter) returns it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what two hosts share, and what they do not
  ansible.builtin.debug:
    msg: "{{ {'lb01': one, 'lb02': other} | haproof.balancer.nginx_variables }}"
  vars:
    one: {user: www-data, events: {}, http: {server: {listen: 80}}}
    other: {user: www-data, events: {}, http: {server: {listen: 81}}}
"""

RETURN = r"""
_value:
  description: C(group) with the variables that have one value on all hosts, and C(hosts) with each host's others.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.tree import split
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.adopt import reproduces, variables


def nginx_variables(live: Mapping[str, Any]) -> dict[str, Any]:
    """The variables for the hosts of ``live``; AnsibleFilterError for a host that they do not reproduce."""
    found = {host: variables(tree) for host, tree in live.items()}
    for host, tree in live.items():
        if not reproduces(found[host], tree):
            raise AnsibleFilterError(f"nginx_variables: the variables for {host} do not give its configuration again")
    return split(found)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The one filter of this file."""
        return {"nginx_variables": nginx_variables}
