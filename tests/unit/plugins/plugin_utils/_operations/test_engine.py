# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a balancer's engine can be changed."""

from __future__ import annotations

from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import Observations
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.engine import idle_variables, plan

VIP = "198.18.0.10"
OWN = {"lb01": "198.18.0.11", "lb02": "198.18.0.12"}


def info(host: str, state: str) -> dict[str, Any]:
    held = [VIP] if state == "master" else []
    instance = {
        "name": "VI_10",
        "state": state,
        "effective_priority": 254,
        "virtual_addresses": [VIP],
        "held": held,
    }
    return {
        "addresses": [{"address": address, "prefix": 24, "family": "ipv4"} for address in (OWN[host], *held)],
        "instances": [instance],
        "keepalived": {"running": True},
        "maintenance_since": None,
    }


def cluster(standby: str = "backup") -> Observations:
    infos = {"lb01": info("lb01", "master"), "lb02": info("lb02", standby)}
    return Observations(infos, {}, {address: {"findings": []} for address in (VIP, *OWN.values())})


REFUSAL = (
    f"lb01 must stay in service, since no other host could hold {VIP}: lb02: VI_10 is in FAULT: it cannot hold any VIP"
    " until this is fixed (if this is intended, set site_accepted_findings: [engine_change])"
)


def test_a_standby_takes_over() -> None:
    assert plan("lb01", cluster(), []) == {
        "findings": [],
        "heirs": [{"vip": VIP, "host": "lb02"}],
        "endpoints": [OWN["lb01"]],
    }


def test_a_holder_is_refused_without_one() -> None:
    assert plan("lb01", cluster("fault"), [])["findings"] == [REFUSAL]
    assert plan("lb01", cluster("fault"), ["engine_change"])["findings"] == []


def test_a_standby_needs_none() -> None:
    assert plan("lb02", cluster("fault"), []) == {"findings": [], "heirs": [], "endpoints": [OWN["lb02"]]}


def test_a_host_must_be_inspected() -> None:
    unknown = Observations({"lb01": {"msg": "no answer"}}, {}, {})
    assert plan("lb01", unknown, ["engine_change"])["findings"] == ["lb01: cannot be inspected: no answer"]


def test_variables_of_the_former_engine() -> None:
    names = {"lb01": ["nginx_gzip", "haproxy_stats_bind", "__nginx_plan"], "lb02": ["nginx_http", "nginx_gzip"]}
    assert idle_variables({"lb01": "nginx", "lb02": "nginx"}, names) == [
        "nginx_gzip, nginx_http no longer act on balancers, which do not run nginx"
    ]
    assert idle_variables({"lb01": "haproxy"}, {"lb01": ["nginx_gzip"]}) == []
