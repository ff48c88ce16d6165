# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter to_nginx_conf: any nginx.conf, from mappings whose keys are directives."""

from __future__ import annotations

DOCUMENTATION = r"""
name: to_nginx_conf
short_description: Write a tree of directives as nginx.conf
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Directives are not interpreted, so those of every module work.
  - A key is a directive with its block arguments, exactly as typed in nginx.conf - V(location ~* \\.(jpg|png\)$),
    V(if ($invalid_referer\)), V(upstream web). Order is kept.
  - A mapping becomes a block, a list of mappings one block each.
  - A string holds the arguments, separated by blanks and quoted as in nginx.conf. They are read by nginx's rules and
    quoted again where needed, so no value can end its directive or open a block.
  - A number is one argument, V(true) and V(false) are V(on) and V(off), V(null) writes the directive alone. Of a
    directive that never has a value, such as C(hostnames), C(internal) or C(ip_hash), V(true) writes it and V(false)
    leaves it out.
  - A list repeats the directive, an empty list leaves it out. A list in the list holds exact arguments, which are not
    split at blanks.
  - To repeat a directive with others in between, write the whole directive as a key with the value V(null).
notes:
  - The code of a Lua block (C(_by_lua_block)) is a string, which is written unchanged.
options:
  _input:
    description: The directives of one context.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: A virtual host
  ansible.builtin.debug:
    msg: "{{ conf | haproof.balancer.to_nginx_conf }}"
  vars:
    conf:
      upstream web:
        least_conn:
        server: [192.0.2.21:80 weight=2, 192.0.2.22:80]
      server:
        - listen: 80
          server_name: www.example.com
          location /:
            proxy_pass: http://web
            proxy_set_header:
              - Host $host
              - [X-Note, "any; text"]
  # upstream web {
  #     least_conn;
  #     server 192.0.2.21:80 weight=2;
  #     server 192.0.2.22:80;
  # }
  #
  # server {
  #     listen 80;
  #     server_name www.example.com;
  #
  #     location / {
  #         proxy_pass http://web;
  #         proxy_set_header Host $host;
  #         proxy_set_header X-Note "any; text";
  #     }
  # }
"""

RETURN = r"""
_value:
  description: The text, indented by four spaces, with a final newline.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def to_nginx_conf(tree: Mapping[str, Any]) -> str:
    """Return the text of *tree*. Raises AnsibleFilterError with the path of an invalid value."""
    from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
    from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx import render as nginx_render

    try:
        return nginx_render.render(tree)
    except ConfigError as error:
        raise AnsibleFilterError(f"to_nginx_conf: {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"to_nginx_conf": to_nginx_conf}
