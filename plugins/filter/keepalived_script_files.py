# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_script_files: own scripts to files of the module daemon_config."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_script_files
short_description: Own scripts to files of the module daemon_config
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Gives each script its place and mode, as O(haproof.balancer.daemon_config#module:files) wants them.
options:
  _input:
    description: The scripts, each with C(name), C(content) and, optionally, C(mode).
    type: list
    elements: dict
    required: true
  folder:
    description: The folder on the host.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Show where a script goes
  ansible.builtin.debug:
    msg: "{{ keepalived_scripts | haproof.balancer.keepalived_script_files(folder='/usr/local/libexec/keepalived') }}"
"""

RETURN = r"""
_value:
  description: The files, each with C(dest), C(content) and C(mode).
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.alerts import script_files


class FilterModule:
    """Ansible filter keepalived_script_files."""

    def filters(self) -> dict[str, Any]:
        return {"keepalived_script_files": script_files}
