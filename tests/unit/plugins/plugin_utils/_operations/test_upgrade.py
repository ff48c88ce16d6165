# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which balancers are upgraded, in which order, and what must answer afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import Observations
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.upgrade import (
    Pending,
    UpgradeRequest,
    plan,
    requests,
    turn,
)

VIP = "198.18.0.10"
OWN = {"lb01": "198.18.0.11", "lb02": "198.18.0.12", "lb03": "198.18.0.13"}
HOSTS = list(OWN)
NGINX = {"name": "nginx", "source": "nginx", "old": "1.22", "new": "1.26"}
COMMON = {**NGINX, "name": "nginx-common"}
KEEPALIVED = {"name": "keepalived", "source": "keepalived", "old": "2.2", "new": "2.3"}
NO_STANDBY = f"lb01 must stay in service, since no other host could hold {VIP}: "
AGAIN = "Fix the cause and run ansible-playbook haproof.balancer.upgrade again"


def info(host: str, state: str = "backup", away: str | None = None) -> dict[str, Any]:
    """Return what a host reports; one that is *away* was taken out of service by this playbook."""
    held = [VIP] if state == "master" else []
    instance = {
        "name": "VI_10",
        "state": state,
        "effective_priority": 254 - HOSTS.index(host),
        "virtual_addresses": [VIP],
        "held": held,
        "tracked": [],
    }
    return {
        "addresses": [{"address": each, "prefix": 24, "family": "ipv4"} for each in (OWN[host], *held)],
        "instances": [] if away else [instance],
        "keepalived": {"running": not away},
        "maintenance_since": 0.0 if away else None,
        "maintenance_by": away,
    }


def cluster(**infos: dict[str, Any]) -> Observations:
    known = {"lb01": info("lb01", "master"), "lb02": info("lb02"), **infos}
    return Observations(known, {}, {address: {"findings": []} for address in (VIP, *OWN.values())})


def pending(*packages: dict[str, str], removed: Any = (), held: Any = (), **build: str) -> Pending:
    result = {
        "packages": packages,
        "removed": removed,
        "held": held,
        "installed": {"nginx": "1.26", "keepalived": "2.3"},
    }
    return Pending(result, bool(build), build, "nginx")


def request(*chosen: str, **changes: Any) -> UpgradeRequest:
    wanted = UpgradeRequest(chosen or ("lb01", "lb02"), {}, False, "", ("lb01", "lb02"), ("lb01", "lb02", "client"))
    return wanted._replace(**changes)


BOTH = {"lb01": pending(NGINX, COMMON, KEEPALIVED), "lb02": pending(KEEPALIVED)}


def test_virtual_ips_move_with_their_connections_if_every_host_hands_them_over() -> None:
    handing = {host: {**info(host), "handover": [{"vip": VIP, "problem": None}]} for host in HOSTS}
    assert plan(request(), cluster(**handing), BOTH, [])["keeps"]
    assert not plan(request(), cluster(**{**handing, "lb02": info("lb02")}), BOTH, [])["keeps"]


def test_the_holder_is_last() -> None:
    found = plan(request(), cluster(), BOTH, [])
    assert (found["findings"], found["order"], found["url"]) == ([], ["lb02", "lb01"], f"http://{VIP}/")
    assert found["lines"] == [
        "lb01: nginx, nginx-common 1.22 -> 1.26; keepalived 2.2 -> 2.3",
        "lb02: keepalived 2.2 -> 2.3",
    ]
    three = {**BOTH, "lb03": pending(NGINX)}
    found = plan(request(*HOSTS, balancers=HOSTS), cluster(lb03=info("lb03")), three, [])
    assert found["order"] == ["lb03", "lb02", "lb01"]
    found = plan(request(), cluster(lb01=info("lb01"), lb02=info("lb02", "master")), BOTH, [])
    assert found["order"] == ["lb01", "lb02"]


