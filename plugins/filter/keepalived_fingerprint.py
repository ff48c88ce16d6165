# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_fingerprint: a mark of what the link sees of a configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_fingerprint
short_description: A mark of what the link sees of a keepalived configuration
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Changes when interfaces, VRRP router ids, versions, virtual IPs or unicast peers do, and not with anything else.
options:
  _input:
    description: The configuration of a host, as P(haproof.balancer.keepalived_tree#filter) returns it.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Show the mark
  ansible.builtin.debug:
    msg: "{{ {'vrrp_instance VI_1': {'virtual_router_id': 51}} | haproof.balancer.keepalived_fingerprint }}"
"""

RETURN = r"""
_value:
  description: Sixteen hexadecimal digits.
  type: str
"""

from typing import Any, Callable

from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.wire_plan import fingerprint


class FilterModule:
    """Ansible filter keepalived_fingerprint."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"keepalived_fingerprint": fingerprint}
