# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Checks that the clients' requests go through what a drill is about to break. Pure.

``served`` is what service_peers returned, by host: ``{"lb01": {"peers": [...], "others": [...]}, ...}``. ``state`` is
what ``assess`` returned, without findings.
"""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import bare_address
from ansible_collections.haproof.balancer.plugins.module_utils._probe.url import tcp_port
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.finding import Finding, refusals

Served = Mapping[str, Mapping[str, Any]]

PATH = "path"
"""The kind of a reason that a NAT or the like on the way can also cause."""


class Path(NamedTuple):
    """The path of the requests. ``sources`` has the address from which each client reaches the URL."""

    vip: str
    url: str
    sources: Mapping[str, str]
    service: str
    backend_service: str


class Reason(NamedTuple):
    """Why a drill would prove nothing, the remedy, and the kind to accept it by ("" if it cannot be accepted)."""

    kind: str
    text: str
    advice: str = ""


def refused(reasons: Sequence[Reason], accepted: Sequence[str]) -> list[str]:
    """Return the messages of the reasons that are not *accepted*, each with the setting that accepts it, if any."""
    findings = [
        Finding(found.kind, f"{found.text}: {found.advice}" if found.advice else found.text) for found in reasons
    ]
    return refusals(findings, accepted, "drill_accept", (PATH,))


def unproven(reasons: Sequence[Reason], accepted: Sequence[str]) -> list[str]:
    """Return the texts of the *accepted* reasons, for the report."""
    return [found.text for found in reasons if found.kind and found.kind in accepted]


def find_detours(
    fault: str, path: Path, backends: Sequence[str], state: Mapping[str, Any], served: Served
) -> list[Reason]:
    """Return why the fault would prove nothing about the clients' requests; *backends* are those that it breaks."""
    vip = bare_address(path.vip)
    reasons = [
        Reason("", f"{client} has {vip} itself: its requests never leave it")
        for client, source in path.sources.items()
        if bare_address(source) == vip
    ]
    port = tcp_port(path.url)
    if reasons or not port:
        return reasons
    where = f"{vip} port {port}"
    holder = state["holder"]
    through = served.get(holder, {"peers": [], "others": []})
    for client, source in path.sources.items():
        if bare_address(source) in through["peers"]:
            continue
        if bare_address(source) not in through["others"]:
            reasons.append(
                Reason(
                    PATH,
                    f"{holder} has no connection from {client} ({source}) to {where}, "
                    f"so its requests for {path.url} may not go through the holder of {vip}",
                    "where a NAT changes their source, set drill_sources",
                )
            )
        elif FAULTS[fault].group == "service":
            reasons.append(
                Reason(
                    PATH,
                    f"the fault breaks {path.service}, but another process serves {client} at {where} of {holder}",
                    "set drill_service",
                )
            )
    own = set(state["addresses"][holder])
    return reasons + [
        Reason(PATH, f"{path.backend_service} of {host} has no connection from {holder}, so requests may not need it")
        for host in backends
        if not own & set(served.get(host, {}).get("peers", []))
    ]
