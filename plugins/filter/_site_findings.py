# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter _site_findings: the findings about the link of a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _site_findings
short_description: The findings about the link of a cluster
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(site); it may change in any release.
options:
  _input:
    description: The results of M(haproof.balancer.vrrp_probe), by host.
    type: dict
    required: true
  facts:
    description: Network facts, by host.
    type: dict
    required: true
  opens:
    description: Hosts whose firewall is about to be opened, so that packets that it drops now do not matter.
    type: list
    elements: str
    default: []
  accepted:
    description: Findings to accept.
    type: list
    elements: str
    default: []
"""

RETURN = r"""
_value:
  description: The findings, each with host, value and remedy.
  type: list
  elements: str
"""

from typing import Any, Callable, Mapping, Sequence


def _site_findings(
    probes: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, Mapping[str, Any]],
    opens: Sequence[str] = (),
    accepted: Sequence[str] = (),
) -> list[str]:
    """Return the findings."""
    from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import printable
    from ansible_collections.haproof.balancer.plugins.plugin_utils._common.finding import refusals
    from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import interfaces
    from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.wire_findings import Seen, wire_findings

    links = {host: interfaces(known) for host, known in facts.items()}
    addresses = {
        host: [str(address.ip) for found in names.values() for address in found] for host, names in links.items()
    }
    macs = {
        host: [known.get(name.replace("-", "_"), {}).get("macaddress", "") for name in links[host]]
        for host, known in facts.items()
    }
    instances = {host: probe["instances"] for host, probe in probes.items()}
    found = wire_findings(Seen(probes, instances, addresses, macs, opens))
    return [printable(text) for text in refusals(found, accepted, "site_accepted_findings")]


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_site_findings": _site_findings}
