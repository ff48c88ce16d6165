# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_host: what a host must let in and allow for its keepalived configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_host
short_description: What a host must let in and allow for its keepalived configuration
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Finds VRRP's peers in C(unicast_peer), or in the facts of the other hosts, and BFD's neighbours.
  - A standby's daemon cannot bind the virtual IP unless C(ip_nonlocal_bind) is set. It is asked for only where
    something does, and for the IP versions that need it.
extends_documentation_fragment: [haproof.balancer.cluster]
options:
  _input:
    description: The configuration, as P(haproof.balancer.keepalived_tree#filter) returns it.
    type: raw
    required: true
  nonlocal_bind:
    description: V(always), V(never), or V(auto) when a C(listen) or C(bind) in O(variables) names a virtual IP.
    type: str
    choices: [auto, always, never]
    default: auto
  variables:
    description: The variables of the roles whose daemons might.
    type: raw
    default: []
"""

EXAMPLES = r"""
needs: >-
  {{ tree | haproof.balancer.keepalived_host(host=inventory_hostname, hosts=groups['balancers'], facts=facts,
                                             variables={'haproxy_frontends': haproxy_frontends}) }}
# {"allow": [{"service": "vrrp", "source": "192.0.2.12"}], "interfaces": ["eth0"],
#  "sysctl": {"net.ipv4.ip_nonlocal_bind": 1}}
"""

RETURN = r"""
_value:
  description: The options C(allow), C(interfaces) and C(sysctl) of M(haproof.balancer.vrrp_host).
  type: dict
"""

from typing import Any, Callable, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.peers import allows, sysctl, vrrp_interfaces
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster


def keepalived_host(
    tree: Any,
    host: str,
    hosts: Sequence[str],
    facts: Mapping[str, Mapping[str, Any]],
    nonlocal_bind: str = "auto",
    variables: Any = (),
) -> dict[str, Any]:
    """Return what *host* needs."""
    cluster = Cluster(host, hosts, facts)
    return {
        "allow": [allow._asdict() for allow in allows(tree, cluster)],
        "interfaces": vrrp_interfaces(tree, cluster),
        "sysctl": sysctl(tree, nonlocal_bind, variables),
    }


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"keepalived_host": keepalived_host}
