# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_table: the report of drills as a table for a terminal."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_table
short_description: Show drills as a table
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - One line a drill, times in milliseconds (of repeats the medians), and below the table each reason against a pass.
options:
  _input:
    description: The entries of the drills' report.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the last report
  ansible.builtin.debug:
    msg: "{{ report.drills | haproof.balancer.drill_table }}"
  vars:
    report: "{{ lookup('ansible.builtin.file', 'build/drill/report.json') | from_json }}"
"""

RETURN = r"""
_value:
  description: The table, lines separated by newlines.
  type: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.table import table


def drill_table(drills: Sequence[Mapping[str, Any]]) -> str:
    """Table of the report's entries; see DOCUMENTATION."""
    return table(drills)


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_table": drill_table}
