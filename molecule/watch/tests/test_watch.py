# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watch's findings while the pair is broken in different ways. Each test leaves it healed."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Iterator

import pytest

from nodes import BALANCERS, eventually
from watching import METRICS, WAIT_S, Journal, at_rest, cut, journals, metrics, pass_time

if TYPE_CHECKING:
    from nodes import Lab

PARTITIONS = 5
PROMISE_S = 5.0
SLACK_S = 4.0
"""For a busy machine."""
UNIT = "keepalived-watch"
NO_RESTART = "/run/systemd/system/keepalived.service.d/zz-test.conf"
CAP_NET_RAW = 1 << 13


@pytest.fixture(scope="module", autouse=True)
def _at_rest(lab: Lab) -> None:
    """Wait until the watches are running without findings."""
    for name in BALANCERS:
        assert eventually(partial(at_rest, lab, name), within_s=WAIT_S), name


def spent(lab: Lab, name: str) -> tuple[float, float]:
    """Return the watch's CPU time, and the node's uptime."""
    pid = main_pid(lab, name)
    fields = lab.nodes[name].check_output("cat /proc/%s/stat", str(pid)).rpartition(")")[2].split()
    ticks = float(lab.nodes[name].check_output("getconf CLK_TCK"))
    uptime = lab.nodes[name].check_output("cat /proc/uptime").split()[0]
    return (int(fields[11]) + int(fields[12])) / ticks, float(uptime)


def main_pid(lab: Lab, name: str) -> int:
    return int(lab.nodes[name].check_output("systemctl show --value --property=MainPID %s", UNIT))


@pytest.mark.parametrize("name", BALANCERS)
def test_it_has_only_one_capability(lab: Lab, name: str) -> None:
    status = lab.nodes[name].check_output("cat /proc/%s/status", str(main_pid(lab, name)))
    values = dict(line.split(":", 1) for line in status.splitlines())
    assert int(values["Uid"].split()[0]) != 0
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        assert int(values[kind], 16) == CAP_NET_RAW, kind


@pytest.mark.parametrize("name", BALANCERS)
def test_metrics_of_a_healthy_pair(lab: Lab, name: str) -> None:
    holder = name == "lb01"
    assert metrics(lab, name, "haproof_vrrp_state") == [2 if holder else 1]
    assert metrics(lab, name, "haproof_vip_holder") == [holder]
    assert metrics(lab, name, "haproof_vip_answers") == [1]
    assert metrics(lab, name, "haproof_vip_released") == [0]
    (age_s,) = metrics(lab, name, "haproof_vrrp_last_advert_age_seconds")
    assert 0 <= age_s < PROMISE_S
    target = lab.nodes[name].file(lab.nodes[name].check_output("readlink --canonicalize %s", METRICS))
    assert target.mode == 0o644


def test_a_vrrp_process_that_was_killed(lab: Lab) -> None:
    """keepalived itself keeps running, so no unit fails."""
    said = journals(lab)["lb02"]
    before = metrics(lab, "lb02", "haproof_keepalived_restarts_total")[0]
    lab.nodes["lb02"].check_output("pkill --signal KILL --parent $(cat /run/keepalived.pid) --exact keepalived")
    assert said.reaches("process_restarted", ["found"]), said.lines("keepalived-watch")
    assert said.has_alerted("process_restarted", ["RAISED"])
    assert metrics(lab, "lb02", "haproof_keepalived_restarts_total") == [before + 1]
    assert metrics(lab, "lb02", "haproof_keepalived_finding") == [1]


def test_five_partitions_are_five_alarms(lab: Lab) -> None:
    said = journals(lab)
    before = metrics(lab, "lb01", "haproof_vip_conflicts_total")[0]
    start = spent(lab, "lb01")
    expected: list[str] = []
    for number in range(PARTITIONS):
        with cut(lab, "lb02"):
            expected.append("found")
            for name in BALANCERS:
                assert said[name].reaches("split_brain", expected), (name, said[name].findings())
            assert len(lab.holders()) == 2
            if number == PARTITIONS - 1:
                # An alarm survives the watch, and is not sent again.
                lab.nodes["lb02"].check_output("systemctl kill --signal=KILL %s", UNIT)
                pass_time(lab, "lb02", 3)
        expected.append("over")
        for name in BALANCERS:
            assert said[name].reaches("split_brain", expected), (name, said[name].findings())
    assert metrics(lab, "lb01", "haproof_vip_conflicts_total") == [before + PARTITIONS]
    end = spent(lab, "lb01")
    used = (end[0] - start[0]) / (end[1] - start[1])
    assert used < 0.01, f"{used:.2%} of a core"
    for name in BALANCERS:
        assert said[name].has_alerted("split_brain", ["RAISED", "CLEARED"] * PARTITIONS), said[name].alerts(
            "split_brain"
        )
    assert_within_promise(said["lb02"])
    (found, *_rest) = [finding for finding in said["lb02"].findings() if finding.kind == "split_brain"]
    assert found.vip == lab.vip
    holder_mac = lab.nodes["lb01"].check_output("cat /sys/class/net/eth1/address")
    assert f"this host, {holder_mac}" in found.text


