# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which service still has the place of another one."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.replaced import clashing, in_place, others
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.sockets import LISTEN, Socket
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.binds import Bind

ANY = "0.0.0.0"  # noqa: S104 - as the kernel lists it


def listening(address: str, port: int = 80, inode: int = 1, state: int = LISTEN) -> Socket:
    return Socket(address, port, ANY, 0, state, inode)


@pytest.mark.parametrize(
    ("host", "address", "expected"),
    [
        (ANY, ANY, True),
        (ANY, "192.0.2.1", True),
        ("192.0.2.1", ANY, True),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::", ANY, False),
        ("::", "2001:db8::1", True),
        ("www.example.com", ANY, False),
    ],
)
def test_addresses_that_clash(host: str, address: str, expected: bool) -> None:
    assert bool(clashing([Bind(host, 80, 80)], [listening(address)])) is expected


def test_only_listening_sockets_at_the_ports_clash() -> None:
    sockets = [listening(ANY, 79), listening(ANY, 80), listening(ANY, 81, state=1), listening(ANY, 82)]
    assert clashing([Bind(ANY, 80, 81)], sockets) == [sockets[1]]


@pytest.mark.parametrize(
    ("tracked", "own", "expected"),
    [
        ((True, False), set(), True),
        ((True, True), set(), False),
        ((False, False), set(), False),
        ((False, True), {7}, True),
        ((False, False), {8}, False),
    ],
)
def test_in_place(tracked: tuple[bool, bool], own: set[int], expected: bool) -> None:
    assert in_place(tracked, [listening(ANY, inode=7)], own) is expected


def test_others() -> None:
    clash = [listening(ANY, 443, 2), listening(ANY, 80, 1), listening("::", 443, 3)]
    assert others(clash, {1}) == [443]
    assert others(clash, {1, 2, 3}) == []
