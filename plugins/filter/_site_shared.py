# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _site_shared: the order of a change that balancers must share."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _site_shared
short_description: The order of a change that balancers must share
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(site); it may change in any release.
positional: hostvars
options:
  _input:
    description: The balancers of the run.
    type: list
    required: true
  hostvars:
    description:
      - Ansible's C(hostvars), with the keepalived.conf so far in C(__site_former_conf), as M(ansible.builtin.slurp)
        returns it. A host without it keeps its keepalived.conf.
    type: dict
    required: true
"""

RETURN = r"""
_value:
  description:
    - For each balancer with such a change C(first), the balancer that changes first; C(others), whose keepalived is
      stopped until then, and C(unchanged), those of them that do not change; C(vips), the virtual IPs that it keeps;
      and C(changes), one text per virtual IP.
  type: dict
"""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _site_shared(hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the order for these hosts."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.shared import Balancer, in_order

    def balancer(variables: Mapping[str, Any]) -> Balancer:
        plan, facts = variables["__keepalived_plan"], variables["ansible_facts"]
        return Balancer(
            hosts=variables["groups"].get(plan["group"], hosts),
            before=_text(variables["__site_former_conf"]) if "__site_former_conf" in variables else None,
            tree=plan["tree"],
            addresses=[*facts.get("all_ipv4_addresses", ()), *facts.get("all_ipv6_addresses", ())],
        )

    return in_order({host: balancer(hostvars[host]) for host in hosts})


def _text(former: Mapping[str, Any]) -> str:
    return b64decode(former.get("content", "")).decode(errors="replace")


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_site_shared": _site_shared}
