# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _drill_state: the state of a cluster before and after a fault."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _drill_state
short_description: The state of a cluster before and after a fault
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the role P(haproof.balancer.drill#role); it may change in any release.
positional: vip
options:
  _input:
    description: Results of M(haproof.balancer.vip_info) in a loop over C(__drill_host).
    type: list
    required: true
  vip:
    description: The virtual IP, with or without prefix.
    type: str
    required: true
"""

RETURN = r"""
_value:
  description: The hosts that hold the virtual IP and take over, or in C(findings) why nothing may be broken.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError


def _drill_state(results: Sequence[Mapping[str, Any]], vip: str) -> dict[str, Any]:
    """Return the state. Raises AnsibleFilterError for an invalid VIP."""
    from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.observed import by_host
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.state import assess

    try:
        return assess(by_host(results), vip)
    except AddressError as error:
        raise AnsibleFilterError(f"_drill_state: {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_drill_state": _drill_state}
