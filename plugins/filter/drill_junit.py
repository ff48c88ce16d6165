# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter drill_junit: the report of drills as JUnit XML."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_junit
short_description: Write the report of drills as JUnit XML
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - For CI systems. The report is a test suite, each fault a test case, each figure a property in seconds.
  - A case's time is that of its runs. It has a C(failure) with the reasons if the fault's verdict is V(fail), an
    C(error) if it is V(disturbed), and is C(skipped) if it is V(skip).
options:
  _input:
    description: The report, of C(schema_version) 5.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Hand the report to CI
  ansible.builtin.copy:
    content: "{{ report | haproof.balancer.drill_junit }}"
    dest: build/drill/junit.xml
    mode: "0644"
  vars:
    report: "{{ lookup('ansible.builtin.file', 'build/drill/report.json') | from_json }}"
"""

RETURN = r"""
_value:
  description: The XML, to be written as UTF-8, with a final newline.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def drill_junit(report: Mapping[str, Any]) -> str:
    """Return the XML. Raises AnsibleFilterError if *report* is not a report."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.junit import junit

    try:
        return junit(report)
    except KeyError as error:
        raise AnsibleFilterError(f"drill_junit: the report lacks {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"drill_junit: {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"drill_junit": drill_junit}
