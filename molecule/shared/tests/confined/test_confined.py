# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daemons are confined from the first run on, according to the processes, not the units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodes import BACKENDS, BALANCERS

if TYPE_CHECKING:
    from nodes import Lab

# The unit's settings compared with the process's; the capabilities must differ from systemd's own.
LOOK = """
for unit in {units}; do
  pid=$(systemctl show --property=MainPID --value $unit)
  wanted=$(systemctl show --property=NoNewPrivileges --value $unit | sed 's/yes/1/; s/no/0/')
  grep --quiet "^NoNewPrivs:.*$wanted$" /proc/$pid/status || echo $unit can have new privileges
  [ "$(grep ^CapBnd /proc/$pid/status)" != "$(grep ^CapBnd /proc/1/status)" ] || echo $unit has all capabilities
done
"""


def test_daemons_are_confined_from_their_first_start(lab: Lab) -> None:
    units = {BALANCERS[0]: f"{lab.engine} keepalived", BALANCERS[1]: f"{lab.engine} keepalived", BACKENDS[0]: "nginx"}
    found = {name: lab.nodes[name].check_output(LOOK.format(units=words)) for name, words in units.items()}
    assert found == dict.fromkeys(units, "")
