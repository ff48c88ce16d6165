# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A confined keepalived still has all its features, and a standby's service can bind the VIP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nodes import BALANCERS, eventually

if TYPE_CHECKING:
    from nodes import Lab


@pytest.mark.parametrize("name", BALANCERS)
def test_keepalived_is_confined(lab: Lab, name: str) -> None:
    said = lab.nodes[name].check_output("systemd-analyze security --no-pager keepalived | tail -n 1")
    assert float(said.split(": ")[1].split()[0]) < 5.0, said


@pytest.mark.parametrize("address", ["fe80::66", "fd00::66"])
def test_one_balancer_has_the_ipv6_vip(lab: Lab, address: str) -> None:
    lines = [
        f"{name} {lab.nodes[name].check_output('ip -6 -oneline address show to %s', address)}" for name in BALANCERS
    ]
    assert [address in line for line in lines] == [True, False], lines


def test_one_balancer_has_the_vip_with_its_own_mac(lab: Lab) -> None:
    lines = [lab.nodes[name].check_output("ip -oneline -4 address show dev vmac || true") for name in BALANCERS]
    assert [".67/24" in line for line in lines] == [True, False], lines
    assert lab.nodes["lb01"].check_output("cat /sys/class/net/vmac/address") == "00:00:5e:00:01:43"


def test_scripts_run_as_the_script_user_unless_root_is_requested(lab: Lab) -> None:
    node = lab.nodes["lb01"]
    assert eventually(lambda: node.file("/tmp/who-root").contains("^master"), within_s=5)  # noqa: S108 # of a throw-away node
    runs = {tuple(line.split()[:2]) for line in node.check_output("cat /tmp/who-*").splitlines()}
    assert runs == {
        ("plain", "haproof_script"),
        ("notify", "haproof_script"),
        ("privileged", "root"),
        ("master", "root"),
    }
    # No capability is left.
    assert not node.file("/tmp/who-haproof_script").contains(r"[^ .]\.$")  # noqa: S108 # of a throw-away node


@pytest.mark.parametrize("name", BALANCERS)
def test_keepalived_dumps_its_state(lab: Lab, name: str) -> None:
    node = lab.nodes[name]
    node.check_output('rm -f /tmp/keepalived.json; kill -s "$(keepalived --signum=JSON)" "$(cat /run/keepalived.pid)"')
    assert eventually(lambda: node.file("/tmp/keepalived.json").contains("fd00::66"), within_s=3)  # noqa: S108 # of a throw-away node


@pytest.mark.parametrize("name", BALANCERS)
def test_the_service_listens_on_the_vip_on_every_balancer(lab: Lab, name: str) -> None:
    node = lab.nodes[name]
    assert node.check_output("ss --no-header --listening --tcp --numeric src %s:8080", lab.vip)
    assert node.check_output("sysctl -n net.ipv4.ip_nonlocal_bind net.ipv4.conf.all.arp_announce").split() == ["1", "2"]
    assert node.check_output("tail -n 2 /etc/sysctl.d/90-haproof-keepalived.conf").splitlines() == [
        "net.ipv4.ip_nonlocal_bind = 1",
        "net.ipv4.conf.all.arp_announce = 2",
    ]


def test_a_restart_works_too(lab: Lab) -> None:
    node = lab.nodes["lb01"]
    node.check_output("systemctl restart keepalived")
    assert eventually(lambda: lab.holders() == ["lb01"], within_s=10), lab.holders()
    assert eventually(lambda: "fd00::66" in node.check_output("ip -6 address"), within_s=10)
