# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""All faults."""

from __future__ import annotations

from typing import Callable, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._faults import (
    bad_config,
    clock,
    disk,
    driver,
    duplicate,
    link,
    packets,
    starve,
    units,
)
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import Host, Options, Plan


class Fault(NamedTuple):
    """How a fault is planned on a host, the options that it needs, and the unit that it is done to unless named.

    *survives*: a boot of the host that injects it does not end it, so record and script must be there afterwards.
    A clock may stay wrong too, which only a time server can tell then.
    """

    plan: Callable[[Options, Host], Plan]
    needs: Sequence[str] = ()
    service: str | None = None
    survives: bool = False


FAULTS: dict[str, Fault] = {
    "service_stop": Fault(units.stop, ["service"]),
    "service_kill": Fault(units.kill, ["service"]),
    "service_hang": Fault(units.hang, ["service"]),
    "service_slow": Fault(units.slow, ["service", "slow_s"]),
    "keepalived_stop": Fault(units.stop, service="keepalived"),
    "keepalived_kill": Fault(units.kill_at_once, service="keepalived"),
    "keepalived_hang": Fault(units.hang, service="keepalived"),
    "keepalived_reload": Fault(units.reload, service="keepalived"),
    "keepalived_bad_config": Fault(bad_config.plan, service="keepalived", survives=True),
    "link_down": Fault(link.plan, ["interface"]),
    "vrrp_block": Fault(packets.vrrp_block),
    "vrrp_block_in": Fault(packets.vrrp_block_in),
    "vrrp_block_out": Fault(packets.vrrp_block_out),
    "network_cut": Fault(packets.network_cut),
    "vip_duplicate": Fault(duplicate.plan, ["vip", "interface"]),
    "cpu_starve": Fault(starve.plan),
    "disk_full": Fault(disk.plan, ["path"], survives=True),
    "clock_jump": Fault(clock.plan),
    "node_freeze": Fault(driver.plan, ["node", "commands"], survives=True),
    "node_power_off": Fault(driver.plan, ["node", "commands"], survives=True),
    "node_reboot": Fault(driver.plan, ["node", "commands"], survives=True),
}

DRIVER_FAULTS = {name for name, fault in FAULTS.items() if "node" in fault.needs}
SURVIVORS = {name for name, fault in FAULTS.items() if fault.survives}
