# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_report: the report of all drills."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_report
short_description: Put drills together in a report
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - The report passes when no drill failed or was disturbed, and at least one passed. It is V(disturbed) when a drill
    was, and none failed.
positional: cluster, started, ended
options:
  _input:
    description: What P(haproof.balancer.drill_verdict#filter) returned for each drill.
    type: list
    elements: dict
    required: true
  cluster:
    description: C(vip), C(engine), C(profile), C(balancers), C(clients), C(url).
    type: dict
    required: true
  started:
    description: When the first drill started, in ISO 8601.
    type: str
    required: true
  ended:
    description: When the last one ended.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Write the report
  ansible.builtin.copy:
    content: "{{ drills | haproof.balancer.drill_report(cluster, started, ended) | to_nice_json }}"
    dest: report.json
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The report, as docs/drill-report.schema.json describes it.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.verdict import report


def drill_report(
    drills: Sequence[Mapping[str, Any]], cluster: Mapping[str, Any], started: str, ended: str
) -> dict[str, Any]:
    """Report of all drills; see DOCUMENTATION."""
    return report(drills, cluster, started, ended)


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_report": drill_report}
