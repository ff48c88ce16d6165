# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""keepalived_bad_config: a broken keepalived.conf, reloaded without a check."""

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

# A misspelt directive, a router id above 255, an invalid address, and no closing braces.
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
    # It may be a symbolic link, and must stay one.
    conf = os.path.realpath(CONF)
    kept, broken = f"{options.folder}/keepalived.conf", f"{options.folder}/broken.conf"
    # After a boot keepalived starts later than the healing, with the restored file.
    late = daemons_run(options)
    return FaultPlan(
        inject=[
            Step(["cp", "--archive", conf, f"{kept}.new"]),
            # The copy must be complete and on disk before the file is broken.
            Step(["sync", f"{kept}.new"]),
            Step(["mv", f"{kept}.new", kept]),
            Step(["sync", options.folder]),
            Step(["sh", "-c", 'cat "$1" >>"$2"', "sh", broken, conf]),
            # A rejected reload may fail or not, depending on the unit, which is part of the drill.
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
