# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where to request the service behind a virtual IP, and from which host."""

from __future__ import annotations

from collections.abc import Container


def url_of(vip: str, port: int = 80, scheme: str = "http") -> str:
    """Return the URL of a virtual IP's service."""
    host = f"[{vip}]" if ":" in vip else vip
    return f"{scheme}://{host}/" if (scheme, port) in (("http", 80), ("https", 443)) else f"{scheme}://{host}:{port}/"


def prober_findings(client: str, hosts: Container[str]) -> list[str]:
    """Return what is wrong with the host that is to run a prober; empty for none."""
    return [f"probe_client: the inventory has no host {client!r}"] if client and client not in hosts else []
