# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a balancer may leave, which host takes its place, and whether it is back."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import Observations
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.maintenance import (
    MaintenanceRequest,
    back,
    cost,
    plan,
)

VIP = "198.18.0.10"
OWN = {"lb01": "198.18.0.11", "lb02": "198.18.0.12", "lb03": "198.18.0.13"}
STATES = {"lb01": ("master", 254), "lb02": ("backup", 253), "lb03": ("backup", 252)}
Parts = dict[str, Any]
Change = Callable[[Parts, Parts], Any]


def instance(state: str, priority: int) -> dict[str, Any]:
    return {
        "name": "VI_10",
        "state": state,
        "effective_priority": priority,
        "master_priority": None if state == "master" else 254,
        "preempt": True,
        "agrees": True,
        "virtual_addresses": [VIP],
        "held": [VIP] if state == "master" else [],
        "tracked": [{"kind": "script", "name": "answers", "weight": 0, "state": "GOOD", "failing": False}],
    }


def info(host: str) -> dict[str, Any]:
    state, priority = STATES[host]
    addresses = [OWN[host], *([VIP] if state == "master" else [])]
    return {
        "addresses": [{"address": address, "prefix": 24, "family": "ipv4"} for address in addresses],
        "instances": [instance(state, priority)],
        "keepalived": {"running": True, "version": "2.2.7"},
        "maintenance_since": None,
    }


def cluster(change: Change | None = None, hosts: int = 2) -> Observations:
    infos = {host: info(host) for host in list(OWN)[:hosts]}
    services: Parts = {address: {"findings": []} for address in (VIP, *OWN.values())}
    if change:
        change(infos, services)
    return Observations(infos, {}, services)


def request(host: str = "lb01", state: str = "on", client: str = "") -> MaintenanceRequest:
    return MaintenanceRequest(host, state, client, ["lb01", "lb02"], ["lb01", "lb02", "client"])


def stopped(info: Parts, since: float | None = None) -> None:
    info.update(instances=[], keepalived={"running": False}, maintenance_since=since)


def failing(info: Parts, state: str) -> None:
    info["instances"][0].update(state=state)
    info["instances"][0]["tracked"][0]["failing"] = True


NO_HOLDER = f"lb01 must stay in service, since no other host could hold {VIP}: "
REFUSALS: list[tuple[str, Change, str]] = [
    (
        "the standby is stopped",
        lambda infos, _services: stopped(infos["lb02"]),
        f"lb02: keepalived is not running, so it cannot take over {VIP}: start it",
    ),
    (
        "the standby is in maintenance",
        lambda infos, _services: stopped(infos["lb02"], 0),
        "lb02: in maintenance since 1970-01-01T00:00:00Z; to end it: ansible-playbook haproof.balancer.maintenance"
        " -e maintenance_host=lb02 -e maintenance_state=off",
    ),
    (
        "the standby is in FAULT",
        lambda infos, _services: failing(infos["lb02"], "fault"),
        "lb02: VI_10 is in FAULT because of script answers: it cannot hold any VIP until this is fixed",
    ),
    (
        "the standby's check fails",
        lambda infos, _services: failing(infos["lb02"], "backup"),
        "lb02: VI_10 is at priority 253 because of script answers: it may not take over",
    ),
    (
        "the standby's service is down",
        lambda _infos, services: services[OWN["lb02"]]["findings"].append("TCP port 80: connection refused"),
        f"lb02: its service does not answer, so it could not serve {VIP}: TCP port 80: connection refused",
    ),
    (
        "the standby starts",
        lambda infos, _services: infos["lb02"]["instances"][0].update(state="init"),
        "lb02: VI_10 is in state init",
    ),
    (
        "the standby has no instance",
        lambda infos, _services: infos["lb02"]["instances"].clear(),
        "lb02: it has no VRRP instance for it",
    ),
    (
        "the standby does not answer",
        lambda infos, _services: infos.update(lb02={"msg": "timed out"}),
        "lb02: cannot be inspected: timed out",
    ),
    ("there is no standby", lambda infos, _services: infos.pop("lb02"), "the run has no other balancer"),
]


