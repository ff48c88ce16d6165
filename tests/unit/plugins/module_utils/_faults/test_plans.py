# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each fault would do, on a model of a host, and what it refuses."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import DRIVER_FAULTS, FAULTS, PLANS
from ansible_collections.haproof.balancer.plugins.module_utils._faults.link import lost_routes
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import (
    CAP_NET_ADMIN,
    CAP_SYS_TIME,
    FaultError,
    FaultPlan,
    Step,
    UnsupportedError,
    as_data,
    from_data,
    has_capability,
)
from hypothesis import given
from hypothesis import strategies as st

from .faults_host import ModelHost, as_json, options

SHOW = "ip -oneline {} route show table all dev eth1"
LINK = "ip -oneline link show dev eth1"
KEEP = "/proc/sys/net/ipv6/conf/eth1/keep_addr_on_down"
ASKED: dict[str, Any] = {
    "service": "nginx",
    "interface": "eth1",
    "vip": "192.0.2.10",
    "path": "/mnt/small",
    "slow_s": 0.1,
    "node": "lb01",
    "commands": {"inject": [["virsh", "suspend", "lb01"]], "heal": [["virsh", "resume", "lb01"]]},
}


def model() -> ModelHost:
    """Return a host on which every fault is possible."""
    host = ModelHost(nginx="active", keepalived="active")
    host.says = {
        SHOW.format("-4"): "10.0.0.0/8 via 198.18.1.1 proto static metric 5 linkdown \n",
        SHOW.format("-6"): "",
        LINK: "3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n",
        f"cat {KEEP}": "0\n",
        "ip -oneline address show to 192.0.2.10": "",
    }
    host.refuses = {"systemd-detect-virt"}
    host.mounts = {"/mnt/small": 8 << 20}
    return host


def plan(fault: str, host: ModelHost | None = None, **other: Any) -> FaultPlan:
    """Plan a fault on a host with usual options, or others."""
    asked = {name: ASKED[name] for name in FAULTS[fault].needs} or {"service": FAULTS[fault].service or ""}
    return PLANS[fault](options(fault, **{**asked, **other}), host or model())


def words(steps: list[Step]) -> list[str]:
    """Return commands as one would type them."""
    return [" ".join(step.argv) for step in steps]


@pytest.mark.parametrize("fault", sorted(PLANS))
def test_every_plan_injects_and_heals(fault: str) -> None:
    found = plan(fault)
    assert found.inject
    assert found.heal
    assert words(found.heal) != words(found.inject)
    assert from_data(as_json(as_data(found.present))) == [
        Step(list(step.argv), list(step.only_if), step.must_fail, step.lost) for step in found.present
    ]


@pytest.mark.parametrize("fault", sorted(PLANS))
def test_planning_changes_nothing(fault: str) -> None:
    host = model()
    plan(fault, host)
    assert all(command.startswith(("nft --check", "systemd-detect-virt")) for command in host.commands)


INJECTS: list[tuple[str, list[str]]] = [
    ("service_stop", ["systemctl stop nginx"]),
    ("service_kill", ["systemctl kill --signal=KILL nginx"]),
    ("service_hang", ["systemctl kill --signal=STOP nginx"]),
    ("keepalived_kill", ["systemctl kill --signal=STOP keepalived", "systemctl kill --signal=KILL keepalived"]),
    ("keepalived_reload", ["systemctl reload keepalived"]),
    (
        "link_down",
        ["sysctl -q -w net/ipv6/conf/eth1/keep_addr_on_down=1", "ip link set dev eth1 down"],
    ),
    ("vip_duplicate", ["ip address add 192.0.2.10/32 dev eth1 valid_lft 90 preferred_lft 90"]),
    ("node_freeze", ["virsh suspend lb01"]),
]


@pytest.mark.parametrize(("fault", "commands"), INJECTS, ids=lambda value: value if isinstance(value, str) else "")
def test_how_it_is_injected(fault: str, commands: list[str]) -> None:
    assert words(plan(fault).inject) == commands


@pytest.mark.parametrize("fault", sorted(PLANS))
def test_every_effect_can_be_seen_and_says_when_it_is_gone(fault: str) -> None:
    found = plan(fault)
    assert bool(found.present) is (fault not in DRIVER_FAULTS)
    assert all(step.lost for step in found.present)
    assert bool(found.injected) is (fault not in DRIVER_FAULTS)


@pytest.mark.parametrize(
    ("fault", "ends"), [("service_stop", True), ("service_kill", True), ("keepalived_stop", False)]
)
def test_what_a_check_has_started_instead_ends_before_the_unit_starts(fault: str, ends: bool) -> None:
    steps = plan(fault).heal
    ending = [index for index, step in enumerate(steps) if "/keepalived[.]service$" in " ".join(step.argv)]
    starting = next(index for index, step in enumerate(steps) if "start" in step.argv)
    assert ending == ([starting - 1] if ends else [])
    for index in ending:
        assert steps[index].argv[-2:] == ["nginx", "nginx"]
        # Nothing of the kind runs here.
        assert subprocess.run(steps[index].argv, check=False).returncode == 0


