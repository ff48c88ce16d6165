# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""haproxy's behaviour with the role's variables, tested on the running pair."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator

import pytest

from keeping import check_kept_connections
from nodes import (
    BALANCERS,
    CLIENT,
    PATIENT_S,
    eventually,
    inventory_balancers,
    inventory_hosts,
    inventory_variables,
    run_playbook,
)

sys.path.insert(0, str(Path(__file__).parents[4] / "build/collections"))
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.parse import parse
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.render import render

if TYPE_CHECKING:
    from testinfra.host import Host

    from nodes import Lab

ROLE = Path(__file__).parents[2] / "role.yml"
CFG = "/etc/haproxy/haproxy.cfg"
# Sends a command to haproxy's runtime socket.
CLI = """
import socket, sys
runtime = socket.socket(socket.AF_UNIX)
runtime.connect("/run/haproxy/admin.sock")
runtime.sendall(sys.argv[1].encode() + b"\\n")
sys.stdout.write(b"".join(iter(lambda: runtime.recv(65536), b"")).decode())
"""
# Two requests over one TCP connection; the second once a file exists.
LONG = """
import os, socket, sys, time
connection = socket.create_connection((sys.argv[1], 6001), timeout=5)
def ask():
    connection.sendall(b"GET / HTTP/1.1\\r\\nHost: long\\r\\n\\r\\n")
    return connection.recv(4096).split(b"\\r\\n")[0].decode()
print(ask(), flush=True)
end = time.monotonic() + 60
while not os.path.exists("/run/long.go") and time.monotonic() < end:
    time.sleep(0.05)
print(ask(), flush=True)
"""
# A name server on a loopback port; its names with IPv4 addresses are in a file.
NAMES = """
import json, socket, struct, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    query, client = server.recvfrom(4096)
    labels, end = [], 12
    while query[end]:
        labels.append(query[end + 1 : end + 1 + query[end]].decode().lower())
        end += query[end] + 1
    with open(f"/run/names-{sys.argv[1]}.json") as stream:
        address = json.load(stream).get(".".join(labels))
    answer = b""
    if address and query[end + 1 : end + 3] == b"\\0\\1":
        answer = b"\\xc0\\x0c" + struct.pack("!HHIH", 1, 1, 0, 4) + socket.inet_aton(address)
    head = query[:2] + struct.pack("!5H", 0x8180 if address else 0x8183, 1, len(answer) // 16, 0, 0)
    server.sendto(head + query[12 : end + 5] + answer, client)
"""
RELOADS = 20
# Listens on a port like any other server.
SQUATTER = "systemd-run --quiet --collect --unit=squatter python3 -m http.server 8181"

