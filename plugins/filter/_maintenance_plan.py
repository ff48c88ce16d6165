# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _maintenance_plan: whether a balancer can go into maintenance, and which hosts take over."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _maintenance_plan
short_description: Whether a balancer can go into maintenance
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(maintenance); it may change in any release.
extends_documentation_fragment:
  - haproof.balancer.observations
positional: hostvars, services, vips, request
options:
  request:
    description: The playbook's variables, C(host), C(state) and C(probe_client).
    type: dict
    required: true
"""

RETURN = r"""
_value:
  description:
    - C(findings), the reasons to refuse; C(heirs), each with C(vip) and C(host); C(done), the result as a sentence;
      C(endpoints), where the balancer's service must answer before it comes back; C(file), the drop-in that keeps its
      keepalived stopped; and C(url), for a prober.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _maintenance_plan(
    hosts: Sequence[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    services: Sequence[Mapping[str, Any]],
    vips: Sequence[str],
    request: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the plan for the request, given the observations on these hosts."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.observed import observed_for_move
    from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.maintenance import (
        MaintenanceRequest,
        plan,
    )

    state = request["state"]
    # YAML reads a bare on as true.
    wanted = {True: "on", False: "off"}.get(state, str(state)) if isinstance(state, bool) else str(state)
    known = MaintenanceRequest(str(request["host"]), wanted, str(request["probe_client"]), hosts, list(hostvars))
    return plan(known, observed_for_move(hosts, hostvars, services, vips))


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_maintenance_plan": _maintenance_plan}
