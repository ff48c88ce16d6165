# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Packet loss, of VRRP or of everything, by an nftables table of its own, so that healing removes nothing else."""

from __future__ import annotations

from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import (
    CAP_NET_ADMIN,
    FaultHost,
    FaultPlan,
    Options,
    Step,
    UnsupportedError,
)
from ansible_collections.haproof.balancer.plugins.module_utils._faults.script import INJECTED_AT
from ansible_collections.haproof.balancer.plugins.module_utils._faults.transient import gone, name, runs

TABLE = "haproof_drill"
DELAY_S = 1
"""The module must return its result before its host is cut off."""

# Before connection tracking and every firewall.
_HOOK = "type filter hook {hook} priority -450; policy accept;"
# VRRP, and the authentication header (RFC 4302) that may enclose VRRPv2.
_VRRP = "meta l4proto { 51, 112 } drop;"


def vrrp_block(options: Options, host: FaultHost) -> FaultPlan:  # noqa: ARG001 (all plans have the same parameters)
    """Drop VRRP packets in both directions."""
    return _blocked(host, ["ingress", "egress"])


def vrrp_block_in(options: Options, host: FaultHost) -> FaultPlan:  # noqa: ARG001 (all plans have the same parameters)
    """Drop VRRP packets from the other nodes."""
    return _blocked(host, ["ingress"])


def vrrp_block_out(options: Options, host: FaultHost) -> FaultPlan:  # noqa: ARG001 (all plans have the same parameters)
    """Drop VRRP packets to the other nodes."""
    return _blocked(host, ["egress"])


def network_cut(options: Options, host: FaultHost) -> FaultPlan:
    """Drop all packets on all interfaces except loopback, shortly after the module has returned."""
    rules, families = _first_accepted(host, cut_devices(_devices(host)), cut_protocols())
    service, timer = f"{name(options.fault)}.service", f"{name(options.fault)}.timer"
    timed = [
        "systemd-run",
        "--quiet",
        "--collect",
        f"--unit={name(options.fault)}",
        f"--on-active={DELAY_S}",
        "--timer-property=AccuracySec=10ms",
        "--property=Type=oneshot",
        # systemd knows the unit's start time only while the unit is loaded.
        "--property=RemainAfterExit=yes",
        "nft",
        rules,
    ]
    note = f'systemctl show --property=ExecMainStartTimestampMonotonic {service} >"$1"'
    waits = ["systemctl", "is-active", "--quiet", timer]
    return FaultPlan(
        inject=[Step(timed)],
        heal=[
            Step(["systemctl", "stop", timer], only_if=waits),
            Step(["sh", "-c", note, "sh", f"{options.folder}/{INJECTED_AT}"], only_if=runs(options.fault).argv),
            *(step for family in families for step in _removed(family)),
            gone(options.fault),
        ],
        present=_dropping(rules),
        delayed=True,
        waiting=[Step(waits)],
    )


def cut_devices(devices: list[str]) -> str:
    """Return rules that drop all packets on these interfaces."""
    return _on_devices(devices, ["ingress", "egress"], "drop;")


def _on_devices(devices: list[str], hooks: list[str], rule: str) -> str:
    names = ", ".join(f'"{device}"' for device in devices)
    chains = " ".join(
        f"chain {hook} {{ type filter hook {hook} devices = {{ {names} }} priority -500; policy accept; {rule} }};"
        for hook in hooks
    )
    return f"table netdev {TABLE} {{ {chains} }}"


def cut_protocols() -> str:
    """Return rules that drop IP and ARP on all interfaces except loopback."""
    chains = " ".join(
        f'chain {hook} {{ {_HOOK.format(hook=hook)} {direction}name != "lo" drop; }};'
        for hook, direction in (("input", "iif"), ("output", "oif"))
    )
    forwarded = f"chain forward {{ {_HOOK.format(hook='forward')} drop; }};"
    return f"table inet {TABLE} {{ {chains} {forwarded} }}; table arp {TABLE} {{ {chains} }}"


def block_vrrp(devices: list[str], hooks: list[str]) -> str:
    """Return rules that drop VRRP packets, over IPv4 and IPv6."""
    return _on_devices(devices, hooks, _VRRP)


def refuse_vrrp(hooks: list[str]) -> str:
    """Return rules that do so one layer above, where the sender gets an error."""
    names = [{"ingress": "input", "egress": "output"}[hook] for hook in hooks]
    chains = " ".join(f"chain {name} {{ {_HOOK.format(hook=name)} {_VRRP} }};" for name in names)
    return f"table inet {TABLE} {{ {chains} }}"


def _blocked(host: FaultHost, hooks: list[str]) -> FaultPlan:
    rules, families = _first_accepted(host, block_vrrp(_devices(host), hooks), refuse_vrrp(hooks))
    return FaultPlan(
        inject=[Step(["nft", rules])],
        heal=[step for family in families for step in _removed(family)],
        present=_dropping(rules),
    )


def _devices(host: FaultHost) -> list[str]:
    devices = [interface for interface in host.interfaces() if interface != "lo"]
    if not devices:
        raise UnsupportedError("this host has no interface except loopback")
    return devices


def _first_accepted(host: FaultHost, *candidates: str) -> tuple[str, list[str]]:
    """Return the first rules that the kernel accepts, and the families of their tables.

    Hooks of the device come first. Packet sockets, which ARP and keepalived's announcements go through, meet no others,
    and senders get no error for a packet dropped there. Linux before 5.16 has no egress hook.
    """
    _need_nft(host)
    for rules in candidates:
        if host.run(["nft", "--check", rules])[0] == 0:
            return rules, [words.split()[0] for words in rules.split("table ")[1:]]
    raise UnsupportedError("this host's kernel accepts no nftables rules")


def _need_nft(host: FaultHost) -> None:
    host.need("nft", "nftables")
    host.need_capability(CAP_NET_ADMIN, "CAP_NET_ADMIN")


def _listed(family: str) -> list[str]:
    return ["nft", "list", "table", family, TABLE]


def _dropping(rules: str) -> list[Step]:
    """Return the steps that succeed while all tables of these rules exist, with all their drop rules."""
    counts = '[ "$(nft list table "$1" "$2" | grep -o "drop$" | wc -l)" -ge "$3" ]'
    return [
        Step(
            ["sh", "-c", counts, "sh", family, TABLE, str(table.count("drop;"))],
            lost=f"the rules of the nftables table {family} {TABLE} have been removed",
        )
        for table in rules.split("table ")[1:]
        for family in table.split()[:1]
    ]


def _removed(family: str) -> list[Step]:
    return [
        Step(["nft", "delete", "table", family, TABLE], only_if=_listed(family)),
        Step(_listed(family), must_fail=True),
    ]
