# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_tree: the role's settings to one host's keepalived configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_tree
short_description: The keepalived role's settings to one host's configuration
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Expands each virtual IP to a C(vrrp_instance). Interface, priority and peers follow from the hosts and their facts.
  - The result is what P(haproof.balancer.to_keepalived_conf#filter) writes.
extends_documentation_fragment: [haproof.balancer.cluster]
options:
  _input:
    description: The settings of the role P(haproof.balancer.keepalived#role), without the prefix of its variables.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show this host's configuration
  ansible.builtin.debug:
    msg: >-
      {{ __keepalived_settings | haproof.balancer.keepalived_tree(
           host=inventory_hostname, hosts=groups['balancers'], facts={inventory_hostname: ansible_facts})
         | haproof.balancer.to_keepalived_conf }}
"""

RETURN = r"""
_value:
  description: The configuration, with directives as keys.
  type: raw
"""

from typing import Any, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.tree import tree
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster


def keepalived_tree(settings: Mapping[str, Any], host: str, hosts: Sequence[str], facts: Mapping[str, Any]) -> Any:
    """Return *host*'s configuration. Raises AnsibleFilterError when an interface or peer cannot be found."""
    try:
        return tree(settings, Cluster(host, hosts, facts))
    except ValueError as error:
        raise AnsibleFilterError(f"keepalived_tree: {error}") from error


class FilterModule:
    """Ansible filter keepalived_tree."""

    def filters(self) -> dict[str, Any]:
        return {"keepalived_tree": keepalived_tree}
