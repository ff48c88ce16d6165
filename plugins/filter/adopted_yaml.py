# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter adopted_yaml: variables read from a managed node as YAML in which nothing is a template."""

from __future__ import annotations

DOCUMENTATION = r"""
name: adopted_yaml
short_description: Variables read from a managed node as YAML in which nothing is a template
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Writes a file of variables. Each value and key that Ansible would take for a template has the tag C(!unsafe), so
    that a file on a node runs nothing on the controller.
options:
  _input:
    description: The variables.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show a log format that is not a template
  ansible.builtin.debug:
    msg: "{{ {'haproxy_defaults': {'log-format': '%ci {' ~ '%hrl}'}} | haproof.balancer.adopted_yaml }}"
  # => "---\nhaproxy_defaults:\n  log-format: !unsafe '%ci {%hrl}'\n"
"""

RETURN = r"""
_value:
  description: The text of the file.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._common.adopted_yaml import dump


class FilterModule:
    """Ansible filter adopted_yaml."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"adopted_yaml": dump}
