# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The drills that the role's variables request, and the plan of each run. Pure.

``variables`` are the role's, without ``drill_`` and as the user wrote them: a list may be a comma-separated string, as
on the command line. ``state`` is what ``assess`` returned.
"""

from __future__ import annotations

import json
import re
from typing import Any, Iterator, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import EACH, FAULTS, MOVES, SPLITS
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.rules import (
    breakable,
    broken_backends,
    holder_after,
    targets,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.settings import find_unmeasurable

LEAST_DEADLINE_S = 10.0
CALM_S = 15.0
"""keepalived-watch needs six rounds to clear an alarm."""

Variables = Mapping[str, Any]


def make_schedule(variables: Variables, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the drills in order, and their common settings.

    ``findings`` says why there can be none, one sentence each, and is then the only key. ``clients`` are hosts,
    ``breakable`` the hosts that these drills break, and ``forbidden`` those of them that are not allowed. ``wait_s``
    limits a takeover, ``calm_s`` the return to a steady state. Each of ``drills`` has fault, injects (node_fault's name
    for it), title, holder, driver, silent, boots, hands_over, runs (the number of injections), backends (those that it
    breaks), and watch_s, how long probers and watchers must last.

    Without a state, objectives that follow from VRRP's timers are not checked.
    """
    names = _listed(variables["faults"])
    findings = [
        *_find_wrong(variables),
        *find_unmeasurable(names, variables, variables["profile"], state),
        *_find_endless(variables),
    ]
    if findings:
        return {"findings": findings}
    balancers, backends = list(variables["balancers"]), list(variables["backends"])
    deadline_s = float(variables["deadline_s"])
    may_break = breakable(names, balancers, backends)
    allowed = {*_listed(variables["allowed_hosts"]), *_listed(variables["confirm"])}
    return {
        "findings": [],
        "clients": _listed(variables["client"]),
        "breakable": may_break,
        "forbidden": [host for host in may_break if host not in allowed],
        # Leaves time to heal before the node heals itself.
        "wait_s": deadline_s / 2,
        "calm_s": max(deadline_s / 2, CALM_S),
        "drills": [_drill(name, variables, deadline_s) for name in names],
    }


def _drill(name: str, variables: Variables, deadline_s: float) -> dict[str, Any]:
    fault = FAULTS[name]
    runs = int(variables["repeat"]) * (len(variables["balancers"]) if fault.target == EACH else 1)
    return {
        "fault": name,
        "injects": fault.injects or name,
        "title": fault.title,
        "holder": fault.holder,
        "driver": fault.driver,
        "silent": fault.silent,
        "boots": fault.boots,
        "hands_over": fault.hands_over,
        "runs": runs,
        "backends": broken_backends(name, variables["backends"]),
        "watch_s": (deadline_s * 3 + 30) * runs,
    }


def plan_run(
    drill: Mapping[str, Any],
    state: Mapping[str, Any],
    number: int,
    variables: Variables,
    hostvars: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the plan of run *number* (from 0) of a drill.

    ``targets`` are the hosts that it breaks, ``options`` by target the options that node_fault needs: service,
    interface, node and commands, None for the others. ``moves``: whether the VIP must move. ``holder_after`` must have
    it in the end. ``deadline_s``: when the node heals itself. ``skipped`` says what is not configured, "" if nothing.
    """
    name = drill["fault"]
    hosts = targets(name, state, number, variables["backends"])
    needs = FAULTS[drill["injects"]].needs
    commands = {host: (hostvars[host].get("drill_commands") or {}).get(name) for host in hosts}
    missing = [] if hosts else ["drill_backends is empty"]
    if "path" in needs and not variables["disk_path"]:
        missing.append("drill_disk_path is not set")
    if "commands" in needs and None in commands.values():
        missing.append(f"drill_commands of {', '.join(hosts)} has no {name}")
    if drill["holder"] == SPLITS and not state["watched"]:
        missing.append("keepalived_watch is off, so no alarm can be raised for two holders")
    if drill["hands_over"]:
        missing += state["not_handed_over"]
    deadline_s = float(variables["deadline_s"])
    if drill["silent"]:
        # It heals itself, once the standby has had time to take over.
        deadline_s = min(deadline_s, (state["dead_bound_s"] or 0.0) * 2 + 4)

    def options(host: str) -> dict[str, Any]:
        own = "service" if host in variables["balancers"] else "backend_service"
        return {
            "service": variables[own] if "service" in needs else None,
            "interface": state["interfaces"].get(host),
            "node": _node(host, hostvars[host]) if "node" in needs else None,
            "commands": commands[host] if "commands" in needs else None,
        }

    return {
        "targets": hosts,
        "options": {host: options(host) for host in hosts},
        "moves": drill["holder"] == MOVES and state["holder"] in hosts,
        "holder_after": holder_after(name, state, hosts),
        "deadline_s": deadline_s,
        "skipped": "; ".join(missing),
    }


def _node(host: str, variables: Mapping[str, Any]) -> str:
    """Return a unique name for node_fault: one driver may serve several clusters with a host of this name."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", f"{host}-{variables.get('ansible_host') or ''}")


def _listed(value: Any) -> list[str]:
    return [name for name in value.split(",") if name] if isinstance(value, str) else list(value)


def _find_wrong(variables: Variables) -> Iterator[str]:
    balancers, clients = variables["balancers"], _listed(variables["client"])
    hosts = set(variables["hosts"])
    if len(balancers) < 2 or not clients or set(clients) - hosts or set(clients) & set(balancers):
        yield (
            f"A drill needs two or more balancers and a client that is not one of them. drill_balancers is "
            f"{_shown(balancers)}, drill_client is {_shown(variables['client'])}: fill the groups balancers and "
            "clients, or set the two variables."
        )
    if not re.match(r"[0-9a-fA-F.:]+$", variables["vip"]):
        yield (
            f"drill_vip is {_shown(variables['vip'])}: set it to an address without prefix, "
            "or set the balancers' keepalived_vips"
        )
    if re.search("://[^/]*:[^/]*@", variables["url"]):
        yield "drill_url has a password, which the clients do not send, and which the report would show. Leave it out."
    names = _listed(variables["faults"])
    unknown = [name for name in names if name not in FAULTS]
    if not names:
        yield "drill_faults names no fault"
    if unknown:
        yield f"drill_faults has {', '.join(map(str, unknown))}, not a fault: the faults are {', '.join(FAULTS)}"
    if int(variables["repeat"]) < 1:
        yield f"drill_repeat is {variables['repeat']}: set it to 1 or more"


def _find_endless(variables: Variables) -> Iterator[str]:
    deadline, hold = variables["deadline_s"], variables["hold_s"]
    if _seconds(deadline) < LEAST_DEADLINE_S:
        yield (
            f"drill_deadline_s is {_shown(deadline or '')}: set it to {LEAST_DEADLINE_S:g} seconds or more. "
            "A broken node heals itself then, whatever happens to this run."
        )
    elif _seconds(hold) > _seconds(deadline) / 2:
        yield (
            f"drill_hold_s is {_shown(hold)}: set it to half of drill_deadline_s, {_shown(deadline)}, or less, "
            "or a node heals itself too early"
        )


def _seconds(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _shown(value: Any) -> str:
    return json.dumps(value, default=str)
