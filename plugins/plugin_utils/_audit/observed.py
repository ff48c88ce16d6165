# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converts a playbook's registered results to the observations of a cluster. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import Observations
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_plan import DEFAULT_GROUP


def observed(
    hosts: Sequence[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    services: Sequence[Mapping[str, Any]],
    vips: Sequence[str],
) -> Observations:
    """Return all that was seen on these hosts; *services* are the results of a loop over addresses."""
    infos, probes, daemons = (
        {host: hostvars[host].get(name) or {} for host in hosts}
        for name in ("__audit_info", "__audit_probe", "__audit_daemon")
    )
    answers = {answer["item"]: answer for answer in services if "findings" in answer}
    return Observations(infos, probes, answers, vips, daemons, members(hosts, hostvars))


def observed_for_move(
    hosts: Sequence[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    services: Sequence[Mapping[str, Any]],
    vips: Sequence[str],
) -> Observations:
    """Return what decides whether virtual IPs may move. Only the audit inspects links and the other daemons."""
    return observed(hosts, hostvars, services, vips)._replace(probes={}, daemons={})


def members(hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the hosts that share virtual IPs with these by the inventory."""
    groups = {host: hostvars[host].get("keepalived_group", DEFAULT_GROUP) for host in hosts}
    shared = [member for host in hosts for member in hostvars[host].get("groups", {}).get(groups[host], ())]
    return list(dict.fromkeys([*hosts, *shared]))
