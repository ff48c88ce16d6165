# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter backend_servers: the servers of an upstream or backend, from inventory hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: backend_servers
short_description: List inventory hosts as servers that a balancer forwards to
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Uses each host's C(backend_address), else its C(ansible_host), else its name.
positional: hostvars
options:
  _input:
    description: Names of hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: Ansible's C(hostvars).
    type: dict
    required: true
  port:
    description: The port of the service.
    type: int
    default: 80
"""

EXAMPLES = r"""
- name: Show the servers
  ansible.builtin.debug:
    msg: "{{ groups['backends'] | haproof.balancer.backend_servers(hostvars, port=8080) }}"
  # => [{"name": "web01", "address": "192.0.2.21:8080"}, {"name": "web02", "address": "[2001:db8::22]:8080"}]
"""

RETURN = r"""
_value:
  description: A dictionary with C(name) and C(address) (with port) for each host.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def backend_servers(hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]], port: int = 80) -> list[Any]:
    """Return the servers."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._common import backends

    return backends.backend_servers(hosts, hostvars, port)


class FilterModule:
    """Ansible filter backend_servers."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"backend_servers": backend_servers}
