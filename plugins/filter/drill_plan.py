# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_plan: may a drill start, and what must happen in it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_plan
short_description: Who holds a virtual IP, who will take over, and whether a drill may start
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Judges what M(haproof.balancer.vip_info) returned for all hosts that share a virtual IP.
positional: vip
options:
  _input:
    description: What M(haproof.balancer.vip_info) returned, by host.
    type: dict
    required: true
  vip:
    description: The virtual IP, with or without prefix.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Refuse to break a pair that is not well
  ansible.builtin.assert:
    that: (infos | haproof.balancer.drill_plan('198.18.0.10')).findings == []
"""

RETURN = r"""
_value:
  description:
    - C(holder) and C(standby) (the one that will take over), C(holder_after) (who shall hold the VIP when it has
      moved and the fault is healed), C(strongest) (who keeps it when both have it), C(order) (all hosts,
      the holder first, then as they take over), C(interfaces) by host, and C(clean_bound_s) and C(dead_bound_s), the
      seconds that VRRP needs when the holder says goodbye or falls silent.
    - C(findings) says why no drill may start; the others are null or empty then.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.state import assess


def drill_plan(infos: Mapping[str, Mapping[str, Any]], vip: str) -> dict[str, Any]:
    """Plan of a drill on ``vip``; see DOCUMENTATION. Raises AnsibleFilterError for a bad VIP."""
    try:
        return assess(infos, vip)
    except AddressError as error:
        raise AnsibleFilterError(f"drill_plan: {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_plan": drill_plan}
