# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _drill_progress: announce a drill."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _drill_progress
short_description: Announce a drill
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the role P(haproof.balancer.drill#role); it may change in any release.
positional: done, elapsed_s
options:
  _input:
    description: The drills of P(haproof.balancer._drill_schedule#filter).
    type: list
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

RETURN = r"""
_value:
  description: The next drill, its number of how many, and how long the rest will take.
  type: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _drill_progress(planned: Sequence[Mapping[str, Any]], done: int, elapsed_s: float) -> str:
    """Return the line."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.table import progress

    return progress(planned, done, elapsed_s)


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_drill_progress": _drill_progress}