def assert_within_promise(journal: Journal) -> None:
    """Compare the times of keepalived's transition to master and of the watch's finding, by the node's own clock."""
    masters = [at for at, text in journal.lines("keepalived") if "Entering MASTER STATE" in text]
    found = [finding.at for finding in journal.findings() if (finding.kind, finding.word) == ("split_brain", "found")]
    assert len(masters) == len(found)
    waits = [late - early for early, late in zip(masters, found)]
    assert max(waits) <= PROMISE_S + SLACK_S, waits
    assert min(waits) <= PROMISE_S, waits


@contextmanager
def orphaned(lab: Lab, kind: str) -> Iterator[None]:
    """Make keepalived leave its VIP behind on the holder: frozen, or killed and not restarted."""
    node = lab.nodes["lb01"]
    if kind == "STOP":
        try:
            node.check_output("systemctl kill --signal=STOP keepalived")
            yield
        finally:
            node.check_output("systemctl kill --signal=CONT keepalived")
        return
    try:
        node.check_output("printf '[Service]\nRestart=no\n' >%s && systemctl daemon-reload", NO_RESTART)
        # Frozen first: the VRRP process sends priority 0 when it sees its parent die.
        node.check_output("systemctl kill --signal=STOP keepalived && systemctl kill --signal=KILL keepalived")
        yield
    finally:
        node.check_output("rm -f %s && systemctl daemon-reload && systemctl start keepalived", NO_RESTART)


@pytest.mark.parametrize("kind", ["STOP", "KILL"])
def test_a_vip_that_is_left_behind(lab: Lab, kind: str) -> None:
    lab.nodes["lb01"].check_output("mkdir -p /run/systemd/system/keepalived.service.d")
    said = journals(lab)
    with orphaned(lab, kind):
        for name in BALANCERS:
            assert said[name].reaches("split_brain", ["found"]), (name, said[name].findings())
        assert said["lb02"].reaches("peer_silent", ["found"]), said["lb02"].findings()
        (silent,) = [finding for finding in said["lb02"].findings() if finding.kind == "peer_silent"]
        assert f"is up and answers for {lab.vip}, but no advert" in silent.text
    for name in BALANCERS:
        assert said[name].reaches("split_brain", ["found", "over"]), (name, said[name].findings())
    assert said["lb02"].reaches("peer_silent", ["found", "over"]), said["lb02"].findings()


def test_no_host_has_the_vip(lab: Lab) -> None:
    said = journals(lab)
    # The standby first, so that there is no takeover in between.
    with lab.stopped("lb02", "keepalived"), lab.stopped("lb01", "keepalived"):
        for name in BALANCERS:
            assert said[name].reaches("no_holder", ["found"]), (name, said[name].findings())
        for name in BALANCERS:
            assert metrics(lab, name, "haproof_vip_answers") == [0]
            assert metrics(lab, name, "haproof_vrrp_state") == [0]
    for name in BALANCERS:
        assert said[name].reaches("no_holder", ["found", "over"]), (name, said[name].findings())
        # keepalived had sent priority 0.
        assert said[name].states("peer_silent") == []


def test_harmless_events_raise_no_alarm(lab: Lab) -> None:
    said = journals(lab)
    node = lab.nodes["lb02"]
    node.check_output("systemctl restart %s", UNIT)
    # In one command, in case the test dies in between.
    node.check_output("ip link set eth1 down; ip link set eth1 up")
    with lab.stopped("lb01", "keepalived"):
        assert lab.moved_to("lb02", within_s=WAIT_S), lab.holders()
        pass_time(lab, "lb02", 3)
    assert lab.moved_to("lb01", within_s=WAIT_S), lab.holders()
    for name in BALANCERS:
        pass_time(lab, name, 3)
        assert said[name].findings() == [], name


def test_a_boot_is_no_alarm(lab: Lab) -> None:
    said = journals(lab)
    for name in BALANCERS:
        lab.nodes[name].check_output("systemctl stop keepalived %s && rm -f /run/keepalived-watch/memory.json", UNIT)
    for name in BALANCERS:
        lab.nodes[name].check_output("systemctl start %s", UNIT)
    for name in BALANCERS:
        pass_time(lab, name, 3)
        # It starts the watch, too.
        lab.nodes[name].check_output("systemctl start keepalived")
    assert lab.moved_to("lb01", within_s=WAIT_S), lab.holders()
    for name in BALANCERS:
        pass_time(lab, name, 3)
        assert said[name].findings() == [], name
