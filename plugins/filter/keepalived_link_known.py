# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_link_known: whether a cluster runs what its link was last looked at for."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_link_known
short_description: Whether a cluster runs what its link was last looked at for
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - True when every host's local facts have the mark of its configuration, which is written with the configuration, and
    every virtual IP is on exactly one of the hosts.
options:
  _input:
    description: The configuration of each host, as P(haproof.balancer.keepalived_tree#filter) returns it.
    type: dict
    required: true
  facts:
    description: The facts of each host, subsets network and local.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show whether a look at the link is due
  ansible.builtin.debug:
    msg: "{{ not trees | haproof.balancer.keepalived_link_known(facts) }}"
"""

RETURN = r"""
_value:
  description: Whether it does.
  type: bool
"""

from typing import Any, Callable

from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.wire_plan import link_known


class FilterModule:
    """Ansible filter keepalived_link_known."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"keepalived_link_known": link_known}
