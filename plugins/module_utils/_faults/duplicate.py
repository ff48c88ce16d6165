# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""vip_duplicate: the virtual IP is added to an interface by hand."""

from __future__ import annotations

import ipaddress
import math

from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import (
    CAP_NET_ADMIN,
    FaultError,
    FaultHost,
    FaultPlan,
    Options,
    Step,
    known_interface,
)


def add_vip(options: Options, host: FaultHost) -> FaultPlan:
    """Add the address with a lifetime, which distinguishes it from one that keepalived has set."""
    host.need("ip", "iproute2")
    host.need_capability(CAP_NET_ADMIN, "CAP_NET_ADMIN")
    name = known_interface(host, options.interface)
    try:
        vip = ipaddress.ip_address(options.vip)
    except ValueError as error:
        raise FaultError(f"vip is {options.vip}, it must be an address without prefix") from error
    show = ["ip", "-oneline", "address", "show", "to", str(vip)]
    if host.output(show, "cannot read addresses").strip():
        raise FaultError(f"this host has {vip} already: a duplicate needs a host that does not hold it")
    address = f"{vip}/{vip.max_prefixlen}"
    # The kernel would remove it a minute after the deadline.
    life = str(math.ceil(options.deadline_s) + 60)
    options_v6 = ["nodad"] if vip.version == 6 else []
    by_hand = ["sh", "-c", 'ip -oneline address show dynamic to "$1" dev "$2" | grep -q .', "sh", address, name]
    add = ["ip", "address", "add", address, "dev", name, "valid_lft", life, "preferred_lft", life, *options_v6]
    return FaultPlan(
        inject=[Step(add)],
        heal=[
            Step(["ip", "address", "del", address, "dev", name], only_if=by_hand),
            Step(by_hand, must_fail=True),
        ],
        present=[Step(by_hand, lost=f"{vip} is no longer on {name}")],
    )
