# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The state of a cluster: whether a balancer may be broken, which one takes over, and how fast. Pure.

``infos`` is what vip_info returned, by host: ``{"lb01": {"addresses": [...], "instances": [...]}, ...}``.
"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import bare_address
from ansible_collections.haproof.balancer.plugins.module_utils._link.holders import (
    STANDBY,
    UNREADY,
    Info,
    holds,
    instance_of,
    role_of,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_timers import (
    DOWN_TIMER_ADVERTS,
    clean_bound_s,
    dead_bound_s,
)

Infos = Mapping[str, Info]


def holders(infos: Infos, vip: str) -> list[str]:
    """Return the hosts whose kernel has the VIP."""
    return [host for host, info in infos.items() if holds(info, vip)]


def assess(infos: Infos, vip: str) -> dict[str, Any]:
    """Return the holder, its standby, the bounds of a takeover in seconds, and the holder after a move.

    ``strongest`` keeps the VIP when holder and standby both have it. ``order`` lists all hosts, the holder first, then
    in the order of takeover. ``vips`` are those that these hosts share. ``boots`` has each host's boot id, and
    ``addresses`` its own addresses. ``watched`` are the hosts that can raise an alarm. ``not_handed_over`` says why the
    VIP moves without its connections, [] if they are handed over. ``findings`` says why nothing may be broken; all
    other values are None or empty then.
    """
    roles = {host: role_of(info, vip) for host, info in infos.items()}
    ready = [host for host, role in roles.items() if role == STANDBY]
    findings = unready(infos, vip)
    found = holders(infos, vip)
    if len(found) != 1:
        findings.append(f"{vip} must have exactly one holder, it has {names(found)}")
    if not ready:
        findings.append(f"{vip} has no standby that could take over")
    if findings:
        return {
            "holder": None,
            "standby": None,
            "holder_after": None,
            "strongest": None,
            "order": [],
            "vips": [],
            "interfaces": {},
            "boots": {},
            "addresses": {},
            "watched": [],
            "not_handed_over": [],
            "clean_bound_s": None,
            "dead_bound_s": None,
            "findings": findings,
        }

    instances = {host: instance_of(info, vip) or {} for host, info in infos.items()}
    standbys = sorted(ready, key=lambda host: -int(instances[host]["effective_priority"]))
    holder, standby = found[0], standbys[0]
    timers = instances[standby]
    version, interval, priority = timers["version"], timers["advert_int_s"], timers["effective_priority"]
    strongest = max(holder, standby, key=lambda host: int(instances[host]["effective_priority"]))
    takes_back = instances[holder]["preempt"] and strongest == holder
    adverts = timers.get("down_timer_adverts") or DOWN_TIMER_ADVERTS
    return {
        "holder": holder,
        "standby": standby,
        "holder_after": holder if takes_back else standby,
        "strongest": strongest,
        "order": [holder, *standbys],
        "vips": shared_vips(infos, vip),
        "boots": {host: info.get("boot", "") for host, info in infos.items()},
        "addresses": {host: [entry["address"] for entry in info["addresses"]] for host, info in infos.items()},
        "watched": [host for host, info in infos.items() if info.get("watched")],
        "not_handed_over": not_handed_over(infos, vip),
        "interfaces": {host: instance["interface"] for host, instance in instances.items()},
        "clean_bound_s": round(clean_bound_s(version, interval, priority), 6),
        "dead_bound_s": round(dead_bound_s(version, interval, priority, adverts), 6),
        "findings": [],
    }


def not_handed_over(infos: Infos, vip: str) -> list[str]:
    """Return why hosts have no hand-over of this VIP."""
    address = bare_address(vip)
    found = []
    for host, info in infos.items():
        problems = {entry["vip"]: entry["problem"] for entry in info.get("handover", [])}
        if not problems:
            found.append(f"{host}: keepalived_handover is off")
        elif address not in problems:
            found.append(f"{host}: keepalived_handover does not know {address}")
        elif problems[address]:
            found.append(f"{host}: {address} is not handed over: {problems[address]}")
    return found


def shared_vips(infos: Infos, vip: str) -> list[str]:
    """Return the VIPs of all instances, *vip* first."""
    others = {address for info in infos.values() for one in info["instances"] for address in one["virtual_addresses"]}
    return [bare_address(vip), *sorted(others - {bare_address(vip)})]


def unready(infos: Infos, vip: str) -> list[str]:
    """Return why hosts are neither holder nor standby, and the alarms that are raised there."""
    alarms = [
        f"{host}: the alarm {alarm['finding']} of {alarm['vip']} is raised: a new one would not show"
        for host, info in infos.items()
        for alarm in info.get("alarms", [])
    ]
    return [_unready(host, info, vip) for host, info in infos.items() if role_of(info, vip) == UNREADY] + alarms


def names(hosts: list[str]) -> str:
    """Return the hosts as text for a sentence."""
    return ", ".join(hosts) or "none"


def _unready(host: str, info: Info, vip: str) -> str:
    if "addresses" not in info:
        return f"{host}: {info.get('msg', 'nothing is known about it')}"
    instance = instance_of(info, vip)
    if not instance:
        running = (info.get("keepalived") or {}).get("running")
        return f"{host}: keepalived {'has no VRRP instance for ' + vip if running else 'does not run'}"
    having = "holds" if holds(info, vip) else "does not hold"
    return f"{host}: {having} {vip} while its VRRP instance {instance['name']} is in state {instance['state']}"
