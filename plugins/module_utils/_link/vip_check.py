# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where to ask for a virtual IP, and the findings in the answers. Pure functions."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError, bare_address

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


class Vantage(NamedTuple):
    """Where to ask: the interface, this host's own address on it (None without one), and whether it has the VIP."""

    interface: str
    own: str | None
    holds: bool


class NoVantageError(Exception):
    """The host has no link to the VIP; the message lists its addresses."""


def vantage(vip: str, addresses: Sequence[Mapping[str, Any]], interface: str | None) -> Vantage:
    """Return where to ask for *vip*, given the host's addresses as returned by ``addresses.parse_ip_address``.

    *interface* defaults to the one in the VIP's subnet. Raises NoVantageError.
    """
    wanted = ipaddress.ip_address(vip)
    family = f"ipv{wanted.version}"
    holding = [entry for entry in addresses if entry["address"] == vip]
    others = [entry for entry in addresses if entry["family"] == family and entry["address"] != vip]
    if interface is None:
        near = [entry for entry in others if wanted in _network(entry)]
        if not near and not holding:
            has = ", ".join(f"{entry['address']}/{entry['prefix']}" for entry in others) or f"no {family} address"
            raise NoVantageError(f"{vip} is not in a subnet of this host (it has {has}): set interface, or link: false")
        interface = str((near or holding)[0]["interface"])
    mine = [entry for entry in others if entry["interface"] == interface]
    # Prefer the link-local address for a neighbour solicitation, one in the VIP's subnet for an ARP request.
    mine.sort(key=lambda entry: (entry["scope"] != "link") if wanted.version == 6 else (wanted not in _network(entry)))
    own = str(mine[0]["address"]) if mine else None
    return Vantage(interface, own, any(entry["interface"] == interface for entry in holding))


def expected_holder(text: str) -> tuple[str | None, str | None]:
    """Return the option ``holder`` as MAC address, or else as IP address. Raises AddressError for neither."""
    mac = text.strip().lower().replace("-", ":")
    if _MAC.fullmatch(mac):
        return mac, None
    try:
        return None, bare_address(text)
    except AddressError as error:
        raise AddressError(f"holder: {text!r} is neither a MAC address nor an IP address") from error


def link_findings(vip: str, macs: Sequence[str], holder: str | None, holder_macs: Sequence[str]) -> list[str]:
    """Return the findings about answers on the link. *holder* is the expected one as given by the user."""
    if not macs:
        return [f"{vip}: no host answers for it on the link"]
    if len(macs) > 1:
        return [f"{vip}: {len(macs)} MAC addresses answer for it: {', '.join(macs)}"]
    if holder and not holder_macs:
        return [f"{vip}: {macs[0]} answers for it, but the expected holder {holder} does not answer"]
    if holder and macs[0] not in holder_macs:
        named = "" if holder.lower() in holder_macs else f" ({', '.join(holder_macs)})"
        return [f"{vip}: {macs[0]} answers for it, not the expected holder {holder}{named}"]
    return []


def service_findings(vip: str, tcp: Mapping[str, Any] | None, http: Mapping[str, Any] | None) -> list[str]:
    """Return the findings about the service's answers."""
    if tcp is not None and not tcp["open"]:
        return [f"{vip}: TCP port {tcp['port']}: {tcp['error']}"]
    if http is not None and http["error"]:
        return [f"{vip}: {http['url']}: {http['error']}"]
    return []


def judge_http(status: int, body: bytes, wanted: Sequence[int], pattern: str | None) -> str | None:
    """Return the error in an HTTP answer, None if there is none."""
    if status not in wanted:
        return f"answers with status {status}, not {' or '.join(map(str, wanted))}"
    if pattern and not re.search(pattern, body.decode("utf-8", "replace")):
        return f"answers with a body that does not match {pattern!r}"
    return None


def _network(entry: Mapping[str, Any]) -> Any:
    return ipaddress.ip_interface(f"{entry['address']}/{entry['prefix']}").network
