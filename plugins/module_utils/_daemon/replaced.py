# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Another service whose place a service takes, such as the previous engine behind a virtual IP. Pure."""

from __future__ import annotations

import ipaddress
from typing import Collection, Container, Iterable, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._daemon.sockets import LISTEN, Socket
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.binds import Bind

TRACKED = "keepalived-track@"
"""The prefix of the unit that reports a service to keepalived: enabled for what serves behind the virtual IPs."""


def clashing(wanted: Iterable[Bind], sockets: Sequence[Socket]) -> list[Socket]:
    """Return the listening ones of these sockets that have one of the *wanted* addresses."""
    binds = list(wanted)
    return [one for one in sockets if one.state == LISTEN and any(_clash(bind, one) for bind in binds)]


def _clash(bind: Bind, listening: Socket) -> bool:
    if not bind.first <= listening.port <= bind.last:
        return False
    try:
        here, there = ipaddress.ip_address(bind.host), ipaddress.ip_address(listening.address)
    except ValueError:
        # A host's name is not looked up.
        return False
    return here.version == there.version and (here == there or here.is_unspecified or there.is_unspecified)


def in_place(tracked: Sequence[bool], clash: Collection[Socket], own: Container[int]) -> bool:
    """Return whether the former service still is where the new one belongs.

    *tracked* tells whether keepalived tracks the former one, and the new one. Otherwise the former one, whose sockets
    are *own*, must have one of the addresses in *clash*: without that it may serve something else.
    """
    former, new = tracked
    return (former and not new) or any(one.inode in own for one in clash)


def others(clash: Iterable[Socket], own: Container[int]) -> list[int]:
    """Return the ports at which other processes than those with the *own* sockets have a wanted address."""
    return sorted({one.port for one in clash if one.inode not in own})
