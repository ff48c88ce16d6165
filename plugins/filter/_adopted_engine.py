# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _adopted_engine: the engine that runs on balancers."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _adopted_engine
short_description: The engine that runs on balancers
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description: Internal to the playbook C(adopt); it may change in any release.
positional: hostvars
options:
  _input:
    description: The hosts.
    type: list
    required: true
  hostvars:
    description: Ansible's C(hostvars), with the result of M(haproof.balancer.daemon_info) in C(__adopt_running).
    type: dict
    required: true
"""

RETURN = r"""
_value:
  description: V(nginx) or V(haproxy); empty if neither runs, or both.
  type: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _adopted_engine(hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]]) -> str:
    from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.adopt import engine

    found = {host: hostvars[host]["__adopt_running"]["daemons"] for host in hosts}
    return engine({host: {name: each["running"] for name, each in daemons.items()} for host, daemons in found.items()})


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_adopted_engine": _adopted_engine}
