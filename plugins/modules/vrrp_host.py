#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_host
short_description: Prepare a host for VRRP
version_added: "0.1.0"
description:
  - Opens the active firewalls for VRRP, AH and BFD from the peers, sets kernel parameters, and turns on SELinux
    booleans. All of it in one call, because each call costs time on every host.
  - ufw is active if it is enabled, firewalld if it is running. The rules go to C(before.rules) and C(before6.rules), or
    to the zones of O(interfaces) as rich rules with the priority -112, at runtime and permanently.
  - nftables is active if a chain on the input hook drops packets that no rule has accepted. The rules go to the head of
    every such chain, because an accept in one chain does not stop a drop in another. They are kept in
    C(/etc/nftables.conf), or in a directory that this file includes with a pattern at its end.
  - Nothing is installed, and inactive firewalls are left alone.
  - iptables chains that ufw does not manage are not changed; a warning lists the rules to add.
extends_documentation_fragment:
  - haproof.balancer.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  stage:
    description:
      - V(all) makes all changes.
      - V(before) makes only those that do not affect a running daemon, because its new configuration may still be
        rejected. The firewall is opened for the peers, services may bind virtual IPs held elsewhere, the user is made,
        SELinux booleans are turned on. Closing the firewall to others, other kernel parameters, the members and the
        files for the next boot are left to V(all); RV(deferred) is true if that is due.
    type: str
    choices: [all, before]
    default: all
  allow:
    description:
      - Traffic to allow. Traffic that this module allowed earlier and that is not in the list is closed again; an empty
        list removes all rules.
      - If omitted, the firewalls are not changed.
    type: list
    elements: dict
    suboptions:
      service:
        description: The protocol to allow.
        type: str
        required: true
        choices: [ah, bfd, handover, vrrp]
      source:
        description: The peer's address, without prefix.
        type: str
        required: true
  interfaces:
    description: The interfaces that VRRP uses. They determine which of firewalld's zones are opened.
    type: list
    elements: str
    default: []
  sysctl:
    description:
      - Kernel parameters, set now and at every boot.
      - Without any the file is removed, and the kernel keeps its values until the next boot.
      - If omitted, nothing changes.
    type: dict
  sysctl_file:
    description: The file for O(sysctl).
    type: path
    default: /etc/sysctl.d/90-haproof-keepalived.conf
  user:
    description: A system user to create, without home and login, for keepalived's scripts.
    type: str
  sebooleans:
    description: SELinux booleans to turn on, now and at every boot, where SELinux is enabled.
    type: list
    elements: str
    default: []
  members:
    description:
      - The hosts that share the virtual IPs, each with a list of its addresses, to be kept in Ansible's local facts on
        the host as C(haproof_members). So one that leaves the inventory is not forgotten.
      - Without any the file is removed; if omitted, it is not changed.
    type: dict
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Allow the other balancer's VRRP, and let haproxy bind a VIP held elsewhere
  haproof.balancer.vrrp_host:
    allow:
      - service: vrrp
        source: 192.0.2.12
    interfaces: [eth0]
    sysctl:
      net.ipv4.ip_nonlocal_bind: 1

- name: Close the firewall again
  haproof.balancer.vrrp_host:
    allow: []
"""

RETURN = r"""
changes:
  description: The changes (in check mode, those that would be made), by file or firewall.
  type: list
  elements: str
  returned: always
  sample: [/etc/nftables.conf (root:root 0644), nftables ruleset]
deferred:
  description: Whether O(stage=all) is due.
  type: bool
  returned: always