def test_nothing_moves_for_nothing() -> None:
    found = plan(request(), cluster(lb02=info("lb02", "fault")), {host: pending() for host in BOTH}, [])
    assert (found["findings"], found["order"]) == ([], [])
    assert found["lines"][0] == "lb01: nothing to upgrade (nginx 1.26; keepalived 2.3)"


def test_only_chosen_hosts() -> None:
    found = plan(request("lb02"), cluster(), BOTH, [])
    assert (found["order"], found["lines"]) == (["lb02"], ["lb02: keepalived 2.2 -> 2.3"])


def test_what_a_line_says_of_a_build_and_of_a_package_on_hold() -> None:
    built = {"lb01": pending(held=["nginx"], old="2.2.7", new="2.3.4 from source"), "lb02": pending()}
    assert plan(request(), cluster(), built, [])["lines"][0] == (
        "lb01: keepalived 2.2.7 -> 2.3.4 from source; nginx is on hold"
    )


def test_refused_without_a_standby() -> None:
    found = plan(request(), cluster(lb02=info("lb02", "fault")), BOTH, [])
    assert found["findings"] == [NO_STANDBY + "lb02: VI_10 is in FAULT: it cannot hold any VIP until this is fixed"]


def test_one_in_maintenance_is_upgraded_alone() -> None:
    resting = cluster(lb02=info("lb02", away="maintenance"))
    found = plan(request("lb02"), resting, BOTH, [])
    assert (found["findings"], found["order"]) == ([], ["lb02"])
    told = turn(request("lb02"), resting, BOTH, "lb02")
    assert (told["findings"], told["heirs"], told["resting"], told["restart"]) == ([], [], True, False)
    found = plan(request(), resting, BOTH, [])
    assert found["findings"][0].startswith(NO_STANDBY + "lb02: in maintenance since")


def test_an_interrupted_run_is_completed() -> None:
    left = cluster(lb02=info("lb02", away="upgrade"))
    waiting = {"lb01": pending(NGINX), "lb02": pending()}
    found = plan(request(), left, waiting, [])
    assert (found["findings"], found["order"]) == ([], ["lb02", "lb01"])
    assert found["lines"][1] == "lb02: completes an interrupted upgrade (nginx 1.26; keepalived 2.3)"
    told = turn(request(), left, waiting, "lb02")
    # It is not known whether the engine was restarted.
    assert (told["findings"], told["resting"], told["restart"]) == ([], False, True)
    assert told["endpoints"] == [OWN["lb02"]]
    assert told["upgraded"] == "lb02 is upgraded: an interrupted upgrade is complete"


def test_a_turn() -> None:
    told = turn(request(), cluster(), BOTH, "lb01")
    assert (told["findings"], told["heirs"], told["restart"]) == ([], [{"vip": VIP, "host": "lb02"}], True)
    assert told["upgraded"] == "lb01 is upgraded: nginx, nginx-common 1.22 -> 1.26; keepalived 2.2 -> 2.3"
    assert told["done"] == f"lb01 is out of service for its upgrade: {VIP} is on lb02 now"
    told = turn(request(), cluster(lb01=info("lb01", "fault")), BOTH, "lb02")
    assert told["findings"][0].startswith("lb02 must stay in service")


def test_what_to_run_after_a_failure() -> None:
    assert turn(request(), cluster(), BOTH, "lb01")["recover"] == (
        f"{AGAIN}, or return to the former version: ansible-playbook haproof.balancer.upgrade -e upgrade_hosts=lb01"
        " -e upgrade_versions=nginx=1.22,keepalived=2.2"
    )
    assert turn(request(system=True), cluster(), BOTH, "lb01")["recover"] == AGAIN
    broken = {"lb01": pending({**NGINX, "new": "1.22"})}
    assert turn(request(), cluster(), broken, "lb01")["recover"] == AGAIN


