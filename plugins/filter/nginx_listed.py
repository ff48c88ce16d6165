# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter nginx_listed: the files that the last run of the nginx role wrote."""

from __future__ import annotations

DOCUMENTATION = r"""
name: nginx_listed
short_description: The files that the last run of the nginx role wrote
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Reads the list that P(haproof.balancer.nginx_files#filter) writes. Since what it names is removed, a line that the
    role has not written is an error.
positional: manifest
options:
  _input:
    description: The lines of the list.
    type: list
    elements: str
    required: true
  manifest:
    description: The path of the list, for the message.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the files
  ansible.builtin.debug:
    msg: "{{ ['/srv/a.html', '/etc/htpasswd'] | haproof.balancer.nginx_listed('/etc/list') }}"
"""

RETURN = r"""
_value:
  description: The paths of the files.
  type: list
  elements: str
"""

from collections.abc import Callable, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.host import listed


def nginx_listed(lines: Sequence[str], manifest: str) -> list[str]:
    """The files in the lines of ``manifest``; AnsibleFilterError for a line that the role has not written."""
    try:
        return listed(map(str, lines), manifest)
    except ValueError as error:
        raise AnsibleFilterError(f"nginx_listed: {error}") from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The one filter of this file."""
        return {"nginx_listed": nginx_listed}
