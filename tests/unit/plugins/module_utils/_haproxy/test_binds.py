# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a haproxy.cfg listens on, and that an address which is taken is found before haproxy tries it."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import Any, Iterator

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.daemons import DAEMONS
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.service import Service, ServiceError
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.binds import (
    Bind,
    binds,
    binds_of,
    unavailable,
)

ANY = "0.0.0.0"  # noqa: S104 # what haproxy.cfg calls *
ADDRESSES: list[tuple[str, list[str]]] = [
    (":80", ["0.0.0.0:80"]),
    ("*:80,192.0.2.1:81", ["0.0.0.0:80", "192.0.2.1:81"]),
    ("192.0.2.1:6001-6004", ["192.0.2.1:6001-6004"]),
    ("[::]:80", ["[::]:80"]),
    (":::80", ["[::]:80"]),
    ("ipv6@:80", ["[::]:80"]),
    ("ipv4@*:80", ["0.0.0.0:80"]),
    ("2001:DB8:0::1:443", ["[2001:db8::1]:443"]),
    ("lb.example.com:80", ["lb.example.com:80"]),
    ("'*:80'", ["0.0.0.0:80"]),
    ("/run/x.sock,unix@/run/y,abns@z:1,fd@3,quic4@:443,${IP}:80,*:${PORT},:", []),
]

CFG = """
frontend a
    bind :80
    bind 192.0.2.1:81 transparent
    bind
listen b
    bind *:82-83 ssl crt /etc/ssl/x.pem
peers p
    bind :84
backend c
"""


@pytest.mark.parametrize(("address", "expected"), ADDRESSES)
def test_binds(address: str, expected: list[str]) -> None:
    assert [str(bind) for bind in binds(address)] == expected


def test_binds_of_a_file() -> None:
    assert binds_of(CFG) == {Bind(ANY, 80, 80), Bind(ANY, 82, 83)}


def test_what_cannot_be_read_is_left_to_haproxy() -> None:
    assert binds_of(CFG + "    server 'a") == binds_of(CFG)


@pytest.fixture
def holder() -> Iterator[socket.socket]:
    """Listen on a port, as a server does that shares it with nobody."""
    with closing(socket.socket()) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


def test_an_address_that_is_taken(holder: socket.socket) -> None:
    port = holder.getsockname()[1]
    wanted = [Bind("127.0.0.1", port, port), Bind(ANY, port, port), Bind("localhost", port, port)]
    assert unavailable(wanted) == [
        f"0.0.0.0:{port} (Address already in use)",
        f"127.0.0.1:{port} (Address already in use)",
    ]


def test_an_address_of_another_host() -> None:
    assert unavailable([Bind("192.0.2.1", 80, 81)]) == ["192.0.2.1:80 (Cannot assign requested address)"]


def test_an_address_that_is_free_or_shared(holder: socket.socket) -> None:
    port = holder.getsockname()[1]
    holder.close()
    assert unavailable([Bind("127.0.0.1", port, port), Bind("::1", port, port)]) == []
    with closing(socket.socket()) as shared:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        shared.bind(("127.0.0.1", port))
        shared.listen()
        # As haproxy's own sockets are.
        assert unavailable([Bind(ANY, port, port)]) == []


@pytest.mark.parametrize(("pid", "refused"), [(1, True), (0, False)])
def test_only_a_running_haproxy_must_not_lose_its_listeners(holder: socket.socket, pid: int, refused: bool) -> None:
    def run(_argv: Any) -> tuple[int, str, str]:
        return 0, f"MainPID={pid}\nActiveState={'active' if pid else 'failed'}\nUnitFileState=enabled\n", ""

    service = Service(run, lambda _words: None, DAEMONS["haproxy"], "haproxy", 1.0)
    line = f"frontend a\n bind 127.0.0.1:{holder.getsockname()[1]}\n".encode()
    service.check_addresses(line, line)
    if refused:
        with pytest.raises(
            ServiceError, match=r"^haproxy cannot listen on 127\.0\.0\.1:\d+ \(Address already in use\)$"
        ):
            service.check_addresses(b"", line)
    else:
        service.check_addresses(b"", line)
