# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A watcher's records: when a host had a VIP, and which alarms were raised."""

from __future__ import annotations

import re
from typing import Any, Iterable, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import bare_address
from ansible_collections.haproof.balancer.plugins.module_utils._link.kernel_addresses import (
    AddressChange,
    InterfaceAddress,
)

_FINDING = re.compile(r'^haproof_vip_finding\{.*\bvip="([^"]*)".*\bfinding="([^"]*)"\} 1$', re.MULTILINE)


def read_text(path: str) -> str | None:
    """Return the text of the watch's metrics, None without any."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def raised(text: str) -> list[tuple[str, str]]:
    """Return the raised alarms in the watch's metrics: VIP and finding."""
    return _FINDING.findall(text)


class Holdings:
    """Which of some VIPs a host has. An address may be on several interfaces, and counts once.

    ``events`` are the changes in order: ``{"at_s", "vip", "interface" (number), "held"}``, VIPs as given;
    ``resumed_s`` are the times at which changes had been lost.
    """

    def __init__(self, vips: Sequence[str], addresses: Iterable[InterfaceAddress]) -> None:
        """Start with the host's *addresses*. Raises AddressError for an invalid VIP."""
        self._vips = {bare_address(vip): vip for vip in vips}
        self._on: dict[str, set[int]] = {vip: set() for vip in self._vips}
        for number, address in addresses:
            if address in self._on:
                self._on[address].add(number)
        self.at_start = {given: bool(self._on[vip]) for vip, given in self._vips.items()}
        self.events: list[dict[str, Any]] = []
        self.resumed_s: list[float] = []

    def change(self, change: AddressChange, at_s: float) -> None:
        """Record a kernel's change; a repeated announcement of an address is not an event."""
        number, address = change.address
        if address not in self._on:
            return
        on = self._on[address]
        before = bool(on)
        (on.add if change.present else on.discard)(number)
        if bool(on) != before:
            event = {"at_s": at_s, "vip": self._vips[address], "interface": number, "held": bool(on)}
            self.events.append(event)

    def resume(self, addresses: Iterable[InterfaceAddress], at_s: float) -> None:
        """Compare with all addresses, after changes were lost."""
        self.resumed_s.append(at_s)
        there = [(number, address) for number, address in addresses if address in self._on]
        for vip, on in self._on.items():
            for number in sorted(on):
                if (number, vip) not in there:
                    self.change(AddressChange(InterfaceAddress(number, vip), False), at_s)
        for number, vip in there:
            self.change(AddressChange(InterfaceAddress(number, vip), True), at_s)


class Alarms:
    """The findings raised and cleared by keepalived-watch: ``events`` has ``{"at_s", "finding", "vip", "raised"}``."""

    def __init__(self, vips: Sequence[str], text: str) -> None:
        """Start with the watch's metrics, ``""`` without any."""
        self._vips = {bare_address(vip): vip for vip in vips}
        self._raised = self._findings(text)
        self.events: list[dict[str, Any]] = []

    def read(self, text: str, at_s: float) -> None:
        """Record the differences from the previous metrics."""
        now = self._findings(text)
        for vip, finding in sorted(now ^ self._raised):
            raised = (vip, finding) in now
            self.events.append({"at_s": at_s, "finding": finding, "vip": self._vips[vip], "raised": raised})
        self._raised = now

    def _findings(self, text: str) -> set[tuple[str, str]]:
        return {(vip, finding) for vip, finding in raised(text) if vip in self._vips}
