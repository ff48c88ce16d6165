# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _engine_plan: whether a balancer's engine can be changed, and which hosts take over meanwhile."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _engine_plan
short_description: Whether a balancer's engine can be changed
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(site); it may change in any release.
extends_documentation_fragment:
  - haproof.balancer.observations
positional: hostvars, services, vips, host, accepted
options:
  host:
    description: The balancer.
    type: str
    required: true
  accepted:
    description: Findings to accept.
    type: list
    required: true
"""

RETURN = r"""
_value:
  description:
    - C(findings), the reasons to refuse; C(heirs), each with C(vip) and C(host); and C(endpoints), where the balancer's
      service must answer before its keepalived starts again.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _engine_plan(
    hosts: Sequence[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    services: Sequence[Mapping[str, Any]],
    vips: Sequence[str],
    host: str,
    accepted: Sequence[str],
) -> dict[str, Any]:
    """Return the plan for the host, given the observations on these hosts."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.observed import observed_for_move
    from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.engine import plan

    return plan(host, observed_for_move(hosts, hostvars, services, vips), accepted)


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_engine_plan": _engine_plan}