@pytest.mark.parametrize("fault", ["service_kill", "service_hang", "keepalived_kill"])
def test_a_unit_without_a_main_process_is_not_signalled(fault: str) -> None:
    host = model()
    host.says["systemctl show --property=LoadState,ActiveState,MainPID nginx"] = (
        "LoadState=loaded\nActiveState=active\nMainPID=0\n"
    )
    host.says["systemctl show --property=LoadState,ActiveState,MainPID keepalived"] = (
        "LoadState=loaded\nActiveState=active\nMainPID=0\n"
    )
    with pytest.raises(FaultError, match=r"has no main process: set the unit that runs"):
        plan(fault, host)


COUNTED: list[tuple[str, str, list[str]]] = [
    ("vrrp_block", "netdev", ["2"]),
    ("vrrp_block_in", "netdev", ["1"]),
    ("network_cut", "netdev", ["2"]),
    ("network_cut", "inet", ["3", "2"]),
]


@pytest.mark.parametrize(("fault", "family", "counts"), COUNTED)
def test_every_rule_that_drops_is_counted(fault: str, family: str, counts: list[str]) -> None:
    host = model()
    newer = host.answer
    host.run = lambda argv: (1, "", "") if family == "inet" and "netdev" in " ".join(argv) else newer(argv)
    assert [step.argv[-1] for step in plan(fault, host).present] == counts


def test_link_comes_up_before_its_routes() -> None:
    up, carrier, *rest, check = words(plan("link_down").heal)
    assert up == "ip link set dev eth1 up"
    assert "until ip -oneline link show" in carrier
    assert check.startswith("sh -c ip -oneline link show up")
    assert rest == [
        "ip -4 route replace 10.0.0.0/8 dev eth1 via 198.18.1.1 proto static metric 5",
        "sysctl -q -w net/ipv6/conf/eth1/keep_addr_on_down=0",
    ]


def test_link_without_carrier_is_not_waited_for() -> None:
    host = model()
    host.says[LINK] = "3: eth1: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500\n"
    assert "LOWER_UP" not in " ".join(words(plan("link_down", host).heal))


def test_link_without_ipv6_is_left_without() -> None:
    host = model()
    host.missing = {KEEP}
    assert words(plan("link_down", host).inject) == ["ip link set dev eth1 down"]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("service_stop", {"service": "ngnix"}, "unit ngnix is not on this host (systemd: not-found)"),
    ("link_down", {"interface": "eth9"}, "interface eth9 is not on this host, which has eth0, eth1, lo"),
    ("vip_duplicate", {"vip": "192.0.2.10/24"}, "vip is 192.0.2.10/24, it must be an address without prefix"),
    ("disk_full", {"path": "/"}, "path is /: the root file system is never filled, name a small separate one"),
    ("disk_full", {"path": "/mnt/.."}, "path is /: the root file system is never filled, name a small separate one"),
    (
        "disk_full",
        {"path": "/srv"},
        "path is /srv, which is not a mount point: only a separate file system is filled",
    ),
]


@pytest.mark.parametrize(("fault", "other", "message"), REFUSED)
def test_what_is_refused(fault: str, other: dict[str, Any], message: str) -> None:
    with pytest.raises(FaultError) as refused:
        plan(fault, **other)
    assert str(refused.value) == message


def test_large_file_system_is_refused() -> None:
    host = model()
    host.mounts["/mnt/small"] = 3 << 29
    with pytest.raises(
        FaultError, match=r"^the file system at /mnt/small has 1\.5 GiB: only one below 1 GiB is filled$"
    ):
        plan("disk_full", host)


def test_holder_gets_no_duplicate() -> None:
    host = model()
    host.says["ip -oneline address show to 192.0.2.10"] = "3: eth1    inet 192.0.2.10/24 scope global eth1\n"
    with pytest.raises(FaultError, match=r"^this host has 192\.0\.2\.10 already: "):
        plan("vip_duplicate", host)


@pytest.mark.parametrize("state", ["inactive", "failed", "activating", "deactivating"])
def test_unit_must_run_before_it_is_broken(state: str) -> None:
    with pytest.raises(FaultError, match=rf"^unit nginx is not running \(systemd: {state}\): start it first"):
        plan("service_stop", ModelHost(nginx=state))


@pytest.mark.parametrize(
    ("fault", "missing", "reason"),
    [
        ("vrrp_block", "nft", "nft is not on this host: install nftables"),
        ("network_cut", "CAP_NET_ADMIN", "this host does not give root CAP_NET_ADMIN"),
        ("link_down", "ip", "ip is not on this host: install iproute2"),
        ("clock_jump", "CAP_SYS_TIME", "this host does not give root CAP_SYS_TIME"),
    ],
)
def test_what_a_host_cannot_have(fault: str, missing: str, reason: str) -> None:
    host = model()
    host.missing = {missing}
    with pytest.raises(UnsupportedError) as unsupported:
        plan(fault, host)
    assert str(unsupported.value) == reason


