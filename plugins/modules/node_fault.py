#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: node_fault
short_description: Inject a fault into a node, or heal it
version_added: "0.1.0"
description:
  - Injects one fault into the host that it runs on, or heals it. Faults of a whole node are injected from another host,
    its driver.
  - Before injecting, it writes a script that heals the fault, and arms a timer that runs the script after O(deadline)
    even if the controller, SSH or the network is gone by then. On a node this is a systemd timer,
    C(haproof-heal-FAULT.timer); on a driver it is a separate process. A failed heal is retried every five seconds.
  - The script is C(/run/haproof-drill/FAULT/heal), and may be run by hand. It disarms the timer after healing.
  - A boot ends most faults. One that survives it, such as V(disk_full), is recorded in C(/var/lib/haproof-drill) and
    healed by a unit at the next boot, before keepalived starts. After V(clock_jump) only a time server can restore the
    time.
  - For V(node_freeze), V(node_power_off) and V(node_reboot) record and script are on the driver, in
    C(/var/lib/haproof-drill) for root, or in C(~/.local/state/haproof-drill/HOST) for another user. If the driver loses
    power, root's unit heals the node at the driver's next boot. Without root the node stays as it is until the module
    is called again with O(state=healed).
  - Directories, records and scripts are used only if they are the user's own and no other user may write there.
  - A host has at most one fault at a time.
extends_documentation_fragment:
  - haproof.balancer.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - A fault that is injected already, with its timer armed, keeps its deadline.
  platform:
    support: full
    platforms: linux
options:
  fault:
    description:
      - The fault. With O(state=healed) it may be omitted, which heals every fault recorded on this host.
      - After V(service_kill) and V(keepalived_kill) systemd decides what happens next.
      - V(link_down) must not take down the interface that Ansible connects through, or the result is lost.
      - V(network_cut) begins about a second after the module has returned. RV(injected_s) is returned by the call that
        heals it, or a later one.
      - The VRRP faults drop the authentication header of VRRPv2 as well.
    type: str
    choices:
      service_stop: "C(systemctl stop) of the service."
      service_kill: "SIGKILL to all processes of the service; systemd starts it again."
      service_hang: "SIGSTOP to all processes of the service, which accepts connections and does not answer."
      service_slow: "SIGSTOP and SIGCONT to the service in turn, so that an answer takes longer."
      keepalived_stop: "C(systemctl stop keepalived)."
      keepalived_kill: "SIGKILL to all of keepalived at once; the VIP stays behind until systemd has started it again."
      keepalived_hang: "SIGSTOP to keepalived, which keeps the VIP and falls silent."
      keepalived_reload: "C(systemctl reload keepalived)."
      keepalived_bad_config: "A broken block is appended to keepalived.conf, then keepalived is reloaded."
      link_down: "C(ip link set down) of the VIP's interface."
      vrrp_block: "VRRP is dropped in both directions (nftables)."
      vrrp_block_in: "Incoming VRRP is dropped."
      vrrp_block_out: "Outgoing VRRP is dropped."
      network_cut: "All packets are dropped, Ansible's too, so the node heals itself at its deadline."
      vip_duplicate: "C(ip address add) of the VIP."
      node_freeze: "Your command, such as C(virsh suspend)."
      node_power_off: "Your command, such as C(virsh destroy)."
      node_reboot: "Your command, which returns when the node has gone down."
      cpu_starve: "Two busy loops per processor."
      disk_full: "A small file system is filled to the last byte."
      clock_jump: "The clock is set an hour forward."
  state:
    description: Whether the host has the fault.
    type: str
    choices: [healed, injected]
    default: injected
  deadline:
    description: Seconds after which the host heals itself, 1 to 86400. Required when O(state=injected).
    type: float
  service:
    description: The unit to break. Defaults to V(keepalived) for keepalived's faults.
    type: str
  interface:
    description: The network interface to take down, or to give the duplicate.
    type: str
  vip:
    description: The virtual IP, without prefix.
    type: str
  path:
    description: A mount point of a file system below 1 GiB. The root file system is rejected.
    type: path
  slow_s:
    description: Seconds for which a slow service is stopped; it then runs half as long.
    type: float
    default: 0.1
  node:
    description: The host that O(commands) act on.
    type: str
  commands:
    description: Commands that break and heal O(node), run on this host.
    type: dict
    suboptions:
      inject:
        description: Commands to run one after the other, each a list of arguments.
        type: list
        elements: list
        required: true
      heal:
        description: Commands that heal it. May be empty if the fault ends by itself.
        type: list
        elements: list
        required: true
  clock:
    description:
      - C(ADDRESS PORT) of the client's clock, as M(haproof.balancer.vip_probe) writes it to its run file. It is queried
        first.
    type: str
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Stop nginx, for at most half a minute
  haproof.balancer.node_fault:
    fault: service_stop
    service: nginx
    deadline: 30

