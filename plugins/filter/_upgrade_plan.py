# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _upgrade_plan: which balancers to upgrade, in which order, and what to do with each."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _upgrade_plan
short_description: Which balancers to upgrade, and in which order
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(upgrade); it may change in any release.
extends_documentation_fragment:
  - haproof.balancer.observations
positional: hostvars, services, vips, request
options:
  request:
    description:
      - C(hostvars) also have the result of M(haproof.balancer.package_upgrade) in C(__upgrade_pending), and that of
        M(haproof.balancer.keepalived_build) in C(__upgrade_build) where keepalived is built from source.
      - The playbook's variables, C(hosts), C(versions), C(system) and C(probe_client), and C(answers), the results of
        M(haproof.balancer.vip_check) in a loop over requests.
      - With C(host), the one to upgrade now.
    type: dict
    required: true
"""

RETURN = r"""
_value:
  description:
    - C(findings), the reasons to refuse; C(order), the hosts to upgrade; C(lines), what each upgrades; C(url), for a
      prober; C(checks), the requests that must be answered, by host, and of C(vips); and C(keeps), whether all virtual
      IPs move with their connections.
    - For a single host what C(_maintenance_plan) returns, and C(resting), C(restart) and C(recover).
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.module_utils.common.validation import check_type_dict
from ansible.module_utils.parsing.convert_bool import boolean


def _upgrade_plan(
    hosts: Sequence[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    services: Sequence[Mapping[str, Any]],
    vips: Sequence[str],
    request: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the plan for all hosts, or for one of them."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.observed import observed_for_move
    from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.upgrade import (
        UpgradeRequest,
        plan,
        turn,
    )

    cluster = observed_for_move(hosts, hostvars, services, vips)
    pending = {host: _pending(hostvars[host], request["engine"]) for host in hosts}
    chosen = request["hosts"].replace(":", ",").split(",") if isinstance(request["hosts"], str) else request["hosts"]
    wanted = UpgradeRequest(
        chosen=[host for host in chosen if host] or hosts,
        # As a module takes it, so that -e upgrade_versions=nginx=1.22.1-9 will do.
        versions={str(daemon): str(version) for daemon, version in check_type_dict(request["versions"]).items()},
        system=boolean(request["system"]),
        probe_client=str(request["probe_client"]),
        balancers=hosts,
        hosts=list(hostvars),
    )
    if request.get("host"):
        return turn(wanted, cluster, pending, request["host"])
    return plan(wanted, cluster, pending, request["answers"])


def _pending(variables: Mapping[str, Any], engine: str) -> Any:
    """Return what a host would upgrade."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.upgrade import Pending

    build = variables.get("__upgrade_build") or {}
    built = "build" in build
    versions = {}
    if built and not build["settled"]:
        running = variables["__audit_info"].get("keepalived", {}).get("version")
        versions = {"old": running or "", "new": f"{variables['keepalived_version']} from source"}
    return Pending(variables["__upgrade_pending"], built, versions, engine)


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_upgrade_plan": _upgrade_plan}
