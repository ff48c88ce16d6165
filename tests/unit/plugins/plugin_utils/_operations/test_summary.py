# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The closing lines of a run of site."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.summary import (
    SiteRun,
    changes,
    lines,
    requests,
)

VIP = "198.18.0.10"


def info(state: str = "", *addresses: str) -> dict[str, Any]:
    """Return what vip_info sees, or only addresses without a state."""
    seen: dict[str, Any] = {"addresses": [{"address": address} for address in addresses]}
    if not state:
        return seen
    return {**seen, "keepalived": {"running": True}, "instances": [{"state": state, "virtual_addresses": [VIP]}]}


UNCHANGED = SiteRun(
    vips=[VIP],
    results={"lb01": {"nginx": {"changed": False}, "keepalived": {}}, "lb02": {}},
    infos={"lb01": info("", VIP), "lb02": info()},
    services={VIP: {"findings": [], "http": {"status": 200}}},
    check_mode=False,
)


HTTP, TLS, BOTH = {"80": False}, {"443": True}, {"80": False, "443": True}


@pytest.mark.parametrize(
    ("port", "ports", "url"),
    [
        (80, {}, f"http://{VIP}/"),
        (80, HTTP, f"http://{VIP}/"),
        (80, BOTH, f"http://{VIP}/"),
        (80, TLS, f"https://{VIP}/"),
        (80, {"80": True}, f"https://{VIP}:80/"),
        (443, BOTH, f"https://{VIP}/"),
        (8080, TLS, f"http://{VIP}:8080/"),
    ],
)
def test_where_to_request_the_service(port: int, ports: dict[str, bool], url: str) -> None:
    asked = {"port": port, "url": "", "validate_certs": True}
    (request,) = requests([VIP], asked, ports)
    assert (request["url"], request["validate_certs"]) == (url, False)
    assert ({200, 404} <= {*request["status"]}, 502 in request["status"]) == (True, False)
    (six,) = requests(["2001:db8::10"], asked, ports)
    assert six["url"] == url.replace(VIP, "[2001:db8::10]")


def test_the_service_is_requested_as_the_user_says() -> None:
    asked = {"port": 0, "url": "https://www.example.com/", "validate_certs": True}
    assert requests([VIP], asked, TLS) == [
        {"vip": VIP, "url": "https://www.example.com/", "status": [200], "validate_certs": True}
    ]
    assert requests([VIP], {**asked, "url": ""}, TLS) == []


def test_nothing_changed() -> None:
    assert changes(UNCHANGED) == []
    assert lines(UNCHANGED) == [f"{VIP} is on lb01", f"{VIP} answers 200", "nothing changed"]


def test_what_changed_where() -> None:
    done = {"changed": True, "reloaded": False, "restarted": False, "started": []}
    run = UNCHANGED._replace(
        results={
            "lb01": {"nginx": {**done, "reloaded": True}, "keepalived": {**done, "started": ["keepalived"]}},
            "lb02": {"haproxy": {**done, "restarted": True, "started": ["haproxy"]}, "keepalived": done},
            "web01": {"nginx": {**done, "changed": False}},
        },
        infos={"lb01": info("master", VIP), "lb02": info("backup")},
    )
    what = "lb01 nginx (reload), keepalived (start); lb02 haproxy (restart), keepalived (files)"
    assert lines(run) == [f"{VIP} is on lb01, standby lb02", f"{VIP} answers 200", f"changed: {what}"]
    assert lines(run._replace(check_mode=True))[2] == f"would change: {what}"
    assert changes(run._replace(former={"lb02": "nginx"}))[1] == (
        "lb02 haproxy (start instead of nginx), keepalived (restart)"
    )


def test_an_error_of_the_service_is_named() -> None:
    finding = f"{VIP}: http://{VIP}:80/: connection refused"
    answer: dict[str, Any] = {"findings": [finding], "http": {"status": None}, "msg": finding}
    assert lines(UNCHANGED._replace(services={VIP: answer}))[1] == finding
    answer["http"]["status"] = 502
    assert lines(UNCHANGED._replace(services={VIP: answer}))[1] == f"{VIP} answers 502, which is an error"
    unreachable = {"unreachable": True, "msg": "timed out\n"}
    assert lines(UNCHANGED._replace(services={VIP: unreachable}))[1] == f"{VIP} was not checked: timed out"
    assert lines(UNCHANGED._replace(services={}))[1] == "the service was not checked"


def test_no_holder_two_and_maintenance() -> None:
    assert lines(UNCHANGED._replace(infos={"lb01": info("fault")}))[0] == f"{VIP} is on none"
    assert (
        lines(UNCHANGED._replace(infos={"lb01": info("", VIP), "lb02": info("", VIP)}))[0] == f"{VIP} is on lb01, lb02"
    )
    resting = {**UNCHANGED.results, "lb02": {"keepalived": {"changed": False, "maintenance_since": 0.0}}}
    assert lines(UNCHANGED._replace(results=resting))[0] == f"{VIP} is on lb01; lb02 is in maintenance"
    assert lines(UNCHANGED._replace(vips=[]))[0] == "no virtual IP"
