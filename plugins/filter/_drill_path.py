# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _drill_path: why a fault would prove nothing about the clients' requests."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _drill_path
short_description: Why a fault would prove nothing about the clients' requests
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the role P(haproof.balancer.drill#role); it may change in any release.
positional: fault, requests, used, state, accepted
options:
  _input:
    description: Result of M(haproof.balancer.service_peers) on the holder.
    type: dict
    required: true
  fault:
    description: Name of the fault.
    type: str
    required: true
  requests:
    description: C(vip), C(url), C(sources), C(service) and C(backend_service).
    type: dict
    required: true
  used:
    description: Results of M(haproof.balancer.service_peers) in a loop over the backends that the fault breaks.
    type: list
    required: true
  state:
    description: The result of P(haproof.balancer._drill_state#filter), without findings.
    type: dict
    required: true
  accepted:
    description: Kinds of reasons to ignore.
    type: list
    required: true
"""

RETURN = r"""
_value:
  description: Sentences, C(refused) without the accepted ones and C(unproven) only those.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError


def _drill_path(
    served: Mapping[str, Any],
    fault: str,
    requests: Mapping[str, Any],
    used: Sequence[Mapping[str, Any]],
    state: Mapping[str, Any],
    accepted: Sequence[str],
) -> dict[str, list[str]]:
    """Return the reasons. Raises AnsibleFilterError if something is missing."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.observed import by_host
    from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.path import (
        Path,
        find_detours,
        refused,
        unproven,
    )

    backends = by_host(used)
    try:
        reasons = find_detours(fault, Path(**requests), list(backends), state, {**backends, state["holder"]: served})
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"_drill_path: {error}") from error
    return {"refused": refused(reasons, accepted), "unproven": unproven(reasons, accepted)}


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_drill_path": _drill_path}