"""

import ipaddress
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import (
    SYSCTL,
    USER,
    findings,
    path_problem,
)
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.files import selinux_label
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.unfinished import lock
from ansible_collections.haproof.balancer.plugins.module_utils._firewall.firewall import Allow
from ansible_collections.haproof.balancer.plugins.module_utils._firewall.host import Change, HostError, VrrpHost
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.members import valid

# How long to wait for another run.
LOCK_S = 10.0
# Parameters that become a line of a file or an argument.
RULES = {"sysctl": SYSCTL, "user": USER}


def wanted_allows(options: list[dict[str, str]]) -> list[Allow]:
    """Return the options as Allow, each once. Raises ValueError for an invalid address."""
    allows = []
    for number, option in enumerate(options):
        try:
            source = str(ipaddress.ip_address(option["source"]))
        except ValueError:
            raise ValueError(f"allow[{number}].source: {option['source']} is not an address without prefix") from None
        allows.append(Allow(option["service"], source))
    return list(dict.fromkeys(allows))


def check(parameters: dict[str, Any]) -> None:
    """Raise ValueError for a value that would break out of its line or argument."""
    wrong = list(findings({name: parameters[name] or None for name in RULES}, RULES))
    path = path_problem(parameters["sysctl_file"])
    if path:
        wrong.append(f"sysctl_file: {path}")
    if wrong:
        raise ValueError("\n".join(wrong))


def is_harmless(key: str, value: str) -> bool:
    """Return whether a kernel parameter cannot affect anything that is running now."""
    return key.endswith("ip_nonlocal_bind") and value == "1"


def survey(host: VrrpHost, parameters: dict[str, Any], selinux: bool, before: bool = False) -> list[Change]:
    """Return all changes to make, or only those *before* a configuration. Raises HostError, OSError, ValueError."""
    check(parameters)
    changes = []
    if parameters["allow"] is not None:
        changes += host.firewall(wanted_allows(parameters["allow"]), parameters["interfaces"], before)
    sysctl = {key: str(value) for key, value in (parameters["sysctl"] or {}).items()}
    if before:
        changes += host.sysctl_now({key: value for key, value in sysctl.items() if is_harmless(key, value)})
    elif parameters["sysctl"] is not None:
        changes += host.sysctl(sysctl, parameters["sysctl_file"])
    changes += host.user(parameters["user"]) if parameters["user"] else []
    if parameters["members"] is not None and not before:
        changes += host.members(valid(parameters["members"]))
    return changes + host.booleans(parameters["sebooleans"] if selinux else [])


def make_all(host: VrrpHost, changes: list[Change]) -> None:
    """Make the changes. Raises HostError, OSError."""
    try:
        for change in changes:
            change.make()
    finally:
        host.settle()


def main() -> None:
    """Connect the parts."""
    module = AnsibleModule(
        argument_spec={
            "stage": {"type": "str", "choices": ["all", "before"], "default": "all"},
            "allow": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "service": {"type": "str", "required": True, "choices": ["ah", "bfd", "handover", "vrrp"]},
                    "source": {"type": "str", "required": True},
                },
            },
            "interfaces": {"type": "list", "elements": "str", "default": []},
            "sysctl": {"type": "dict"},
            "sysctl_file": {"type": "path", "default": "/etc/sysctl.d/90-haproof-keepalived.conf"},
            "user": {"type": "str"},
            "sebooleans": {"type": "list", "elements": "str", "default": []},
            "members": {"type": "dict"},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C"}
    host = VrrpHost(module.run_command, lambda name: module.get_bin_path(name) is not None, selinux_label(module))
    try:
        if not module.check_mode:
            lock(LOCK_S)
        changes = survey(host, module.params, module.selinux_enabled())
        deferred = bool(changes) and module.params["stage"] == "before"
        if deferred:
            changes = survey(host, module.params, module.selinux_enabled(), before=True)
        if not module.check_mode:
            host.tidy(module.params["sysctl_file"])
            make_all(host, changes)
    except HostError as error:
        module.fail_json(msg="\n".join(filter(None, [str(error), error.output])))
    except (OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    for warning in dict.fromkeys(host.warnings):
        module.warn(warning)
    module.exit_json(
        changed=bool(changes),
        deferred=deferred,
        changes=[change.shown["after_header"] for change in changes],
        diff=[change.shown for change in changes],
    )


if __name__ == "__main__":
    main()
