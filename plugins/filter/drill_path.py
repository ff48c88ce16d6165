# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_path: do requests go through what is to be broken?"""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_path
short_description: Say why a fault would prove nothing about the requests of the clients
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - A fault of something that the requests do not go through is not felt, whatever the balancers do.
positional: fault, requests, backends, plan, accepted
options:
  _input:
    description: Results of M(haproof.balancer.service_peers), by host, for the holder and each of O(backends).
    type: dict
    required: true
  fault:
    description: Name of the fault.
    type: str
    required: true
  requests:
    description:
      - C(vip), C(url), C(service) and C(backend_service), as the role P(haproof.balancer.drill#role) has them, and
        C(sources), the address of each client on its way to the URL.
    type: dict
    required: true
  backends:
    description: The backends that the fault breaks.
    type: list
    elements: str
    required: true
  plan:
    description: Result of P(haproof.balancer.drill_plan#filter) before the fault, without findings.
    type: dict
    required: true
  accepted:
    description: Kinds of findings that are meant, V(path).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Refuse to break what the requests do not go through
  ansible.builtin.assert:
    that: (served | haproof.balancer.drill_path('service_stop', requests, [], plan)).refused == []
"""

RETURN = r"""
_value:
  description: Sentences, one for each reason. C(refused) are those that are not accepted, C(unproven) those that are.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.path import (
    Path,
    path_findings,
    refused,
    unproven,
)


def drill_path(
    served: Mapping[str, Any],
    fault: str,
    requests: Mapping[str, Any],
    backends: Sequence[str],
    plan: Mapping[str, Any],
    accepted: Sequence[str] = (),
) -> dict[str, list[str]]:
    """Why it would prove nothing; see DOCUMENTATION."""
    try:
        findings = path_findings(fault, Path(**requests), backends, plan, served)
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"drill_path: {error}") from error
    return {"refused": refused(findings, accepted), "unproven": unproven(findings, accepted)}


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_path": drill_path}
