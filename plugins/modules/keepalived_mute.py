#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: keepalived_mute
short_description: Stop keepalived on a standby while the holder changes
version_added: "0.1.0"
description:
  - Stops keepalived, so that this host does not take over while the holder changes what both must share.
  - Then it goes on watching, and ends when keepalived runs again, whoever started it.
  - It starts keepalived itself when no other host answers for one of O(vips), so a holder that dies meanwhile is
    replaced after a second or two.
  - It also does when the change is not completed within O(complete_within) and the holder's adverts are still what the
    configuration on this host expects. Adverts do not show passwords, so with passwords it does not.
  - Run it with C(async) and C(poll=0). It survives the controller, but not a reboot, after which keepalived starts as
    usual.
extends_documentation_fragment:
  - haproof.balancer.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  vips:
    description: The virtual IPs that another host must hold.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description: The address, without prefix.
        type: str
        required: true
      interface:
        description: The interface on whose link it is.
        type: str
        required: true
  complete_within:
    description: Seconds until the change should be complete, in which keepalived runs again.
    type: float
    default: 60.0
  config:
    description: keepalived's configuration file.
    type: path
    default: /etc/keepalived/keepalived.conf
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Stop keepalived while the holder changes
  haproof.balancer.keepalived_mute:
    vips:
      - address: 198.18.0.10
        interface: eth1
  async: 604800
  poll: 0

- name: Wait until it is stopped
  ansible.builtin.wait_for:
    path: /run/keepalived.pid
    state: absent
"""

RETURN = r"""
started:
  description: Why the module started keepalived; null if another program did.
  type: str
  returned: success
  sample: no host answers for 198.18.0.10
"""

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import one_of, read_text
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.muted import (
    Expected,
    Muted,
    expected_adverts,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.process import DEFAULT_PID_FILE, find_pid
from ansible_collections.haproof.balancer.plugins.module_utils._link.neighbour import Claim, mac_text
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_routers import Routers
from ansible_collections.haproof.balancer.plugins.module_utils._link.wire import (
    Asker,
    Handler,
    Link,
    Listener,
    Origin,
    WireError,
    own_macs,
    read_link,
    receive,
)

ASK_S = 0.2
LINK_S = 1.0
"""How long to wait for a link that is gone."""


class Watch:
    """What this host sees on its links until keepalived runs."""

    def __init__(self, vips: list[dict[str, str]], config: str, complete_within_s: float) -> None:
        now = time.monotonic()
        self._places = [(vip["interface"], vip["address"]) for vip in vips]
        self._addresses = [vip["address"] for vip in vips]
        self._config = config
        self._muted = Muted(self._addresses, now, now + complete_within_s)
        self._routers = Routers()
        self._own = set(own_macs())
        self._read: tuple[str, list[Expected] | None] = ("", None)

    def until_needed(self) -> str | None:
        """Return why keepalived must start, None as soon as it runs."""
        while True:
            try:
                return self._look()
            except WireError:
                # keepalived could not take over on this link either.
                time.sleep(LINK_S)
                if find_pid(DEFAULT_PID_FILE):
                    return None

    def _look(self) -> str | None:
        links = {name: read_link(name) for name in sorted({interface for interface, _vip in self._places})}
        asker = Asker([(links[interface], None, vip) for interface, vip in self._places], self._take)
        listeners: list[Listener] = []
        try:
            for link in links.values():
                listeners.append(Listener(link, self._reader(link)))
            handlers = {**asker.handlers}
            for listener in listeners:
                handlers.update(listener.handlers)
            while not find_pid(DEFAULT_PID_FILE):
                asker.ask()
                receive(handlers, time.monotonic() + ASK_S)
                now = time.monotonic()
                expected = self._expected() if self._muted.overdue(now) else None
                why = self._muted.why_start(now, expected, self._routers.report(now))
                if why:
                    return why
            return None
        finally:
            asker.close()
            for listener in listeners:
                listener.close()

    def _take(self, claim: Claim) -> None:
        if claim.mac not in self._own:
            self._muted.answered(claim.address, time.monotonic())

    def _reader(self, link: Link) -> Handler:
        def read(packet: bytes, origin: Origin) -> bool:
            mac = mac_text(origin[4])
            if mac not in self._own:
                self._routers.take(packet, mac, link.name, time.monotonic())
            return False

        return read

    def _expected(self) -> list[Expected] | None:
        try:
            with open(self._config, encoding="utf-8", errors="replace") as stream:
                text = stream.read()
            if text != self._read[0]:
                conf = read_text(text, one_of(os.uname().nodename, ()))
                self._read = text, expected_adverts(conf, self._addresses)
            return self._read[1]
        except (OSError, ParseError):
            # Unknown: only the next run of the playbook, or a dead holder, starts keepalived.
            return None


def main() -> None:
    """Connect the parts."""
    module = AnsibleModule(
        argument_spec={
            "vips": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "address": {"type": "str", "required": True},
                    "interface": {"type": "str", "required": True},
                },
            },
            "complete_within": {"type": "float", "default": 60.0},
            "config": {"type": "path", "default": "/etc/keepalived/keepalived.conf"},
        },
        supports_check_mode=True,
    )
    changed = find_pid(DEFAULT_PID_FILE) is not None
    if module.check_mode:
        module.exit_json(changed=changed, started=None)
    module.run_command(["systemctl", "stop", "keepalived"], check_rc=True)
    watch = Watch(module.params["vips"], module.params["config"], module.params["complete_within"])
    why = watch.until_needed()
    if why:
        module.log(f"keepalived starts again: {why}")
        module.run_command(["systemctl", "start", "keepalived"], check_rc=True)
    module.exit_json(changed=changed, started=why)


if __name__ == "__main__":
    main()
