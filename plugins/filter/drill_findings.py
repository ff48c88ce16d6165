# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_holder_after: who shall have the VIP after a fault."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_findings
short_description: Say which settings of a drill cannot measure its objectives
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - A time-out of five seconds cannot show an outage of one. Such a drill would pass whatever happens, so it is refused.
positional: settings, profile, plan
options:
  _input:
    description: Names of faults.
    type: list
    elements: str
    required: true
  settings:
    description:
      - C(slo) (objectives in seconds by fault, null for none), C(url), and C(interval_s), C(timeout_s), C(hold_s) and
        C(slow_s) in seconds.
    type: dict
    required: true
  profile:
    description: Name of the balancers' profile.
    type: str
    default: standard
  plan:
    description:
      - What P(haproof.balancer.drill_plan#filter) returned. Without it, objectives that follow from VRRP's timers are
        left out.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Refuse to measure with what cannot
  ansible.builtin.assert:
    that: (['service_stop'] | haproof.balancer.drill_findings(settings)) == []
  vars:
    settings: {slo: {}, url: "http://198.18.0.10/", interval_s: 0.005, timeout_s: 0.25, hold_s: 3, slow_s: 0.1}
"""

RETURN = r"""
_value:
  description: One sentence a finding, with the variable, its value and what to set.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.settings import findings


def drill_findings(
    faults: Sequence[str],
    settings: Mapping[str, Any],
    profile: str = "standard",
    plan: Mapping[str, Any] | None = None,
) -> list[str]:
    """Settings that cannot measure these faults; see DOCUMENTATION. AnsibleFilterError when a setting is missing."""
    try:
        return findings(faults, settings, profile, plan or {})
    except KeyError as error:
        raise AnsibleFilterError(f"drill_findings: the settings lack {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_findings": drill_findings}
