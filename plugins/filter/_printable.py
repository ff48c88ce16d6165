# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter _printable: escape the control characters in a node's text."""

from __future__ import annotations

DOCUMENTATION = r"""
name: _printable
short_description: Escape the control characters in a node's text
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Internal to this collection; it may change in any release.
  - Escapes control characters, with which a text could move the terminal's cursor or change its colour. Line breaks
    stay.
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


def _printable(text: object) -> str:
    """Return *text* with escaped control characters."""
    from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import printable

    return printable(str(text))


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Any]:
        """Filters by name."""
        return {"_printable": _printable}
