# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_faults: the drills that faults ask for."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_faults
short_description: The drills that a list of faults asks for
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Looks each fault up in the table of all, and says how often it breaks something.
positional: repeat, balancers
options:
  _input:
    description: Names of faults.
    type: list
    elements: str
    required: true
  repeat:
    description: How often each is done.
    type: int
    default: 1
  balancers:
    description: How many balancers there are, for the faults that break each of them.
    type: int
    default: 2
"""

EXAMPLES = r"""
- name: Name the faults that need the user's own commands
  ansible.builtin.debug:
    msg: "{{ drill_faults | haproof.balancer.drill_faults | selectattr('driver') | map(attribute='fault') }}"
"""

RETURN = r"""
_value:
  description:
    - One entry a fault, with C(fault), C(title), C(injects) (what M(haproof.balancer.node_fault) calls it), C(holder)
      (V(moves), V(stays), V(splits) or V(returns)), C(driver), C(silent), C(boots), and C(runs).
  type: list
  elements: dict
"""

from collections.abc import Callable, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.rules import FaultsError, expand


def drill_faults(names: Sequence[str], repeat: int = 1, balancers: int = 2) -> list[dict[str, Any]]:
    """Drills of these faults; see DOCUMENTATION. Raises AnsibleFilterError for an unknown fault."""
    try:
        return expand(names, int(repeat), int(balancers))
    except FaultsError as error:
        raise AnsibleFilterError(f"drill_faults: {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_faults": drill_faults}
