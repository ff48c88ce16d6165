# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _probe_cost: a prober's measurements as a sentence."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _probe_cost
short_description: A prober's measurements as a sentence
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbooks; it may change in any release.
positional: client
options:
  _input:
    description: RV(haproof.balancer.vip_probe#module:probe).
    type: dict
    required: true
  client:
    description: The prober's host.
    type: str
    required: true
"""

RETURN = r"""
_value:
  description: Requests, failed ones, and the longest outage.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any


def _probe_cost(probe: Mapping[str, Any], client: str) -> str:
    """Return the sentence."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.maintenance import cost

    return cost(client, probe)


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_probe_cost": _probe_cost}
