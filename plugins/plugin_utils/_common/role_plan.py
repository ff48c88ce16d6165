# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared by the roles' plans. A plan is all that a role puts on a host, computed once per run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import VARIABLES, findings
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_findings import on_host

DEFAULT_GROUP = "balancers"
"""An inventory without it needs no other group either: the hosts of the play are the balancers."""


class Inventory(NamedTuple):
    """Ansible's data about the hosts.

    ``host`` is the one in question, ``groups`` has the hosts of each group, ``play_hosts`` those that take part, and
    Ansible serves ``forks`` of them at the same time. ``targeted`` are the hosts of the play, failed ones too;
    ``limit`` is the pattern of ``--limit``, which hides some of them.
    ``hostvars`` has the variables of each host, its facts under ``ansible_facts``.
    ``variables`` returns the host's variables whose names begin with a prefix, with further ones in force.
    """

    host: str
    groups: Mapping[str, Sequence[str]]
    hostvars: Mapping[str, Mapping[str, Any]]
    play_hosts: Sequence[str] = ()
    forks: int = 5
    variables: Callable[[Sequence[str], Mapping[str, Any]], dict[str, Any]] = lambda _prefixes, _further: {}
    targeted: Sequence[str] = ()
    limit: str = ""

    @property
    def facts(self) -> Mapping[str, Any]:
        """The facts of the host in question."""
        return self.facts_of(self.host)

    def facts_of(self, host: str) -> Mapping[str, Any]:
        """Return the facts of a host, empty if they were not gathered."""
        found: Mapping[str, Any] = self.hostvars[host].get("ansible_facts", {})
        return found

    def members(self, group: str) -> Sequence[str]:
        """Return the hosts of a group; without the default one, those of the play. Raises ValueError without either."""
        if group in self.groups:
            return self.groups[group]
        if group != DEFAULT_GROUP:
            raise ValueError(f"the inventory has no group {group!r}")
        if self.limit:
            # Priorities and peers would be those of the remaining hosts.
            raise ValueError(
                f"the inventory has no group {group!r}, and --limit {self.limit} hides hosts of the play; "
                "add the group, or run without --limit"
            )
        return self.targeted


def with_flags(settings: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the settings with these names converted to booleans, as Ansible reads ``yes`` and the like."""
    return {**settings, **{name: boolean(settings[name], strict=False) for name in names}}


def one_line_findings(role: str, settings: Mapping[str, Any], host: str) -> list[str]:
    """Return the findings about a role's variables that become one line of a file, and about the host's name.

    The settings are the role's variables without their prefix.
    """
    variables = {f"{role}_{name}": value for name, value in settings.items() if f"{role}_{name}" in VARIABLES}
    # A name that is not one line must not break this message either.
    return on_host(ascii(host)[1:-1], findings({"inventory_hostname": host, **variables}, VARIABLES))


def family_of(families: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a role's settings for the host's distribution. Raises ValueError for an unknown family."""
    name = str(facts.get("os_family", ""))
    if name not in families:
        known = ", ".join(sorted(families))
        raise ValueError(f"os_family: {name or 'this fact was not gathered'}; the role knows {known}")
    return families[name]
