# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter from_nginx_conf: an nginx.conf as a tree of directives."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_nginx_conf
short_description: Read the text of an nginx.conf as a tree of directives
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - The inverse of P(haproof.balancer.to_nginx_conf#filter), by nginx's own rules. Comments are dropped, includes stay
    directives.
  - A repeated directive becomes a list. If others are in between, the whole directive becomes a key with the value
    V(null), to keep the order.
  - A Lua block (C(_by_lua_block)) becomes a string, its code.
options:
  _input:
    description: The text of an nginx.conf.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Read the live configuration
  ansible.builtin.slurp:
    src: /etc/nginx/nginx.conf
  register: live

- name: Show it as data
  ansible.builtin.debug:
    msg: "{{ live.content | b64decode | haproof.balancer.from_nginx_conf }}"
"""

RETURN = r"""
_value:
  description: Directives as keys, blocks as dictionaries.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def from_nginx_conf(text: str) -> dict[str, Any]:
    """Return *text* as a tree. Raises AnsibleFilterError with the number of an unreadable line."""
    from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
    from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.parse import parse

    try:
        return parse(str(text))
    except ParseError as error:
        raise AnsibleFilterError(f"from_nginx_conf: {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"from_nginx_conf": from_nginx_conf}
