# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two hosts exchange probes over a wire that may lose them in any direction, or at a firewall."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_exchange import (
    HOST,
    LINK,
    Exchange,
    Peer,
    Route,
    routes_of,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_packet import GROUPS, parse
from hypothesis import given
from hypothesis import strategies as st

ONE, TWO = "198.18.0.11", "198.18.0.12"


def exchange(own: str, peer: str, target: str = GROUPS[4]) -> Exchange:
    return Exchange([Route("eth1", own, target, (Peer(peer, (peer,)),))])


def carry(sender: Exchange, receiver: Exchange, layers: tuple[str, ...] = (LINK, HOST), ahead_s: float = 0.0) -> None:
    """Let a probe of each route arrive."""
    for route in sender.routes:
        advert = parse(sender.probe(route, 1000.0 + ahead_s), route.source, route.target)
        assert advert.checksum_ok
        for layer in layers:
            receiver.take(advert, "eth1", layer, 1000.0)


def test_both_know_when_they_are_done() -> None:
    one, two = exchange(ONE, TWO), exchange(TWO, ONE)
    carry(one, two)
    assert not two.complete()
    carry(two, one)
    assert one.complete()
    assert not two.complete()
    carry(one, two)
    assert two.complete()
    assert [(entry["peer"], entry["link"], entry["host"]) for entry in one.report()] == [(TWO, True, True)]


def test_one_that_is_not_heard_knows_it_not_and_the_other_does() -> None:
    one, two = exchange(ONE, TWO), exchange(TWO, ONE)
    carry(two, one)
    carry(two, one)
    assert one.report()[0]["link"]
    assert not one.complete()
    assert not two.report()[0]["link"]


def test_a_firewall_is_told_from_the_network() -> None:
    one, two = exchange(ONE, TWO), exchange(TWO, ONE)
    carry(one, two, layers=(LINK,))
    assert (two.report()[0]["link"], two.report()[0]["host"]) == (True, False)


def test_clock() -> None:
    one, two = exchange(ONE, TWO), exchange(TWO, ONE)
    carry(one, two, ahead_s=3600.5)
    carry(one, two, ahead_s=3600.1)
    assert two.report()[0]["clock_difference_s"] == pytest.approx(3600.1)
    assert one.report()[0]["clock_difference_s"] is None


def test_multicast_and_unicast_are_two_ways() -> None:
    group, single = exchange(ONE, TWO), exchange(TWO, ONE, target=ONE)
    carry(single, group)
    assert not group.report()[0]["link"]


def test_strangers_and_adverts_are_no_probes() -> None:
    one, stranger = exchange(ONE, TWO), exchange("198.18.0.99", ONE)
    carry(stranger, one)
    advert = parse(stranger.probe(stranger.routes[0], 0.0), TWO, GROUPS[4])
    for wrong in (advert._replace(vrid=10), advert._replace(trailer=b"haproof\x01"), advert._replace(trailer=b"")):
        one.take(wrong, "eth1", LINK, 0.0)
    assert not one.report()[0]["link"]


@given(st.binary(max_size=40))
def test_any_trailer_ends_well(trailer: bytes) -> None:
    one = exchange(ONE, TWO)
    advert = parse(one.probe(one.routes[0], 0.0), TWO, GROUPS[4])
    for begin in (b"", b"haproof\x01"):
        one.take(advert._replace(trailer=begin + trailer), "eth1", LINK, 0.0)
    one.report()


ROUTE_CASES: list[tuple[str, dict[str, Any], str | None, list[tuple[str, int]]]] = [
    ("multicast", {"multicast": True, "peers": [{"name": "b", "addresses": [TWO]}]}, ONE, [(GROUPS[4], 1)]),
    ("IPv6", {"multicast": True, "peers": [{"name": "b", "addresses": ["fe80::2"]}]}, "fe80::1", [(GROUPS[6], 1)]),
    ("unicast", {"multicast": False, "peers": [{"name": "b", "addresses": [TWO, "fd00::2"]}]}, ONE, [(TWO, 1)]),
    ("no peers", {"multicast": True, "peers": []}, ONE, []),
    ("no address", {"multicast": True, "peers": [{"name": "b", "addresses": [TWO]}]}, None, []),
]


@pytest.mark.parametrize(("instance", "own", "expected"), [c[1:] for c in ROUTE_CASES], ids=[c[0] for c in ROUTE_CASES])
def test_routes(instance: dict[str, Any], own: str | None, expected: list[tuple[str, int]]) -> None:
    routes = routes_of({"interface": "eth1", **instance}, own)
    assert [(route.target, len(route.peers)) for route in routes] == expected
