# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A host's role for a virtual IP. Pure functions on vip_info's result."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import bare_address

Info = Mapping[str, Any]
"""``{"addresses": [...], "instances": [...], "keepalived": {...}}``; no ``keepalived`` if it was not queried."""

HOLDER, STANDBY, UNREADY = "holder", "standby", "unready"


def holds(info: Info, vip: str) -> bool:
    """Return whether the kernel has the VIP. Raises AddressError for an invalid VIP."""
    address = bare_address(vip)
    return any(entry["address"] == address for entry in info.get("addresses", []))


def instance_of(info: Info, vip: str) -> Info | None:
    """Return the VRRP instance of the VIP, None if there is none. Raises AddressError for an invalid VIP."""
    address = bare_address(vip)
    for instance in info.get("instances", []):
        if address in instance["virtual_addresses"]:
            return dict(instance)
    return None


def role_of(info: Info, vip: str) -> str:
    """Return ``holder`` or ``standby`` if kernel and keepalived agree on it, else ``unready``.

    A host that did not answer is ``unready`` too. If keepalived was not queried, only the kernel decides. Raises
    AddressError for an invalid VIP.
    """
    held = holds(info, vip)
    if "addresses" not in info:
        return UNREADY
    if "keepalived" not in info:
        return HOLDER if held else STANDBY
    state = str((instance_of(info, vip) or {}).get("state"))
    return {(True, "master"): HOLDER, (False, "backup"): STANDBY}.get((held, state), UNREADY)
