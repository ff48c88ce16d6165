#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: node_fault
short_description: Break a node on purpose, and heal it
version_added: "0.1.0"
description:
  - Injects one fault into the host that it runs on, or heals it.
  - Before it injects, it arms a systemd timer on the host, C(haproof-heal-FAULT.timer), that heals the fault after
    O(deadline) even if the controller, SSH or the network is gone by then. Healing disarms the timer.
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
      - V(service_stop) stops the unit O(service) with systemd.
      - V(keepalived_stop) stops keepalived with systemd.
    type: str
    required: true
    choices: [keepalived_stop, service_stop]
  service:
    description: The unit that the fault is done to. O(fault=keepalived_stop) takes V(keepalived) when it is omitted.
    type: str
  state:
    description: Whether the host shall have the fault.
    type: str
    choices: [healed, injected]
    default: injected
  deadline:
    description: Seconds after which the host heals itself. Required when O(state=injected).
    type: float
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Stop nginx, for half a minute at the longest
  haproof.balancer.node_fault:
    fault: service_stop
    service: nginx
    deadline: 30

- name: Start it again
  haproof.balancer.node_fault:
    fault: service_stop
    service: nginx
    state: healed
"""

RETURN = r"""
unit:
  description: The unit that the fault is done to.
  type: str
  returned: always
  sample: nginx
timer:
  description: The timer that heals the fault on the host.
  type: str
  returned: always
  sample: haproof-heal-service_stop.timer
heal_command:
  description: What the timer runs.
  type: list
  elements: str
  returned: always
  sample: [systemctl, start, nginx]
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
  description: What it said.
  type: str
  returned: failure
"""

import math
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._faults import (
    DEFAULT_UNITS,
    FAULTS,
    FaultError,
    HealTimer,
    heal,
    inject,
)


def problem(params: dict[str, Any]) -> str | None:
    """Say which option does not fit; None when all do."""
    deadline = params["deadline"]
    if not params["service"] and params["fault"] not in DEFAULT_UNITS:
        return f"fault {params['fault']} needs service, the unit that it is done to"
    if deadline is not None and not 1 <= deadline < math.inf:
        return f"deadline is {deadline:g}, it must be at least 1 second"
    return None


def describe(injected: bool, armed: bool) -> str:
    """One line for the diff."""
    timer = "heals itself at its deadline" if armed else "no timer"
    return f"{'injected' if injected else 'healed'} ({timer})\n"


def main() -> None:
    """Connect the parts."""
    module = AnsibleModule(
        argument_spec={
            "fault": {"type": "str", "required": True, "choices": sorted(FAULTS)},
            "service": {"type": "str"},
            "state": {"type": "str", "default": "injected", "choices": ["healed", "injected"]},
            "deadline": {"type": "float"},
        },
        required_if=[("state", "injected", ["deadline"])],
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C"}
    params: dict[str, Any] = module.params
    wrong = problem(params)
    if wrong:
        module.fail_json(msg=wrong)

    unit: str = params["service"] or DEFAULT_UNITS[params["fault"]]
    fault = FAULTS[params["fault"]](unit)
    timer = HealTimer(module.run_command, params["fault"])
    wanted: bool = params["state"] == "injected"
    result: dict[str, Any] = {"unit": unit, "timer": f"{timer.unit}.timer", "heal_command": fault.heal}
    try:
        injected, armed = fault.injected(module.run_command), timer.armed()
        changed = (injected, armed) != (wanted, wanted)
        if changed and not module.check_mode:
            if wanted:
                inject(module.run_command, fault, timer, params["deadline"])
            else:
                heal(module.run_command, fault, timer)
    except FaultError as error:
        module.fail_json(msg=str(error), cmd=error.cmd, rc=error.rc, stderr=error.stderr, **result)
    diff = {"before": describe(injected, armed), "after": describe(wanted, wanted)}
    module.exit_json(changed=changed, diff=diff, **result)


if __name__ == "__main__":
    main()
