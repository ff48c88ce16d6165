# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When a standby whose keepalived was stopped must start it again. Pure functions; times are of one monotonic clock."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    Configuration,
    Instance,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_packet import GROUPS

SILENT_S = 1.0
"""How long a virtual IP may be without an answer: several questions, which a busy link may lose."""
MISSED = 3
"""How many intervals old an advert may be."""


class Expected(NamedTuple):
    """What an instance's adverts must have for this host to accept them."""

    vrid: int
    version: int
    interval_s: float
    addresses: Sequence[str]
    multicast: bool


class Muted:
    """A standby without keepalived, and what it sees of the holder.

    Another host must answer for *addresses*. From *until* on the change counts as abandoned, and keepalived also starts
    if the holder's adverts are what this host expects.
    """

    def __init__(self, addresses: Iterable[str], now: float, until: float) -> None:
        self._answered_at = dict.fromkeys(addresses, now)
        self._until = until

    def answered(self, address: str, now: float) -> None:
        """Take that another host has the address."""
        if address in self._answered_at:
            self._answered_at[address] = now

    def overdue(self, now: float) -> bool:
        """Return whether the change should be complete by now."""
        return now >= self._until

    def why_start(
        self, now: float, expected: Sequence[Expected] | None, routers: Sequence[Mapping[str, Any]]
    ) -> str | None:
        """Return why to start keepalived now, None to wait.

        *expected* are those of the configuration on disk, None if its adverts cannot be told from others; *routers* are
        those on the link.
        """
        silent = sorted(address for address, at in self._answered_at.items() if now - at > SILENT_S)
        if silent:
            return f"no host answers for {', '.join(silent)}"
        if self.overdue(now) and expected and all(_heard(each, routers) for each in expected):
            return "the change was not completed, and the holder's adverts are still those of this host"
        return None


def expected_adverts(conf: Configuration, addresses: Iterable[str]) -> list[Expected] | None:
    """Return what the instances with these addresses expect, None if an advert does not show it, as with passwords."""
    wanted = set(addresses)
    found = []
    for instance in conf.instances:
        if wanted.isdisjoint(vip.address for vip in instance.vips):
            continue
        expected = _expected(instance)
        if expected is None:
            return None
        found.append(expected)
    return found


def _expected(instance: Instance) -> Expected | None:
    vrid, version = instance.number("virtual_router_id"), instance.version
    interval_s, addresses = instance.advert_int_s, instance.all_addresses("virtual_ipaddress")
    if vrid is None or version is None or interval_s is None or addresses is None:
        return None
    # An advert shows neither the password nor the key.
    if instance.authentication != [] or instance.signing is None or instance.signing.keys:
        return None
    return Expected(int(vrid), int(version), interval_s, addresses, not instance.entries("unicast_peer"))


def _heard(expected: Expected, routers: Sequence[Mapping[str, Any]]) -> bool:
    return any(
        Expected(
            router["vrid"],
            router["version"],
            round(router["interval_s"], 2),
            sorted(router["addresses"]),
            router["destination"] in GROUPS.values(),
        )
        == expected
        and router["authentication"] == "none"
        and router["age_s"] <= MISSED * expected.interval_s
        for router in routers
    )
