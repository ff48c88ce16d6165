# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The members of a cluster that its hosts remember, so that one that leaves the inventory is not forgotten."""

from __future__ import annotations

import json
from typing import Any, Container, Mapping, Sequence

FILE = "/etc/ansible/facts.d/haproof_members.fact"
"""On each host: the names in the inventory, each with the addresses that its adverts can come from."""
FACT = "haproof_members"
"""The same among Ansible's local facts."""


def text_of(members: Mapping[str, Sequence[str]]) -> str:
    """Return the text of the file; empty without members."""
    return json.dumps(members, sort_keys=True) if members else ""


def parse(text: str) -> dict[str, list[str]]:
    """Return the members in the text of the file; none if it is damaged, since another host remembers them too."""
    try:
        return valid(json.loads(text))
    except ValueError:
        return {}


def valid(found: Any) -> dict[str, list[str]]:
    """Return the members in data that came from a host; none if it is not of their form."""
    if not isinstance(found, Mapping):
        return {}
    return {
        str(name): [str(address) for address in addresses]
        for name, addresses in found.items()
        if isinstance(addresses, (list, tuple))
    }


def former(
    remembered: Mapping[str, Sequence[str]], present: Mapping[str, Sequence[str]], managed: Container[str] = ()
) -> dict[str, list[str]]:
    """Return the remembered members that are no longer *present*.

    A host of another name with one of its addresses has been renamed, or has taken its place. A *managed* host has left
    for another cluster, and gets that one's configuration.
    """
    taken = {address for addresses in present.values() for address in addresses}
    return {
        name: list(addresses)
        for name, addresses in remembered.items()
        if name not in present and name not in managed and not taken & set(addresses)
    }
