#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

# The code is in plugins/action/role_plan.py, since it runs on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: role_plan
short_description: Plan what a role of this collection puts on a host
version_added: "0.1.0"
description:
  - Checks a role's variables, and computes from them everything that the role needs, once per run, on the controller.
  - Internal to the roles of this collection; it may change in any release.
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
options:
  role:
    description: The role.
    type: str
    required: true
    choices: [haproxy, keepalived, nginx]
  settings:
    description: The role's variables, by name without the role's prefix, and data from the host.
    type: dict
    required: true
  tables:
    description: The role's own directives, and the differences between distributions.
    type: dict
    required: true
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Plan nginx
  haproof.balancer.role_plan:
    role: nginx
    settings: "{{ __nginx_settings }}"
    tables: "{{ __nginx_tables }}"
  register: __nginx_plan
"""

RETURN = r"""
findings:
  description:
    - The findings about the variables, each with host, variable and remedy. The task fails if there are any.
    - The other keys of the result depend on the role; see C(plan.py) of its daemon in C(plugins/plugin_utils).
  type: list
  elements: str
  returned: always
"""
