# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running keepalived is the one built from source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nodes import BALANCERS, running_keepalived

if TYPE_CHECKING:
    from nodes import Lab


@pytest.mark.parametrize("name", BALANCERS)
def test_the_build_runs(lab: Lab, name: str) -> None:
    wanted = lab.variables_of("balancers")
    binary = running_keepalived(lab, name)
    assert binary.startswith(f"/usr/local/keepalived-{wanted['keepalived_version']}-")
    assert lab.nodes[name].check_output("readlink -f /usr/local/keepalived/sbin/keepalived") == binary


@pytest.mark.parametrize("name", BALANCERS)
def test_the_options_are_in(lab: Lab, name: str) -> None:
    wanted = lab.variables_of("balancers")
    version = lab.nodes[name].run("/usr/local/keepalived/sbin/keepalived --version").stderr
    assert version.startswith(f"Keepalived v{wanted['keepalived_version']} ")
    features = next(line for line in version.splitlines() if line.startswith("Config options:")).split()
    assert {"LVS", "VRRP", "JSON", "BFD", "REGEX", "NFTABLES", "SYSTEMD_NOTIFY"} <= set(features)
    assert "LIBNL3" in version


@pytest.mark.parametrize("name", BALANCERS)
def test_the_summary_is_kept(lab: Lab, name: str) -> None:
    summary = lab.nodes[name].file("/usr/local/keepalived/configure.summary").content_string
    assert "Use IPVS Framework       : Yes\n" in summary


@pytest.mark.parametrize("name", BALANCERS)
def test_nothing_is_left_of_the_building(lab: Lab, name: str) -> None:
    node = lab.nodes[name]
    leftovers = node.check_output(
        "find /usr/local /var/tmp /lib/systemd/system /etc/sysconfig "
        "-mindepth 1 -maxdepth 1 \\( -name '.keepalived*' -o -name 'tmp.*' -o -name 'keepalived*' \\) "
        "-not -path '/usr/local/keepalived*' 2>/dev/null || true"
    )
    assert leftovers == ""
    foreign = "find /usr/local/keepalived/ \\( -not -user root -o -perm /6022 -type f \\)"
    assert node.check_output(foreign) == ""
    assert not node.package("keepalived").is_installed
