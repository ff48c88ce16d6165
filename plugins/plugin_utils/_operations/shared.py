# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The order in which ``site`` changes what balancers must share. Pure functions."""

from __future__ import annotations

from typing import Any, Collection, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.shared import SharedChange, shared_changes


class Balancer(NamedTuple):
    """A balancer: the hosts that share its virtual IPs, its keepalived.conf so far and in future, its addresses.

    ``before`` is None if keepalived does not change.
    """

    hosts: Sequence[str]
    before: str | None
    tree: Any
    addresses: Collection[str]


def in_order(balancers: Mapping[str, Balancer]) -> dict[str, dict[str, Any]]:
    """Return for each balancer whose peers must share a pending change how to make it; empty for most changes.

    ``first`` is the balancer that changes first and holds all virtual IPs meanwhile: the one that now holds most of
    them. ``others`` are those whose keepalived is stopped until then, ``unchanged`` those of them that do not change.
    ``vips`` are the virtual IPs that the balancer keeps, each with ``address`` and ``interface``. ``changes`` tells the
    change in words.
    """
    kept = {
        host: shared_changes(render(each.tree) if each.before is None else each.before, each.tree, host, each.hosts)
        for host, each in balancers.items()
    }
    found = {}
    for host, balancer in balancers.items():
        together = [peer for peer in balancer.hosts if peer in balancers]
        changes = _texts([change for peer in together for change in kept[peer]])
        if changes:
            first = max(together, key=lambda peer: _held(kept[peer], balancers[peer]))
            others = [peer for peer in together if peer != first]
            found[host] = {
                "first": first,
                "others": others,
                "unchanged": [peer for peer in others if balancers[peer].before is None],
                "vips": [{"address": each.address, "interface": each.interface} for each in kept[host]],
                "changes": changes,
            }
    return found


def _texts(changes: Sequence[SharedChange]) -> list[str]:
    """Return what changes, without values, which may be secret; hosts may differ before."""
    found: dict[str, dict[str, None]] = {}
    for change in changes:
        found.setdefault(change.address, {}).update(dict.fromkeys(change.directives))
    return [f"{address} ({', '.join(directives)})" for address, directives in found.items() if directives]


def _held(kept: Sequence[SharedChange], balancer: Balancer) -> int:
    return sum(change.address in balancer.addresses for change in kept)
