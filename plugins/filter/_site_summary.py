# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _site_summary: the closing lines of a run of site."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _site_summary
short_description: The closing lines of a run of site
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(site); it may change in any release.
positional: hostvars, balancers, services, check_mode, asked
options:
  _input:
    description: The hosts that the run managed.
    type: list
    required: true
  hostvars:
    description:
      - Ansible's C(hostvars), with the results of M(haproof.balancer.daemon_config) in C(__nginx_configured),
        C(__haproxy_configured) and C(__keepalived_configured), that of M(haproof.balancer.vip_info) in
        C(__site_info), and a replaced engine in C(__site_replaces).
    type: dict
    required: true
  balancers:
    description: Those of the hosts that are balancers.
    type: list
    required: true
  services:
    description: Results of M(haproof.balancer.vip_check) in a loop over virtual IPs.
    type: list
    required: true
  check_mode:
    description: Whether the run changes nothing.
    type: bool
    required: true
  asked:
    description: The C(port) and the C(url) of the service, 0 and empty for none, and C(validate_certs).
    type: dict
    required: true
"""

RETURN = r"""
_value:
  description:
    - C(requests), the options of M(haproof.balancer.vip_check) for each virtual IP; C(changes), one text per changed
      host; and C(lines), the closing lines.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _site_summary(
    hosts: Sequence[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    balancers: Sequence[str],
    services: Sequence[Mapping[str, Any]],
    check_mode: bool,
    asked: Mapping[str, Any],
) -> dict[str, list[Any]]:
    """Return the lines about these hosts."""
    from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import printable
    from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.engine import idle_variables
    from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.summary import (
        DAEMONS,
        ENGINES,
        SiteRun,
        changes,
        lines,
        requests,
    )

    vips = [vip for host in balancers for vip in hostvars[host].get("__keepalived_plan", {}).get("vips", ())]
    results = {
        host: {daemon: hostvars[host].get(f"__{daemon}_configured") or {} for daemon in DAEMONS} for host in hosts
    }
    plans = [hostvars[host].get(f"__{engine}_plan") or {} for host in balancers[:1] for engine in ENGINES]
    ports = {port: tls for plan in plans for port, tls in plan.get("ports", {}).items()}
    former = {host: hostvars[host]["__site_replaces"] for host in balancers if "__site_replaces" in hostvars[host]}
    run = SiteRun(
        vips=list(dict.fromkeys(vips)),
        results=results,
        infos={host: _info(hostvars[host]) for host in balancers},
        services={answer["item"]["vip"]: answer for answer in services if "item" in answer},
        check_mode=check_mode,
        former=former,
    )
    idle = idle_variables(former, {host: hostvars[host] for host in former})
    return {
        "requests": requests(run.vips, asked, ports),
        "changes": changes(run),
        "lines": [printable(line) for line in (*lines(run), *idle, *_left(hostvars, balancers))],
    }


def _left(hostvars: Mapping[str, Mapping[str, Any]], balancers: Sequence[str]) -> list[str]:
    """Return a line about each former member that these hosts remember."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.wire_findings import left_text, take_out

    former = {
        name: addresses
        for host in balancers
        for name, addresses in hostvars[host].get("__keepalived_plan", {}).get("former", {}).items()
    }
    return [
        f"{left_text(*member)}: it may still take virtual IPs over. {take_out(member[0])}" for member in former.items()
    ]


def _info(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return vip_info's result, or else the addresses in the facts, which are from the start of the run."""
    info: Mapping[str, Any] = variables.get("__site_info") or {}
    if "addresses" in info:
        return info
    facts = variables["ansible_facts"]
    addresses = [*facts.get("all_ipv4_addresses", ()), *facts.get("all_ipv6_addresses", ())]
    return {"addresses": [{"address": address} for address in addresses]}


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_site_summary": _site_summary}
