# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter haproxy_unit: what haproxy's systemd unit has to know about its configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
name: haproxy_unit
short_description: What haproxy's systemd unit has to know about its configuration
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Finds the file and the socket that keep the servers' states across a reload, and how many open files haproxy needs.
options:
  _input:
    description: The configuration, as P(haproof.balancer.haproxy_tree#filter) returns it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show how many open files 40000 connections need
  ansible.builtin.debug:
    msg: "{{ ({'global': {'maxconn': 40000}} | haproof.balancer.haproxy_unit).nofile }}"
  # => 101000
"""

RETURN = r"""
_value:
  description: The needs of the unit.
  type: dict
  contains:
    state:
      description: C(server-state-file) of C(global); empty without it or without a runtime socket.
      type: str
    socket:
      description: The first runtime socket that is a path; empty without C(server-state-file).
      type: str
    nofile:
      description: Open files for C(maxconn), or C(ulimit-n) itself; 0 where C(global) has neither.
      type: int
"""

from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.tree import unit as haproxy_unit


class FilterModule:
    """Ansible filter haproxy_unit."""

    def filters(self) -> dict[str, Any]:
        return {"haproxy_unit": haproxy_unit}
