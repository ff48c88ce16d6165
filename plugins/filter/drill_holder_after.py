# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_holder_after: who shall have the VIP after a fault."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_holder_after
short_description: The host that shall hold a virtual IP when a fault is healed
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Where the instances have C(nopreempt), that depends on whether the fault takes the virtual IP away from its holder.
positional: fault, targets
options:
  _input:
    description: What P(haproof.balancer.drill_plan#filter) returned before the fault, without findings.
    type: dict
    required: true
  fault:
    description: Name of the fault.
    type: str
    required: true
  targets:
    description: The hosts that it breaks.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Say who shall hold the virtual IP in the end
  ansible.builtin.debug:
    msg: "{{ plan | haproof.balancer.drill_holder_after('link_down', ['lb01']) }}"
"""

RETURN = r"""
_value:
  description: Name of the host.
  type: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.rules import holder_after


def drill_holder_after(plan: Mapping[str, Any], fault: str, targets: Sequence[str]) -> str | None:
    """Host that shall have the VIP in the end; see DOCUMENTATION."""
    return holder_after(fault, plan, targets)


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_holder_after": drill_holder_after}
