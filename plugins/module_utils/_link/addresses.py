# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The kernel's addresses from ``ip -json address``, compared exactly."""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner


class AddressError(ValueError):
    """An address or the output of ip(8) is invalid; the message names the value."""


def bare_address(text: str) -> str:
    """Return an address without its prefix, in canonical spelling: ``2001:DB8::0010/64`` -> ``2001:db8::10``.

    Raises AddressError if ``text`` is not a valid IPv4 or IPv6 address.
    """
    try:
        return str(ipaddress.ip_interface(text.strip()).ip)
    except ValueError as error:
        raise AddressError(f"{text!r} is not an IP address") from error


def parse_ip_address(output: str) -> list[dict[str, Any]]:
    """Return the addresses in the output of ``ip -json address``, in the kernel's order.

    Each has ``address``, ``prefix``, ``family`` (ipv4 or ipv6), ``interface``, ``label`` (None where the kernel
    keeps none), ``scope`` and ``secondary``. Raises AddressError for any other output.
    """
    try:
        # Old iproute2 prints nothing at all, newer prints [{}, ...] for filtered links.
        links = json.loads(output or "[]")
        return [_address(link["ifname"], info) for link in links if link for info in link.get("addr_info", [])]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AddressError(f"cannot read the output of ip -json address ({error})") from error


def read_addresses(run: Runner) -> list[dict[str, Any]]:
    """Return every address of the host. Raises AddressError if ip(8) fails or its output is invalid."""
    rc, out, err = run(["ip", "-json", "address"])
    if rc != 0:
        raise AddressError(f"ip -json address failed with exit code {rc}: {err.strip()}")
    return parse_ip_address(out)


def held(vips: Sequence[str], addresses: Sequence[dict[str, Any]]) -> list[str]:
    """Return those of ``vips`` (with or without prefix) that are among ``addresses``, as given.

    The prefix is not compared: an address answers whatever its prefix is. Raises AddressError for an invalid VIP.
    """
    present = {entry["address"] for entry in addresses}
    return [vip for vip in vips if bare_address(vip) in present]


def _address(interface: str, info: dict[str, Any]) -> dict[str, Any]:
    # "local" is the own end of a point-to-point address, too.
    address = ipaddress.ip_address(info["local"])
    return {
        "address": str(address),
        "prefix": int(info["prefixlen"]),
        "family": f"ipv{address.version}",
        "interface": interface,
        "label": info.get("label"),
        "scope": info.get("scope"),
        "secondary": bool(info.get("secondary", False)),
    }
