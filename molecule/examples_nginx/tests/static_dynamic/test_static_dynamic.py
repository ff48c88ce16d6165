# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""examples/static_dynamic works as described, on nodes that ran another example before."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Iterator

import pytest

from nodes import CLIENT, apply_example, ask, eventually, servers, unchanged

if TYPE_CHECKING:
    from nodes import Answer, Lab

EXAMPLE = "static_dynamic"
# From the example.
PER_S, BURST, CONNECTIONS = 20, 40, 10
SERVERS = {"web01": 8001, "web02": 8002}
# Below the limit, so that only the tests of the limits reach it.
SLOWLY = ("--rate", "15/s")
# Each thread makes a request, and more while the file exists. A second file appears after twenty requests.
FLOOD = """
import collections, json, os, sys, threading, time, urllib.error, urllib.request

vip, path, run_file = sys.argv[1:]
threads = 16
counts = collections.Counter()
together = threading.Barrier(threads)


def flood(number):
    request = 0
    together.wait()
    while request == 0 or os.path.exists(run_file):
        request += 1
        if request == 20:
            open(run_file + ".on", "w").close()
        page = urllib.request.Request(f"http://{vip}{path}{number}-{request}", headers={"Host": "www.example.com"})
        try:
            status = urllib.request.urlopen(page, timeout=20).status
        except urllib.error.HTTPError as error:
            status = error.code
        counts[status] += 1


begin = time.monotonic()
crowd = [threading.Thread(target=flood, args=(number,)) for number in range(threads)]
for one in crowd:
    one.start()
for one in crowd:
    one.join()
print(json.dumps({"counts": counts, "elapsed_s": time.monotonic() - begin}))
"""


@pytest.fixture(scope="module", autouse=True)
def _applied(lab: Lab) -> None:
    """Apply the example, and create a static file."""
    apply_example(lab, EXAMPLE)
    for name in lab.balancers:
        lab.nodes[name].check_output("mkdir -p /srv/static && echo script >/srv/static/a.js")


@pytest.fixture(scope="module")
def page() -> str:
    """Return a prefix of paths that were never requested."""
    return f"/{uuid.uuid4()}/"


def get(lab: Lab, path: str, node: str = CLIENT, **headers: str) -> Answer:
    """Request a page from the VIP."""
    return ask(lab.nodes[node], lab.vip, path, **headers)


@contextmanager
def without_servers(lab: Lab, names: list[str]) -> Iterator[None]:
    """Stop the application on these nodes for a while."""
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(lab.stopped(name, f"stand-in@{SERVERS[name]}"))
        yield


def test_a_second_run_changes_nothing(lab: Lab) -> None:
    recap = apply_example(lab, EXAMPLE)
    assert unchanged(recap), recap


def test_nothing_of_another_example_is_left(lab: Lab) -> None:
    for name in lab.balancers:
        running = lab.nodes[name].check_output("nginx -T")
        assert "tServer" in running
        assert "web1" not in running
        assert "fifo" not in lab.nodes[name].file("/etc/keepalived/keepalived.conf").content_string
    assert get(lab, "/", host="www.example.net").status == 200


def test_servers_get_requests_by_weight(lab: Lab, page: str) -> None:
    counts = servers(lab.nodes[CLIENT], lab.vip, f"{page}weight/[1-60]", *SLOWLY)
    assert sum(counts.values()) == 60
    assert abs(counts["web01:8001"] - 40) <= 4, counts


def test_a_dead_server_is_skipped_and_returns(lab: Lab, page: str) -> None:
    (holder,) = lab.holders()
    begin = time.monotonic()
    attempts = "grep -c 'connect() failed.*:8002/' /var/log/nginx/error.log"
    before = int(lab.nodes[holder].run(attempts).stdout)
    with without_servers(lab, ["web02"]):
        assert servers(lab.nodes[CLIENT], lab.vip, f"{page}dead/[1-60]", *SLOWLY) == {"web01:8001": 60}
        # Two failures, and one more every five seconds; without the limit there would be twenty.
        tried = int(lab.nodes[holder].run(attempts).stdout) - before
        assert 2 <= tried <= 3 + (time.monotonic() - begin) / 5
    back = iter(range(1000))
    assert eventually(lambda: "web02:8002" in get(lab, f"{page}back/{next(back)}").body, within_s=20)


def test_static_files_come_from_the_balancer_and_are_cached(lab: Lab) -> None:
    with without_servers(lab, list(SERVERS)):
        answer = get(lab, "/a.js")
    assert (answer.status, answer.body) == (200, "script\n")
    assert answer.headers["cache-control"] == f"max-age={7 * 24 * 3600}"


def test_a_page_is_cached_and_survives_all_servers(lab: Lab, page: str) -> None:
    first = get(lab, f"{page}news")
    assert first.headers["x-cache"] == "MISS"
    again = get(lab, f"{page}news")
    assert again.headers["x-cache"] == "HIT"
    assert again.body == first.body
    with without_servers(lab, list(SERVERS)):
        # While it is fresh, and when it is stale.
        states = set()

        def stale() -> bool:
            answer = get(lab, f"{page}news")
            states.add(answer.headers["x-cache"])
            assert (answer.status, answer.body) == (200, first.body)
            return "STALE" in states

        assert eventually(stale, within_s=30), states


def test_without_servers_the_fallback_page_is_served(lab: Lab, page: str) -> None:
    with without_servers(lab, list(SERVERS)):
        answer = get(lab, f"{page}degraded")
        assert answer.status == 503
        assert answer.headers["retry-after"] == "30"
        assert answer.headers["content-type"] == "text/html"
        assert "try again" in answer.body
    assert eventually(lambda: get(lab, f"{page}degraded").status == 200, within_s=20)


def test_a_client_may_have_ten_connections_at_once(lab: Lab, page: str) -> None:
    said = lab.nodes[CLIENT].check_output("python3 -c %s %s %s /run/none", FLOOD, lab.vip, "/slow" + page)
    assert json.loads(said)["counts"] == {"200": CONNECTIONS, "429": 16 - CONNECTIONS}


def test_16_floods_are_limited_and_spare_other_clients(lab: Lab, page: str) -> None:
    client, run_file = lab.nodes[CLIENT], f"/run/haproof-{uuid.uuid4()}"
    command = "python3 -c %s %s %s %s >%s.part; mv %s.part %s.json"
    flood = client.backend.quote(command, FLOOD, lab.vip, f"{page}flood/", *[run_file] * 4)
    client.check_output("touch %s", run_file)
    try:
        client.check_output("setsid sh -c %s >/dev/null 2>&1 </dev/null &", flood)
        assert eventually(lambda: client.file(f"{run_file}.on").exists, within_s=40)
        others = [get(lab, f"{page}other/{number}", node="web01").status for number in range(5)]
    finally:
        client.check_output("rm %s", run_file)
    assert eventually(lambda: client.file(f"{run_file}.json").exists, within_s=40)
    seen = json.loads(client.check_output("cat %s.json", run_file))
    counts = seen["counts"]
    assert set(counts) == {"200", "429"}
    assert 1 <= counts["200"] <= BURST + 1 + PER_S * seen["elapsed_s"] + 1, seen
    assert counts["429"] > counts["200"], seen
    assert others == [200] * 5
