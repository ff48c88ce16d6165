#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: package_info
short_description: Whether packages are installed, and where they come from
version_added: "0.1.0"
description:
  - Asks dpkg or rpm, which takes half as long as a package manager.
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
options:
  names:
    description: The packages.
    type: list
    elements: str
    required: true
  database:
    description: The package database.
    type: str
    choices: [dpkg, rpm]
    required: true
  source:
    description: The file of the package source that they must come from, such as one of apt's.
    type: path
  source_text:
    description: The text of that file. Without it the file must not exist.
    type: str
    default: ""
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Ask for haproxy
  haproof.balancer.package_info:
    names: [haproxy]
    database: dpkg
  register: packages
"""

RETURN = r"""
installed:
  description: Whether all of the packages are installed.
  type: bool
  returned: always
has_source:
  description: Whether O(source) has the text O(source_text).
  type: bool
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.packages import OPTIONS, has_source, installed


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    module.run_command_environ_update = {"LC_ALL": "C"}
    module.exit_json(installed=installed(module.params, module.run_command), has_source=has_source(module.params))


if __name__ == "__main__":
    main()
