# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter _printable: a node's text, which a terminal cannot obey."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _printable
short_description: Show a node's text so that a terminal does not obey it
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to this collection; it may change in any release.
  - Writes control characters as escapes, such as those with which a text could move the cursor or change its colour.
    Line breaks stay.
options:
  _input:
    description: The text.
    type: str
    required: true
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import printable


def _printable(text: object) -> str:
    """Return *text* with control characters as escapes."""
    return printable(str(text))


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Any]:
        """Filters by name."""
        return {"_printable": _printable}
