# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _maintenance_back: whether a balancer is back from maintenance."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _maintenance_back
short_description: Whether a balancer is back from maintenance
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(maintenance); it may change in any release.
positional: host
options:
  _input:
    description: The result of M(haproof.balancer.vip_info) on the balancer.
    type: dict
    required: true
  host:
    description: The balancer.
    type: str
    required: true
"""

RETURN = r"""
_value:
  description: C(missing), the list of unmet conditions, and C(done), the result as a sentence.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any


def _maintenance_back(info: Mapping[str, Any], host: str) -> dict[str, Any]:
    """Return the unmet conditions, and the result."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.maintenance import back

    return back(host, info)


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_maintenance_back": _maintenance_back}
