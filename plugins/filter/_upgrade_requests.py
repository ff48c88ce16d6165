# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter _upgrade_requests: the requests that a service may answer."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _upgrade_requests
short_description: The requests that a service may answer
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to the playbook C(upgrade); it may change in any release.
positional: asked
options:
  _input:
    description: The addresses.
    type: list
    required: true
  asked:
    description: The C(port) and the C(url) of the service, 0 and empty for none, and C(validate_certs).
    type: dict
    required: true
"""

RETURN = r"""
_value:
  description: Options of M(haproof.balancer.vip_check).
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _upgrade_requests(addresses: Sequence[str], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the requests."""
    from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.upgrade import requests

    return requests(addresses, asked)


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"_upgrade_requests": _upgrade_requests}
