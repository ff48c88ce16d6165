# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _adopted: the variables that reproduce a daemon's live files."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _adopted
short_description: The variables that reproduce a daemon's live files
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(adopt); it may change in any release.
  - Values and keys that Ansible would read as templates are tagged C(!unsafe), so that a node's file cannot run code
    on the controller.
positional: hostvars, daemon
options:
  _input:
    description: The hosts.
    type: list
    required: true
  hostvars:
    description: >-
      Ansible's C(hostvars), with the result of M(haproof.balancer.daemon_info) in C(__adopt_running). A host that
      has the file has its C(content) in Base64 in C(__adopt_file).
    type: dict
    required: true
  daemon:
    description: The daemon that reads the files.
    type: str
    choices: [haproxy, keepalived, nginx]
    required: true
"""

RETURN = r"""
_value:
  description:
    - C(group), a file of variables as text, and C(hosts), one for each host that has the file.
    - C(includes), the files that each host's file includes, as written.
    - C(refused), the reason why a host's file cannot be adopted, or empty.
  type: dict
"""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.utils.unsafe_proxy import wrap_var


def _adopted(hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]], daemon: str) -> dict[str, Any]:
    """Return the files of variables, or in ``refused`` the host and the reason why there are none."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.adopt import AdoptError, adopt
    from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.dump import dump
    from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.running import accepted, placed

    read = {host: hostvars[host]["__adopt_file"].get("content") for host in hosts}
    files = {host: b64decode(content) for host, content in read.items() if content is not None}
    answers = {host: hostvars[host]["__adopt_running"] for host in hosts}
    try:
        found = adopt(daemon, files, placed(daemon, answers), accepted(daemon, answers))
    except AdoptError as error:
        # Not raised: the files may hold passwords, so the task that reads them hides all of its messages.
        written: dict[str, Any] = {"refused": str(error), "group": "", "hosts": {}, "includes": {}}
    else:
        by_host = {host: dump(mine) for host, mine in found["hosts"].items()}
        written = {"refused": "", "group": dump(found["group"]), "hosts": by_host, "includes": found["includes"]}
    # ansible-core 2.18 would template a fact again.
    wrapped: dict[str, Any] = wrap_var(written)
    return wrapped


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_adopted": _adopted}
