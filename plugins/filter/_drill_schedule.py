# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _drill_schedule: the drills that the role's variables request."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _drill_schedule
short_description: The drills that the variables of the role drill request
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the role P(haproof.balancer.drill#role); it may change in any release.
positional: state
options:
  _input:
    description: The variables of the role, without C(drill_).
    type: dict
    required: true
  state:
    description: The result of P(haproof.balancer._drill_state#filter), once known.
    type: dict
    default: {}
"""

RETURN = r"""
_value:
  description: The drills, or in C(findings) why there can be none.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def _drill_schedule(variables: Mapping[str, Any], state: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the drills. Raises AnsibleFilterError if a variable is missing."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.schedule import make_schedule

    try:
        return make_schedule(variables, state or {})
    except KeyError as error:
        raise AnsibleFilterError(f"_drill_schedule: the variables lack {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_drill_schedule": _drill_schedule}
