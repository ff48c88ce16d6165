# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_secrets: the passwords in a keepalived configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_secrets
short_description: The passwords in a keepalived configuration
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Finds the values of C(auth_pass) and C(password), wherever they stand, so that they can be masked.
options:
  _input:
    description: The configuration, as P(haproof.balancer.keepalived_tree#filter) returns it.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Count the passwords
  ansible.builtin.debug:
    msg: "{{ conf | haproof.balancer.keepalived_secrets | length }}"
  vars:
    conf: {vrrp_instance VI_1: {authentication: {auth_type: PASS, auth_pass: s3cret}}}
"""

RETURN = r"""
_value:
  description: The passwords, each as it is written and without quotes.
  type: list
  elements: str
"""

from typing import Any, Iterator, Mapping


def keepalived_secrets(tree: Any) -> list[str]:
    """Return the passwords in *tree*, sorted."""
    return sorted({spelling for secret in _secrets(tree) for spelling in (secret, secret.strip("\"'"))})


def _secrets(tree: Any) -> Iterator[str]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            if str(key).split()[-1:] in (["auth_pass"], ["password"]):
                yield str(value)
            else:
                yield from _secrets(value)
    elif isinstance(tree, (list, tuple)):
        for item in tree:
            yield from _secrets(item)


class FilterModule:
    """Ansible filter keepalived_secrets."""

    def filters(self) -> dict[str, Any]:
        return {"keepalived_secrets": keepalived_secrets}
