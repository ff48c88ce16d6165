# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter audit_endpoints: where to ask for the service of a running cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
name: audit_endpoints
short_description: Where to ask for the service of a running cluster
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - The virtual IPs, and the own address of each host beside them.
options:
  _input:
    description: What M(haproof.balancer.vip_info) returned, by host; C(msg) alone for a host that did not answer.
    type: dict
    required: true
  vips:
    description: Further virtual IPs, with or without prefix.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Ask the service everywhere
  haproof.balancer.vip_check:
    vip: "{{ item }}"
    link: false
    port: 80
  loop: "{{ infos | haproof.balancer.audit_endpoints }}"
"""

RETURN = r"""
_value:
  description: Addresses.
  type: list
  elements: str
  sample: [198.18.0.10, 198.18.0.11, 198.18.0.12]
"""

from typing import Any, Callable, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import endpoints


def audit_endpoints(infos: Mapping[str, Mapping[str, Any]], vips: Sequence[str] = ()) -> list[str]:
    """Return the addresses; see DOCUMENTATION."""
    return endpoints(infos, vips)


class FilterModule:
    """Ansible filter audit_endpoints."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"audit_endpoints": audit_endpoints}
