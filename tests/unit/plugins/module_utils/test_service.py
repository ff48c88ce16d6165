# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.haproof.balancer.plugins.module_utils._service import Unit, parse_units

# systemctl show --property=ActiveState,UnitFileState,MainPID on Debian 12
SHOWN = """\
MainPID=4083
ActiveState=active
UnitFileState=enabled

ActiveState=failed
UnitFileState=enabled

MainPID=0
ActiveState=inactive
UnitFileState=

MainPID=6116
ActiveState=activating
UnitFileState=static
"""


def test_parse_units() -> None:
    assert parse_units(["nginx", "keepalived-track@nginx", "absent", "keepalived"], SHOWN) == [
        Unit("nginx", running=True, enabled=True, pid=4083),
        Unit("keepalived-track@nginx", running=False, enabled=True, pid=0),
        Unit("absent", running=False, enabled=False, pid=0),
        Unit("keepalived", running=True, enabled=True, pid=6116),
    ]