- name: Start it again
  haproof.balancer.node_fault:
    fault: service_stop
    state: healed

- name: Freeze a virtual machine
  haproof.balancer.node_fault:
    fault: node_freeze
    node: lb01
    commands:
      inject:
        - [virsh, suspend, lb01]
      heal:
        - [virsh, resume, lb01]
    deadline: 30
  delegate_to: localhost

- name: Heal every fault recorded on a host
  haproof.balancer.node_fault:
    state: healed
"""

RETURN = r"""
supported:
  description: Whether this host supports the fault. If not, nothing was done.
  type: bool
  returned: always
reason:
  description: Why it does not, or empty.
  type: str
  returned: always
  sample: "nft is not on this host: install nftables"
faults:
  description: The faults injected or healed (in check mode, that would be). Those of a node end in its name.
  type: list
  elements: str
  returned: always
  sample: [service_stop]
unit:
  description: The broken unit.
  type: str
  returned: if there is one fault
  sample: nginx
timer:
  description: The systemd timer that heals the fault; none for faults of a whole node.
  type: str
  returned: if there is one fault
  sample: haproof-heal-service_stop.timer
heal_command:
  description: The command that heals the fault; it may be run by hand.
  type: list
  elements: str
  returned: if there is one fault
  sample: [sh, /run/haproof-drill/service_stop/heal]
injected_s:
  description: When the fault was injected, in seconds on this host's monotonic clock; null while unknown.
  type: float
  returned: if there is one fault
took_s:
  description:
    - How long the steps took that injected it, from RV(injected_s) on.
    - Null unless this call injected the fault at once.
  type: float
  returned: if there is one fault
effect:
  description: Whether the fault was present after injecting or, once it is healed, right before healing.
  type: dict
  returned: if there is one fault
  contains:
    there:
      description: Whether it was; null if this host cannot tell, as for another node, or before it is cut off.
      type: bool
    lost:
      description: Evidence that something else had ended it.
      type: list
      elements: str
      sample: [nginx runs]
healed_s:
  description: When healing began, at its deadline or by this call, on the same clock.
  type: float
  returned: if there is one fault
clock:
  description: The client's clock. Null without O(clock), or without an answer.
  type: dict
  returned: always
  contains:
    offset_s:
      description: Add this to this host's monotonic clock for the client's.
      type: float
    error_s:
      description: Maximum error of the offset.
      type: float
cmd:
  description: The command that failed.
  type: list
  elements: str
  returned: failure
rc:
  description: Its exit code.
  type: int
  returned: failure
stderr:
  description: Its error output.
  type: str
  returned: failure
