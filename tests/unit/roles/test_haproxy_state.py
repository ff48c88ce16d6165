# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers keep their state across a reload, but never an outdated port, TLS setting or address."""

from __future__ import annotations

import importlib.util
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).resolve().parents[3] / "roles" / "haproxy" / "files" / "state.py"
spec = importlib.util.spec_from_file_location("haproxy_state", PATH)
assert spec
assert spec.loader
state = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = state
spec.loader.exec_module(state)

CONFIG = """
defaults
    default-server check
frontend web
    bind :80
    server none 192.0.2.9:9
backend pages from http
    server a 192.0.2.1:8080 check ssl verify none
    server "b" [2001:db8::1]:80
    server c 192.0.2.3 check port 25
    server d 192.0.2.4:+10
    server e 192.0.2.5:${PORT}
    server-template t 1-3 www.example.com:443 check
listen mail
    server a 2001:db8::2:25
peers p
    server x 192.0.2.1:1
"""

# show servers state of haproxy 3.0: a is in maintenance, and its port was 80.
TAIL = "1 1 1 19 6 3 2 6 0 0 0 -"
STATES = f"""\
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
5 pages 1 a 192.0.2.1 0 {TAIL} 80 - 0 0 - - 0
5 pages 2 d 192.0.2.4 2 {TAIL} 0 - 0 0 - - 0
5 pages 3 t2 192.0.2.7 2 {TAIL} 80 - 1 0 - - 0
5 pages 4 gone 192.0.2.8 2 {TAIL} 80 - 0 0 - - 0
6 mail 1 a 2001:db8::2 2 {TAIL} 25 - 0 0 - - 0

"""


def test_servers_of_the_configuration() -> None:
    assert state.configured(CONFIG) == {
        ("pages", "a"): state.Server("8080"),
        ("pages", "b"): state.Server("80"),
        ("pages", "c"): state.Server("0"),
        ("pages", "t*"): state.Server("443", "www.example.com"),
        ("mail", "a"): state.Server("25"),
    }


FOLLOWING = """
defaults
    mode http
backend a
    server s www.example.com:80
    default-server resolvers dns
    server t www.example.com
    server u 192.0.2.1:80
    server-template v 2 _http._tcp.example.com
listen b
    server s ipv4@www.example.com:80 resolvers dns check
ring traces
    server s log.example.com:514
defaults dns
    default-server inter 1s resolvers dns
defaults slow from dns
    timeout client 1h
frontend f
    bind :80
backend c
    server s www.example.com:80
backend d from dns
    server s www.example.com:80
defaults
    mode tcp
backend e
    server s www.example.com:80
"""


def test_who_follows_a_name() -> None:
    follows = {"".join(key): server.follows for key, server in state.configured(FOLLOWING).items() if server.name}
    assert follows == {"as": False, "at": True, "av*": True, "bs": True, "cs": True, "ds": True, "es": False}


def test_the_configuration_wins() -> None:
    version, columns, *servers = state.kept(STATES.strip(), state.configured(CONFIG), set())
    assert (version, columns[0]) == ("1", "#")
    assert servers == [
        f"5 pages 1 a 192.0.2.1 0 {TAIL} 8080 -",
        f"5 pages 3 t2 - 2 {TAIL} 443 -",
        f"6 mail 1 a 2001:db8::2 2 {TAIL} 25 -",
    ]


# The server, the names that resolve, changes to the former line; then address, operation, admin state and port.
CARRIED: list[tuple[Any, set[str], dict[int, str], list[str]]] = [
    (state.Server("80"), set(), {state.NAME: "-"}, ["192.0.2.1", "2", "0", "80"]),
    (state.Server("80", "web.lab"), {"web.lab"}, {}, ["-", "2", "0", "80"]),
    # Its name server does not answer, and the old address is better than none.
    (state.Server("80", "Web.lab"), set(), {}, ["192.0.2.1", "2", "0", "80"]),
    (state.Server("80", "new.lab"), set(), {}, ["-", "2", "0", "80"]),
    (state.Server("80", "new.lab"), set(), {state.NAME: "-"}, ["-", "2", "0", "80"]),
    # haproxy resolves it at run time, which the host's own resolver may not be able to.
    (state.Server("80", "web.lab", True), {"web.lab"}, {}, ["192.0.2.1", "2", "0", "80"]),
    (state.Server("80", "new.lab", True), set(), {}, ["-", "2", "0", "80"]),
    (state.Server("0", "_a._tcp.lab", True), set(), {state.RECORD: "_a._tcp.lab"}, ["192.0.2.1", "2", "0", "8080"]),
    (state.Server("0", "_b._tcp.lab", True), set(), {state.RECORD: "_a._tcp.lab"}, ["-", "2", "0", "0"]),
    # It was stopped without an address: with one it works again, unless it is also in maintenance.
    (state.Server("80", "web.lab"), {"web.lab"}, {5: "0", 6: "32"}, ["-", "2", "0", "80"]),
    (state.Server("80", "web.lab"), {"web.lab"}, {5: "0", 6: "40"}, ["-", "2", "8", "80"]),
    (state.Server("80", "web.lab"), {"web.lab"}, {5: "0", 6: "33"}, ["-", "0", "1", "80"]),
    (state.Server("80", "web.lab"), {"web.lab"}, {5: "0", 6: "1"}, ["-", "0", "1", "80"]),
]


@pytest.mark.parametrize(("server", "known", "changes", "expected"), CARRIED)
def test_what_a_server_carries_over(server: Any, known: set[str], changes: dict[int, str], expected: list[str]) -> None:
    line = "5 pages 1 a 192.0.2.1 2 0 1 1 19 6 3 2 6 0 0 0 web.lab 8080 -"
    fields = [changes.get(index, field) for index, field in enumerate(line.split(" "))]
    new = state.carried(fields, server, known)
    changed = (state.ADDRESS, state.OPERATION, state.ADMIN, state.PORT)
    assert [new[index] for index in changed] == expected
    assert [field for index, field in enumerate(new) if index not in changed] == [
        field for index, field in enumerate(fields) if index not in changed
    ]


def test_names_are_looked_up_at_once_and_none_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def look_up(name: str, _port: None) -> None:
        if name.startswith("slow"):
            released.wait(10)
        elif name == "gone.lab":
            raise socket.gaierror

    monkeypatch.setattr(state.socket, "getaddrinfo", look_up)
    begin = time.monotonic()
    try:
        assert state.resolvable(["slow1", "gone.lab", "web.lab", "slow2"], 0.1) == {"web.lab"}
    finally:
        released.set()
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("missing", ["config", "socket"])
def test_a_failure_leaves_no_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    config, old = tmp_path / "haproxy.cfg", tmp_path / "servers"
    old.write_text("1\n")
    if missing != "config":
        config.write_text(CONFIG)
    monkeypatch.setattr("sys.argv", ["state", str(config), str(tmp_path / "socket"), str(old)])
    with pytest.raises(OSError, match="No such file"):
        state.main()
    assert not old.exists()
