# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter to_haproxy_cfg: any haproxy.cfg, from mappings whose keys are sections and keywords."""

from __future__ import annotations

DOCUMENTATION = r"""
name: to_haproxy_cfg
short_description: Write sections of keywords as haproxy.cfg
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Keywords are not interpreted, so those of every haproxy version work.
  - A key is the section's header, V(global), V(frontend web), V(peers lab), its value maps keywords. Order is kept.
  - A string or number is what follows the keyword, in haproxy's line syntax, quotes included.
  - V(null) and V(true) write the keyword alone, V(false) puts V(no) before it.
  - A mapping writes a line for each of its keys, beginning with the keyword - V(timeout) with V(connect), V(client).
  - A list writes a line for each item, an empty list none.
  - A V(server), V(server-template), V(default-server), V(bind), V(peer) or V(nameserver) may be a mapping of its
    parameters - V(name) and V(address) (V(prefix), V(num), V(fqdn) of a template) first. V(true) writes the parameter
    alone, V(false) its V(no-) form, a list several arguments. Values are quoted as needed.
  - To repeat a keyword with others in between, write its whole line as a key with the value V(null).
  - A value that would break out of its line (a newline, an unclosed quote, an unquoted V(#\)) is an error.
options:
  _input:
    description: The sections.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: A web balancer
  ansible.builtin.debug:
    msg: "{{ sections | haproof.balancer.to_haproxy_cfg }}"
  vars:
    sections:
      defaults:
        mode: http
        timeout: {connect: 2s, client: 30s, server: 30s}
        option: [httplog, dontlognull]
      frontend web:
        bind: "*:80"
        default_backend: web
      backend web:
        balance: roundrobin
        server:
          - web01 192.0.2.21:80 check
          - {name: web02, address: "192.0.2.22:80", check: true, weight: 2}
  # defaults
  #     mode http
  #     timeout connect 2s
  #     timeout client 30s
  #     timeout server 30s
  #     option httplog
  #     option dontlognull
  #
  # frontend web
  #     bind *:80
  #     default_backend web
  #
  # backend web
  #     balance roundrobin
  #     server web01 192.0.2.21:80 check
  #     server web02 192.0.2.22:80 check weight 2
"""

RETURN = r"""
_value:
  description: The text, indented by four spaces, sections separated by an empty line, with a final newline.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def to_haproxy_cfg(sections: Mapping[str, Any]) -> str:
    """Return the text of *sections*. Raises AnsibleFilterError with the path of an invalid value."""
    from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
    from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy import render as haproxy_render

    try:
        return haproxy_render.render(sections)
    except ConfigError as error:
        raise AnsibleFilterError(f"to_haproxy_cfg: {error}") from error


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"to_haproxy_cfg": to_haproxy_cfg}
