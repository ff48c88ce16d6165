# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Upgrade of the balancers: which, in which order, and what must answer afterwards. Pure functions."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence
from urllib.parse import urlsplit

from ansible_collections.haproof.balancer.plugins.module_utils._daemon.maintenance import UPGRADE, drop_in
from ansible_collections.haproof.balancer.plugins.module_utils._link.holders import holds
from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import Observations, own_endpoints
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.state import names, not_handed_over
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.maintenance import handed_over
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.service import prober_findings, url_of

DAEMONS = ("nginx", "haproxy", "keepalived")
COMMAND = "ansible-playbook haproof.balancer.upgrade"


class UpgradeRequest(NamedTuple):
    """The playbook's variables, and the hosts that they may name."""

    chosen: Sequence[str]
    versions: Mapping[str, str]
    system: bool
    probe_client: str
    balancers: Sequence[str]
    hosts: Sequence[str]


class Pending(NamedTuple):
    """What a host would upgrade: the result of package_upgrade, and the build of keepalived.

    ``built`` tells whether its keepalived is built from source. ``build`` has the ``old`` and the ``new`` version, and
    is empty if that build runs already. ``engine`` is the daemon that serves the virtual IPs.
    """

    result: Mapping[str, Any]
    built: bool
    build: Mapping[str, str]
    engine: str

    def changes(self) -> list[Mapping[str, str]]:
        """Return ``name``, ``source``, ``old`` and ``new`` of all that changes."""
        build = [{"name": "keepalived", "source": "", **self.build}] if self.build else []
        return [*build, *self.result["packages"]]


