# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Removal of a balancer: whether the others can do without it, and what is left to do afterwards. Pure functions."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._daemon.maintenance import drop_in
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.own_files import listed
from ansible_collections.haproof.balancer.plugins.module_utils._link.holders import instance_of
from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import Observations, findings
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.wire_findings import LEFT
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.maintenance import handed_over
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.service import prober_findings, url_of

CONF = {"haproxy": "haproxy.cfg", "keepalived": "keepalived.conf", "nginx": "nginx.conf"}
EVERYWHERE = ("all", "ungrouped")
"""Groups that no inventory lists."""


class Removal(NamedTuple):
    """The playbook's variables, and what the inventory has.

    ``gone`` tells whether the host no longer exists. ``balancers`` are the hosts of the group, ``hosts`` all of them,
    ``groups`` those of the host, and ``owned`` the virtual IPs whose ``owner`` it is.
    """

    host: str
    gone: bool
    probe_client: str
    balancers: Sequence[str]
    hosts: Sequence[str]
    groups: Sequence[str]
    owned: Sequence[str]


def plan(removal: Removal, cluster: Observations) -> dict[str, Any]:
    """Return ``findings``, ``heirs``, ``done``, ``file`` and ``url`` as for maintenance, ``members`` and ``next``.

    ``members`` has those that each other balancer is still to remember. ``next`` are the closing lines, which say what
    the inventory should no longer have.
    """
    host = removal.host
    found = _request_findings(removal, cluster)
    heirs: list[dict[str, str]] = []
    if not found and removal.gone:
        found = _still_there(host, cluster)
    elif not found and host not in cluster.inspected():
        found = [finding.text for finding in findings(cluster) if finding.host == host]
    elif not found:
        found, heirs = handed_over(cluster, host, _shared(removal, cluster))
    moved = ", ".join(f"{heir['vip']} is on {heir['host']} now" for heir in heirs) or "it held no virtual IP"
    return {
        "findings": found,
        "heirs": heirs,
        "done": f"{host} is out of service: {moved}",
        "file": drop_in("keepalived"),
        "url": url_of(next(iter(cluster.all_vips()), "")),
        "members": {other: _remembered(info, host) for other, info in cluster.inspected().items() if other != host},
        "next": _next(removal),
    }


def _request_findings(removal: Removal, cluster: Observations) -> list[str]:
    host, others = removal.host, [each for each in removal.balancers if each != removal.host]
    found = []
    if not host:
        found.append(f"remove_host is not set: set it to one of {', '.join(removal.balancers)}")
    elif host not in removal.balancers and not _known(host, cluster):
        # Otherwise a slip would remove nginx from a backend.
        found.append(f"remove_host: {host!r} is not a balancer, and none remembers it as one")
    elif not removal.gone and host not in removal.hosts:
        found.append(
            f"remove_host: the inventory has no host {host!r}: return it to the inventory, outside of the balancers, or"
            " set remove_gone=true if it no longer exists"
        )
    elif not others:
        found.append(f"{host} is the last balancer: add another one first")
    return found + prober_findings(removal.probe_client, removal.hosts)


def _known(host: str, cluster: Observations) -> bool:
    return any(host in info.get("members", {}) for info in cluster.inspected().values())


def _still_there(host: str, cluster: Observations) -> list[str]:
    """Return why a host is not gone."""
    if host in cluster.inspected():
        return [f"{host} still exists: run this without remove_gone, which only makes the other balancers forget it"]
    return [
        finding.text for finding in findings(cluster) if finding.kind == LEFT and finding.host == host and finding.vip
    ]


def _shared(removal: Removal, cluster: Observations) -> list[str]:
    """Return the virtual IPs that must not be lost: all of a balancer, and of another host those of the balancers."""
    if removal.host in removal.balancers:
        return cluster.all_vips()
    others = [info for host, info in cluster.inspected().items() if host != removal.host]
    return [vip for vip in cluster.all_vips() if any(instance_of(info, vip) for info in others)]


def _remembered(info: Mapping[str, Any], host: str) -> dict[str, Any]:
    return {name: addresses for name, addresses in info.get("members", {}).items() if name != host}


def _next(removal: Removal) -> list[str]:
    host, others = removal.host, [each for each in removal.balancers if each != removal.host]
    lines = []
    groups = [group for group in removal.groups if group not in EVERYWHERE]
    if host in removal.hosts:
        where = f" from the inventory (groups: {', '.join(groups)})" if groups else " from the inventory"
        lines.append(f"delete {host}{where}, and host_vars/{host} if it exists")
    lines += [f"delete owner: {host} of {vip} in keepalived_vips" for vip in removal.owned]
    lines.append("then run ansible-playbook haproof.balancer.site, by which the other balancers forget its address")
    if len(others) == 1:
        lines.append(f"{others[0]} is the only balancer left, so it has no standby")
    return [f"{host} is removed", *lines]


def files(daemon: str, manifest: str) -> list[str]:
    """Return the files of a *daemon* that its role wrote, and that belong to no package.

    *manifest* is the text of the file that lists the user's. Raises ValueError for a line that the role did not write.
    """
    folder = f"/etc/{daemon}/haproof"
    named = listed(manifest.splitlines(), f"{folder}/files")
    units = [f"/etc/systemd/system/{daemon}.service.d/haproof{part}.conf" for part in ("", "-paths")]
    return [*named, *units, folder, f"/etc/{daemon}/{CONF[daemon]}", *OTHERS.get(daemon, ())]


OTHERS: Mapping[str, Sequence[str]] = {
    "haproxy": ["/usr/local/libexec/haproxy/state", "/usr/libexec/haproxy/state"],
    "nginx": [
        "/etc/apt/sources.list.d/haproof-nginx.sources",
        "/etc/apt/keyrings/haproof-nginx.asc",
        "/etc/yum.repos.d/haproof-nginx.repo",
        "/etc/pki/rpm-gpg/RPM-GPG-KEY-haproof-nginx",
    ],
}
