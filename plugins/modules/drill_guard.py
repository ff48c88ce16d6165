#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

# What it does is in plugins/action/drill_guard.py, for it runs on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: drill_guard
short_description: Heal at once when ansible-playbook ends in the middle of a drill
version_added: "0.1.0"
description:
  - Starts a process on the controller that outlives C(ansible-playbook). When that ends, by Ctrl-C or otherwise, while
    RV(run_file) is still there, it runs the playbook C(haproof.balancer.heal) with the same inventory and options, and
    with this task's C(become).
  - Remove RV(run_file) when the drill is over; the process ends then.
  - A password that was typed for C(ansible-playbook) is not known to it. Nodes that need one heal at the deadline of
    their own timers.
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
      - Each call starts a process of its own.
  platform:
    support: full
    platforms: linux
options:
  log:
    description: File on the controller that takes what healing prints, in place of a former one.
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
- name: Heal at once when this play is cut off
  haproof.balancer.drill_guard:
    log: /tmp/heal.log
    variables:
      heal_hosts: lb01,lb02,client
"""

RETURN = r"""
run_file:
  description: File on the controller that says that the drill goes on, in a folder that is this user's alone.
  type: str
  returned: when not in check mode
  sample: /home/ops/.local/state/haproof-drill/control/guard-x1.run
heal_command:
  description: What is run to heal.
  type: list
  elements: str
  returned: always
  sample: [ansible-playbook, haproof.balancer.heal, "--inventory=inventory.yml", "--extra-vars={}"]
"""
