# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A watcher's records of keepalived-handover: its state, and how many connections a host has."""

from __future__ import annotations

import json
from typing import Any, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import bare_address

_STATE = ("state", "former", "ended", "problem", "serves")


def read_entries(text: str | None) -> list[dict[str, Any]]:
    """Return the entries of keepalived-handover's state file, none without a readable one."""
    try:
        return [entry for entry in json.loads(text or "[]") if isinstance(entry["vip"], str)]
    except (KeyError, TypeError, ValueError):
        return []


class Handovers:
    """What keepalived-handover reports of some VIPs, in the order of changes.

    ``events`` has ``{"at_s", "vip", "state", "former", "ended", "problem", "serves", "arp_ignore"}``, all but the first
    two None where the service does not run. ``served`` has ``[at_s, own, remaining]`` by VIP: how many connections this
    host has, and how many its former holder.
    """

    def __init__(self, vips: Sequence[str]) -> None:
        self._vips = {bare_address(vip): vip for vip in vips}
        self._seen: tuple[str | None, int | None] | None = None
        self._last: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.served: dict[str, list[list[Any]]] = {vip: [] for vip in vips}

    def read(self, text: str | None, arp_ignore: int | None, at_s: float) -> None:
        """Record the differences from the previous state file; *arp_ignore* is that of the VIPs' interface."""
        if (text, arp_ignore) == self._seen:
            return
        self._seen = (text, arp_ignore)
        entries = {entry["vip"]: entry for entry in read_entries(text)}
        for vip, given in self._vips.items():
            entry = entries.get(vip, {})
            state = {**{key: entry.get(key) for key in _STATE}, "arp_ignore": arp_ignore if entry else None}
            if state != self._last.get(vip):
                self._last[vip] = state
                self.events.append({"at_s": at_s, "vip": given, **state})
            counts = [entry.get("own"), entry.get("remaining")]
            rows = self.served[given]
            if None not in counts and (not rows or rows[-1][1:] != counts):
                rows.append([at_s, *counts])
