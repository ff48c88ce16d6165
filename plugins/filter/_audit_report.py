# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _audit_report: the findings about a running cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _audit_report
short_description: The findings about a running cluster
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(audit); it may change in any release.
extends_documentation_fragment:
  - haproof.balancer.observations
positional: hostvars, services, vips, accepted
options:
  accepted:
    description: Findings to mark as accepted.
    type: list
    required: true
"""

RETURN = r"""
_value:
  description: C(vips), C(findings) and C(table).
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _audit_report(
    hosts: Sequence[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    services: Sequence[Mapping[str, Any]],
    vips: Sequence[str],
    accepted: Sequence[str],
) -> dict[str, Any]:
    """Return the report on these hosts."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.observed import observed
    from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import report

    return report(observed(hosts, hostvars, services, vips), accepted)


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_audit_report": _audit_report}
