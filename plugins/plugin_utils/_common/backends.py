# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers of the inventory that a balancer forwards to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def backend_servers(hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]], port: int = 80) -> list[Any]:
    """Return ``name`` and ``address`` (with *port*) of each host."""
    return [{"name": host, "address": f"{_address(host, hostvars[host])}:{port}"} for host in hosts]


def _address(host: str, variables: Mapping[str, Any]) -> str:
    address = str(variables.get("backend_address") or variables.get("ansible_host") or host)
    return f"[{address}]" if ":" in address else address
