# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_findings: what is wrong with a list of virtual IPs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_findings
short_description: What is wrong with keepalived's settings on a host
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Looks for what C(keepalived -t) cannot see or sees too late, before any host is touched.
  - Each finding names the host, the variable and its value, and says what to do.
extends_documentation_fragment: [haproof.balancer.cluster]
options:
  _input:
    description: The settings of the role P(haproof.balancer.keepalived#role), without the prefix of its variables.
    type: dict
    required: true
  accepted:
    description: Kinds of findings that are meant.
    type: list
    elements: str
    choices: [advert_int, nopreempt, priority, subnet, weight]
    default: []
"""

EXAMPLES = r"""
- name: Refuse settings that cannot work
  ansible.builtin.assert:
    that: findings == []
    fail_msg: "{{ findings | join('\n') }}"
  vars:
    findings: >-
      {{ __keepalived_settings | haproof.balancer.keepalived_findings(
           host=inventory_hostname, hosts=groups['balancers'], facts={inventory_hostname: ansible_facts}) }}
"""

RETURN = r"""
_value:
  description: The findings, none when all is well.
  type: list
  elements: str
"""

from typing import Any, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.findings_shown import without_secrets
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.cluster import host_findings, told
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.tree import tree
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster


def keepalived_findings(
    settings: Mapping[str, Any],
    host: str,
    hosts: Sequence[str],
    facts: Mapping[str, Any],
    accepted: Sequence[str] = (),
) -> list[str]:
    """Return the findings about *settings* on *host*; when there are none, why they cannot be written."""
    return without_secrets(_findings(settings, Cluster(host, hosts, facts), accepted), settings)


def _findings(settings: Mapping[str, Any], cluster: Cluster, accepted: Sequence[str]) -> list[str]:
    found = told(host_findings(settings, cluster), accepted)
    if found:
        return found
    try:
        render(tree(settings, cluster))
    except ConfigError as error:
        return [f"{cluster.host}: {error}"]
    except ValueError as error:
        return [str(error)]
    return []


class FilterModule:
    """Ansible filter keepalived_findings."""

    def filters(self) -> dict[str, Any]:
        return {"keepalived_findings": keepalived_findings}
