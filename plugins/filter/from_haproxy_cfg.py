# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter from_haproxy_cfg: the text of a haproxy.cfg to sections of keywords."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_haproxy_cfg
short_description: The text of a haproxy.cfg to sections of keywords
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - The inverse of P(haproof.balancer.to_haproxy_cfg#filter). Comments are dropped, quotes and escapes stay.
  - Lines keep their order. A keyword that returns after others becomes a longer key, C(acl static) after C(acl).
    Repeated lines and headers are made unique by trailing blanks or tabs.
options:
  _input:
    description: The text of a haproxy.cfg.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Read the live configuration
  ansible.builtin.slurp:
    src: /etc/haproxy/haproxy.cfg
  register: live

- name: Show it as data
  ansible.builtin.debug:
    msg: "{{ live.content | b64decode | haproof.balancer.from_haproxy_cfg }}"
"""

RETURN = r"""
_value:
  description: Section headers, each with a mapping of keywords.
  type: dict
"""

from typing import Any

from ansible.errors import AnsibleFilterError


def from_haproxy_cfg(text: str) -> dict[str, Any]:
    """Return *text* as nested data. Raises AnsibleFilterError with the number of an unreadable line."""
    from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
    from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.parse import parse

    try:
        return parse(str(text))
    except ParseError as error:
        raise AnsibleFilterError(f"from_haproxy_cfg: {error}") from error


class FilterModule:
    """Ansible filter from_haproxy_cfg."""

    def filters(self) -> dict[str, Any]:
        return {"from_haproxy_cfg": from_haproxy_cfg}
