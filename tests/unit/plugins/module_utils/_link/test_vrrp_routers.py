# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Captured adverts collected into routers."""

from __future__ import annotations

import struct

from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_packet import GROUPS, Advert
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_routers import MOST, Routers

from .wire_frames import PACKETS

MAC = "02:42:c6:12:e0:0b"


def test_adverts_of_one_router_are_counted() -> None:
    routers = Routers()
    routers.take(PACKETS["vrrp3_ipv4_unicast"], MAC, "eth1", 1.0)
    routers.take(PACKETS["vrrp3_ipv4_unicast_goodbye"], MAC, "eth1", 2.0)
    (router,) = routers.report(2.5)
    assert router == {
        "interface": "eth1",
        "mac": MAC,
        "source": "198.18.224.21",
        "destination": "198.18.224.11",
        "vrid": 55,
        "version": 3,
        "priority": 0,
        "interval_s": 1.0,
        "addresses": ["198.18.224.55"],
        "authentication": "none",
        "ttl": 255,
        "count": 2,
        "checksum_ok": True,
        "age_s": 0.5,
    }


def test_routers_come_in_order_and_interfaces_apart() -> None:
    routers = Routers()
    for interface in ("eth2", "eth1"):
        for name in ("vrrp2_password", "vrrp3_ipv4"):
            routers.take(PACKETS[name], MAC, interface, 0.0)
    assert [(router["interface"], router["vrid"]) for router in routers.report(0.0)] == [
        ("eth1", 10),
        ("eth1", 51),
        ("eth2", 10),
        ("eth2", 51),
    ]


def test_one_bad_checksum_is_remembered() -> None:
    routers = Routers()
    broken = PACKETS["vrrp3_ipv4"][:-1] + b"\x0b"
    for packet in (broken, PACKETS["vrrp3_ipv4"]):
        routers.take(packet, MAC, "eth1", 0.0)
    assert [router["checksum_ok"] for router in routers.report(0.0)] == [False]


def test_a_signature_damages_nothing() -> None:
    packet = PACKETS["vrrp3_ipv4"]
    # As keepalived 2.4 sends it (draft-cassen-vrrp-auth-hmac): the IP header counts the 28 bytes.
    trailer = struct.pack("!BBHIHH", 1, 7, 0, 1767225600, 32768, 2) + bytes(range(16))
    signed = packet[:2] + struct.pack("!H", len(packet) + len(trailer)) + packet[4:] + trailer
    routers = Routers()
    for each in (packet, signed):
        routers.take(each, MAC, "eth1", 0.0)
    (router,) = routers.report(0.0)
    assert (router["count"], router["checksum_ok"], router["authentication"]) == (2, True, "hmac")
    assert routers.malformed == 0


def test_broken_and_other_packets_are_no_routers() -> None:
    routers = Routers()
    routers.take(PACKETS["vrrp3_ipv4"][:25], MAC, "eth1", 0.0)
    routers.take(PACKETS["arp_reply"], MAC, "eth1", 0.0)
    assert (routers.report(0.0), routers.malformed) == ([], 1)


def test_a_flood_of_routers_is_bounded() -> None:
    routers = Routers()
    for number in range(MOST + 5):
        source = f"10.0.{number >> 8}.{number & 0xFF}"
        routers.add(Advert(3, 1, 100, 1.0, source, GROUPS[4], 255, (), "none", True), MAC, "eth1", 0.0)
    assert (len(routers.report(0.0)), routers.overflow) == (MOST, 5)