"""

import os
import re
import time
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import (
    DRIVER_FAULTS,
    FAULTS,
    PLANS,
    SURVIVORS,
)
from ansible_collections.haproof.balancer.plugins.module_utils._faults.operate import (
    heal,
    inject,
    is_injected,
    refusal,
    switch_for,
)
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import (
    FaultError,
    FaultHost,
    Options,
    UnsupportedError,
)
from ansible_collections.haproof.balancer.plugins.module_utils._faults.record import (
    FaultRecord,
    Records,
    base_folders,
    folder_name,
    foreign,
)
from ansible_collections.haproof.balancer.plugins.module_utils._probe.clock import ClockError, ask_at

_LONGEST_S = 86400
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def problem(params: dict[str, Any]) -> str | None:
    """Return the error in the options, None if there is none."""
    fault, deadline, slow_s = params["fault"], params["deadline"], params["slow_s"]
    if deadline is not None and not 1 <= deadline <= _LONGEST_S:
        return f"deadline is {deadline:g}, it must be 1 to {_LONGEST_S} seconds"
    if not 0.01 <= slow_s <= 60:
        return f"slow_s is {slow_s:g}, it must be 0.01 to 60 seconds"
    if params["node"] and not _NODE.fullmatch(params["node"]):
        return f"node is {params['node']}, it must be a host name"
    return missing_option(params) if params["state"] == "injected" and fault else None


def missing_option(params: dict[str, Any]) -> str | None:
    """Return which option is missing to inject a fault, None if there is none."""
    fault, commands = params["fault"], params["commands"]
    missing = [name for name in FAULTS[fault].needs if not params[name]]
    if missing:
        return f"fault {fault} needs {' and '.join(missing)}"
    if params["node"] and fault not in DRIVER_FAULTS:
        return f"fault {fault} is injected on the host itself: run it there, without node"
    if commands and not (commands["inject"] and all([*commands["inject"], *commands["heal"]])):
        return "commands.inject needs a command, and no command may be empty"
    return None


def asked(params: dict[str, Any]) -> dict[str, Any]:
    """Return the options that define a fault, without the node."""
    fault = FAULTS[params["fault"]]
    named = {name: params[name] for name in fault.needs if name != "node"}
    return {"service": params["service"] or fault.service, **named} if fault.service else named


def chosen(records: list[FaultRecord], fault: str | None, node: str | None) -> list[FaultRecord]:
    """Return the records of a fault and of a node; None matches any."""
    return [one for one in records if fault in (None, one.fault) and node in (None, one.node)]


def describe(names: list[str]) -> str:
    """Return a line for the diff."""
    return f"injected: {', '.join(names)}\n" if names else "healed\n"


class Call:
    """One call of the module."""

    def __init__(self, module: Any) -> None:
        self._params: dict[str, Any] = module.params
        self._check_mode: bool = module.check_mode
        # Commands are run as they are written, "$1" and "~" included.
        self._host = FaultHost(partial(module.run_command, expand_user_and_vars=False))
        self._records = Records(*base_folders(os.geteuid()), SURVIVORS)

    def injected(self) -> dict[str, Any]:
        """Inject the fault unless it is present. Raises FaultError, UnsupportedError."""
        params, host, records = self._params, self._host, self._records
        fault, node, options = params["fault"], params["node"] or "", asked(params)
        if fault not in DRIVER_FAULTS and os.geteuid() != 0:
            raise FaultError(f"fault {fault} needs root: set become")
        active = records.active()
        refused = refusal(active, fault, node, options, time.monotonic())
        if refused:
            raise FaultError(refused)
        name = folder_name(fault, node)
        before = chosen(active, fault, node)
        if before and is_injected(host, records, before[0]):
            return {"changed": False, **self._facts(before[0]), **self._diff([name], [name])}
        if before and not self._check_mode:
            # It is incomplete, or its timer is gone.
            heal(host, records, name)
        wanted = Options(
            fault=fault,
            folder=records.folder(name),
            deadline_s=params["deadline"],
            **{key: value for key, value in options.items() if value is not None},
            node=node,
        )
        record = FaultRecord(fault, node, options.get("service"), options, [], 0.0, None, False)
        if not before or not self._check_mode:
            plan = PLANS[fault](wanted, host)
            if not self._check_mode:
                record = inject(host, records, plan, wanted, options)
        return {"changed": True, **self._facts(record), **self._diff([one.name for one in before], [name])}

    def healed(self) -> dict[str, Any]:
        """Heal all recorded faults. Raises FaultError, after all have been tried."""
        params, records = self._params, self._records
        names = [one.name for one in chosen(records.active(), params["fault"], params["node"])]
        past = [name for name in records.names() if records.healed(name)]
        if os.geteuid() != 0 and not names and not past and foreign():
            raise FaultError("faults of root are recorded on this host: set become")
        facts: dict[str, Any] = {"faults": names}
        failures: list[FaultError] = []
        for name in [] if self._check_mode else names:
            try:
                heal(self._host, records, name)
            except FaultError as error:
                failures.append(error)
        if failures:
            first = failures[0]
            raise FaultError("; ".join(map(str, failures)), first.cmd, first.rc, first.stderr)
        ended = [one for name in names or past for one in [records.healed(name)] if one]
        ended = chosen(ended, params["fault"], params["node"])
        if len(ended) == 1:
            facts = {**self._facts(ended[0]), "faults": names}
        if not self._check_mode:
            # No later call needs them.
            for one in ended:
                records.remove(one.name)
        return {"changed": bool(names), **facts, **self._diff(names, [])}

    def _facts(self, record: FaultRecord) -> dict[str, Any]:
        return {
            "faults": [record.name],
            "unit": record.unit,
            "timer": switch_for(self._host, self._records, record.fault, record.node).timer,
            "heal_command": ["sh", self._records.script(record.name)],
            "injected_s": self._records.injected_s(record),
            "took_s": record.took_s,
            "healed_s": self._records.healed_s(record.name),
            "effect": self._effect(record),
        }

    def _effect(self, record: FaultRecord) -> dict[str, Any]:
        """Return ``effect`` as in RETURN, from before healing, or else from after injecting."""
        lost = self._records.lost(record.name)
        if lost is not None:
            return {"there": not lost, "lost": lost}
        # For a delayed fault only the waiting was observed.
        return {"there": True if record.present and not record.delayed else None, "lost": []}

    def _diff(self, before: list[str], after: list[str]) -> dict[str, Any]:
        return {"diff": {"before": describe(before), "after": describe(after)}}


def main() -> None:
    """Connect the parts."""
    command = {"type": "list", "elements": "list", "required": True}
    module = AnsibleModule(
        argument_spec={
            "fault": {"type": "str", "choices": list(PLANS)},
            "state": {"type": "str", "default": "injected", "choices": ["healed", "injected"]},
            "deadline": {"type": "float"},
            "service": {"type": "str"},
            "interface": {"type": "str"},
            "vip": {"type": "str"},
            "path": {"type": "path"},
            "slow_s": {"type": "float", "default": 0.1},
            "node": {"type": "str"},
            "commands": {"type": "dict", "options": {"inject": command, "heal": command}},
            "clock": {"type": "str"},
        },
        required_if=[("state", "injected", ["fault", "deadline"])],
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C"}
    wrong = problem(module.params)
    if wrong:
        module.fail_json(msg=wrong)
    try:
        clock = ask_at(module.params["clock"])
    except ClockError as error:
        module.fail_json(msg=str(error))
    result: dict[str, Any] = {"supported": True, "reason": "", "clock": clock and clock._asdict()}
    call = Call(module)
    try:
        result.update(call.injected() if module.params["state"] == "injected" else call.healed())
    except UnsupportedError as error:
        module.exit_json(**{**result, "changed": False, "supported": False, "reason": str(error), "faults": []})
    except FaultError as error:
        module.fail_json(msg=str(error), cmd=error.cmd, rc=error.rc, stderr=error.stderr, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
