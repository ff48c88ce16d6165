# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Do the clients' requests go through what a drill is about to break? Pure.

``served`` is what service_peers returned, by host: ``{"lb01": {"peers": [...], "others": [...]}, ...}``.
"""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._addresses import bare_address
from ansible_collections.haproof.balancer.plugins.module_utils._drill_faults import BACKEND, BACKENDS, FAULTS
from ansible_collections.haproof.balancer.plugins.module_utils._probe_url import read_url

Served = Mapping[str, Mapping[str, Any]]


class Path(NamedTuple):
    """What requests are made, and by whom: ``sources`` has the address of each client on its way to the URL."""

    vip: str
    url: str
    sources: Mapping[str, str]
    holder: str
    service: str
    backend_service: str


def tcp_port(url: str) -> int:
    """Return the TCP port that a URL leads to, 0 when its requests are no connections. Raises ValueError."""
    goal = read_url(url)
    return 0 if goal.scheme in ("udp", "icmp") else goal.port


def path_findings(fault: str, path: Path, targets: Sequence[str], served: Served) -> list[str]:
    """Say why breaking *targets* would prove nothing about the requests of the clients."""
    vip = bare_address(path.vip)
    findings = [
        f"{client} has {vip} itself: its requests never leave it"
        for client, source in path.sources.items()
        if bare_address(source) == vip
    ]
    port = tcp_port(path.url)
    if findings or not port:
        return findings
    where = f"{vip} port {port}"
    through = served.get(path.holder, {"peers": [], "others": []})
    for client, source in path.sources.items():
        if bare_address(source) in through["peers"]:
            continue
        if bare_address(source) not in through["others"]:
            findings.append(
                f"{path.holder} has no connection from {client} ({source}) to {where}: "
                f"the requests for {path.url} do not go through the holder of {vip}"
            )
        elif FAULTS[fault].group == "service":
            findings.append(
                f"what serves {client} at {where} of {path.holder} is not {path.service}, which the fault is done to: "
                "set drill_service"
            )
    return findings + _backend_findings(fault, path, targets, served)


def _backend_findings(fault: str, path: Path, targets: Sequence[str], served: Served) -> list[str]:
    if FAULTS[fault].on not in (BACKEND, BACKENDS):
        return []
    own = set(served.get(path.holder, {}).get("addresses", []))
    return [
        f"{path.backend_service} of {host} has no connection from {path.holder}: no request goes through it"
        for host in targets
        if not own & set(served.get(host, {}).get("peers", []))
    ]
