# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A change of a balancer's engine: whether the others can serve meanwhile, and which variables end to act. Pure."""

from __future__ import annotations

from typing import Any, Container, Iterable, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._link.holders import holds
from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import (
    Observations,
    findings,
    own_endpoints,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.finding import Finding, refusals
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.maintenance import handed_over

INTERRUPTS = "engine_change"


def plan(host: str, cluster: Observations, accepted: Container[str]) -> dict[str, Any]:
    """Return ``findings``, ``heirs`` and ``endpoints``, as for maintenance.

    A host without a virtual IP serves no client, so only a holder needs others that could take over.
    """
    if host not in cluster.inspected():
        refused = [finding.text for finding in findings(cluster) if finding.host == host]
        return {"findings": refused, "heirs": [], "endpoints": []}
    held = [vip for vip in cluster.all_vips() if holds(cluster.infos[host], vip)]
    texts, heirs = handed_over(cluster, host, held)
    return {
        "findings": refusals([Finding(INTERRUPTS, text, host) for text in texts], accepted, "site_accepted_findings"),
        "heirs": heirs,
        "endpoints": own_endpoints(cluster, host),
    }


def idle_variables(former: Mapping[str, str], names: Mapping[str, Iterable[str]]) -> list[str]:
    """Return a line about the variables of each former engine, by host, out of the *names* of all variables of a host.

    They no longer act on these hosts.
    """
    found: dict[str, dict[str, None]] = {}
    for host, engine in former.items():
        found.setdefault(engine, {}).update(
            dict.fromkeys(name for name in names[host] if name.startswith(f"{engine}_"))
        )
    return [
        f"{', '.join(sorted(variables))} no longer act on balancers, which do not run {engine}"
        for engine, variables in found.items()
        if variables
    ]
