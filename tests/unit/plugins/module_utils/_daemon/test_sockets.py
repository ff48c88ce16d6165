# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The peers connected to a service."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.sockets import LISTEN, Socket, parse_tcp, served

# From a balancer: nginx and sshd listen on all addresses; one client is connected, another was.
TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0
   1: 0A8112C6:0050 1F8112C6:9C40 01 00000000:00000000 00:00000000 00000000    33        0 12 1 0 20 4 30 10 -1
   2: 0A8112C6:0050 208112C6:9C41 06 00000000:00000000 03:00001A0B 00000000     0        0 0 3 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 13 1 0 100
   1: B80D0120000000000000000001000000:0050 B80D0120000000000000000002000000:9C40 01 0:0 00:0 0 0 0 14 1 0 20
   2: 0000000000000000FFFF00000A8112C6:0050 0000000000000000FFFF00001F8112C6:9C42 01 0:0 00:0 0 0 0 15 1 0 20
"""


def test_parse() -> None:
    assert parse_tcp(TCP) == [
        Socket("0.0.0.0", 80, "0.0.0.0", 0, LISTEN, 11),  # noqa: S104 - as the kernel lists it
        Socket("198.18.129.10", 80, "198.18.129.31", 40000, 1, 12),
        Socket("198.18.129.10", 80, "198.18.129.32", 40001, 6, 0),
    ]
    assert [(one.address, one.peer) for one in parse_tcp(TCP6)] == [
        ("::", "::"),
        ("2001:db8::1", "2001:db8::2"),
        ("198.18.129.10", "198.18.129.31"),
    ]


def test_parse_what_this_kernel_says() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        found = parse_tcp(Path("/proc/net/tcp").read_text())
        port = server.getsockname()[1]
        assert ("127.0.0.1", port, LISTEN) in [(one.address, one.port, one.state) for one in found]
        connection, _peer = server.accept()
        with connection:
            own = {int(Path(f"/proc/self/fd/{one.fileno()}").readlink().name[8:-1]) for one in (server, connection)}
            found = parse_tcp(Path("/proc/net/tcp").read_text())
            assert served(found, own, "127.0.0.1", port) == ["127.0.0.1"]
            assert client.getsockname()[0] == "127.0.0.1"


ANY = "0.0.0.0"  # noqa: S104 - as the kernel lists it
LISTENS = Socket(ANY, 80, ANY, 0, LISTEN, 1)
OTHER = Socket("192.0.2.1", 80, ANY, 0, LISTEN, 7)
# The sockets, and the peers of the service with the inodes 1, 2 and 3, at 192.0.2.1 port 80.
CASES: list[tuple[str, list[Socket], list[str]]] = [
    ("nobody", [LISTENS], []),
    ("connected", [LISTENS, Socket("192.0.2.1", 80, "192.0.2.9", 40000, 1, 2)], ["192.0.2.9"]),
    ("was connected", [LISTENS, Socket("192.0.2.1", 80, "192.0.2.9", 40000, 6, 0)], ["192.0.2.9"]),
    ("to another address", [LISTENS, Socket("192.0.2.2", 80, "192.0.2.9", 40000, 1, 2)], []),
    ("to another port", [LISTENS, Socket("192.0.2.1", 81, "192.0.2.9", 40000, 1, 2)], []),
    ("to another program", [LISTENS, OTHER, Socket("192.0.2.1", 80, "192.0.2.9", 40000, 1, 8)], []),
    ("was connected to another program", [LISTENS, OTHER, Socket("192.0.2.1", 80, "192.0.2.9", 40000, 6, 0)], []),
    ("its own towards others", [Socket("192.0.2.1", 80, "192.0.2.9", 40000, 1, 2)], []),
]


@pytest.mark.parametrize(("sockets", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_served(sockets: list[Socket], expected: list[str]) -> None:
    assert served(sockets, {1, 2, 3}, "192.0.2.1", 80) == expected


def test_a_connection_that_had_ended_before_is_none() -> None:
    """The kernel lists it for a minute, while its peer may use another host."""
    before = Socket("192.0.2.1", 80, "192.0.2.9", 40000, 6, 0)
    since = before._replace(peer_port=40001)
    open_all_the_time = before._replace(peer="192.0.2.8", state=1, inode=2)
    found = [LISTENS, before, open_all_the_time]
    assert served(found, {1, 2, 3}, ended=found) == ["192.0.2.8"]
    assert served([*found, since], {1, 2, 3}, ended=found) == ["192.0.2.8", "192.0.2.9"]
