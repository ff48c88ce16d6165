# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter systemd_word: any text as one word of a systemd unit."""

from __future__ import annotations

DOCUMENTATION = r"""
name: systemd_word
short_description: Any text as one word of a systemd unit
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Quotes blanks, quotes and backslashes, and systemd's specifiers (C(%)). Control characters are refused.
options:
  _input:
    description: The text, a path for example.
    type: str
    required: true
  command:
    description: Whether it is an argument of a command, where systemd replaces variables (C($NAME)) as well.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show an argument
  ansible.builtin.debug:
    msg: "{{ '/srv/100% mine/$x' | haproof.balancer.systemd_word(command=true) }}"
  # => '"/srv/100%% mine/$$x"'
"""

RETURN = r"""
_value:
  description: The word, in double quotes.
  type: str
"""

from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import systemd_word as word


def systemd_word(text: str, command: bool = False) -> str:
    """Return *text* quoted. Raises AnsibleFilterError for a control character."""
    try:
        return word(str(text), command)
    except ValueError as error:
        raise AnsibleFilterError(f"systemd_word: {error}") from error


class FilterModule:
    """Ansible filter systemd_word."""

    def filters(self) -> dict[str, Any]:
        return {"systemd_word": systemd_word}
