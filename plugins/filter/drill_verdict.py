# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_verdict: did a drill pass, and if not, why."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_verdict
short_description: Judge a drill
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - A drill passes when the outage is within its objective, exactly one other host held the virtual IP during the fault,
    the right one holds it afterwards with every host ready again, and the prober saw all of it.
positional: plan, during, after, probe
options:
  _input:
    description:
      - C(fault), C(vip), C(engine), C(slo_s) (the longest outage that passes, in seconds), and C(errors), what went
        wrong in the drill itself.
    type: dict
    required: true
  plan:
    description: What P(haproof.balancer.drill_plan#filter) returned.
    type: dict
    required: true
  during:
    description: What M(haproof.balancer.vip_info) returned during the fault, by host.
    type: dict
    required: true
  after:
    description: What M(haproof.balancer.vip_info) returned after healing, by host.
    type: dict
    required: true
  probe:
    description: RV(haproof.balancer.vip_probe#module:probe), empty when there is none.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Judge the drill
  ansible.builtin.set_fact:
    result: "{{ drill | haproof.balancer.drill_verdict(plan, during, after, probe) }}"
"""

RETURN = r"""
_value:
  description: An entry of the drill's report; C(verdict) is V(pass) or V(fail), C(reasons) says why it failed.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.module_utils._addresses import AddressError
from ansible_collections.haproof.balancer.plugins.module_utils._drill import verdict


def drill_verdict(
    drill: Mapping[str, Any],
    plan: Mapping[str, Any],
    during: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
    probe: Mapping[str, Any],
) -> dict[str, Any]:
    """Report entry of a drill; see DOCUMENTATION. Raises AnsibleFilterError when something is missing."""
    try:
        return verdict(drill, plan, during, after, probe)
    except (AddressError, KeyError) as error:
        raise AnsibleFilterError(f"drill_verdict: {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_verdict": drill_verdict}
