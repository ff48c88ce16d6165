# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter to_keepalived_conf: nested data as a keepalived.conf."""

from __future__ import annotations

DOCUMENTATION = r"""
name: to_keepalived_conf
short_description: Write nested data as keepalived.conf
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Writes any keepalived configuration from nested data. The keys are keepalived's own directives.
  - A value that would break out of its line (a line break, or an unquoted C(!), C(#) or brace) is an error.
options:
  _input:
    description:
      - Keys are directives with their block arguments, such as C(vrrp_instance VI_1), in the order given.
      - A dictionary is a block. A list is a block with one item per line (C(virtual_ipaddress), C(track_script)); a
        dictionary in a list continues the block, which allows a directive to be repeated.
      - V(true) and V(null) are a directive without a value, V(false) is no directive, any other value follows its
        directive as it is.
      - A list of such dictionaries allows repeated directives in any order. Text of several lines, alone or in that
        list, stays unchanged.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Show a configuration
  ansible.builtin.debug:
    msg: "{{ conf | haproof.balancer.to_keepalived_conf }}"
  vars:
    conf:
      global_defs:
        router_id: lb01
      vrrp_instance VI_1:
        state: BACKUP
        nopreempt: true
        interface: eth0
        virtual_router_id: 51
        priority: 254
        virtual_ipaddress:
          - 192.0.2.10/24 dev eth0 label eth0:vip
"""

RETURN = r"""
_value:
  description: The text, blocks separated by an empty line.
  type: str
"""

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError


def to_keepalived_conf(tree: Any) -> str:
    """Return the text of *tree*. Raises AnsibleFilterError with the path of an invalid value."""
    from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
    from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render

    if not isinstance(tree, (Mapping, list, str)):
        raise AnsibleFilterError(f"to_keepalived_conf: expected a dictionary, a list or text, got {tree!r}")
    try:
        return render(tree)
    except ConfigError as error:
        raise AnsibleFilterError(f"to_keepalived_conf: {error}") from error


class FilterModule:
    """Ansible filter to_keepalived_conf."""

    def filters(self) -> dict[str, Any]:
        return {"to_keepalived_conf": to_keepalived_conf}
