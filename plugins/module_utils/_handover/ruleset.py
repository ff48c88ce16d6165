# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The nftables rules of a host that takes over a virtual IP. Pure functions: text for ``nft -f``.

Each virtual IP has its own table, so that removing it removes everything. The rules forward nothing while the address
is not on the interface: a standby can prepare them, and they work from the first packet after the takeover.
"""

from __future__ import annotations

from typing import Iterable, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._handover.sockets import Connection

PREFIX = "haproof_handover_"
MOST_CONNECTIONS = 1_048_576
"""Size of the set. The kernel allocates memory only for the elements in it."""


class Forwarding(NamedTuple):
    """A virtual IP on an interface, and the former holders' own addresses there.

    Of several each gets all packets, since only they know whose connection one belongs to.
    """

    vip: str
    device: str
    formers: Sequence[str]


def table(vip: str) -> str:
    """Return the table of a virtual IP: family and name, as nft's commands take them."""
    return f"{family(vip)} {PREFIX}{vip.replace('.', '_').replace(':', '_')}"


def family(vip: str) -> str:
    """Return nft's name of the IP version: ``ip`` or ``ip6``."""
    return "ip6" if ":" in vip else "ip"


def removal(vip: str) -> str:
    """Return the commands that remove a virtual IP's rules, whether or not there are any."""
    name = table(vip)
    return f"add table {name}\ndelete table {name}\n"


def absence(vip: str, quiet: bool) -> str:
    """Return the commands that leave other hosts' connections without an answer while the VIP is not here, or do not.

    Otherwise the kernel resets them, since it takes the VIP's packets for this host's own connections.
    """
    return f"flush chain {table(vip)} absent\nadd rule {table(vip)} absent {_verdict(quiet)}\n"


def ruleset(forwarding: Forwarding, mine: Iterable[Connection], quiet: bool) -> str:
    """Return the commands that replace a virtual IP's rules in one transaction.

    *mine* are the connections that this host itself still has. New ones are added by their first packet; the packets
    of all others are sent to the former holder. *quiet* is that of ``absence``.
    """
    return preparation(forwarding.vip, forwarding.device, quiet) + completion(forwarding, mine)


def completion(forwarding: Forwarding, mine: Iterable[Connection]) -> str:
    """Return the commands after ``preparation`` that add the connections of this host, and forward the others."""
    return addition(forwarding.vip, mine) + redirection(forwarding)


def addition(vip: str, mine: Iterable[Connection]) -> str:
    """Return the commands that add connections to those of this host."""
    elements = ", ".join(f"{peer} . {peer_port} . {port}" for peer, peer_port, port in sorted(mine))
    return f"add element {table(vip)} mine {{ {elements} }}\n" if elements else ""


def redirection(forwarding: Forwarding) -> str:
    """Return the commands that forward the packets of other connections to these former holders from now on."""
    ways = " ".join(f'dup to {former} device "{forwarding.device}"' for former in forwarding.formers)
    chain = f"{table(forwarding.vip)} others"
    return f"flush chain {chain}\nadd rule {chain} counter {ways} drop\n"


def preparation(vip: str, device: str, quiet: bool) -> str:
    """Return the commands that replace a virtual IP's rules by ones that drop all packets, but note new connections.

    A holder's connections are read after these, since one that came in between would be forwarded. Clients repeat what
    is dropped for that moment; the kernel would reset the connections of others.
    """
    ip = family(vip)
    key = f"{ip} saddr . tcp sport . tcp dport"
    address = "ipv6_addr" if ip == "ip6" else "ipv4_addr"
    return f"""{removal(vip)}table {table(vip)} {{
  set mine {{
    type {address} . inet_service . inet_service
    size {MOST_CONNECTIONS}
    flags dynamic
  }}
  chain absent {{
    {_verdict(quiet)}
  }}
  chain others {{
    drop
  }}
  chain forward_others {{
    type filter hook prerouting priority raw; policy accept;
    {ip} daddr != {vip} accept
    iifname != "{device}" accept
    meta l4proto != tcp accept
    tcp flags & (syn | ack) == syn add @mine {{ {key} }} accept
    {key} @mine accept
    fib daddr . iif type != local jump absent
    jump others
  }}
}}
"""


def _verdict(quiet: bool) -> str:
    return "drop" if quiet else "accept"
