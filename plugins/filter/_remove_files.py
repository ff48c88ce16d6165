# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _remove_files: the files of a daemon that its role wrote."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _remove_files
short_description: The files of a daemon that its role wrote
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(remove); it may change in any release.
positional: manifest
options:
  _input:
    description: The daemon.
    type: str
    required: true
    choices: [haproxy, keepalived, nginx]
  manifest:
    description: The result of M(ansible.builtin.slurp) for the file that lists the user's files; failed without one.
    type: dict
    required: true
"""

RETURN = r"""
_value:
  description: The paths.
  type: list
  elements: str
"""

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def _remove_files(daemon: str, manifest: Mapping[str, Any]) -> list[str]:
    """Return the paths."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.remove import files

    try:
        return files(daemon, b64decode(manifest.get("content", "")).decode(errors="replace"))
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_remove_files": _remove_files}
