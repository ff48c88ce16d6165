#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vip_info
short_description: Report a host's virtual IPs and VRRP states
version_added: "0.1.0"
description:
  - Reads the host's addresses from the kernel and, unless O(keepalived=false), the VRRP instances from the running
    keepalived itself.
  - A signal makes keepalived dump its state as JSON, or as text where JSON is not built in. A leftover dump is never
    taken for a new one.
  - A stopped keepalived is not an error; RV(keepalived.running) reports it.
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
options:
  vips:
    description:
      - Virtual IPs to look for, with or without prefix. RV(holds) lists those that the kernel has.
    type: list
    elements: str
    default: []
  keepalived:
    description:
      - Whether to query keepalived, which needs root. If V(false), no signal is sent and RV(instances) is empty.
    type: bool
    default: true
  details:
    description:
      - Whether to return details, which needs a second dump. Adds RV(instances[].tracked),
        RV(keepalived.program) and RV(keepalived.config).
    type: bool
    default: true
  pid_file:
    description: keepalived's pid file.
    type: path
    default: /run/keepalived.pid
  timeout:
    description: How long keepalived may take to write a dump, in seconds.
    type: float
    default: 2.0
  wait_for:
    description:
      - Wait until the host has this role for all of O(vips), or V(settled) for either. See RV(roles).
      - If it does not within O(wait_timeout), the module returns the state at that time, and does not fail.
    type: str
    choices: [holder, settled, standby]
  wait_timeout:
    description: Maximum time to wait, in seconds.
    type: float
    default: 10.0
  quiet:
    description: Whether to also wait until no alarm is raised. See RV(alarms).
    type: bool
    default: false
  metrics:
    description: The metrics file of keepalived-watch. It may be missing.
    type: path
    default: /run/keepalived-watch/haproof.prom
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Ask the kernel who holds the virtual IP
  haproof.balancer.vip_info:
    vips: [198.18.0.10/24]
    keepalived: false
  register: vip

- name: Wait until this host has taken over
  haproof.balancer.vip_info:
    vips: [198.18.0.10]
    wait_for: holder
  register: vip
  failed_when: vip.roles['198.18.0.10'] != 'holder'

- name: Show failing checks
  ansible.builtin.debug:
    msg: "{{ vrrp.instances | map(attribute='tracked') | flatten | selectattr('failing') | map(attribute='name') }}"

- name: Read the VRRP instances
  haproof.balancer.vip_info:
  register: vrrp

- name: Show the state of every instance
  ansible.builtin.debug:
    msg: "{{ vrrp.instances | items2dict(key_name='name', value_name='state') }}"
"""

RETURN = r"""
addresses:
  description: Every address of the host, in the kernel's order.
  type: list
  elements: dict
  returned: always
  contains:
    address:
      description: The address without prefix.
      type: str
      sample: 198.18.0.10
    prefix:
      description: Length of the prefix.
      type: int
      sample: 24
    family:
      description: V(ipv4) or V(ipv6).
      type: str
      sample: ipv4
    interface:
      description: Interface that has the address.
      type: str
      sample: eth1
    label:
      description: Label of the address; null for IPv6, which has none.
      type: str
      sample: eth1:vip
    scope:
      description: Scope of the address.
      type: str
      sample: global
    secondary:
      description: Whether another address of the same subnet comes first.
      type: bool
