# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter nginx_findings: what is wrong with the nginx role's variables."""

from __future__ import annotations

DOCUMENTATION = r"""
name: nginx_findings
short_description: Find what is wrong with the nginx role's variables
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Finds upstreams without name or servers, names and files given twice, and values that nginx.conf cannot express.
  - Needs no node. Whether nginx accepts a directive is asked of nginx itself, before the file goes live.
positional: host, main_file
options:
  _input:
    description:
      - The role's variables without their prefix - V(main), V(events), V(http), V(stream), V(upstreams), V(servers),
        V(files).
    type: dict
    required: true
  host:
    description: The host to name in the messages.
    type: str
    required: true
  main_file:
    description: The path of nginx.conf, which V(files) must not write.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ settings | haproof.balancer.nginx_findings(inventory_hostname, '/etc/nginx/nginx.conf') }}"
  # => ["lb01: nginx_upstreams[0] (web): no server; give at least one under 'server', e.g. 192.0.2.21:80"]
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
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.findings import findings


def nginx_findings(settings: Mapping[str, Any], host: str, main_file: str) -> list[str]:
    """Messages that begin with ``host`` and name variable and value."""
    return without_secrets(on_host(host, findings(settings, main_file)), settings)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The one filter of this file."""
        return {"nginx_findings": nginx_findings}
