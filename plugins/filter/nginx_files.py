# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter nginx_files: the files that nginx.conf needs beside it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: nginx_files
short_description: The files that nginx.conf needs beside it
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - The user's files and those of the role's switches, and a list of their paths that tells the next run which of them
    are no longer wanted.
  - A file that is C(secret) has the mode V(0600) unless it says another.
positional: manifest
options:
  _input:
    description: The role's variables without their prefix, as for P(haproof.balancer.nginx_tree#filter).
    type: dict
    required: true
  manifest:
    description: The path of the list.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the files
  ansible.builtin.debug:
    msg: "{{ settings | haproof.balancer.nginx_files('/etc/nginx/haproof/files') }}"
"""

RETURN = r"""
_value:
  description: Files as P(haproof.balancer.daemon_config#module) takes them.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.host import files


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The one filter of this file."""
        return {"nginx_files": files}
