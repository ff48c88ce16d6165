# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter keepalived_source: where a build of keepalived lives, and what is wrong with its description."""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalived_source
short_description: Where a build of keepalived from source lives
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Says where M(haproof.balancer.keepalived_build) puts a build, and what is wrong with its options, without a host.
options:
  _input:
    description:
      - Options of M(haproof.balancer.keepalived_build).
      - C(version), C(url), C(checksum), C(prefix) and C(configure_options).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the program that a unit has to start
  ansible.builtin.debug:
    msg: "{{ (source | haproof.balancer.keepalived_source).binary }}"
  vars:
    source:
      version: 2.3.3
      url: https://www.keepalived.org/software/keepalived-2.3.3.tar.gz
      checksum: sha256:2288c5c7609fa452782b7acefa19acce742d0204dc17f54d36da46b10f8b590c
      prefix: /usr/local/keepalived
      configure_options: [--enable-json]
"""

RETURN = r"""
_value:
  description: The build's C(build) (its folder), C(binary), and C(findings), none when all is well.
  type: dict
"""

from typing import Any, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.build import Source, findings


def keepalived_source(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``build``, ``binary`` and ``findings`` of the build that *options* describe."""
    source = Source(
        version=options["version"],
        url=options["url"],
        checksum=options["checksum"],
        prefix=options["prefix"],
        options=tuple(options["configure_options"]),
    )
    return {"build": source.build, "binary": source.binary, "findings": findings(source)}


class FilterModule:
    """Ansible filter keepalived_source."""

    def filters(self) -> dict[str, Any]:
        return {"keepalived_source": keepalived_source}
