# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter haproxy_findings: what is wrong with the haproxy role's variables."""

from __future__ import annotations

DOCUMENTATION = r"""
name: haproxy_findings
short_description: Find what is wrong with the haproxy role's variables
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Finds proxies without name or servers, names and files given twice, and values that haproxy.cfg cannot express.
  - Needs no node. Whether haproxy accepts a keyword is asked of haproxy itself, before the file goes live.
positional: defaults, host, main_file
options:
  _input:
    description:
      - The role's variables without their prefix - V(global), V(defaults), V(sections), V(frontends), V(listens),
        V(backends), V(files).
    type: dict
    required: true
  defaults:
    description: The role's own V(global), V(defaults) and V(frontends).
    type: dict
    required: true
  host:
    description: The host to name in the messages.
    type: str
    required: true
  main_file:
    description: The path of haproxy.cfg, which V(files) must not write.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ settings | haproof.balancer.haproxy_findings(defaults, 'lb01', '/etc/haproxy/haproxy.cfg') }}"
  # => ["lb01: haproxy_backends[0] (web): no server; give at least one under 'server', e.g. web01 192.0.2.21:80 check"]
"""

RETURN = r"""
_value:
  description: One message a finding, empty when all is well.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._common.findings_shown import without_secrets
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_findings import on_host
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.findings import findings


def haproxy_findings(settings: Mapping[str, Any], defaults: Mapping[str, Any], host: str, main_file: str) -> list[str]:
    """Messages that begin with ``host`` and name variable and value."""
    return without_secrets(on_host(host, findings(settings, defaults, main_file)), settings)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The one filter of this file."""
        return {"haproxy_findings": haproxy_findings}
