# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _audit_plan: the hosts and addresses to inspect in a running cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _audit_plan
short_description: The hosts and addresses to inspect in a running cluster
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(audit); it may change in any release.
positional: hostvars, vips
options:
  _input:
    description: The hosts of the cluster.
    type: list
    required: true
  hostvars:
    description: Ansible's C(hostvars), with the result of M(haproof.balancer.vip_info) in C(__audit_info).
    type: dict
    required: true
  vips:
    description: Virtual IPs to expect in addition to those of the VRRP instances, with or without prefix.
    type: list
    required: true
"""

RETURN = r"""
_value:
  description:
    - C(instances) by host, and C(former), as M(haproof.balancer.vrrp_probe) takes them, and C(endpoints), the addresses
      at which to check the service.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _audit_plan(hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]], vips: Sequence[str]) -> dict[str, Any]:
    """Return each host's instances, the hosts that left, and the service's endpoints."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.observed import members
    from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import (
        Observations,
        endpoints,
        probe_instances,
    )

    infos = {host: hostvars[host].get("__audit_info") or {} for host in hosts}
    return {
        "instances": {host: probe_instances(infos, host) for host in hosts},
        "former": Observations(infos, {}, {}, members=members(hosts, hostvars)).former(),
        "endpoints": endpoints(infos, vips),
    }


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_audit_plan": _audit_plan}
