# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _adopt_running: what runs on balancers, and what of it cannot be taken over."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _adopt_running
short_description: What runs on balancers, and what of it cannot be taken over
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
  description:
    - C(engine), V(nginx) or V(haproxy); empty if neither runs, or both.
    - C(refused), why what runs cannot be taken over, and C(left), what stays as it is; lists of sentences.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _adopt_running(hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import printable
    from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.running import engine, left_alone, obstacles

    answers = {host: hostvars[host]["__adopt_running"] for host in hosts}
    return {
        "engine": engine(answers),
        "refused": [printable(text) for text in obstacles(answers)],
        "left": [printable(text) for text in left_alone(answers)],
    }


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_adopt_running": _adopt_running}
