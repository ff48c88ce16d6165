# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter audit_instances: what to look at on the link of a running cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
name: audit_instances
short_description: What to look at on the link of a running cluster
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Turns what the hosts of a cluster say of their VRRP instances into the option of M(haproof.balancer.vrrp_probe).
options:
  _input:
    description: What M(haproof.balancer.vip_info) returned, by host; C(msg) alone for a host that did not answer.
    type: dict
    required: true
  host:
    description: The host that is to look.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Look at the link of a running cluster
  haproof.balancer.vrrp_probe:
    instances: "{{ infos | haproof.balancer.audit_instances(inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description: The option C(instances).
  type: list
  elements: dict
"""

from typing import Any, Callable, Mapping

from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import probe_instances


def audit_instances(infos: Mapping[str, Mapping[str, Any]], host: str) -> list[dict[str, Any]]:
    """Return the instances of *host*; see DOCUMENTATION."""
    return probe_instances(infos, host)


class FilterModule:
    """Ansible filter audit_instances."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"audit_instances": audit_instances}
