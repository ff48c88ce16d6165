# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter nginx_tree: the nginx role's variables as one tree of directives."""

from __future__ import annotations

DOCUMENTATION = r"""
name: nginx_tree
short_description: Join the nginx role's variables to one tree of directives
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - What the role P(haproof.balancer.nginx#role) hands to P(haproof.balancer.to_nginx_conf#filter).
  - A directive of the user replaces the default of the same name.
positional: defaults
options:
  _input:
    description:
      - The role's variables without their prefix - V(main), V(events), V(http), V(stream), V(upstreams), V(servers).
    type: dict
    required: true
  defaults:
    description: The role's own V(main), V(events), V(http) and V(servers), and V(upstream) for each upstream.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the directives that the role will write
  ansible.builtin.debug:
    msg: "{{ settings | haproof.balancer.nginx_tree(defaults) | haproof.balancer.to_nginx_conf }}"
"""

RETURN = r"""
_value:
  description: Directives of the main context, blocks as mappings.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.tree import tree


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The one filter of this file."""
        return {"nginx_tree": tree}
