# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter site_findings: what is in the way of a virtual IP."""

from __future__ import annotations

DOCUMENTATION = r"""
name: site_findings
short_description: What is in the way of a cluster on its link
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Judges what M(haproof.balancer.vrrp_probe) saw on all hosts of a group.
  - C(vrid_taken), a router outside the group has one of its router ids. C(vip_foreign_mac), a host outside it answers
    for a virtual IP. C(vrrp_unreachable), the hosts do not hear each other. C(clock_differs), by more than two seconds.
    C(interface_unfit), an interface is down, has no carrier, no multicast, or another MTU than its peers.
options:
  _input:
    description: What the module returned, by host.
    type: dict
    required: true
  facts:
    description: Network facts, by host.
    type: dict
    required: true
  opens:
    description: Hosts whose firewall is about to be opened, so that it does not matter what it drops now.
    type: list
    elements: str
    default: []
  accepted:
    description: Findings that are meant.
    type: list
    elements: str
    choices: [clock_differs, interface_unfit, vip_foreign_mac, vrid_taken, vrrp_unreachable]
    default: []
"""

EXAMPLES = r"""
- name: Judge two hosts
  ansible.builtin.debug:
    msg: >-
      {{ {'lb01': seen | combine({'links': {'eth1': link}}), 'lb02': seen | combine({'links': {'eth1': none}})}
         | haproof.balancer.site_findings(facts={'lb01': {}, 'lb02': {}}) }}
  vars:
    seen:
      instances: [{interface: eth1, vrid: 10, addresses: [198.18.0.10], multicast: true}]
      routers: []
      macs: {}
      heard: []
    link: {up: true, carrier: true, multicast: true, mtu: 1500}
"""

RETURN = r"""
_value:
  description: The findings, none when all is well. Each names host and value, and says what to do.
  type: list
  elements: str
"""

from typing import Any, Callable, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import interfaces
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.wire_findings import (
    Seen,
    refusals,
    wire_findings,
)


def site_findings(
    probes: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, Mapping[str, Any]],
    opens: Sequence[str] = (),
    accepted: Sequence[str] = (),
) -> list[str]:
    """Return what is wrong; see DOCUMENTATION."""
    links = {host: interfaces(known) for host, known in facts.items()}
    addresses = {
        host: [str(address.ip) for found in names.values() for address in found] for host, names in links.items()
    }
    macs = {
        host: [known.get(name.replace("-", "_"), {}).get("macaddress", "") for name in links[host]]
        for host, known in facts.items()
    }
    instances = {host: probe["instances"] for host, probe in probes.items()}
    return refusals(wire_findings(Seen(probes, instances, addresses, macs, opens)), accepted, "site_accepted_findings")


class FilterModule:
    """Ansible filter site_findings."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"site_findings": site_findings}
