# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _drill_verdict: judge a drill."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _drill_verdict
short_description: Judge a drill
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the role P(haproof.balancer.drill#role); it may change in any release.
positional: stopped, seen
options:
  _input:
    description: The records of the drill.
    type: dict
    required: true
  stopped:
    description: Results of removing the run files of probers and watchers.
    type: list
    required: true
  seen:
    description: Results of the probers and watchers.
    type: list
    required: true
"""

RETURN = r"""
_value:
  description: An entry of the report.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError


def _drill_verdict(
    drill: Mapping[str, Any], stopped: Sequence[Mapping[str, Any]], seen: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the entry. Raises AnsibleFilterError if something is missing."""
    from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.observed import gather
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.verdict import judge_drill

    try:
        return judge_drill(gather(drill, stopped, seen))
    except (AddressError, KeyError, TypeError) as error:
        raise AnsibleFilterError(f"_drill_verdict: {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_drill_verdict": _drill_verdict}
