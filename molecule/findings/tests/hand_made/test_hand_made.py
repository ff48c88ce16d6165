# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair that was set up by hand stays unchanged by a failed run, also after its next reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nodes import BALANCERS, apply_site, eventually

if TYPE_CHECKING:
    from nodes import Lab

HOLDER, STANDBY = BALANCERS
# The running and the installed keepalived, its files and kernel parameters, and whether it is enabled.
STATE = """
find /etc/keepalived /etc/systemd/system/keepalived.service.d -type f -exec sha256sum {} + 2>/dev/null
systemctl show keepalived --property=DropInPaths,ExecStart,ExecReload,MainPID,UnitFileState --value |
    sed "s/start_time.*//"
sysctl net.ipv4.conf.all.arp_ignore net.ipv4.conf.all.arp_announce
true
"""


@pytest.fixture(scope="module", autouse=True)
def failed_run(lab: Lab) -> dict[str, str]:
    """Make the daemon reject the configuration, after all earlier steps; return the state before the run."""
    assert eventually(lambda: lab.holders() == [HOLDER], within_s=20), lab.holders()
    before = {name: lab.nodes[name].check_output(STATE) for name in BALANCERS}
    play = apply_site(
        lab,
        {
            "keepalived_vrrp_instance": {"no_such_directive": "on"},
            "keepalived_sysctl": {"net.ipv4.conf.all.arp_ignore": 1, "net.ipv4.conf.all.arp_announce": 2},
        },
    )
    assert play.returncode != 0
    assert "no_such_directive" in play.stdout, play.stdout
    return before


@pytest.mark.parametrize("name", BALANCERS)
def test_the_daemon_is_unchanged(lab: Lab, failed_run: dict[str, str], name: str) -> None:
    assert lab.nodes[name].check_output(STATE) == failed_run[name]


@pytest.mark.parametrize("name", BALANCERS)
def test_its_checks_still_work_after_a_reload(lab: Lab, name: str) -> None:
    node = lab.nodes[name]
    now = node.check_output("date +%s.%N")
    node.check_output("systemctl reload keepalived")
    said = f"journalctl --quiet --output=cat --unit=keepalived --since=@{now}"
    assert eventually(lambda: "Reload" in node.check_output(said), within_s=10)
    assert eventually(lambda: lab.holders() == [HOLDER], within_s=20), lab.holders()
    assert "disabling" not in node.check_output(said)


def test_the_vip_moves_when_the_service_stops(lab: Lab) -> None:
    node = lab.nodes[HOLDER]
    try:
        node.check_output("systemctl stop served")
        assert eventually(lambda: lab.holders() == [STANDBY], within_s=20), lab.holders()
    finally:
        node.check_output("systemd-run --unit=served sleep infinity")
    assert eventually(lambda: lab.holders() == [HOLDER], within_s=20), lab.holders()
