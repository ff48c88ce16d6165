# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The kernel's addresses: reads ``ip -json address`` and compares addresses exactly."""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Callable, List, Sequence, Tuple

# run(argv) -> exit code, stdout, stderr
Runner = Callable[[List[str]], Tuple[int, str, str]]


class AddressError(ValueError):
    """An address or the output of ip(8) cannot be read; the message names the value."""


def bare_address(text: str) -> str:
    """Address without its prefix, in the canonical spelling: ``2001:DB8::0010/64`` -> ``2001:db8::10``.

    Raises AddressError when ``text`` is no IPv4 or IPv6 address.
    """
    try:
        return str(ipaddress.ip_interface(text.strip()).ip)
    except ValueError as error:
        raise AddressError(f"{text!r} is not an IP address") from error


def parse_ip_address(output: str) -> list[dict[str, Any]]:
    """Addresses in the output of ``ip -json address``, in the kernel's order.

    Each has ``address``, ``prefix``, ``family`` (ipv4 or ipv6), ``interface``, ``label`` (None where the kernel
    keeps none), ``scope`` and ``secondary``. Raises AddressError when the output is not what ip(8) prints.
    """
    try:
        # Old iproute2 prints nothing at all, newer prints [{}, ...] for links that a filter left out.
        links = json.loads(output or "[]")
        return [_address(link["ifname"], info) for link in links if link for info in link.get("addr_info", [])]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AddressError(f"cannot read the output of ip -json address ({error})") from error


def read_addresses(run: Runner) -> list[dict[str, Any]]:
    """Every address of the host. Raises AddressError when ip(8) fails or its output cannot be read."""
    rc, out, err = run(["ip", "-json", "address"])
    if rc != 0:
        raise AddressError(f"ip -json address failed with exit code {rc}: {err.strip()}")
    return parse_ip_address(out)


def held(vips: Sequence[str], addresses: Sequence[dict[str, Any]]) -> list[str]:
    """Those of ``vips`` (with or without prefix) that are among ``addresses``, spelled as given.

    The prefix is not compared: an address answers whatever its prefix is. Raises AddressError for a bad VIP.
    """
    present = {entry["address"] for entry in addresses}
    return [vip for vip in vips if bare_address(vip) in present]


def _address(interface: str, info: dict[str, Any]) -> dict[str, Any]:
    # A point-to-point address has its own end in "local" too.
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
