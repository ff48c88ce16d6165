# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter nginx_unit: what systemd must grant to nginx with a configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
name: nginx_unit
short_description: What systemd must grant to nginx with a configuration
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - For the role's drop-in to nginx' unit. Files that the configuration includes are not looked at.
options:
  _input:
    description: The tree of directives that P(haproof.balancer.to_nginx_conf#filter) writes.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show it
  ansible.builtin.debug:
    msg: "{{ {'error_log': '/usr/local/logs/error.log'} | haproof.balancer.nginx_unit }}"
  # => {"nofile": 16384, "capabilities": [], "paths": ["/usr/local/logs"]}
"""

RETURN = r"""
_value:
  description:
    - C(nofile), the limit of open files; C(capabilities) that few configurations need; C(paths), the folders that nginx
      writes to and systemd would protect.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.host import unit


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The one filter of this file."""
        return {"nginx_unit": unit}
