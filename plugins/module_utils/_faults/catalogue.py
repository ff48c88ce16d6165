# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""All faults, each declared once: how a node gets it, which hosts a drill breaks with it, and what must follow.

The module node_fault, the drill's rules and the texts that ``scripts/faults`` writes derive from this.
"""

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
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import FaultHost, FaultPlan, Options

HOLDER, STANDBY, BACKEND, BACKENDS, EACH = "holder", "standby", "a backend", "all backends", "each balancer"

MOVES = "moves"
"""Another balancer has the VIP until the fault is healed."""
STAYS = "stays"
"""The VIP does not move."""
SPLITS = "splits"
"""Two balancers have the VIP. The fault makes this unavoidable, so an alarm must be raised."""
RETURNS = "returns"
"""The node recovers by itself. The VIP may move, and returns before the fault is healed."""

CLEAN, DEAD = "clean", "dead"

KERNEL = ("icmp",)
"""A host with a broken service still answers pings."""
LISTENER = ("icmp", "tcp")
"""The kernel still accepts connections for an unresponsive service."""
CONNECTIONLESS = ("icmp", "udp")
"""No connection is kept."""


class Fault(NamedTuple):
    """One fault. Durations are in seconds."""

    title: str
    """The state of the cluster, for the report."""
    action: str
    """What the fault does to its target, in Markdown, for the documentation."""
    group: str
    plan: Callable[[Options, FaultHost], FaultPlan] | None = None
    """Returns the steps that inject and heal it. None for a drill that injects the fault *injects*."""
    injects: str = ""
    needs: Sequence[str] = ()
    """The options of node_fault that *plan* requires."""
    service: str | None = None
    """The default unit that it is injected into."""
    instant: bool = False
    """Injecting takes no time: if a node needs longer, it is waiting for something, and the fault's time is unknown."""
    survives_boot: bool = False
    """A boot of the injecting host does not end it, so its record and script must survive the boot.

    A clock may stay wrong too, which only a time server can correct.
    """
    target: str = HOLDER
    holder: str = MOVES
    """What the VIP must do."""
    bound: str = ""
    """How VRRP detects it, which gives the bound: priority 0 from the holder (clean), or its silence (dead)."""
    outage_s: float | None = None
    """The longest outage that passes. If None, the bound decides; without a bound no outage is judged."""
    outage_fast_s: float | None = None
    """The same for the profile ``fast``, if it differs."""
    failback_s: float | None = None
    """The same after healing, if it differs."""
    silent: bool = False
    """The node is unreachable until it has healed itself."""
    boots: bool = False
    """The node boots, which ends all processes on it."""
    planned: bool = False
    """All balancers are healthy when the VIP moves, so that the hand-over must keep every connection.

    The move back after healing is a planned one of every fault with *holder* MOVES, unless it *keeps_vip*.
    """
    keeps_vip: bool = False
    """The target has the VIP all the time, so that two balancers have it when it is healed, and none hands it over."""
    hands_over: bool = False
    """It is about the hand-over, and is skipped without one."""
    by_hand: bool = False
    """The VIP is moved by other means than VRRP."""
    unseen_over: Sequence[str] = ()
    """URL schemes over which clients still get answers despite the fault."""

    @property
    def fails_back(self) -> bool:
        """Whether the move back after healing is a planned one."""
        return self.holder == MOVES and not self.keeps_vip

    @property
    def driver(self) -> bool:
        """Whether it is injected from outside the node, by the user's commands."""
        return "node" in self.needs


