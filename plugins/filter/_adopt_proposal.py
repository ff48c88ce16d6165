# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _adopt_proposal: this collection's own settings for a keepalived set up by hand, and their benefit."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _adopt_proposal
short_description: This collection's own settings for a keepalived set up by hand
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description: Internal to the playbook C(adopt); it may change in any release.
positional: hostvars, engine, profile
options:
  _input:
    description: The hosts.
    type: list
    required: true
  hostvars:
    description:
      - Ansible's C(hostvars). A host with a keepalived.conf has it in Base64 in C(__adopt_keepalived).
      - All have the result of M(haproof.balancer.vip_info) in C(__adopt_addresses), and that of
        M(haproof.balancer.daemon_info) in C(__adopt_running).
    type: dict
    required: true
  engine:
    description: The running engine; empty if unknown.
    type: str
    required: true
  profile:
    description: The proposed timers.
    type: dict
    required: true
"""

RETURN = r"""
_value:
  description: C(variables), the proposed ones as a file's text, and C(gains), the lines of a table.
  type: dict
"""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.utils.unsafe_proxy import wrap_var


def _adopt_proposal(
    hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]], engine: str, profile: Mapping[str, Any]
) -> dict[str, Any]:
    from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import printable
    from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import parse
    from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.adopt import split
    from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.dump import dump
    from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.proposal import gains, proposed
    from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.running import placed

    texts = {host: hostvars[host].get("__adopt_keepalived") for host in hosts}
    trees = {host: parse(b64decode(text).decode("utf-8", "surrogateescape")) for host, text in texts.items() if text}
    addresses = {host: hostvars[host]["__adopt_addresses"]["addresses"] for host in trees}
    # The proposal replaces the file of variables in which adopt has written this, too.
    own = split(placed("keepalived", {host: hostvars[host]["__adopt_running"] for host in trees}))["group"]
    found = {
        "variables": dump({**proposed(trees, addresses, engine), **own}),
        "gains": [printable(line) for line in gains(trees, profile)],
    }
    wrapped: dict[str, Any] = wrap_var(found)
    return wrapped


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_adopt_proposal": _adopt_proposal}
