# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _drill_report: combine drills in a report."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _drill_report
short_description: Combine drills in a report
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the role P(haproof.balancer.drill#role); it may change in any release.
positional: cluster, started, ended
options:
  _input:
    description: The result of P(haproof.balancer._drill_verdict#filter) for each drill.
    type: list
    required: true
  cluster:
    description: C(vip), C(engine), C(profile), C(balancers), C(clients) and C(url).
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

RETURN = r"""
_value:
  description: C(report), and C(failure), the reason if it does not pass, or empty.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _drill_report(
    drills: Sequence[Mapping[str, Any]], cluster: Mapping[str, Any], started: str, ended: str
) -> dict[str, Any]:
    """Return the report, and the reason if it does not pass."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.report import explain, make_report

    report = make_report(drills, cluster, started, ended)
    return {"report": report, "failure": explain(report)}


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_drill_report": _drill_report}
