# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _remove_plan: whether a balancer can be removed, and what takes its place."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _remove_plan
short_description: Whether a balancer can be removed
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(remove); it may change in any release.
extends_documentation_fragment:
  - haproof.balancer.observations
positional: hostvars, services, vips, request
options:
  _input:
    description: The hosts of the cluster, and the one to remove.
    type: list
    required: true
  request:
    description: The playbook's variables, C(host), C(gone) and C(probe_client).
    type: dict
    required: true
"""

RETURN = r"""
_value:
  description:
    - C(findings), the reasons to refuse; C(heirs), each with C(vip) and C(host); C(done), the result as a sentence;
      C(members), by host those that it is still to remember; and C(next), the closing lines.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean


def _remove_plan(
    hosts: Sequence[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    services: Sequence[Mapping[str, Any]],
    vips: Sequence[str],
    request: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the plan for the request, given the observations on these hosts."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.observed import members, observed
    from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.remove import Removal, plan

    host, gone = str(request["host"]), boolean(request["gone"])
    others = [each for each in hosts if each != host]
    wanted = [vip for each in others[:1] for vip in hostvars[each].get("keepalived_vips", ())]
    removal = Removal(
        host=host,
        gone=gone,
        probe_client=str(request["probe_client"]),
        # With the host, if it is in the group of the others.
        balancers=members(others or hosts, hostvars),
        hosts=list(hostvars),
        groups=hostvars[host]["group_names"] if host in hostvars else [],
        owned=[vip["address"] for vip in wanted if vip.get("owner") == host],
    )
    cluster = observed(hosts, hostvars, services, vips)._replace(daemons={})
    return plan(removal, cluster if gone else cluster._replace(probes={}))


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_remove_plan": _remove_plan}
