# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_progress: which drill comes now, and how long the rest will take."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_progress
short_description: Say which drill comes now, and how long the rest will take
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - The time that is left follows from how long the drills before took.
positional: done, elapsed_s
options:
  _input:
    description: All drills, as P(haproof.balancer.drill_faults#filter) returned them.
    type: list
    elements: dict
    required: true
  done:
    description: How many are done.
    type: int
    required: true
  elapsed_s:
    description: Seconds since the first one started.
    type: float
    required: true
"""

EXAMPLES = r"""
- name: Say what comes now
  ansible.builtin.debug:
    msg: "{{ drills | haproof.balancer.drill_progress(3, 42.0) }}"
"""

RETURN = r"""
_value:
  description: One line.
  type: str
  sample: "drill 4 of 12: link_down, the link of the VIP is down; about 1 min 20 s left"
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.table import progress


def drill_progress(drills: Sequence[Mapping[str, Any]], done: int, elapsed_s: float) -> str:
    """One line on the drill that comes now; see DOCUMENTATION."""
    return progress(drills, int(done), float(elapsed_s))


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_progress": drill_progress}
