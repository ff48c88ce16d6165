# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: _keepalived_cluster_findings
short_description: The contradictions between the keepalived configurations of a cluster
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - For the role P(haproof.balancer.keepalived#role), and changes with it.
  - Compares the hosts of each group with each other.
  - Finds settings that are valid on each host but wrong for the cluster. Different VRRP router ids, versions,
    intervals, passwords or addresses lead to two holders; with equal priorities the holder is random; a check whose
    weight is too small never moves a VIP.
options:
  _input:
    description: Ansible's C(hostvars), with the plan of each host.
    type: raw
    required: true
  hosts:
    description: The hosts to compare. Those without a plan are left out.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
findings: "{{ hostvars | haproof.balancer._keepalived_cluster_findings(hosts=ansible_play_hosts) }}"
"""

RETURN = r"""
_value:
  description: The findings.
  type: list
  elements: str
"""

from collections.abc import Mapping, Sequence
from typing import Any


def findings(hostvars: Mapping[str, Any], hosts: Sequence[str]) -> list[str]:
    """Return the findings about the configurations of those *hosts* that have a plan, group by group."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.findings import cluster_findings, refused

    groups: dict[str, dict[str, Any]] = {}
    for host in hosts:
        plan = hostvars[host].get("__keepalived_plan", {})
        if "tree" in plan:
            groups.setdefault(plan["group"], {})[host] = plan
    return [
        finding
        for plans in groups.values()
        for finding in refused(
            cluster_findings({host: plan["tree"] for host, plan in plans.items()}), next(iter(plans.values()))["accept"]
        )
    ]


class FilterModule:
    """Ansible filter _keepalived_cluster_findings."""

    def filters(self) -> dict[str, Any]:
        return {"_keepalived_cluster_findings": findings}
