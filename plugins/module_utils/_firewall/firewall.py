# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that let VRRP through ufw and firewalld. (nftables.py has those for nftables.)"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._handover.messages import PORT as HANDOVER_PORT

PROTOCOLS = {"vrrp": 112, "ah": 51}
"""IP protocols by the name of the service (RFC 9568 section 5.1.1.4, RFC 4302)."""

PORTS = {"bfd": 3784, "handover": HANDOVER_PORT}
"""UDP ports by the name of the service: keepalived's only one for BFD (RFC 5881 section 4), and the hand-over's."""

BEGIN = "# BEGIN haproof.balancer: the peers of keepalived"
END = "# END haproof.balancer: the peers of keepalived"

# Only our rich rules have this priority: it identifies them, and puts them before any that drop or reject.
_RICH = 'rule priority="-112" '


class Allow(NamedTuple):
    """A service, ``vrrp``, ``ah``, ``bfd`` or ``handover``, and the one source address to allow."""

    service: str
    source: str

    @property
    def version(self) -> int:
        """4 or 6, the version of the address."""
        return ipaddress.ip_address(self.source).version


class Zone(NamedTuple):
    """A firewalld zone as ``firewall-cmd --list-all-zones`` shows it; ``ours`` are the rich rules of this module."""

    name: str
    interfaces: tuple[str, ...]
    ours: tuple[str, ...]


def with_block(text: str, lines: Sequence[str], before: str = "") -> str:
    """Return the file's *text* with *lines* as our block, or without the block if there are none.

    The block goes before the first line that starts with *before*, or at the end.
    """
    kept = re.sub(rf"^{re.escape(BEGIN)}\n.*?^{re.escape(END)}\n", "", text, flags=re.MULTILINE | re.DOTALL)
    if not lines:
        return kept
    block = "\n".join([BEGIN, *lines, END, ""])
    place = re.search(rf"^{re.escape(before)}", kept, flags=re.MULTILINE) if before else None
    if place:
        return kept[: place.start()] + block + kept[place.start() :]
    return kept + ("" if not kept or kept.endswith("\n") else "\n") + block


def block_of(text: str) -> list[str]:
    """Return the lines of our block in a file's *text*."""
    block = re.search(rf"^{re.escape(BEGIN)}\n(.*?)^{re.escape(END)}\n", text, flags=re.MULTILINE | re.DOTALL)
    return block.group(1).splitlines() if block else []


def ufw_rules(allows: Sequence[Allow], version: int) -> list[str]:
    """Return the lines for ufw's before.rules (*version* 4) or before6.rules (6).

    Not by ``ufw allow``, which supports the protocol vrrp only since 0.36.2.
    """
    chain = ufw_chain(version)
    return [
        f"-A {chain} -s {allow.source} {_iptables(allow)} -j ACCEPT" for allow in allows if allow.version == version
    ]


def ufw_chain(version: int) -> str:
    """Return the chain of ufw's before.rules (*version* 4) or before6.rules (6)."""
    return "ufw-before-input" if version == 4 else "ufw6-before-input"


def iptables_command(allow: Allow) -> str:
    """Return the command that allows it, for the user to run."""
    return f"ip{'' if allow.version == 4 else '6'}tables -I INPUT -s {allow.source} {_iptables(allow)} -j ACCEPT"


def _iptables(allow: Allow) -> str:
    return f"-p {PROTOCOLS[allow.service]}" if allow.service in PROTOCOLS else f"-p udp --dport {PORTS[allow.service]}"


def rich_rule(allow: Allow) -> str:
    """Return firewalld's rich rule, spelled as firewalld lists it."""
    if allow.service in PROTOCOLS:
        what = f'protocol value="{PROTOCOLS[allow.service]}"'
    else:
        what = f'port port="{PORTS[allow.service]}" protocol="udp"'
    return f'{_RICH}family="ipv{allow.version}" source address="{allow.source}" {what} accept'


def parse_zones(output: str) -> list[Zone]:
    """Return the zones in the output of ``firewall-cmd --list-all-zones``."""
    zones = []
    for name, body in re.findall(r"^(\S+).*\n((?:[ \t].*\n?)*)", output, flags=re.MULTILINE):
        interfaces = re.search(r"^  interfaces: *(.*)$", body, flags=re.MULTILINE)
        ours = [line.strip() for line in body.splitlines() if line.strip().startswith(_RICH)]
        zones.append(Zone(name, tuple(interfaces.group(1).split()) if interfaces else (), tuple(ours)))
    return zones


def zones_in_use(zones: Sequence[Zone], default: str, interfaces: Sequence[str]) -> set[str]:
    """Return the zones of the interfaces; an interface without one belongs to the default zone."""
    return {
        next((zone.name for zone in zones if interface in zone.interfaces), default) for interface in interfaces
    } or {default}


def rich_rule_options(zone: Zone, wanted: Sequence[str], keep: bool = False) -> list[str]:
    """Return the options of firewall-cmd that make *wanted* our only rich rules in the zone, or *keep* others."""
    return [
        *(f"--remove-rich-rule={rule}" for rule in zone.ours if rule not in wanted and not keep),
        *(f"--add-rich-rule={rule}" for rule in wanted if rule not in zone.ours),
    ]
