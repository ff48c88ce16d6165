# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connections to an address, from this machine's own kernel."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._handover.sockets import (
    Connection,
    parse,
    read_connections,
)

VIP = "127.0.0.99"


def listen(stack: ExitStack, family: int, address: str) -> socket.socket:
    """Return a socket that listens, on IPv6 for both versions."""
    sock = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind((address, 0))
    sock.listen()
    return sock


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, VIP), (socket.AF_INET, ""), (socket.AF_INET6, "::")])
def test_an_established_connection_is_found_whatever_the_daemon_listens_on(family: int, address: str) -> None:
    with ExitStack() as stack:
        port = listen(stack, family, address).getsockname()[1]
        client = stack.enter_context(socket.create_connection((VIP, port)))
        peer, peer_port = client.getsockname()
        # Accepted or not.
        assert Connection(peer, peer_port, port) in read_connections(VIP)
        assert Connection(peer, peer_port, port) not in read_connections("127.0.0.98")


def test_ipv6() -> None:
    with ExitStack() as stack:
        port = listen(stack, socket.AF_INET6, "::1").getsockname()[1]
        client = stack.enter_context(socket.create_connection(("::1", port)))
        peer, peer_port, *_rest = client.getsockname()
        assert Connection(peer, peer_port, port) in read_connections("::1")


def test_one_that_the_client_has_closed_counts_until_the_daemon_closes_it() -> None:
    with ExitStack() as stack:
        server = listen(stack, socket.AF_INET, VIP)
        port = server.getsockname()[1]
        with socket.create_connection((VIP, port)) as client:
            found = Connection(client.getsockname()[0], client.getsockname()[1], port)
            accepted = stack.enter_context(server.accept()[0])
        assert found in read_connections(VIP)
        accepted.close()
        deadline = time.monotonic() + 5
        while found in read_connections(VIP):
            assert time.monotonic() < deadline


@pytest.mark.parametrize("data", [b"", b"\0" * 16, b"\xff" * 40, (100).to_bytes(4, "little") + b"\x14\0" + bytes(60)])
def test_a_truncated_answer_has_no_connection(data: bytes) -> None:
    assert list(parse(data, VIP)) == []
