# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter haproxy_tree: the haproxy role's variables as one tree of sections."""

from __future__ import annotations

DOCUMENTATION = r"""
name: haproxy_tree
short_description: Join the haproxy role's variables to one tree of sections
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - What the role P(haproof.balancer.haproxy#role) hands to P(haproof.balancer.to_haproxy_cfg#filter).
  - A keyword of the user replaces the default of the same name. Where both are mappings, they are joined.
positional: defaults
options:
  _input:
    description:
      - The role's variables without their prefix - V(global), V(defaults), V(sections), V(frontends), V(listens),
        V(backends).
    type: dict
    required: true
  defaults:
    description: The role's own V(global), V(defaults) and V(frontends).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the sections that the role will write
  ansible.builtin.debug:
    msg: "{{ settings | haproof.balancer.haproxy_tree(defaults) | haproof.balancer.to_haproxy_cfg }}"
"""

RETURN = r"""
_value:
  description: Headers of sections to mappings of keywords.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.tree import sections


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The one filter of this file."""
        return {"haproxy_tree": sections}
