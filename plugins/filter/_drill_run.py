# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _drill_run: the plan of one run of a drill."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _drill_run
short_description: The plan of one run of a drill
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the role P(haproof.balancer.drill#role); it may change in any release.
positional: state, number, variables, hostvars
options:
  _input:
    description: A drill of P(haproof.balancer._drill_schedule#filter).
    type: dict
    required: true
  state:
    description: The result of P(haproof.balancer._drill_state#filter), without findings.
    type: dict
    required: true
  number:
    description: Number of the run, from 0.
    type: int
    required: true
  variables:
    description: The variables of the role, without C(drill_).
    type: dict
    required: true
  hostvars:
    description: Ansible's C(hostvars).
    type: dict
    required: true
"""

RETURN = r"""
_value:
  description: Targets, their options of M(haproof.balancer.node_fault), and what must follow.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any


def _drill_run(
    drill: Mapping[str, Any],
    state: Mapping[str, Any],
    number: int,
    variables: Mapping[str, Any],
    hostvars: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what the run does."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.schedule import plan_run

    return plan_run(drill, state, number, variables, hostvars)


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_drill_run": _drill_run}
