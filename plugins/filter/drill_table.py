# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_table: the report of drills as a table for a terminal."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_table
short_description: Show the report of drills as a table
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - For a terminal. One line per drill, times in milliseconds (of repeats the medians), and below the table each reason
    against a pass.
positional: width
options:
  _input:
    description: The report, of C(schema_version) 5.
    type: dict
    required: true
  width:
    description:
      - Characters of the longest line. Texts are wrapped, and as many of the columns holder, detect, failed and
        failback as necessary are left out, in this order.
    type: int
"""

EXAMPLES = r"""
- name: Show the last report
  ansible.builtin.debug:
    # As lines, which all callbacks show as such.
    msg: "{{ (report | haproof.balancer.drill_table).splitlines() }}"
  vars:
    report: "{{ lookup('ansible.builtin.file', 'build/drill/report.json') | from_json }}"
"""

RETURN = r"""
_value:
  description: The table, lines separated by newlines.
  type: str
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def drill_table(report: Mapping[str, Any], width: float = math.inf) -> str:
    """Return the table. Raises AnsibleFilterError if *report* is not a report."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.table import table

    try:
        return table(report, width)
    except KeyError as error:
        raise AnsibleFilterError(f"drill_table: the report lacks {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"drill_table: {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_table": drill_table}