# Every section of haproxy 2.6 to 3.0, with many of its keywords.
EVERYTHING = r"""
global
    daemon
    maxconn 100
    setenv NAME "a b"
    tune.bufsize 32768
http-errors site
    errorfile 503 /etc/haproxy/errors/gone.http
userlist ops
    group admins users ann
    user ann insecure-password 'pass word'
    user bob password $5$x$y groups admins
resolvers dns
    nameserver one 127.0.0.1:53
    parse-resolv-conf
    hold valid 10s
mailers alerts
    mailer one 127.0.0.1:25
cache pages
    total-max-size 4
    max-age 60
ring traces
    format rfc5424
    size 32768
    server log 127.0.0.1:6514 log-proto octet-count
peers pair
    bind :10001
    server lb01
    server lb02 127.0.0.1:10002
program helper
    command sleep 1
defaults tcp
    mode tcp
    timeout connect 2s
    timeout client 2s
    timeout server 2s
defaults http from tcp
    mode http
    option httplog
    no option httpclose
    compression algo gzip
frontend web from http
    bind :8001,:8002
    bind [::]:8003-8005 v6only
    bind /run/web.sock mode 600
    bind :8443 ssl crt /etc/haproxy/certs/a.pem crt /etc/haproxy/certs/b.pem alpn h2,http/1.1
    acl static path_beg /static
    acl fast src 192.0.2.0/24
    acl static path_end -i .png .jpg
    http-request set-header X-Name "it's \"%[env(NAME)]\" # %[src]" if static
    http-request track-sc0 src table rates
    http-request deny deny_status 429 if { sc_http_req_rate(0) gt 100 }
    http-request redirect scheme https code 301 unless { ssl_fc }
    http-response set-header Cache-Control max-age=60 if static
    log-format "%ci:%cp [%t] %ft %b/%s %ST '%{+Q}r'"
    use_backend static if static
    use_backend %[req.hdr(host),lower,map(/etc/haproxy/maps/hosts.map,pages)]
    stats enable
    stats uri /stats
    stats auth ann:secret
backend rates from http
    stick-table type ipv6 size 1k expire 10s store http_req_rate(10s) peers pair
backend static from http
    http-request cache-use pages
    http-response cache-store pages
    http-request return status 200 content-type text/plain lf-string "static %[path]"
backend pages from http
    balance leastconn
    cookie SERVER insert indirect nocache httponly
    option httpchk
    http-check send meth GET uri / hdr Host www
    http-check expect rstatus ^[23]
    email-alert mailers alerts
    email-alert from a@b.c
    email-alert to a@b.c
    errorfiles site
    default-server inter 1s fall 2 rise 2 maxconn 100
    server one 127.0.0.1:8101 check cookie one weight 10 slowstart 10s
    server two 127.0.0.1:8102 check backup send-proxy-v2
    server-template three 1-3 www.example.com:80 check resolvers dns init-addr none
listen tls from tcp
    bind :8006 interface lo
    tcp-request inspect-delay 2s
    tcp-request content accept if { req_ssl_hello_type 1 }
    server one 127.0.0.1:8103 check port 80 source 127.0.0.2 usesrc clientip
    balance source
    hash-type consistent
"""


def cli(node: Host, command: str) -> str:
    """Send a command to haproxy's runtime socket, and return the answer."""
    return str(node.check_output("python3 -c %s %s", CLI, command))


def states(node: Host) -> dict[str, list[str]]:
    """Return the admin state, weight and port of each server, by backend/name."""
    lines = [line.split(" ") for line in cli(node, "show servers state").splitlines()]
    return {f"{line[1]}/{line[3]}": [line[6], line[7], line[18]] for line in lines if len(line) > 20 and line[0] != "#"}


