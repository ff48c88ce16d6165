# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter haproxy_secrets: the passwords in a haproxy configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
name: haproxy_secrets
short_description: The passwords in a haproxy configuration
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Finds the passwords of the users in C(userlist) sections and of C(stats auth), so that they can be masked.
options:
  _input:
    description: The configuration, as P(haproof.balancer.haproxy_tree#filter) returns it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Count the passwords
  ansible.builtin.debug:
    msg: "{{ tree | haproof.balancer.haproxy_secrets | length }}"
  vars:
    tree: {listen stats: {stats: {auth: "admin:s3cret"}}}
"""

RETURN = r"""
_value:
  description: The passwords, each as it is written and without quotes.
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._haproxy_tree import secrets as haproxy_secrets


class FilterModule:
    """Ansible filter haproxy_secrets."""

    def filters(self) -> dict[str, Any]:
        return {"haproxy_secrets": haproxy_secrets}
