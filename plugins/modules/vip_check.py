#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vip_check
short_description: Check who answers for a virtual IP on the wire, and whether its service answers
version_added: "0.1.0"
description:
  - Run it on a host on the balancers' link, best not on a balancer. It sends ARP requests (IPv4) or neighbour
    solicitations (IPv6) for O(vip), and records every MAC address that answers within O(window).
  - Then connects to O(port), and requests O(url), if given.
  - Fails if no host answers, if more than one MAC address does, if it is not that of O(holder), or if the service does
    not answer correctly. All observations are returned even then.
  - If the host itself has the VIP, its own MAC address counts as an answer.
  - Needs root or CAP_NET_RAW, unless O(link=false).
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
options:
  vip:
    description: The virtual IP, with or without prefix.
    type: str
    required: true
  link:
    description: Whether to check the link. From another subnet only the service can be checked.
    type: bool
    default: true
  interface:
    description: Interface to use. Defaults to the one in the VIP's subnet.
    type: str
  window:
    description: How long to collect answers, in seconds. Requests are sent three times in it.
    type: float
    default: 1.0
  holder:
    description: The host expected to answer, as a MAC address, or as its IP address on the same link.
    type: str
  port:
    description: TCP port to connect to.
    type: int
  url:
    description:
      - URL to request, V(http) or V(https). The request goes to O(vip), whatever the URL's host name resolves to; the
        name is sent to the server.
    type: str
  status:
    description: Accepted status codes.
    type: list
    elements: int
    default: [200]
  body:
    description: Regular expression that must be found in the first MiB of the body.
    type: str
  validate_certs:
    description: Whether the server's certificate must be valid for the host name in O(url).
    type: bool
    default: true
  timeout:
    description: How long the service may take to answer, in seconds.
    type: float
    default: 2.0
seealso:
  - module: haproof.balancer.vip_info
  - module: haproof.balancer.vrrp_listen
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Exactly one host answers for the virtual IP
  haproof.balancer.vip_check:
    vip: 198.18.0.10

- name: It is the first balancer, and its service answers
  haproof.balancer.vip_check:
    vip: 198.18.0.10
    holder: 198.18.0.11
    port: 80
    url: http://www.example.com/
    body: web0[12]

- name: Check without failing
  haproof.balancer.vip_check:
    vip: 198.18.0.10
  register: vip
  failed_when: vip.findings is not defined

- name: Check only the service, from another subnet
  haproof.balancer.vip_check:
    vip: 198.18.0.10
    link: false
    port: 80
"""

RETURN = r"""
vip:
  description: The virtual IP without prefix.
  type: str
  returned: always
  sample: 198.18.0.10
interface:
  description: Interface that was used; null if O(link=false).
  type: str
  returned: always
  sample: eth1
macs:
  description: Every MAC address that answered, in order, including this host's own if it has the VIP.
  type: list
  elements: str
  returned: always
  sample: ["02:42:c6:12:00:0b"]
answered:
  description: Whether any host answered on the link; null if O(link=false).
  type: bool
  returned: always
tcp:
  description: Result of the connection; null without O(port).
  type: dict
  returned: always
  contains:
    port:
      description: As given.
      type: int
    open:
      description: Whether the connection was accepted.
      type: bool
    connect_s:
      description: Seconds until then; null if it was not.
      type: float
    error:
      description: Why it was not; null if it was.
      type: str
      sample: connection refused
http:
  description: Result of the request; null without O(url).
  type: dict
  returned: always
  contains:
    url:
      description: As given.
      type: str
    status:
      description: Status code; null without an answer.
      type: int
      sample: 200
    error:
      description: The error in the answer; null if there is none.
      type: str
      sample: answers with status 503, not 200
findings:
  description: Errors, one sentence each. The module fails if there are any.
  type: list
  elements: str
  returned: always
  sample: ["198.18.0.10: 2 MAC addresses answer for it: 02:42:c6:12:00:0b, 02:42:c6:12:00:0c"]
"""

from typing import Any, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import (
    AddressError,
    bare_address,
    read_addresses,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.vip_check import (
    NoVantageError,
    expected_holder,
    judge_http,
    link_findings,
    service_findings,
    vantage,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.wire import WireError, ask_for, read_link
from ansible_collections.haproof.balancer.plugins.module_utils._probe.endpoint import fetch, parse_url, tcp


def check_link(params: dict[str, Any], vip: str, addresses: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return ``interface``, ``macs``, ``answered`` and ``findings``. Raises NoVantageError, WireError, AddressError."""
    here = vantage(vip, addresses, params["interface"])
    link = read_link(here.interface)
    holder_mac, holder_address = expected_holder(params["holder"]) if params["holder"] else (None, None)
    targets = [vip] if holder_address is None else [vip, holder_address]
    seen = ask_for([(link, here.own, target) for target in targets], params["window"])
    if here.holds:
        seen[vip] = sorted({*seen[vip], link.mac})
    if holder_address == here.own:
        seen.setdefault(str(holder_address), []).append(link.mac)
    holder_macs = [holder_mac] if holder_mac else seen.get(str(holder_address), [])
    return {
        "interface": link.name,
        "macs": seen[vip],
        "answered": bool(seen[vip]),
        "findings": link_findings(vip, seen[vip], params["holder"], holder_macs),
    }


def check_service(params: dict[str, Any], vip: str, scope: int) -> dict[str, Any]:
    """Return ``tcp`` and ``http``. Raises ValueError for an invalid URL."""
    answers: dict[str, Any] = {"tcp": None, "http": None}
    url = parse_url(params["url"]) if params["url"] else None
    if params["port"]:
        answers["tcp"] = tcp(vip, params["port"], params["timeout"], scope)
    if url:
        status, body, error = fetch(vip, url, params["timeout"], params["validate_certs"], scope)
        if status is not None and error is None:
            error = judge_http(status, body, params["status"], params["body"])
        answers["http"] = {"url": url.text, "status": status, "error": error}
    return answers


def main() -> None:
    """Connect the parts."""
    module = AnsibleModule(
        argument_spec={
            "vip": {"type": "str", "required": True},
            "link": {"type": "bool", "default": True},
            "interface": {"type": "str"},
            "window": {"type": "float", "default": 1.0},
            "holder": {"type": "str"},
            "port": {"type": "int"},
            "url": {"type": "str"},
            "status": {"type": "list", "elements": "int", "default": [200]},
            "body": {"type": "str"},
            "validate_certs": {"type": "bool", "default": True},
            "timeout": {"type": "float", "default": 2.0},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C"}
    params: dict[str, Any] = module.params
    result: dict[str, Any] = {"interface": None, "macs": [], "answered": None, "findings": []}
    try:
        vip = result["vip"] = bare_address(params["vip"])
        addresses = read_addresses(module.run_command)
        if params["link"]:
            result.update(check_link(params, vip, addresses))
        scope = read_link(result["interface"] or params["interface"]).number if vip.startswith("fe80:") else 0
        result.update(check_service(params, vip, scope))
    except (AddressError, NoVantageError, ValueError, WireError) as error:
        module.fail_json(msg=str(error))
    result["findings"] += service_findings(vip, result["tcp"], result["http"])
    if result["findings"]:
        module.fail_json(msg="; ".join(result["findings"]), **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