def requests(addresses: Sequence[str], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the options of vip_check by which a service may answer at each of these addresses.

    *asked* has the user's ``port``, ``url`` and ``validate_certs``. Without a URL it is not known whether the service
    speaks TLS, and any page but a server's error shows that it answers.
    """
    if asked["url"]:
        how = {"url": asked["url"], "status": [200], "validate_certs": asked["validate_certs"]}
        return [{"vip": address, **how} for address in addresses]
    port = asked["port"]
    ways = [("http", port), ("https", port), *([("https", 443)] if port == 80 else [])] if port else []
    how = {"status": [*range(200, 500)], "validate_certs": False}
    return [{"vip": address, "url": url_of(address, at, scheme), **how} for address in addresses for scheme, at in ways]


def plan(
    request: UpgradeRequest,
    cluster: Observations,
    pending: Mapping[str, Pending],
    answers: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return ``findings``, ``order``, ``lines``, ``url``, ``checks`` and ``keeps``.

    ``findings`` are the reasons to refuse, ``order`` are the hosts to upgrade, the holder last, ``lines`` say what each
    upgrades, ``url`` is for a prober. ``checks`` has, for each host and for ``vips``, the requests of those that
    vip_check made before, as *answers*, which must be answered again. ``keeps`` tells whether all virtual IPs move with
    their connections.
    """
    found = request_findings(request, pending)
    chosen = [host for host in request.chosen if host in pending]
    order = [] if found else _order(chosen, cluster, pending)
    for host in order:
        found += _removals(host, pending[host], request.system)
    checks = _checks(cluster, answers)
    # Those that an interrupted run left come back before the others leave, which each turn checks again.
    if not any(_away(cluster, host) == UPGRADE for host in order):
        failing = _failing(checks, answers)
        found += [text for host in order if not _away(cluster, host) for text in _lost(cluster, host, failing)]
    return {
        "findings": list(dict.fromkeys(found)),
        "order": order,
        "lines": [_line(host, pending[host], host in order) for host in chosen],
        "url": url_of(next(iter(cluster.all_vips()), "")),
        "checks": checks,
        "keeps": not any(not_handed_over(cluster.infos, vip) for vip in cluster.all_vips()),
    }


def turn(request: UpgradeRequest, cluster: Observations, pending: Mapping[str, Pending], host: str) -> dict[str, Any]:
    """Return what to do with a host, with the keys of maintenance's plan.

    ``resting`` tells whether the user has it in maintenance, where it stays. ``restart`` tells whether its engine has
    to restart. ``upgraded`` reports the upgrade. ``recover`` says what to run after a failure, and ``away`` does if the
    host is still out of service.
    """
    by = _away(cluster, host)
    resting = by not in ("", UPGRADE)
    found, heirs = ([], []) if resting else handed_over(cluster, host, cluster.all_vips())
    moved = ", ".join(f"{heir['vip']} is on {heir['host']} now" for heir in heirs) or "it held no virtual IP"
    changed = pending[host].changes()
    recover = _recover(host, pending[host], request)
    return {
        "findings": found,
        "heirs": heirs,
        "done": f"{host} is out of service for its upgrade: {moved}",
        "endpoints": own_endpoints(cluster, host),
        "file": drop_in("keepalived"),
        "resting": resting,
        "restart": by == UPGRADE or pending[host].engine in [change["source"] for change in changed],
        "upgraded": _upgraded(host, changed),
        "recover": recover,
        "away": f"It is out of service; the other balancers serve. {recover}",
    }


def request_findings(request: UpgradeRequest, pending: Mapping[str, Pending]) -> list[str]:
    """Return what is wrong with the playbook's variables."""
    found = [
        f"upgrade_hosts: {host!r} is not a balancer: choose from {', '.join(request.balancers)}"
        for host in request.chosen
        if host not in request.balancers
    ]
    found += [
        f"upgrade_versions: {daemon!r} is not a daemon of a balancer: choose from {', '.join(DAEMONS)}"
        for daemon in request.versions
        if daemon not in DAEMONS
    ]
    if request.system and request.versions:
        found.append("upgrade_versions names versions, but upgrade_system installs the newest of all: set only one")
    if "keepalived" in request.versions:
        found += [
            f"upgrade_versions: {host} builds keepalived from source: set keepalived_version and keepalived_checksum"
            for host, wanted in pending.items()
            if wanted.built
        ]
    return found + prober_findings(request.probe_client, request.hosts)


def _order(chosen: Sequence[str], cluster: Observations, pending: Mapping[str, Pending]) -> list[str]:
    """Return the hosts to upgrade: first those out of service, the one with the most virtual IPs last."""

    def key(host: str) -> tuple[bool, int, int]:
        held = sum(holds(cluster.infos[host], vip) for vip in cluster.all_vips())
        return not _away(cluster, host), held, -chosen.index(host)

    due = [host for host in chosen if pending[host].changes() or _away(cluster, host) == UPGRADE]
    return sorted(due, key=key)


def _away(cluster: Observations, host: str) -> str:
    """Return which playbook took a host out of service, empty for none."""
    return str(cluster.infos[host].get("maintenance_by") or "")


def _lost(cluster: Observations, host: str, failing: Mapping[str, str]) -> list[str]:
    """Find virtual IPs that no other host could hold, or whose next holder does not answer as the others do."""
    found, heirs = handed_over(cluster, host, cluster.all_vips())
    return found + [
        f"{host} must stay in service, since {heir['host']} would take {heir['vip']} over: {failing[heir['host']]}"
        for heir in heirs
        if heir["host"] in failing
    ]


def _failing(checks: Mapping[str, Sequence[Mapping[str, Any]]], answers: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return why requests that others answer fail, by host."""
    found = {}
    for host, wanted in checks.items():
        problems = [
            f"{answer['item']['url']}: {'; '.join(answer.get('findings', ['no answer']))}"
            for answer in answers
            if answer.get("item") in wanted and answer.get("findings") != []
        ]
        if problems:
            found[host] = "; ".join(problems)
    return found


def _removals(host: str, pending: Pending, system: bool) -> list[str]:
    """Find removals, which an upgrade of daemons should not need; an upgrade of the system may."""
    gone = [name for name in pending.result["removed"] if not system or name in DAEMONS]
    if not gone:
        return []
    return [f"{host}: the upgrade would remove {names(gone)}: upgrade by hand, in maintenance"]


def _line(host: str, pending: Pending, due: bool) -> str:
    kept = [f"{name} is on hold" for name in pending.result["held"]]
    steps = _steps(pending.changes())
    if steps:
        return f"{host}: {'; '.join([*steps, *kept])}"
    running = [f"{name} {version}" for name, version in pending.result["installed"].items()]
    what = "completes an interrupted upgrade" if due else "nothing to upgrade"
    return f"{host}: {what} ({'; '.join([*running, *kept])})"


def _upgraded(host: str, changes: Sequence[Mapping[str, str]]) -> str:
    return f"{host} is upgraded: {'; '.join(_steps(changes)) or 'an interrupted upgrade is complete'}"


def _steps(changes: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the names of what changes from one version to the same other one, and both versions."""
    found: dict[str, list[str]] = {}
    for change in changes:
        found.setdefault(f"{change['old'] or 'none'} -> {change['new']}", []).append(change["name"])
    return [f"{', '.join(sorted(changed))} {step}" for step, changed in found.items()]


def _recover(host: str, pending: Pending, request: UpgradeRequest) -> str:
    again = f"Fix the cause and run {COMMAND} again"
    former = {
        change["name"]: change["old"]
        for change in pending.result["packages"]
        if change["name"] in DAEMONS and change["old"] and change["old"] != change["new"]
    }
    if request.system or not former:
        return again
    versions = ",".join(f"{name}={version}" for name, version in former.items())
    return f"{again}, or return to the former version: {COMMAND} -e upgrade_hosts={host} -e upgrade_versions={versions}"


def _checks(cluster: Observations, answers: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the requests that must be answered, by host, and for all virtual IPs."""
    vips = cluster.all_vips()
    good = [answer["item"] for answer in answers if answer.get("findings") == []]
    ways = {_way(item["url"]) for item in good if item["vip"] not in vips}
    # A host that an earlier run left without its service must answer as the others do.
    alike = [answer["item"] for answer in answers if "item" in answer and _way(answer["item"]["url"]) in ways]
    checks = {"vips": [item for item in good if item["vip"] in vips]}
    for host, addresses in cluster.own_addresses().items():
        # In a maintenance of the user's the service may be stopped on purpose.
        wanted = good if _away(cluster, host) not in ("", UPGRADE) else alike
        checks[host] = [item for item in wanted if item["vip"] in addresses]
    return checks


def _way(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.port
