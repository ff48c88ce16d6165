# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""examples/application_servers works as described."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nodes import CLIENT, SITE, apply_example, ask, inventory_hosts, servers, unchanged

if TYPE_CHECKING:
    from nodes import Answer, Lab

EXAMPLE = "application_servers"


@pytest.fixture(scope="module", autouse=True)
def _applied(lab: Lab) -> None:
    """Apply the example, and create some static files."""
    apply_example(lab, EXAMPLE)
    for name in lab.balancers:
        lab.nodes[name].check_output("mkdir -p /srv/www/b /var/local/static")
        lab.nodes[name].check_output("echo image >/srv/www/b/a.png; echo style >/var/local/static/a.css")


def get(lab: Lab, path: str, site: str = SITE, **headers: str) -> Answer:
    """Request a page from the VIP."""
    return ask(lab.nodes[CLIENT], lab.vip, path, site, **headers)


def test_a_second_run_changes_nothing(lab: Lab) -> None:
    recap = apply_example(lab, EXAMPLE)
    assert unchanged(recap), recap


def test_servers_of_equal_weight_share_the_requests(lab: Lab) -> None:
    counts = servers(lab.nodes[CLIENT], lab.vip, "/[1-100]")
    assert set(counts) == {"web01:8080", "web02:8081"}
    assert min(counts.values()) >= 40, counts
    assert sum(counts.values()) == 100


def test_a_dead_server_costs_no_request(lab: Lab) -> None:
    with lab.stopped("web01", "stand-in@8080"):
        assert servers(lab.nodes[CLIENT], lab.vip, "/[1-50]") == {"web02:8081": 50}


def test_dynamic_pages_have_servers_of_their_own(lab: Lab) -> None:
    assert set(servers(lab.nodes[CLIENT], lab.vip, "/[1-20].php")) == {"web01:8090", "web02:8091"}


def test_servers_receive_the_client_address(lab: Lab) -> None:
    client = inventory_hosts(lab.inventory, "clients")[CLIENT]["backend_address"]
    said = get(lab, "/").body.splitlines()
    assert f"host: {SITE}" in said
    assert f"x-real-ip: {client}" in said
    assert f"x-forwarded-for: {client}" in said


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"referer": f"http://{SITE}/page"}, 200),
        ({"referer": "http://www.example.net/"}, 403),
    ],
    ids=["no page", "own page", "another site's page"],
)
def test_images_are_only_for_own_pages(lab: Lab, headers: dict[str, str], status: int) -> None:
    answer = get(lab, "/a.png", **headers)
    assert answer.status == status
    assert (answer.body == "image\n") == (status == 200)


@pytest.mark.parametrize("site", ["example.com", "www.example.net"])
def test_another_name_is_redirected(lab: Lab, site: str) -> None:
    answer = get(lab, "/a/b?c=d", site)
    assert answer.status == 301
    assert answer.headers["location"] == f"http://{SITE}/a/b?c=d"


def test_static_files_are_cached_for_a_month(lab: Lab) -> None:
    answer = get(lab, "/a.css")
    assert answer.body == "style\n"
    assert answer.headers["cache-control"] == f"max-age={30 * 24 * 3600}"
    assert "expires" in answer.headers


def test_long_text_is_compressed(lab: Lab) -> None:
    plain, compressed = get(lab, "/big/"), get(lab, "/big/", accept_encoding="gzip")
    assert compressed.headers["content-encoding"] == "gzip"
    assert len(compressed.body) < len(plain.body) / 10
    assert plain.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in get(lab, "/", accept_encoding="gzip").headers


def test_each_worker_has_its_own_core(lab: Lab) -> None:
    node = lab.nodes["lb01"]
    workers = "pgrep --full '^nginx: worker process$'"
    cores = node.check_output(f"for pid in $({workers}); do grep Cpus_allowed_list /proc/$pid/status; done")
    assert sorted(cores.split()[1::2]) == sorted(str(core) for core in range(int(node.check_output("nproc"))))


def test_the_standby_takes_over_when_nginx_stops(lab: Lab) -> None:
    with lab.stopped("lb01", "nginx"):
        assert lab.moved_to("lb02"), lab.holders()
        assert get(lab, "/").status == 200
    assert lab.moved_to("lb01"), lab.holders()


def test_200_virtual_hosts_come_without_a_failed_request(lab: Lab) -> None:
    location = {"location /": {"proxy_pass": "http://web1"}}
    sites = [{"listen": 80, "server_name": f"site{number}.example.com", **location} for number in range(200)]
    with lab.probed() as seen:
        # Only for the balancers: the backends run other servers.
        apply_example(lab, EXAMPLE, "--limit", "balancers", "--extra-vars", json.dumps({"nginx_servers": sites}))
    # Timeouts are allowed: slow answers of a busy machine prove nothing about the reload.
    assert set(seen["errors"]) <= {"timeout"}, seen
    assert seen["requests"] > 100
    for number in (0, 199):
        assert f"host: site{number}.example.com" in get(lab, "/", f"site{number}.example.com").body
