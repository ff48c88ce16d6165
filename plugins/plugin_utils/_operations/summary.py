# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The closing lines of ``site``: which host holds what, whether the service answers, what changed. Pure functions."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._link.holders import STANDBY, holds, role_of
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.state import names
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.service import url_of

ENGINES = ("nginx", "haproxy")
DAEMONS = (*ENGINES, "keepalived")


class SiteRun(NamedTuple):
    """What a run of ``site`` did and saw, by host.

    ``results`` are those of daemon_config, by daemon. ``infos`` are those of vip_info; a host that was not asked again
    has only ``addresses``. ``services`` are the results of vip_check, by VIP. ``check_mode`` tells whether changes are
    only planned. ``former`` has the engines that were replaced.
    """

    vips: Sequence[str]
    results: Mapping[str, Mapping[str, Mapping[str, Any]]]
    infos: Mapping[str, Mapping[str, Any]]
    services: Mapping[str, Mapping[str, Any]]
    check_mode: bool
    former: Mapping[str, str] = {}


def requests(vips: Sequence[str], asked: Mapping[str, Any], ports: Mapping[str, bool]) -> list[dict[str, Any]]:
    """Return the options of vip_check for each VIP.

    *asked* has the user's ``port``, 0 for no request, ``url`` and ``validate_certs``. Without a URL the engine's
    *ports*, which tell where only TLS is spoken, decide on the scheme, and on 443 where the service has no port 80.
    """
    port = 443 if asked["port"] == 80 and "80" not in ports and ports.get("443") else asked["port"]
    tls = ports.get(str(port), False)
    if asked["url"]:
        how = {"url": asked["url"], "status": [200], "validate_certs": asked["validate_certs"]}
        return [{"vip": vip, **how} for vip in vips]
    # Any page shows that the service answers; an error of a backend (5xx) does not. No certificate names the VIP.
    how = {"status": [*range(200, 500)], "validate_certs": False}
    return [{"vip": vip, "url": url_of(vip, port, "https" if tls else "http"), **how} for vip in vips if port]


def changes(run: SiteRun) -> list[str]:
    """Return what changed on which hosts, one entry per host."""
    found = []
    for host, results in run.results.items():
        former = run.former.get(host, "")
        changed = [
            f"{daemon} ({_replaced(daemon, former) if former else _action(results[daemon])})"
            for daemon in DAEMONS
            if results.get(daemon, {}).get("changed")
        ]
        if changed:
            found.append(f"{host} {', '.join(changed)}")
    return found


def lines(run: SiteRun) -> list[str]:
    """Return the three lines."""
    resting = [host for host, results in run.results.items() if _in_maintenance(results.get("keepalived", {}))]
    held = [_holder(vip, run) for vip in run.vips] + [f"{host} is in maintenance" for host in resting]
    answers = [_answer(vip, run.services[vip]) for vip in run.vips if vip in run.services]
    changed = changes(run)
    what = f"{'would change' if run.check_mode else 'changed'}: {'; '.join(changed)}" if changed else "nothing changed"
    return ["; ".join(held) or "no virtual IP", "; ".join(answers) or "the service was not checked", what]


def _action(result: Mapping[str, Any]) -> str:
    if result.get("restarted"):
        return "restart"
    if result.get("reloaded"):
        return "reload"
    return "start" if result.get("started") else "files"


def _replaced(daemon: str, former: str) -> str:
    """Return what a change of the engine does to a daemon: keepalived is stopped meanwhile."""
    return f"start instead of {former}" if daemon in ENGINES else "restart"


def _in_maintenance(result: Mapping[str, Any]) -> bool:
    return result.get("maintenance_since") is not None


def _holder(vip: str, run: SiteRun) -> str:
    holders = [host for host, info in run.infos.items() if holds(info, vip)]
    standbys = [host for host, info in run.infos.items() if "keepalived" in info and role_of(info, vip) == STANDBY]
    text = f"{vip} is on {names(holders)}"
    return f"{text}, standby {names(standbys)}" if standbys else text


def _answer(vip: str, answer: Mapping[str, Any]) -> str:
    findings, status = answer.get("findings", ()), (answer.get("http") or {}).get("status")
    if status is not None:
        return f"{vip} answers {status}{', which is an error' if findings else ''}"
    if findings:
        return "; ".join(findings)
    return f"{vip} was not checked: {str(answer.get('msg', 'no answer')).strip()}"
