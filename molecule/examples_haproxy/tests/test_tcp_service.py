# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""examples/tcp_service works as described."""

from __future__ import annotations

import csv
import json
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Iterator

import pytest

from nodes import CLIENT, apply_example, eventually, inventory_hosts, unchanged

if TYPE_CHECKING:
    from nodes import Lab

EXAMPLE = "tcp_service"
PORTS = [25, 80, 110, 135, 139, 443, 993, 994, 995, 6001, 6002, 6003, 6004, 60000, 60001]
BESIDE = [24, 996, 6000, 6005, 59999]
STATS = 7000
# Connects from each source address to each port, sends a line, and prints the answer, "cas0:25 hello", or the error.
DIALER = """
import json, socket, sys

vip, ports, sources = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])


def dial(source, port):
    try:
        with socket.create_connection((vip, port), timeout=15, source_address=(source, 0)) as connection:
            connection.sendall(b"hello\\n")
            return connection.makefile().readline().strip()
    except OSError as error:
        return type(error).__name__


print(json.dumps({source: {port: dial(source, port) for port in ports} for source in sources}))
"""
# Talks on one connection until the file is removed, and writes the result beside it.
TALKER = """
import json, os, socket, sys, time

vip, path = sys.argv[1], sys.argv[2]
lines, names, problem = 0, set(), ""
try:
    connection = socket.create_connection((vip, 25), timeout=5)
    answers = connection.makefile()
    while not problem and (lines < 2 or os.path.exists(path)):
        connection.sendall(b"%d\\n" % lines)
        name, number = answers.readline().split()
        names.add(name)
        if int(number) != lines:
            problem = f"{number} instead of {lines}"
        lines += 1
        if lines == 2:
            open(path, "w").close()
        time.sleep(0.005)
except (OSError, ValueError) as error:
    problem = repr(error)
with open(path + ".part", "w") as file:
    json.dump({"lines": lines, "names": sorted(names), "problem": problem}, file)
os.rename(path + ".part", path + ".json")
"""


@pytest.fixture(scope="module", autouse=True)
def _applied(lab: Lab) -> None:
    """Apply the example."""
    apply_example(lab, EXAMPLE)


@pytest.fixture(scope="module")
def sources(lab: Lab) -> Iterator[list[str]]:
    """Give the client twelve addresses that are new to the balancers."""
    client, prefix = lab.nodes[CLIENT], lab.vip.rpartition(".")[0]
    addresses = [f"{prefix}.{byte}" for byte in range(100, 112)]
    for address in addresses:
        client.check_output("ip address add %s/24 dev eth1", address)
    forget(lab)
    yield addresses
    for address in addresses:
        client.check_output("ip address del %s/24 dev eth1", address)


def forget(lab: Lab) -> None:
    """Clear the stick tables, as after half an hour; entries that peers send again do not matter without clients."""
    for name in lab.balancers:
        runtime(lab, name, "clear table Exchange2010")


def runtime(lab: Lab, name: str, command: str) -> str:
    """Send a command to haproxy's socket on a balancer, and return the answer."""
    talk = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect('/run/haproxy/admin.sock'); "
    talk += "s.sendall(sys.argv[1].encode() + b'\\n'); print(s.makefile().read())"
    return str(lab.nodes[name].check_output("python3 -c %s %s", talk, command))


def dial(lab: Lab, ports: list[int], sources: list[str]) -> dict[str, dict[str, str]]:
    """Connect to the VIP from these client addresses; return the answers by source and port."""
    said = lab.nodes[CLIENT].check_output(
        "python3 -c %s %s %s %s", DIALER, lab.vip, json.dumps(ports), json.dumps(sources)
    )
    answers: dict[str, dict[str, str]] = json.loads(said)
    return answers


def servers(lab: Lab, sources: list[str]) -> dict[str, str]:
    """Return the server of each source address."""
    return {source: answers["25"].partition(":")[0] for source, answers in dial(lab, [25], sources).items()}


def statuses(lab: Lab) -> dict[str, str]:
    """Read each server's status from the statistics page of the holder."""
    (holder,) = lab.holders()
    page = lab.nodes[holder].check_output("curl --silent --fail 'http://127.0.0.1:%s/;csv'", str(STATS))
    rows = csv.DictReader(page.lstrip("# ").splitlines())
    return {row["svname"]: row["status"] for row in rows if row["svname"].startswith("CAS")}


def all_up(lab: Lab) -> bool:
    """Return whether every server is up."""
    return set(statuses(lab).values()) == {"UP"}


