# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter one_line_findings: variables of the roles that would break out of their line."""

from __future__ import annotations

DOCUMENTATION = r"""
name: one_line_findings
short_description: Variables of the roles that would break out of their line
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Finds control characters, and whatever else does not fit, in variables that become one line of a systemd unit, an
    argument, a path or a name.
options:
  _input:
    description: The variables, by their full names.
    type: dict
    required: true
  host:
    description: The host in question.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show that a folder is not valid
  ansible.builtin.debug:
    msg: "{{ {'keepalived_watch_metrics_dir': '/var/my metrics'} | haproof.balancer.one_line_findings(host='lb01') }}"
"""

RETURN = r"""
_value:
  description: A sentence for each finding, with host, variable and value.
  type: list
  elements: str
"""

from typing import Any, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import VARIABLES, findings
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_findings import on_host


def one_line_findings(variables: Mapping[str, Any], host: str) -> list[str]:
    """Return the findings about *variables* of *host*, whose own name is looked at as well."""
    # A name that is not one line must not break this message either.
    return on_host(ascii(host)[1:-1], findings({"inventory_hostname": host, **variables}, VARIABLES))


class FilterModule:
    """Ansible filter one_line_findings."""

    def filters(self) -> dict[str, Any]:
        return {"one_line_findings": one_line_findings}
