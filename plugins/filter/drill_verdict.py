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
  - A drill passes when the outages are within their objective, the virtual IP went where it must, an alarm was raised
    where more than one host had it, all hosts are ready again, and the probers and watchers saw all of it.
positional: probes, watches
options:
  _input:
    description:
      - C(fault), C(vip), C(profile), C(slo) (the longest outage that passes in seconds, by fault),
        C(judge) (V(worst) or V(median) of the runs), C(errors), what went wrong in the drill itself, and C(skipped),
        why it was not possible, or nothing.
      - C(runs), each with C(plan) (of P(haproof.balancer.drill_plan#filter)), C(targets), C(injected) and C(healed)
        (what M(haproof.balancer.node_fault) returned, for each target), C(after) (what M(haproof.balancer.vip_info)
        returned after healing, by host), C(missed), what did not follow from the fault, and C(errors), what else went
        wrong.
    type: dict
    required: true
  probes:
    description: RV(haproof.balancer.vip_probe#module:probe) by client; the first one's clock counts.
    type: dict
    required: true
  watches:
    description: RV(haproof.balancer.vip_watch#module:watch) by balancer.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Judge the drill
  ansible.builtin.set_fact:
    result: "{{ drill | haproof.balancer.drill_verdict(probes, watches) }}"
"""

RETURN = r"""
_value:
  description: An entry of the drill's report; C(verdict) is V(pass), V(fail) or V(skip), C(reasons) says why.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.verdict import Drill, entry


def drill_verdict(
    drill: Mapping[str, Any], probes: Mapping[str, Mapping[str, Any]], watches: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Report entry of a drill; see DOCUMENTATION. Raises AnsibleFilterError when something is missing."""
    try:
        return entry(Drill(probes=probes, watches=watches, **drill))
    except (AddressError, KeyError, TypeError) as error:
        raise AnsibleFilterError(f"drill_verdict: {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_verdict": drill_verdict}