handover:
  description:
    - The virtual IPs of the hand-over that the role P(haproof.balancer.keepalived#role) sets up, also those left out.
    - Empty if it is off.
  type: list
  elements: dict
  returned: always
  contains:
    vip:
      description: The virtual IP.
      type: str
      sample: 198.18.0.10
    problem:
      description: Why it would move without its connections; null if nothing prevents it.
      type: str
boot:
  description: Identifier of the host's current boot.
  type: str
  returned: always
watched:
  description: Whether keepalived-watch from the role P(haproof.balancer.keepalived#role) runs, which raises alarms.
  type: bool
  returned: always
alarms:
  description: The raised alarms of keepalived-watch from the role P(haproof.balancer.keepalived#role).
  type: list
  elements: dict
  returned: always
  contains:
    vip:
      description: The virtual IP.
      type: str
      sample: 198.18.0.10
    finding:
      description: Name of the finding.
      type: str
      sample: split_brain
maintenance_since:
  description:
    - When a playbook took the host out of service, in seconds since the epoch by the host's clock; null if it is not in
      maintenance.
  type: float
  returned: always
maintenance_by:
  description:
    - Which playbook did, V(maintenance) or V(upgrade), which puts the host back at its end; null if it is not in
      maintenance.
  type: str
  returned: always
members:
  description:
    - The hosts that share the virtual IPs, each with a list of its addresses, as the role
      P(haproof.balancer.keepalived#role) last saw them in the inventory, and those that have left it since without
      being removed.
  type: dict
  returned: always
  sample: {"lb01": [198.18.0.11], "lb02": [198.18.0.12]}
holds:
  description: Those of O(vips) that this host's kernel has, as given.
  type: list
  elements: str
  returned: always
  sample: [198.18.0.10/24]
roles:
  description:
    - The host's role for each of O(vips), V(holder) or V(standby).
    - V(unready) if kernel and keepalived do not agree.
    - With O(keepalived=false) only the kernel decides.
  type: dict
  returned: always
  sample: {"198.18.0.10/24": "holder"}
keepalived:
  description: The running keepalived.
  type: dict
  returned: when O(keepalived=true)
  contains:
    running:
      description: Whether it is running.
      type: bool
    pid:
      description: Its process id; null if it is not running.
      type: int
    version:
      description: The running version, which may differ from the installed one; null if it is not running.
      type: str
      sample: 2.2.7
    program:
      description: The installed binary.
      type: dict
      returned: when O(details=true)
      contains:
        program:
          description: Its path.
          type: str
          sample: /usr/sbin/keepalived
        installed_version:
          description: Its version; null if it is missing.
          type: str
          sample: 2.2.7
        outdated:
          description: Whether the running binary is a different one.
          type: bool
    restarts:
      description:
        - One journal line per process (VRRP, health checks) that died and that keepalived restarted.
      type: list
      elements: str
      returned: when O(details=true)
      sample: ["VRRP child process(687) died: Respawning"]
    config:
      description: The configuration on disk.
      type: dict
      returned: when O(details=true)
      contains:
        files:
          description: The file and all its includes.
          type: list
          elements: str
          sample: [/etc/keepalived/keepalived.conf]
        changed_at:
          description: When the newest of them was written, in seconds since the epoch by the host's clock.
          type: float
        loaded_at:
          description: When keepalived last read them; null if systemd does not know.
          type: float
        differences:
          description:
            - Differences between the files and the running configuration, as far as keepalived's dump shows it.
              Settings that depend on sequences (C(~SEQ)) are not compared.
          type: list
          elements: str
          sample: ["vrrp_instance VI_10: priority is 150 on disk, and 100 runs"]
        disabled:
          description: Scripts that instances track and that keepalived does not run, with the place and the reason.
          type: list
          elements: str
          sample:
            - >-
              /etc/keepalived/keepalived.conf line 3: vrrp_script chk: no killall in keepalived's PATH, so keepalived
              never runs this check
        script_security:
          description: Whether keepalived runs with C(enable_script_security), or runs no scripts.
          type: bool
instances:
  description: The VRRP instances as keepalived sees them; empty if it is not running or not queried.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Name of the C(vrrp_instance).
      type: str
      sample: VI_10
    state:
      description: V(init), V(backup), V(master) or V(fault).
      type: str
      sample: master
    interface:
      description: Interface on which it advertises.
      type: str
      sample: eth1
    vrid:
      description: Virtual router id.
      type: int
      sample: 10
    version:
      description: VRRP version.
      type: int
      sample: 3
    priority:
      description: Priority in the configuration.
      type: int
      sample: 254
    effective_priority:
      description: Priority including the weights of all tracked objects.
      type: int
      sample: 254
    master_priority:
      description: Priority that the current master advertises; null on the master itself, or if none is heard.
      type: int
    advert_int_s:
      description: Seconds between adverts.
      type: float
      sample: 0.2
    down_timer_adverts:
      description:
        - Missed adverts after which the master is considered dead.
        - Null where the dump lacks it, as in JSON with O(details=false).
      type: int
    preempt:
      description: Whether it preempts a master of lower priority.
      type: bool
    virtual_addresses:
      description: Its virtual addresses, including excluded ones, without prefix.
      type: list
      elements: str
      sample: [198.18.0.10]
    held:
      description: Those of its virtual addresses that the kernel has.
      type: list
      elements: str
      sample: [198.18.0.10]
    agrees:
      description: Whether the kernel has all of them if it is master, and none otherwise.
      type: bool
    authentication:
      description: V(none), V(pass) or V(ah). Never a password.
      type: str
      returned: when O(details=true)
      sample: none
    unicast_peers:
      description: The destinations of its adverts; empty for multicast.
      type: list
      elements: str
      returned: when O(details=true)
    tracked:
      description: The objects that it tracks.
      type: list
      elements: dict
      returned: when O(details=true)
      contains:
        kind:
          description: V(script), V(file), V(process), V(interface) or V(bfd).
          type: str
          sample: script
        name:
          description: Its name.
          type: str
          sample: answers
        weight:
          description: Change of the priority; 0 puts the instance in FAULT.
          type: int
        state:
          description: keepalived's state of a script, the number in a file; null if the dump has none.
          type: str
          sample: GOOD
        failing:
          description: Whether it lowers the priority now, or puts the instance in FAULT.
          type: bool
    last_transition:
      description: Time of the last change of state, in seconds since the epoch by the host's clock.
      type: float
"""

import json
import time
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._common.boot import current_boot
from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.maintenance import (
    maintenance_by,
    maintenance_since,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.disk import (
    Sources,
    changed_at,
    not_run,
    program_facts,
    read_sources,
    restarts,
    unit_facts,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.drift import differences, disabled
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.dump import (
    parse_details,
    parse_script_security,
    parse_scripts,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.members import FILE as MEMBERS
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.members import parse as parse_members
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.process import (
    Keepalived,
    KeepalivedError,
    find_pid,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import (
    AddressError,
    bare_address,
    held,
    read_addresses,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.holders import role_of
from ansible_collections.haproof.balancer.plugins.module_utils._watch.holdings import raised, read_text

# The kernel is polled this often. keepalived logs each query, so it is queried only when the kernel agrees.
POLL_S = 0.1
HANDOVER = "/run/keepalived-handover/state.json"
HANDOVER_CONFIG = "/etc/keepalived/handover.json"


def vip_problems(vips: list[str]) -> list[str]:
    """Return the errors in the option ``vips``, one sentence each."""
    problems = []
    for number, vip in enumerate(vips):
        try:
            bare_address(vip)
        except AddressError as error:
            problems.append(f"vips[{number}]: {error}")
    return problems


def read_vrrp(run: Runner, pid_file: str, timeout_s: float, details: bool) -> dict[str, Any]:
    """Return ``keepalived`` and ``instances`` as in RETURN. Raises KeepalivedError if a running one does not answer."""
    pid = find_pid(pid_file)
    if pid is None:
        return {"keepalived": {"running": False, "pid": None, "version": None}, "instances": []}
    daemon = Keepalived(run, pid, timeout_s)
    facts: dict[str, Any] = {"running": True, "pid": pid, "version": daemon.version()}
    instances = daemon.instances()
    if details:
        text = daemon.text()
        more = parse_details(text)
        for instance in instances:
            instance.update(more.get(instance["name"], {}))
        unit = unit_facts(run, pid)
        facts["restarts"] = restarts(run, pid)
        facts["program"] = program_facts(run, pid, unit["program"])
        scripts = parse_scripts(text)
        running = {"instances": instances, "scripts": scripts}
        facts["config"] = config_facts(read_sources(daemon.config()), daemon.config_id(), unit["loaded_at"], running)
        facts["config"]["script_security"] = not scripts or parse_script_security(text)
    return {"keepalived": facts, "instances": instances}


def config_facts(sources: Sources, config_id: str, loaded_at: float | None, running: dict[str, Any]) -> dict[str, Any]:
    """Return ``keepalived.config`` as in RETURN."""
    try:
        found = differences(sources.text, config_id, running)
        off = [not_run(name, sources.files) for name in disabled(sources.text, config_id, running)]
    except ParseError as error:
        found, off = [f"the file on disk cannot be read: {error}"], []
    changed = changed_at(sources.files)
    return {
        "files": sources.files,
        "changed_at": changed,
        "loaded_at": loaded_at,
        "differences": found,
        "disabled": off,
    }


def observe(
    run: Runner, vips: list[str], pid_file: str | None, timeout_s: float, details: bool, metrics: str
) -> dict[str, Any]:
    """Return the current state as in RETURN; keepalived is not queried without a ``pid_file``."""
    # keepalived first, so that an address it sets meanwhile shows in the kernel's list, which has the last word.
    info: dict[str, Any] = read_vrrp(run, pid_file, timeout_s, details) if pid_file else {"instances": []}
    info["addresses"] = read_addresses(run)
    for instance in info["instances"]:
        instance["held"] = held(instance["virtual_addresses"], info["addresses"])
        wanted = instance["virtual_addresses"] if instance["state"] == "master" else []
        instance["agrees"] = instance["held"] == wanted
    info["holds"] = held(vips, info["addresses"])
    info["roles"] = {vip: role_of(info, vip) for vip in vips}
    info["handover"] = read_handover()
    info["boot"] = current_boot()
    info["maintenance_since"] = maintenance_since("keepalived")
    info["maintenance_by"] = maintenance_by("keepalived")
    info["members"] = parse_members(read_text(MEMBERS) or "")
    watched = read_text(metrics)
    info["watched"] = watched is not None
    info["alarms"] = [{"vip": vip, "finding": finding} for vip, finding in raised(watched or "")]
    return info


def read_handover() -> list[dict[str, Any]]:
    """Return the virtual IPs of the hand-over, and what prevents each."""
    try:
        state, config = (json.loads(read_text(path) or "null") for path in (HANDOVER, HANDOVER_CONFIG))
        if state is not None:
            return [{"vip": entry["vip"], "problem": entry["problem"]} for entry in state]
        if config is None:
            return []
        stopped = [{"vip": entry["address"], "problem": "keepalived-handover does not run"} for entry in config["vips"]]
        return stopped + [{"vip": vip, "problem": reason} for vip, reason in config["left_out"].items()]
    except (AttributeError, KeyError, TypeError, ValueError):
        return []


def wait(
    look: Callable[[bool], dict[str, Any]], wanted: str | None, timeout_s: float, ask: bool, quiet: bool = False
) -> dict[str, Any]:
    """Poll until every role is ``wanted``, or the time is over. ``look(ask)`` queries keepalived if *ask*."""
    deadline = time.monotonic() + timeout_s
    while wanted and time.monotonic() < deadline:
        if reached(look(False), wanted, quiet):
            info = look(ask)
            if reached(info, wanted, quiet):
                return info
        time.sleep(POLL_S)
    return look(ask)


def reached(info: dict[str, Any], wanted: str, quiet: bool) -> bool:
    """Return whether every role is *wanted* (``settled``: any except unready) and, if *quiet*, no alarm is raised."""
    roles = info["roles"].values()
    settled = all(role in ("holder", "standby") if wanted == "settled" else role == wanted for role in roles)
    return settled and not (quiet and info["alarms"])


def main() -> None:
    """Connect the parts."""
    module = AnsibleModule(
        argument_spec={
            "vips": {"type": "list", "elements": "str", "default": []},
            "keepalived": {"type": "bool", "default": True},
            "details": {"type": "bool", "default": True},
            "pid_file": {"type": "path", "default": "/run/keepalived.pid"},
            "timeout": {"type": "float", "default": 2.0},
            "wait_for": {"type": "str", "choices": ["holder", "settled", "standby"]},
            "wait_timeout": {"type": "float", "default": 10.0},
            "quiet": {"type": "bool", "default": False},
            "metrics": {"type": "path", "default": "/run/keepalived-watch/haproof.prom"},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C"}
    vips: list[str] = module.params["vips"]
    problems = vip_problems(vips)
    if problems:
        module.fail_json(msg="; ".join(problems))

    def look(ask: bool) -> dict[str, Any]:
        params = module.params
        pid_file = params["pid_file"] if ask else None
        return observe(module.run_command, vips, pid_file, params["timeout"], params["details"], params["metrics"])

    try:
        params = module.params
        info = wait(look, params["wait_for"], params["wait_timeout"], params["keepalived"], params["quiet"])
    except (AddressError, KeepalivedError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **info)


if __name__ == "__main__":
    main()
