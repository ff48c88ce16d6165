# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_targets: whom a fault breaks."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_targets
short_description: The hosts that a run of a fault breaks, or could break
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - With a plan, says whom this run breaks. Without one, says whom these faults may break at all.
positional: balancers, backends, plan, number
options:
  _input:
    description: Names of faults; with O(plan) the first counts.
    type: list
    elements: str
    required: true
  balancers:
    description: All balancers.
    type: list
    elements: str
    required: true
  backends:
    description: All backends.
    type: list
    elements: str
    required: true
  plan:
    description: What P(haproof.balancer.drill_plan#filter) returned, without findings.
    type: dict
  number:
    description: Number of the run, from 0.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Say whom the drill breaks
  ansible.builtin.debug:
    msg: "{{ ['link_down'] | haproof.balancer.drill_targets(groups.balancers, groups.backends, plan) }}"
"""

RETURN = r"""
_value:
  description: Names of hosts.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.rules import breakable, targets


def drill_targets(
    names: Sequence[str],
    balancers: Sequence[str],
    backends: Sequence[str],
    plan: Mapping[str, Any] | None = None,
    number: int = 0,
) -> list[str]:
    """Hosts that are broken; see DOCUMENTATION."""
    return breakable(names, balancers, backends) if plan is None else targets(names[0], plan, number, backends)


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_targets": drill_targets}