FINDINGS: list[tuple[UpgradeRequest, Pending, str]] = [
    (request("web01"), pending(), "upgrade_hosts: 'web01' is not a balancer: choose from lb01, lb02"),
    (
        request(versions={"nginx-common": "1"}),
        pending(),
        "upgrade_versions: 'nginx-common' is not a daemon of a balancer: choose from nginx, haproxy, keepalived",
    ),
    (
        request(versions={"nginx": "1"}, system=True),
        pending(),
        "upgrade_versions names versions, but upgrade_system installs the newest of all: set only one",
    ),
    (
        request(versions={"keepalived": "2.2"}),
        pending(old="2.2.7", new="2.3.4"),
        "upgrade_versions: lb01 builds keepalived from source: set keepalived_version and keepalived_checksum",
    ),
    (request(probe_client="nemo"), pending(), "probe_client: the inventory has no host 'nemo'"),
    (
        request(),
        pending(NGINX, removed=["libnginx-mod-lua"]),
        "lb01: the upgrade would remove libnginx-mod-lua: upgrade by hand, in maintenance",
    ),
    (
        request(system=True),
        pending(NGINX, removed=["keepalived", "libold"]),
        "lb01: the upgrade would remove keepalived: upgrade by hand, in maintenance",
    ),
]


@pytest.mark.parametrize(("asked", "wanted", "expected"), FINDINGS)
def test_findings(asked: UpgradeRequest, wanted: Pending, expected: str) -> None:
    assert plan(asked, cluster(), {"lb01": wanted, "lb02": pending()}, [])["findings"] == [expected]


def test_requests() -> None:
    http = {"url": f"http://{VIP}/", "status": [*range(200, 500)], "validate_certs": False, "vip": VIP}
    assert requests([VIP], {"port": 80, "url": "", "validate_certs": True}) == [
        http,
        {**http, "url": f"https://{VIP}:80/"},
        {**http, "url": f"https://{VIP}/"},
    ]
    told = requests(["2001:db8::10"], {"port": 8443, "url": "", "validate_certs": True})
    assert [each["url"] for each in told] == ["http://[2001:db8::10]:8443/", "https://[2001:db8::10]:8443/"]
    assert requests([VIP], {"port": 0, "url": "", "validate_certs": True}) == []
    url = "https://www.example.com/health"
    assert requests([VIP], {"port": 0, "url": url, "validate_certs": True}) == [
        {"vip": VIP, "url": url, "status": [200], "validate_certs": True}
    ]


def answers(*good: str) -> list[dict[str, Any]]:
    asked = requests([VIP, *list(OWN.values())[:2]], {"port": 80, "url": "", "validate_certs": True})
    return [{"item": item, "findings": [] if item["url"] in good else ["refused"]} for item in asked]


def urls(checks: list[dict[str, Any]]) -> list[str]:
    return [item["url"] for item in checks]


def test_what_answered_before_must_answer_again() -> None:
    seen = answers(f"http://{VIP}/", f"https://{VIP}/", "http://198.18.0.11/", "http://198.18.0.12/")
    checks = plan(request(), cluster(), BOTH, seen)["checks"]
    assert urls(checks["vips"]) == [f"http://{VIP}/", f"https://{VIP}/"]
    # TLS only on the virtual IP.
    assert (urls(checks["lb01"]), urls(checks["lb02"])) == (["http://198.18.0.11/"], ["http://198.18.0.12/"])


def test_one_that_is_broken_must_answer_like_the_others() -> None:
    seen = answers(f"http://{VIP}/", "http://198.18.0.11/")
    found = plan(request(), cluster(), BOTH, seen)
    assert urls(found["checks"]["lb02"]) == ["http://198.18.0.12/"]
    assert found["findings"] == [
        f"lb01 must stay in service, since lb02 would take {VIP} over: http://198.18.0.12/: refused"
    ]
    # The upgrade may be what mends it.
    assert plan(request("lb02"), cluster(), BOTH, seen)["findings"] == []
    left = cluster(lb02=info("lb02", away="upgrade"))
    assert plan(request(), left, BOTH, seen)["findings"] == []
    # Its user may have stopped the service.
    resting = cluster(lb02=info("lb02", away="maintenance"))
    assert plan(request("lb02"), resting, BOTH, seen)["checks"]["lb02"] == []