def test_no_clock_is_set_in_a_container() -> None:
    host = model()
    host.says["systemd-detect-virt --container"] = "docker\n"
    with pytest.raises(UnsupportedError, match=r"^this host is a container \(docker\): its clock is that of its host$"):
        plan("clock_jump", host)


def test_cut_without_hooks_on_the_way_out() -> None:
    host = model()
    ask = "nft --check table netdev haproof_drill"
    newer = host.answer
    host.run = lambda argv: (1, "", "") if " ".join(argv).startswith(ask) else newer(argv)
    (step,) = plan("network_cut", host).inject
    assert step.argv[-1].startswith("table inet haproof_drill {")
    assert "table arp haproof_drill {" in step.argv[-1]


def test_drivers_faults() -> None:
    assert sorted(DRIVER_FAULTS) == ["node_freeze", "node_power_off", "node_reboot"]


LOST: list[tuple[str, list[str]]] = [
    ("", []),
    ("default via 198.18.1.1 proto static ", ["default dev eth1 via 198.18.1.1 proto static"]),
    ("198.18.1.0/24 proto kernel scope link src 198.18.1.12 ", []),
    ("default proto ra metric 1024 expires 1700sec pref medium", []),
    ("192.0.2.0/24 proto keepalived scope link ", []),
    ("local 198.18.1.12 table local proto kernel scope host src 198.18.1.12 ", []),
    ("multicast ff00::/8 table local proto static metric 256 pref medium", []),
    ("10.0.0.0/8 scope link linkdown ", ["10.0.0.0/8 dev eth1 scope link"]),
    ("unicast 10.0.0.0/8 table 7 via 198.18.1.1 ", ["unicast 10.0.0.0/8 dev eth1 table 7 via 198.18.1.1"]),
    (
        "10.0.0.0/8 \\\tnexthop via 198.18.1.1 dev eth1 weight 1 \\\tnexthop via 198.18.1.2 dev eth1 weight 1 ",
        ["10.0.0.0/8 nexthop via 198.18.1.1 dev eth1 weight 1 nexthop via 198.18.1.2 dev eth1 weight 1"],
    ),
    (
        "default via 203.0.113.1 proto static\n203.0.113.1 proto static scope link\n",
        ["203.0.113.1 dev eth1 proto static scope link", "default dev eth1 via 203.0.113.1 proto static"],
    ),
]


@pytest.mark.parametrize(("output", "expected"), LOST)
def test_lost_routes(output: str, expected: list[str]) -> None:
    assert [" ".join(route) for route in lost_routes(output, "eth1")] == expected


@given(st.text())
def test_lost_routes_of_anything(output: str) -> None:
    for route in lost_routes(output, "eth1"):
        assert route


@pytest.mark.parametrize(
    ("status", "number", "expected"),
    [
        ("CapEff:\t00000000a8ac75fb\n", CAP_NET_ADMIN, True),
        ("CapEff:\t00000000a8ac75fb\n", CAP_SYS_TIME, False),
        ("CapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffffff\n", CAP_SYS_TIME, True),
        ("CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000000\n", CAP_NET_ADMIN, False),
        ("Name:\tpython3\n", CAP_NET_ADMIN, False),
    ],
)
def test_has_capability(status: str, number: int, expected: bool) -> None:
    assert has_capability(status, number) is expected


def test_jump_is_seen_by_the_clock_that_nobody_sets() -> None:
    (ask,) = plan("clock_jump").present
    assert subprocess.run(ask.argv, check=False).returncode == 1, "nobody has set the clock"
    *python, before_s, jump_s = ask.argv
    assert subprocess.run([*python, str(float(before_s) - 3600), jump_s], check=False).returncode == 0


def test_clock_that_did_not_jump_is_not_set_back() -> None:
    back, asked = plan("clock_jump").heal
    assert asked.must_fail
    # It would need a capability.
    assert subprocess.run(back.argv, check=False).returncode == 0


@pytest.mark.parametrize(("older", "family"), [(False, "netdev"), (True, "inet")])
def test_block_heals_what_it_made(older: bool, family: str) -> None:
    host = model()
    newer = host.answer
    host.run = lambda argv: (1, "", "") if older and "netdev" in " ".join(argv) else newer(argv)
    found = plan("vrrp_block_out", host)
    (step,) = found.inject
    assert step.argv[-1].startswith(f"table {family} haproof_drill {{ chain {'output' if older else 'egress'} {{")
    assert words(found.heal)[0] == f"nft delete table {family} haproof_drill"
    (look,) = found.present
    assert look.argv[-3:] == [family, "haproof_drill", "1"]