def apply_role(lab: Lab, variables: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Apply the role to lb01 with these variables on top of the inventory's."""
    return run_playbook(str(ROLE), lab.inventory, "--limit=lb01", "--extra-vars", json.dumps(variables), *arguments)


def said(play: subprocess.CompletedProcess[str]) -> str:
    """Return a play's output without line wraps."""
    return " ".join((play.stdout + play.stderr).split())


def changed(lab: Lab, name: str, **items: Any) -> dict[str, Any]:
    """Return the inventory's list ``haproxy_<name>`` with its first item changed."""
    first, *others = inventory_variables(lab.inventory)[f"haproxy_{name}"]
    return {f"haproxy_{name}": [{**first, **items}, *others]}


def address(lab: Lab, name: str) -> str:
    """Return a balancer's address in the service network."""
    return str(inventory_balancers(lab.inventory)[name]["backend_address"])


def fetch(lab: Lab, path: str = "/", *options: str, at: str = "lb01") -> str:
    """Request a page from a balancer on the client; return the body and the status."""
    client = lab.nodes[CLIENT]
    command = "curl --silent --show-error --insecure --max-time 5 --write-out ' %%{http_code}'"
    words = [f"http://{address(lab, at)}{path}" if path.startswith("/") else path, *options]
    return str(client.check_output(command + " %s" * len(words), *words))


@pytest.fixture
def node(lab: Lab) -> Host:
    return lab.nodes["lb01"]


@pytest.fixture
def restored(lab: Lab) -> Iterator[None]:
    """Always apply the inventory's variables again afterwards."""
    yield
    play = apply_role(lab, {})
    assert play.returncode == 0, play.stdout


def test_every_section_is_read_by_haproxy_as_it_is_here(node: Host) -> None:
    node.check_output("printf %%s %s >/run/a.cfg && printf %%s %s >/run/b.cfg", EVERYTHING, render(parse(EVERYTHING)))
    node.check_output("haproxy -W -c -f /run/b.cfg")
    for name in "ab":
        node.run("haproxy -dC -c -f /run/%s.cfg | grep -v '^.$' >/run/%s.words", name, name)
    assert 'it\'s "%[env(NAME)]" # %[src]' in node.file("/run/a.words").content_string
    node.check_output("diff /run/a.words /run/b.words")


def test_each_server_gets_its_weight(lab: Lab) -> None:
    bodies = Counter(fetch(lab).split()[0] for _dummy in range(16))
    # Round robin with weights 1 and 3; a new worker starts again, so allow an error of one.
    assert bodies["web02"] in (11, 12, 13), bodies


def test_a_cookie_keeps_a_client_at_its_server(lab: Lab) -> None:
    assert {fetch(lab, "/", "--cookie", "SERVER=one").split()[0] for _dummy in range(4)} == {"web01"}


def test_maps_lists_and_users_decide(lab: Lab) -> None:
    assert fetch(lab, "/", "--header", "Host: API.example.com") == "api 200"
    assert fetch(lab, "/blocked/x").endswith(" 403")
    assert fetch(lab, "/private").endswith(" 401")
    assert fetch(lab, "/private", "--user", "ann:pa55word").endswith(" 404")


def test_connections_to_backends_are_kept_and_only_repeatable_requests_retried(lab: Lab) -> None:
    check_kept_connections(lab, address(lab, "lb01"), "kept.example.com")


def test_a_certificate_for_each_name(lab: Lab) -> None:
    client = lab.nodes[CLIENT]
    for name in ("a.example.com", "b.example.com"):
        command = "curl --verbose --silent --insecure --resolve %s:443:%s https://%s/ 2>&1"
        seen = client.check_output(command, name, address(lab, "lb01"), name)
        assert f"subject: CN={name}" in seen
        assert "TLSv1.3" in seen
    refused = client.run("curl --silent --insecure --tls-max 1.1 https://%s/", address(lab, "lb01"))
    assert refused.rc == 35


def test_only_root_can_read_keys_and_the_configuration(node: Host) -> None:
    modes = node.check_output("stat --format '%%U %%a' /etc/haproxy/certs/a.pem %s", CFG).splitlines()
    assert modes == ["root 600", "root 640"]


def test_statistics_and_metrics(node: Host) -> None:
    assert "Statistics Report" in node.check_output("curl --silent http://127.0.0.1:8404/")
    assert "haproxy_process_uptime_seconds" in node.check_output("curl --silent http://127.0.0.1:8404/metrics")


def test_failed_requests_are_in_the_journal(lab: Lab, node: Host) -> None:
    name = f"from-a-test-{time.monotonic_ns()}"
    fetch(lab, f"/good-{name}")
    fetch(lab, f"/blocked-{name}")
    journal = "journalctl --quiet --output=cat -n 200 --unit=haproxy"
    assert eventually(lambda: f'"GET /blocked-{name} HTTP/1.1"' in node.check_output(journal), 5)
    assert f"/good-{name}" not in node.check_output(journal)


def test_a_client_sticks_to_its_server_across_the_pair(lab: Lab) -> None:
    client = lab.nodes[CLIENT]
    server = client.check_output("curl --silent http://%s:6001/", address(lab, "lb01"))

    def learned() -> bool:
        return "server_key=" in cli(lab.nodes["lb02"], "show table mail")

    assert eventually(learned, 10), cli(lab.nodes["lb02"], "show peers")
    # All ports of the ranges, also on the other balancer.
    for port in range(6001, 6005):
        for name in BALANCERS:
            assert client.check_output("curl --silent http://%s:%s/", address(lab, name), str(port)) == server


def test_confined_and_with_files_for_all_connections(node: Host) -> None:
    score = re.search(r"level for haproxy.service: ([\d.]+)", node.check_output("systemd-analyze security haproxy"))
    assert score
    assert float(score[1]) < 4
    assert node.check_output("systemctl show --property=LimitNOFILE --value haproxy") == "524288"


def test_reloads_cost_no_request_and_no_connection(lab: Lab, node: Host) -> None:
    client = lab.nodes[CLIENT]
    master = node.check_output("systemctl show --property=MainPID --value haproxy")
    reloads = "journalctl --quiet --output=cat --unit=haproxy | grep --count 'Loading success'"
    before = int(node.check_output(reloads))
    client.check_output("rm -f /run/long.go; setsid python3 -c %s %s >/run/long 2>&1 </dev/null &", LONG, lab.vip)
    assert eventually(lambda: client.file("/run/long").content_string.count("200 OK") == 1, 5)
    assert lab.holds("lb01")

    with lab.probed(timeout_s=PATIENT_S) as seen:
        node.check_output("for i in $(seq %s); do systemctl reload haproxy || exit; done", str(RELOADS))
    client.check_output("touch /run/long.go")

    assert eventually(lambda: int(node.check_output(reloads)) >= before + RELOADS, 10)
    assert seen["failed"] == 0, json.dumps(seen)
    assert seen["requests"] > 100, seen
    assert eventually(lambda: client.file("/run/long").content_string.count("200 OK") == 2, 5)
    assert node.check_output("systemctl show --property=MainPID --value haproxy") == master


def test_maintenance_survives_a_change_and_a_new_port_counts(lab: Lab, node: Host) -> None:
    cli(node, "set server backends/web02 state maint")
    cli(node, "set server backends/web01 weight 7")
    before = states(node)
    backend = inventory_variables(lab.inventory)["haproxy_backends"][0]
    servers = [backend["server"][0], {**backend["server"][1], "address": "127.0.0.1:8180", "weight": 2}]

    play = apply_role(lab, changed(lab, "backends", server=servers))

    assert play.returncode == 0, play.stdout
    assert before["backends/web02"] == ["1", "3", "80"]
    assert states(node)["backends/web02"] == ["1", "2", "8180"]
    assert states(node)["backends/web01"] == ["0", "7", "80"]
    cli(node, "set server backends/web02 state ready")
    cli(node, "set server backends/web01 weight 1")


def test_a_changed_map_is_reloaded_and_check_mode_predicts_it(lab: Lab, node: Host) -> None:
    master = node.check_output("systemctl show --property=MainPID --value haproxy")
    files = changed(lab, "files", content="new.example.com api\n")
    *files["haproxy_files"], gone = files["haproxy_files"]

    foreseen = apply_role(lab, files, "--check", "--diff", "-v")

    assert foreseen.returncode == 0, foreseen.stdout
    assert "+new.example.com api" in foreseen.stdout
    assert "(secret content)" in foreseen.stdout
    assert "PRIVATE KEY" not in foreseen.stdout + foreseen.stderr
    assert "pa55word" not in foreseen.stdout + foreseen.stderr
    assert fetch(lab, "/", "--header", "Host: api.example.com") == "api 200"

    real = apply_role(lab, files)

    assert real.returncode == 0, real.stdout
    assert fetch(lab, "/", "--header", "Host: new.example.com") == "api 200"
    assert fetch(lab, "/", "--header", "Host: api.example.com") != "api 200"
    assert not node.file(gone["dest"]).exists
    assert node.check_output("systemctl show --property=MainPID --value haproxy") == master


@pytest.mark.usefixtures("restored")
def test_files_taken_out_of_the_variables_are_removed(lab: Lab, node: Host) -> None:
    assert apply_role(lab, {"haproxy_listens": []}).returncode == 0
    assert not node.socket("tcp://0.0.0.0:6001").is_listening
    assert "listen mail" not in node.file(CFG).content_string


BAD: list[tuple[str, dict[str, Any], str]] = [
    (
        "a port of another process",
        {"bind": ["*:80", "*:8181"]},
        "haproxy cannot listen on 0.0.0.0:8181 (Address already in use); all changes were rolled back",
    ),
    ("an unknown keyword", {"binds": ":81"}, "unknown keyword 'binds' in 'frontend' section"),
    (
        "a backend that is not there",
        {"default_backend": "wbe"},
        "lb01: haproxy_frontends[0] (http).default_backend: backend or listen 'wbe' is not defined; defined are: api, "
        "backends, empty, kept, mail",
    ),
]


@pytest.fixture(scope="module")
def squatter(lab: Lab) -> Iterator[None]:
    node = lab.nodes["lb01"]
    node.check_output(SQUATTER)
    assert eventually(lambda: node.socket("tcp://0.0.0.0:8181").is_listening, 10)
    yield
    node.check_output("systemctl stop squatter")


@pytest.mark.usefixtures("squatter")
def test_bad_input_is_named_and_costs_no_request(lab: Lab, node: Host) -> None:
    sums = "sha256sum /etc/haproxy/*.cfg /etc/haproxy/*/*"
    before = node.check_output(sums)
    with lab.probed(timeout_s=PATIENT_S) as seen:
        for name, frontend, message in BAD:
            play = apply_role(lab, changed(lab, "frontends", **frontend))
            assert play.returncode != 0, name
            assert message in said(play), (name, said(play))
    assert seen["failed"] == 0, json.dumps(seen)
    assert node.check_output(sums) == before


class Resolvers:
    """Name servers on a node: for its C library, and for haproxy's own resolvers."""

    LIBRARY, OWN = "53", "5353"

    def __init__(self, node: Host) -> None:
        self._node = node

    def say(self, port: str, **names: str) -> None:
        """Set the names, under ``lab``, of the name server on this port."""
        records = {f"{name}.lab": address for name, address in names.items()}
        self._node.check_output(
            "printf %%s %s >/run/names.new && mv /run/names.new %s", json.dumps(records), self._file(port)
        )

    def start(self, port: str) -> None:
        """Start a name server without names."""
        self.say(port)
        run = "systemd-run --quiet --collect --unit=names-%s python3 -c %s %s"
        self._node.check_output(run, port, NAMES, port)
        assert eventually(lambda: self._node.socket(f"udp://127.0.0.1:{port}").is_listening, 10)

    def stop(self, port: str) -> None:
        """Stop a name server: queries are refused."""
        self._node.run("systemctl stop names-%s", port)

    @staticmethod
    def _file(port: str) -> str:
        return f"/run/names-{port}.json"


@pytest.fixture
def resolvers(node: Host) -> Iterator[Resolvers]:
    """Make the node use only its own name server."""
    names = Resolvers(node)
    # Docker mounts this file, so it cannot be replaced.
    node.check_output("cp /etc/resolv.conf /run/resolv.conf && echo nameserver 127.0.0.1 >/etc/resolv.conf")
    names.start(names.LIBRARY)
    names.start(names.OWN)
    yield names
    for port in (names.LIBRARY, names.OWN):
        names.stop(port)
    node.check_output("cp /run/resolv.conf /etc/resolv.conf")


def servers_by_name(lab: Lab, address: str) -> dict[str, Any]:
    """Return the variables that add servers by name: one of the C library's, one of haproxy's own, one of neither."""
    own = {"nameserver": "own 127.0.0.1:5353", "timeout": {"resolve": "200ms", "retry": "200ms"}, "hold": "valid 200ms"}
    variables = inventory_variables(lab.inventory)
    named = {"name": "named", "bind": "*:6010", "server": [f"one {address}", "two gone.lab:80 check"]}
    moving = {"name": "moving", "bind": "*:6011", "server": "one moving.lab:80 check resolvers own"}
    lost = {"name": "lost", "from": "tcp", "bind": "*:6012", "server": "one gone.lab:80"}
    return {
        "haproxy_sections": {**variables["haproxy_sections"], "resolvers own": own},
        "haproxy_listens": [*variables["haproxy_listens"], named, moving, lost],
    }


@pytest.mark.usefixtures("restored")
def test_names_are_looked_up_at_each_reload(lab: Lab, node: Host, resolvers: Resolvers) -> None:
    web = [str(inventory_hosts(lab.inventory, "backends")[name]["backend_address"]) for name in ("web01", "web02")]

    def served(port: str, by: str) -> bool:
        request = lab.nodes[CLIENT].run
        url = f"http://{address(lab, 'lb01')}:{port}/"
        return eventually(lambda: request("curl --silent --max-time 2 %s", url).stdout.strip() == by, 10)

    resolvers.say(resolvers.LIBRARY, first=web[0], second=web[1], moving=web[1])
    resolvers.say(resolvers.OWN, moving=web[0])
    play = apply_role(lab, servers_by_name(lab, "first.lab:80 check weight 5"))
    assert play.returncode == 0, said(play)
    assert "could not resolve address 'gone.lab', disabling server" in said(play)
    assert served("6010", "web01")
    assert served("6011", "web01")
    cli(node, "set server named/one weight 7")
    cli(node, "set server named/two state maint")

    # New addresses for the same names.
    resolvers.say(resolvers.LIBRARY, first=web[1], second=web[0], gone=web[1], moving=web[1])
    node.check_output("systemctl reload haproxy")
    assert served("6010", "web02")
    assert states(node)["named/one"] == ["0", "7", "80"]
    assert states(node)["named/two"][0] == "1"
    # Names resolved by haproxy itself keep their address, whatever the library returns.
    assert f" moving 1 one {web[0]} " in cli(node, "show servers state moving")
    resolvers.say(resolvers.OWN, moving=web[1])
    assert served("6011", "web02")

    # No answer: haproxy keeps the last address.
    resolvers.stop(resolvers.LIBRARY)
    resolvers.stop(resolvers.OWN)
    node.check_output("systemctl reload haproxy")
    assert served("6010", "web02")
    assert served("6011", "web02")
    resolvers.start(resolvers.LIBRARY)

    # A new name.
    resolvers.say(resolvers.LIBRARY, first=web[1], second=web[0])
    play = apply_role(lab, servers_by_name(lab, "second.lab:80 check weight 5"))
    assert play.returncode == 0, said(play)
    assert served("6010", "web01")
    assert states(node)["named/one"] == ["0", "7", "80"]

    # After a boot without DNS it starts, and uses the servers with an address.
    resolvers.stop(resolvers.LIBRARY)
    node.check_output("systemctl restart haproxy")
    assert eventually(lambda: fetch(lab).endswith(" 200"), 10)
    assert states(node)["named/one"][0] == "32"


def test_a_start_resets_server_states(lab: Lab, node: Host) -> None:
    cli(node, "set server backends/web01 state maint")
    node.check_output("systemctl reload haproxy")
    assert eventually(lambda: states(node)["backends/web01"][0] == "1", 5)
    node.check_output("systemctl restart haproxy")
    assert eventually(lambda: states(node)["backends/web01"][0] == "0", 5)
    assert not node.file("/run/haproxy-state/servers").exists
    assert eventually(lambda: fetch(lab).endswith(" 200"), 5)
