# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""keepalived_bad_config: a careless change of keepalived.conf, reloaded without a look at it."""

from __future__ import annotations

import os

from ansible_collections.haproof.balancer.plugins.module_utils._faults import units
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import (
    FaultError,
    FaultHost,
    FaultPlan,
    Options,
    Step,
)
from ansible_collections.haproof.balancer.plugins.module_utils._faults.switch import daemons_run

CONF = "/etc/keepalived/keepalived.conf"

# A misspelt directive, a router id above 255, an address that is none, and no closing braces.
BROKEN = """
vrrp_instance VI_new {
    state MASTER
    interfce eth0
    virtual_router_id 300
    priority 100
    virtual_ipaddress {
        192.0.2.300/24
"""


def append_block(options: Options, host: FaultHost) -> FaultPlan:
    """Append a broken block to keepalived's file, and reload."""
    unit = units.running(host, options.service).name
    if not host.exists(CONF):
        raise FaultError(f"{CONF} is not on this host")
    # The link may lead elsewhere; it must stay a link.
    conf = os.path.realpath(CONF)
    kept, broken = f"{options.folder}/keepalived.conf", f"{options.folder}/broken.conf"
    # When the host has booted, keepalived starts after healing, with the file as it was.
    late = daemons_run(options)
    return FaultPlan(
        inject=[
            Step(["cp", "--archive", conf, f"{kept}.new"]),
            # Before the file is broken its copy is whole, and on the disk.
            Step(["sync", f"{kept}.new"]),
            Step(["mv", f"{kept}.new", kept]),
            Step(["sync", options.folder]),
            Step(["sh", "-c", 'cat "$1" >>"$2"', "sh", broken, conf]),
            # Whether a reload that is refused fails or not is up to the unit, and part of what is tried.
            Step(["sh", "-c", 'systemctl reload "$1" || :', "sh", unit]),
        ],
        heal=[
            Step(["cp", "--archive", kept, conf], only_if=["test", "-e", kept]),
            Step(["systemctl", "reset-failed", unit], only_if=["systemctl", "is-failed", "--quiet", unit]),
            Step(["systemctl", "reload-or-restart", unit], only_if=late),
            Step(units.is_active(unit), only_if=late),
        ],
        present=[
            Step(
                ["sh", "-c", 'cat "$1" "$2" | cmp --quiet - "$3"', "sh", kept, broken, conf],
                lost=f"{conf} has been changed",
            )
        ],
        unit=unit,
        files={"broken.conf": BROKEN},
    )