@pytest.mark.parametrize(("change", "reason"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
def test_it_is_refused_when_service_would_be_lost(change: Change, reason: str) -> None:
    told = plan(request(), cluster(change))
    assert told["findings"] == [NO_HOLDER + reason]


@pytest.mark.parametrize(
    ("asked", "reasons"),
    [
        (
            request("", ""),
            [
                "maintenance_host is not set: set it to one of lb01, lb02",
                "maintenance_state is not set: set it to on or off",
            ],
        ),
        (
            request("web01", "maybe", "nemo"),
            [
                "maintenance_host 'web01' is not a balancer: set it to one of lb01, lb02",
                "maintenance_state 'maybe' is unknown: set it to on or off",
                "probe_client: the inventory has no host 'nemo'",
            ],
        ),
    ],
)
def test_invalid_variables(asked: MaintenanceRequest, reasons: list[str]) -> None:
    assert plan(asked, cluster())["findings"] == reasons


@pytest.mark.parametrize("state", ["on", "off"])
def test_an_unreachable_balancer(state: str) -> None:
    told = plan(request(state=state), cluster(lambda infos, _services: infos.update(lb01={"msg": "timed out"})))
    assert told["findings"] == ["lb01: cannot be inspected: timed out"]


def test_the_best_standby_that_is_ready_takes_over() -> None:
    told = plan(request(), cluster(hosts=3))
    assert (told["findings"], told["heirs"]) == ([], [{"vip": VIP, "host": "lb02"}])
    assert told["file"] == "/etc/systemd/system/keepalived.service.d/maintenance.conf"
    assert told["url"] == f"http://{VIP}/"
    assert told["done"] == (
        f"lb01 is in maintenance until maintenance_state=off, also over reboots and site: {VIP} is on lb02 now"
    )
    told = plan(request(), cluster(lambda infos, _services: failing(infos["lb02"], "fault"), hosts=3))
    assert told["heirs"] == [{"vip": VIP, "host": "lb03"}]


def test_a_standby_can_leave_while_the_holder_serves() -> None:
    told = plan(request("lb02"), cluster())
    assert (told["findings"], told["heirs"]) == ([], [])


def test_again() -> None:
    told = plan(request("lb02"), cluster(lambda infos, _services: stopped(infos["lb02"], 0)))
    assert (told["findings"], told["heirs"]) == ([], [])


def test_where_the_service_must_answer_before_it_comes_back() -> None:
    def leave(infos: Parts, services: Parts) -> None:
        stopped(infos["lb02"], 0)
        services[OWN["lb02"]]["findings"].append("connection refused")

    assert plan(request("lb02", "off"), cluster(leave))["endpoints"] == [OWN["lb02"]]

    def only_on_the_vip(infos: Parts, services: Parts) -> None:
        leave(infos, services)
        services[OWN["lb01"]]["findings"].append("connection refused")

    assert plan(request("lb02", "off"), cluster(only_on_the_vip))["endpoints"] == []


AWAITED: list[tuple[str, dict[str, Any], list[str]]] = [
    ("backup", {}, []),
    ("backup", {"effective_priority": 255}, [f"lb01: VI_10 has not taken {VIP} back"]),
    ("backup", {"effective_priority": 255, "preempt": False}, []),
    ("backup", {"master_priority": None}, ["lb01: VI_10 hears no master"]),
    ("master", {}, []),
    ("master", {"agrees": False}, [f"lb01: VI_10 is master without {VIP}"]),
    ("fault", {}, ["lb01: VI_10 is in state fault"]),
]


@pytest.mark.parametrize(("state", "change", "missing"), AWAITED)
def test_whether_it_is_back(state: str, change: dict[str, Any], missing: list[str]) -> None:
    seen = {**info("lb01"), "instances": [{**instance(state, 253), **change}]}
    assert back("lb01", seen)["missing"] == missing


def test_what_keeps_it_from_coming_back() -> None:
    seen = info("lb01")
    failing(seen, "fault")
    assert back("lb01", seen)["missing"] == ["lb01: VI_10 is in state fault because of script answers"]
    stopped(seen)
    assert back("lb01", seen)["missing"] == ["lb01: keepalived is not running"]
    assert back("lb01", {"msg": "timed out"})["missing"] == ["lb01: cannot be inspected: timed out"]


def test_what_it_does_when_it_is_back() -> None:
    assert back("lb01", info("lb01"))["done"] == f"lb01 is back: it holds {VIP}"
    assert back("lb02", info("lb02"))["done"] == "lb02 is back: it is a standby"


def test_what_it_cost() -> None:
    probe: dict[str, Any] = {"requests": 812, "failed": 0, "errors": {}, "outage_s": 0, "connections": None}
    assert cost("client", {**probe, "latency_s": None}) == "client: 812 requests, 0 failed, longest outage 0.000 s"
    probe["latency_s"] = {"p50": 0.001, "p99": 0.002, "max": 0.2754}
    probe.update(failed=3, errors={"timeout": 2, "refused": 1}, outage_s=0.0314)
    probe["connections"] = {"open": 10, "requests": 90, "failed": 12, "cut": 10}
    assert cost("client", probe) == (
        "client: 812 requests, 3 failed (2 timeout, 1 refused), longest outage 0.031 s, slowest answer 0.275 s; on 10"
        " kept connections 90 requests, 12 failed, 10 connections cut"
    )
