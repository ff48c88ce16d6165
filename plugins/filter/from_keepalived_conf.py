# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter from_keepalived_conf: a keepalived.conf as nested data."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_keepalived_conf
short_description: Read the text of a keepalived.conf as nested data
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - The inverse of P(haproof.balancer.to_keepalived_conf#filter). Comments are dropped, quotes stay.
  - Conditions (C(@host)), definitions (C($NAME=)) and includes are kept as directives, in their order.
options:
  _input:
    description: The text of a keepalived.conf.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Read the live configuration
  ansible.builtin.slurp:
    src: /etc/keepalived/keepalived.conf
  register: live

- name: Show it as data
  ansible.builtin.debug:
    msg: "{{ live.content | b64decode | haproof.balancer.from_keepalived_conf }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary with the directives as keys.
    - A block that repeats a directive is a list of such dictionaries.
    - Unchanged text where dictionaries cannot represent it, such as a brace under a condition.
  type: raw
"""

from typing import Any

from ansible.errors import AnsibleFilterError


def from_keepalived_conf(text: str) -> Any:
    """Return *text* as nested data. Raises AnsibleFilterError with the number of an unreadable line."""
    from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
    from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import parse

    try:
        return parse(str(text))
    except ParseError as error:
        raise AnsibleFilterError(f"from_keepalived_conf: {error}") from error


class FilterModule:
    """Ansible filter from_keepalived_conf."""

    def filters(self) -> dict[str, Any]:
        return {"from_keepalived_conf": from_keepalived_conf}
