# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter whole_run: rejects a run of ansible-playbook whose options leave tasks out."""

from __future__ import annotations

DOCUMENTATION = r"""
name: whole_run
short_description: Reject a run whose options leave tasks out
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - For the C(hosts) of a play that must not end with exit code 0 when it did nothing. Tags, a limit that does not name
    these hosts, and C(--start-at-task) can skip every task that would report it, but never the evaluation of C(hosts).
options:
  _input:
    description: The play's host or pattern.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Prove it
  hosts: "{{ 'localhost' | haproof.balancer.whole_run }}"
"""

RETURN = r"""
_value:
  description: The input, unchanged.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible import context
from ansible.errors import AnsibleFilterError


def whole_run(host: str) -> str:
    """Return the host. Raises AnsibleFilterError if options leave tasks out."""
    leaving = left_out(host, context.CLIARGS)
    if leaving:
        raise AnsibleFilterError(
            f"this playbook runs completely or not at all: remove {', '.join(leaving)}, and select with variables"
        )
    return host


def left_out(host: str, options: Mapping[str, Any]) -> list[str]:
    """Return the options of ansible-playbook that leave out tasks of a play with this host."""
    tags = {tag for tags in options.get("tags") or ["all"] for tag in tags.split(",")}
    limit = options.get("subset") or ""
    used = {
        "--limit": limit != "" and host not in limit.split(","),
        "--skip-tags": bool(options.get("skip_tags")),
        "--start-at-task": bool(options.get("start_at_task")),
        "--tags": "all" not in tags,
    }
    return [option for option, is_used in used.items() if is_used]


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"whole_run": whole_run}
