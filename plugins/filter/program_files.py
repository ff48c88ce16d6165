# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter program_files: the files of a program for a node that uses this collection's modules."""

from __future__ import annotations

DOCUMENTATION = r"""
name: program_files
short_description: The files of a program for a node that uses this collection's modules
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Finds the modules that a Python program imports from this collection, and those that they import.
  - Python finds them beside the program, when it is started with C(python3 -ES).
options:
  _input:
    description: The text of the program.
    type: str
    required: true
  dest:
    description: Where the program is to be on the node.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: List the files
  ansible.builtin.debug:
    msg: "{{ text | haproof.balancer.program_files(dest='/usr/local/lib/sum/sum') | map(attribute='dest') }}"
  vars:
    text: from ansible_collections.haproof.balancer.plugins.module_utils._link.checksum import checksum
  # => the program, and the module in /usr/local/lib/sum/ansible_collections/haproof/balancer/plugins/module_utils
"""

RETURN = r"""
_value:
  description: Each file's C(dest) and C(content), the program last, for P(haproof.balancer.daemon_config#module).
  type: list
  elements: dict
"""

from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.node_program import program_files, read_module


def files(text: str, dest: str) -> list[dict[str, str]]:
    """Return the files. Raises AnsibleFilterError for a module that this collection has not."""
    try:
        return program_files(text, dest, read_module)
    except OSError as error:
        raise AnsibleFilterError(f"program_files: {error}") from error


class FilterModule:
    """Ansible filter program_files."""

    def filters(self) -> dict[str, Any]:
        return {"program_files": files}
