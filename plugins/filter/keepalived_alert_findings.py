# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_alert_findings: what is wrong with the variables of the alerts and own scripts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_alert_findings
short_description: What is wrong with the variables of keepalived's alerts and own scripts
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Looks at the alerts' variables of the role P(haproof.balancer.keepalived#role) before a host is touched.
options:
  _input:
    description: The mail settings, as C(keepalived_alert_mail) takes them.
    type: dict
    required: true
  host:
    description: The host in question.
    type: str
    required: true
  webhook:
    description: The webhook's settings, as C(keepalived_alert_webhook) takes them.
    type: dict
    default: {}
  global_defs:
    description: The directives for C(global_defs) that the user has set.
    type: dict
    default: {}
  scripts:
    description: The user's own scripts, as C(keepalived_scripts) takes them.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Refuse alerts that cannot work
  ansible.builtin.assert:
    that: keepalived_alert_mail | haproof.balancer.keepalived_alert_findings(host=inventory_hostname) == []
"""

RETURN = r"""
_value:
  description: A sentence for each finding, with host, variable and what to do. Secrets are not shown.
  type: list
  elements: str
"""

from typing import Any, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.alerts import alert_findings, script_findings


def keepalived_alert_findings(
    mail: Mapping[str, Any],
    host: str,
    webhook: Mapping[str, Any] | None = None,
    global_defs: Mapping[str, Any] | None = None,
    scripts: Sequence[Mapping[str, Any]] = (),
) -> list[str]:
    """Return all findings."""
    return [*alert_findings(host, mail, webhook or {}, global_defs or {}), *script_findings(host, scripts)]


class FilterModule:
    """Ansible filter keepalived_alert_findings."""

    def filters(self) -> dict[str, Any]:
        return {"keepalived_alert_findings": keepalived_alert_findings}
