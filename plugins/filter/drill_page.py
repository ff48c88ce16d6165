# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_page: the report of drills as an HTML page."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_page
short_description: Write the report of drills as an HTML page
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - A self-contained file without scripts, for light and dark screens, phones and paper.
  - Shows failures first, then all faults, each with its figures and a timeline of requests, holders of the virtual IP
    and events. With several runs it also shows how they differ.
  - With a previous report it shows which outages became longer. Two medians are alike if they differ by at most 20 ms,
    20 % of the previous one, or the spread of the runs within one of the reports.
options:
  _input:
    description: The report, of C(schema_version) 5.
    type: dict
    required: true
  previous:
    description: The report to compare with. One of another C(schema_version) is not compared, as the page then notes.
    type: dict
"""

EXAMPLES = r"""
- name: Write the report as a page
  ansible.builtin.copy:
    content: "{{ report | haproof.balancer.drill_page(previous=previous) }}"
    dest: build/drill/report.html
    mode: "0644"
  vars:
    report: "{{ lookup('ansible.builtin.file', 'build/drill/report.json') | from_json }}"
    previous: "{{ lookup('ansible.builtin.file', 'last_week.json') | from_json }}"
"""

RETURN = r"""
_value:
  description: The page, to be written as UTF-8, with a final newline.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def drill_page(report: Mapping[str, Any], previous: Mapping[str, Any] | None = None) -> str:
    """Return the page. Raises AnsibleFilterError if *report* is not a report."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.document import page

    try:
        return page(report, previous)
    except KeyError as error:
        raise AnsibleFilterError(f"drill_page: the report, or the previous one, lacks {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"drill_page: {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_page": drill_page}