def client_address(lab: Lab) -> str:
    """Return the client's own address in the service network."""
    return str(inventory_hosts(lab.inventory, "clients")[CLIENT]["backend_address"])


def test_a_second_run_changes_nothing(lab: Lab) -> None:
    recap = apply_example(lab, EXAMPLE)
    assert unchanged(recap), recap


def test_every_port_and_range_answers_and_adjacent_ones_do_not(lab: Lab) -> None:
    own = client_address(lab)
    answers = dial(lab, [*PORTS, *BESIDE], [own])[own]
    ports = {port: answer.partition(":")[2] for port, answer in answers.items()}
    assert {port: ports[str(port)] for port in PORTS} == {port: f"{port} hello" for port in PORTS}
    assert {answers[str(port)] for port in BESIDE} == {"ConnectionRefusedError"}


def test_only_the_host_itself_can_reach_the_statistics(lab: Lab) -> None:
    own = client_address(lab)
    assert dial(lab, [STATS], [own]) == {own: {str(STATS): "ConnectionRefusedError"}}
    for name in lab.balancers:
        node = lab.nodes[name]
        assert "Statistics Report" in node.check_output("curl --silent --fail http://127.0.0.1:%s/", str(STATS))
        listening = node.check_output("ss --listening --tcp --numeric --no-header 'sport = :%s'", str(STATS))
        assert [line.split()[3] for line in listening.splitlines()] == [f"127.0.0.1:{STATS}"]


def test_clients_are_spread_and_stick_to_their_server(lab: Lab, sources: list[str]) -> None:
    first = servers(lab, sources)
    assert set(Counter(first.values()).values()) == {len(sources) // 3}, first
    assert set(first.values()) == set(lab.backends)
    assert servers(lab, sources) == first


def test_they_stick_across_a_failover_and_back(lab: Lab, sources: list[str]) -> None:
    first = servers(lab, sources)
    with lab.stopped("lb01", "haproxy"):
        assert lab.moved_to("lb02"), lab.holders()
        assert servers(lab, sources) == first
    assert lab.moved_to("lb01"), lab.holders()
    # It was stopped, so it has only the entries that its peer sent.
    assert eventually(lambda: "used:0" not in runtime(lab, "lb01", "show table Exchange2010"), within_s=20)
    assert servers(lab, sources) == first


def test_they_stick_across_a_reload(lab: Lab, sources: list[str]) -> None:
    first = servers(lab, sources)
    lab.nodes["lb01"].check_output("systemctl reload haproxy")
    assert servers(lab, sources) == first


def test_a_dead_server_is_skipped_and_returns(lab: Lab, sources: list[str]) -> None:
    before = servers(lab, sources)
    dead = [source for source in sources if before[source] == "cas1"]
    units = "stand-in@80 stand-in@25"
    assert eventually(lambda: all_up(lab), within_s=40)
    try:
        lab.nodes["cas1"].check_output(f"systemctl stop {units}")
        # Even before a check fails, the connection goes to another server.
        assert set(servers(lab, dead).values()) <= {"cas0", "cas2"}
        assert eventually(lambda: statuses(lab)["CAS1"] == "DOWN", within_s=40), statuses(lab)
    finally:
        lab.nodes["cas1"].check_output(f"systemctl start {units}")
    assert eventually(lambda: all_up(lab), within_s=40), statuses(lab)
    forget(lab)
    assert "cas1" in servers(lab, sources).values()


def test_a_long_connection_survives_a_change(lab: Lab) -> None:
    client, path = lab.nodes[CLIENT], f"/run/haproof-{uuid.uuid4()}"
    before = runtime(lab, "lb01", "show info").split("Pid: ")[1].split()[0]
    client.check_output("setsid python3 -c %s %s %s >/dev/null 2>&1 </dev/null &", TALKER, lab.vip, path)
    try:
        assert eventually(lambda: client.file(path).exists, within_s=20)
        apply_example(lab, EXAMPLE, "--extra-vars", json.dumps({"haproxy_stats_bind": "127.0.0.1:7001"}))
        after = runtime(lab, "lb01", "show info").split("Pid: ")[1].split()[0]
        assert after != before
    finally:
        client.run("rm -f %s", path)
    assert eventually(lambda: client.file(f"{path}.json").exists, within_s=20)
    seen = json.loads(client.check_output("cat %s", f"{path}.json"))
    assert seen["problem"] == "", seen
    assert len(seen["names"]) == 1
    assert seen["lines"] > 100, seen
