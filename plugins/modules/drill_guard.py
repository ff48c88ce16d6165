#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

# The code is in plugins/action/drill_guard.py, since it runs on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: drill_guard
short_description: Heal immediately when ansible-playbook ends in the middle of a drill
version_added: "0.1.0"
description:
  - Starts a process on the controller that outlives C(ansible-playbook). If C(ansible-playbook) ends, by Ctrl-C or
    otherwise, while RV(run_file) still exists, the process runs the playbook C(haproof.balancer.heal) with the same
    inventory and options, and with this task's C(become).
  - Remove RV(run_file) when the drill is over; the process then ends.
  - The process does not have passwords that were typed for C(ansible-playbook). Nodes that need one heal at the
    deadline of their own timers.
extends_documentation_fragment:
  - haproof.balancer.attributes
attributes:
  check_mode:
    support: full
    details:
      - Nothing is started in check mode.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each call starts a new process.
  platform:
    support: full
    platforms: linux
options:
  log:
    description: File on the controller for the output of healing. An existing file is replaced.
    type: path
    required: true
  variables:
    description: Extra variables for C(haproof.balancer.heal), C(heal_hosts) and C(heal_driver).
    type: dict
    default: {}
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Heal immediately if this play is interrupted
  haproof.balancer.drill_guard:
    log: /tmp/heal.log
    variables:
      heal_hosts: lb01,lb02,client
"""

RETURN = r"""
run_file:
  description: File on the controller that exists while the drill runs, in a directory that only this user can access.
  type: str
  returned: when not in check mode
  sample: /home/ops/.local/state/haproof-drill/control/guard-x1.run
heal_command:
  description: The command that heals.
  type: list
  elements: str
  returned: always
  sample: [ansible-playbook, haproof.balancer.heal, "--inventory=inventory.yml", "--extra-vars={}"]
"""