FAULTS: dict[str, Fault] = {
    "service_stop": Fault(
        "the service is stopped",
        "`systemctl stop` of the service",
        "service",
        plan=units.stop,
        needs=["service"],
        bound=CLEAN,
        outage_s=0.1,
        unseen_over=KERNEL,
    ),
    "service_kill": Fault(
        "the service is killed",
        "SIGKILL to all processes of the service; systemd starts it again",
        "service",
        plan=units.kill,
        needs=["service"],
        instant=True,
        holder=RETURNS,
        bound=CLEAN,
        outage_s=0.1,
        unseen_over=KERNEL,
    ),
    "service_hang": Fault(
        "the service hangs",
        "SIGSTOP to all processes of the service, which accepts connections and does not answer",
        "service",
        plan=units.hang,
        needs=["service"],
        instant=True,
        outage_s=3.0,
        outage_fast_s=1.0,
        unseen_over=LISTENER,
    ),
    "service_slow": Fault(
        "the service answers slowly",
        "SIGSTOP and SIGCONT to the service in turn, so that an answer takes longer",
        "service",
        plan=units.slow,
        needs=["service", "slow_s"],
        holder=STAYS,
        outage_s=0.1,
        unseen_over=LISTENER,
    ),
    "keepalived_stop": Fault(
        "keepalived is stopped",
        "`systemctl stop keepalived`",
        "keepalived",
        plan=units.stop,
        service="keepalived",
        bound=CLEAN,
        outage_s=0.05,
        planned=True,
    ),
    "keepalived_kill": Fault(
        "keepalived is killed",
        "SIGKILL to all of keepalived at once; the VIP stays behind until systemd has started it again",
        "keepalived",
        plan=units.kill_at_once,
        service="keepalived",
        instant=True,
        holder=RETURNS,
        outage_s=0.1,
    ),
    "keepalived_hang": Fault(
        "keepalived hangs",
        "SIGSTOP to keepalived, which keeps the VIP and falls silent",
        "keepalived",
        plan=units.hang,
        service="keepalived",
        instant=True,
        holder=SPLITS,
        outage_s=0.1,
    ),
    "keepalived_reload": Fault(
        "keepalived is reloaded",
        "`systemctl reload keepalived`",
        "keepalived",
        plan=units.reload,
        service="keepalived",
        holder=STAYS,
        outage_s=0.0,
    ),
    "keepalived_bad_config": Fault(
        "keepalived is reloaded with a broken file",
        "a broken block is appended to keepalived.conf, then keepalived is reloaded",
        "keepalived",
        plan=bad_config.append_block,
        service="keepalived",
        survives_boot=True,
        holder=STAYS,
        outage_s=0.0,
    ),
    "link_down": Fault(
        "the link of the VIP is down",
        "`ip link set down` of the VIP's interface",
        "network",
        plan=link.take_down,
        needs=["interface"],
        instant=True,
        bound=DEAD,
    ),
    "vrrp_block": Fault(
        "VRRP is blocked both ways",
        "VRRP is dropped in both directions (nftables)",
        "network",
        plan=packets.vrrp_block,
        instant=True,
        holder=SPLITS,
        outage_s=0.1,
    ),
    "vrrp_block_in": Fault(
        "the standby hears no VRRP",
        "incoming VRRP is dropped",
        "network",
        plan=packets.vrrp_block_in,
        instant=True,
        target=STANDBY,
        holder=SPLITS,
        outage_s=0.1,
    ),
    "vrrp_block_out": Fault(
        "the holder's VRRP is not heard",
        "outgoing VRRP is dropped",
        "network",
        plan=packets.vrrp_block_out,
        instant=True,
        holder=SPLITS,
        outage_s=0.1,
    ),
    "network_cut": Fault(
        "the node has no network",
        "all packets are dropped, Ansible's too, so the node heals itself at its deadline",
        "network",
        plan=packets.network_cut,
        bound=DEAD,
        # The engine has lost its backends too, and has to find them again when the VIP is back.
        failback_s=3.0,
        silent=True,
        keeps_vip=True,
    ),
    "vip_duplicate": Fault(
        "the standby is given the VIP by hand",
        "`ip address add` of the VIP",
        "network",
        plan=duplicate.add_vip,
        needs=["vip", "interface"],
        instant=True,
        target=STANDBY,
        holder=SPLITS,
        outage_s=0.1,
        by_hand=True,
    ),
    "node_freeze": Fault(
        "the node freezes",
        "your command, such as `virsh suspend`",
        "node",
        plan=driver.run_commands,
        needs=["node", "commands"],
        survives_boot=True,
        bound=DEAD,
        keeps_vip=True,
    ),
    "node_power_off": Fault(
        "the node loses power",
        "your command, such as `virsh destroy`",
        "node",
        plan=driver.run_commands,
        needs=["node", "commands"],
        survives_boot=True,
        bound=DEAD,
        boots=True,
    ),
    "node_reboot": Fault(
        "the node reboots",
        "your command, which returns when the node has gone down",
        "node",
        plan=driver.run_commands,
        needs=["node", "commands"],
        survives_boot=True,
        holder=RETURNS,
        bound=CLEAN,
        outage_s=0.1,
        boots=True,
    ),
    "backend_stop": Fault(
        "a backend is dead",
        "the service of the first backend is stopped",
        "backend",
        injects="service_stop",
        target=BACKEND,
        holder=STAYS,
        outage_s=0.1,
        unseen_over=LISTENER,
    ),
    "backend_hang": Fault(
        "a backend hangs",
        "the service of the first backend hangs",
        "backend",
        injects="service_hang",
        target=BACKEND,
        holder=STAYS,
        unseen_over=LISTENER,
    ),
    "backends_stop": Fault(
        "all backends are dead",
        "the service of all backends is stopped",
        "backend",
        injects="service_stop",
        target=BACKENDS,
        holder=STAYS,
        unseen_over=LISTENER,
    ),
    "cpu_starve": Fault(
        "the node has no CPU to spare",
        "two busy loops per processor",
        "resources",
        plan=starve.keep_busy,
        holder=STAYS,
        outage_s=0.25,
        unseen_over=KERNEL,
    ),
    "disk_full": Fault(
        "the disk is full",
        "a small file system is filled to the last byte",
        "resources",
        plan=disk.fill,
        needs=["path"],
        survives_boot=True,
        holder=STAYS,
        outage_s=0.0,
        unseen_over=KERNEL,
    ),
    "clock_jump": Fault(
        "the clock jumps an hour",
        "the clock is set an hour forward",
        "resources",
        plan=clock.jump,
        holder=STAYS,
        outage_s=0.0,
        unseen_over=KERNEL,
    ),
    "rolling": Fault(
        "one balancer after the other",
        "keepalived is stopped and started on one balancer after the other",
        "sequence",
        injects="keepalived_stop",
        target=EACH,
        bound=CLEAN,
        outage_s=0.05,
        planned=True,
    ),
    "handover": Fault(
        "the VIP is handed over and back",
        "keepalived is stopped as by the playbook `maintenance`, and started again after `drill_hold_s`",
        "sequence",
        injects="keepalived_stop",
        bound=CLEAN,
        outage_s=0.05,
        planned=True,
        hands_over=True,
        unseen_over=CONNECTIONLESS,
    ),
}

PLANS = {name: fault.plan for name, fault in FAULTS.items() if fault.plan}
"""How a host gets each fault of node_fault; the other faults are these, done to other hosts or one after the other."""
DRIVER_FAULTS = [name for name, fault in FAULTS.items() if fault.driver]
SURVIVORS = [name for name, fault in FAULTS.items() if fault.survives_boot]
