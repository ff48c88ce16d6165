# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""link_down: an interface goes down, and comes back with its addresses and routes."""

from __future__ import annotations

from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import (
    CAP_NET_ADMIN,
    FaultHost,
    FaultPlan,
    Options,
    Step,
    known_interface,
)

# Routes that come back with the link, or that keepalived manages.
_NOT_OURS = {"kernel", "ra", "redirect", "keepalived"}
_TYPES_NOT_OURS = {"local", "broadcast", "multicast", "anycast"}
# Words that the kernel prints about a route but does not accept.
_REMARKS = {"dead", "linkdown", "offload", "trap", "rt_offload", "rt_trap", "rt_offload_failed"}

# A network card needs seconds to get its carrier, and until then the kernel accepts no IPv6 route through the link.
_CARRIER = (
    'i=0; until ip -oneline link show dev "$1" | grep -q LOWER_UP; do'
    ' i=$((i + 1)); [ "$i" -lt 100 ] || exit 1; sleep 0.1; done'
)


def take_down(options: Options, host: FaultHost) -> FaultPlan:
    """Take the interface down."""
    host.need("ip", "iproute2")
    host.need_capability(CAP_NET_ADMIN, "CAP_NET_ADMIN")
    name = known_interface(host, options.interface)
    is_up = ["sh", "-c", 'ip -oneline link show up dev "$1" | grep -q .', "sh", name]
    show = ["ip", "-oneline", "link", "show", "dev", name]
    carrier = (
        [Step(["sh", "-c", _CARRIER, "sh", name])] if "LOWER_UP" in host.output(show, "cannot read the link") else []
    )
    keep = f"/proc/sys/net/ipv6/conf/{name}/keep_addr_on_down"
    kept = kept_addresses(name, host.output(["cat", keep], f"cannot read {keep}")) if host.exists(keep) else []
    routes = [
        Step(["ip", family, "route", "replace", *words])
        for family in ("-4", "-6")
        for words in lost_routes(
            host.output(["ip", "-oneline", family, "route", "show", "table", "all", "dev", name], "cannot read routes"),
            name,
        )
    ]
    return FaultPlan(
        inject=[*kept[:1], Step(["ip", "link", "set", "dev", name, "down"])],
        heal=[Step(["ip", "link", "set", "dev", name, "up"]), *carrier, *routes, *kept[1:], Step(is_up)],
        present=[Step(is_up, must_fail=True, lost=f"{name} is up")],
    )


def kept_addresses(interface: str, before: str) -> list[Step]:
    """Return the step that makes the interface keep its IPv6 addresses while down, and the step that undoes it."""
    setting = f"net/ipv6/conf/{interface}/keep_addr_on_down"
    return [Step(["sysctl", "-q", "-w", f"{setting}={value}"]) for value in ("1", before.strip())]


def lost_routes(output: str, interface: str) -> list[list[str]]:
    """Return the routes in the output of ``ip -oneline route show dev INTERFACE`` that do not come back with the link.

    Each is what ``ip route replace`` takes.
    """
    found = []
    for line in output.splitlines():
        words = [word for word in line.replace("\\", " ").split() if word not in _REMARKS]
        if not words or words[0] in _TYPES_NOT_OURS or _after(words, "proto") in _NOT_OURS:
            continue
        # The kernel omits the interface that the query was for, except in nexthops.
        at = 2 if words[0] in ("unicast", "blackhole", "unreachable", "prohibit") else 1
        found.append(words if "nexthop" in words else [*words[:at], "dev", interface, *words[at:]])
    # A gateway must be reachable before a route through it is accepted.
    return sorted(found, key=lambda words: "via" in words or "nexthop" in words)


def _after(words: list[str], key: str) -> str:
    return words[words.index(key) + 1] if key in words[:-1] else ""
