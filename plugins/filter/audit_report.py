# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter audit_report: what is wrong with a running cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
name: audit_report
short_description: What is wrong with a running cluster
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Compares what the hosts of a cluster say with what is seen on the link and what a client gets.
  - About a VIP, C(split_brain), two hosts hold it or answer for it. C(no_holder). C(vip_orphaned), a kernel has it and
    its keepalived is no master. C(vip_unanswered), its holder does not answer on the link. C(vip_foreign_mac), somebody
    else does. C(service_unanswered).
  - About a standby, C(standby_not_ready), it could not take over. C(peer_silent), it does not hear the holder's
    adverts. C(vrrp_unreachable), VRRP between the hosts is blocked.
  - About a host, C(instance_fault), C(check_failing) on a holder, C(config_drift) between disk and what runs,
    C(binary_outdated), C(process_restarted), C(clock_differs), C(interface_unfit), and C(host_unknown) when it
    cannot be looked at.
  - About the link, C(vrid_taken) by a router outside the cluster.
options:
  _input:
    description: What M(haproof.balancer.vip_info) returned, by host; C(msg) alone for a host that did not answer.
    type: dict
    required: true
  probes:
    description: What M(haproof.balancer.vrrp_probe) returned, by host.
    type: dict
    required: true
  services:
    description:
      - What M(haproof.balancer.vip_check) returned for each address of P(haproof.balancer.audit_endpoints#filter).
    type: dict
    default: {}
  daemons:
    description: Results of M(haproof.balancer.daemon_info), by host.
    type: dict
    default: {}
  vips:
    description: Virtual IPs that there should be, beside those of the instances; with or without prefix.
    type: list
    elements: str
    default: []
  accepted:
    description: Findings that are meant; they stay in the report and are marked.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show a cluster as a table
  ansible.builtin.debug:
    msg: "{{ (infos | haproof.balancer.audit_report(probes)).table }}"
"""

RETURN = r"""
_value:
  description: The report.
  type: dict
  contains:
    vips:
      description:
        - A row for each VIP, with C(vip), C(holders), C(standbys) (host to effective priority, the next one first),
          C(macs) that answer, C(service) (true, false, null when not asked) and the names of its C(findings).
      type: list
      elements: dict
    findings:
      description: All findings, with C(finding), C(host), C(vip), C(text) and C(accepted).
      type: list
      elements: dict
    table:
      description: The rows for a person.
      type: str
"""

from typing import Any, Callable, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import Cluster, report


def audit_report(
    infos: Mapping[str, Mapping[str, Any]],
    probes: Mapping[str, Mapping[str, Any]],
    services: Mapping[str, Mapping[str, Any]] | None = None,
    vips: Sequence[str] = (),
    accepted: Sequence[str] = (),
    daemons: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the report; see DOCUMENTATION."""
    return report(Cluster(infos, probes, services or {}, vips, daemons or {}), accepted)


class FilterModule:
    """Ansible filter audit_report."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"audit_report": audit_report}
