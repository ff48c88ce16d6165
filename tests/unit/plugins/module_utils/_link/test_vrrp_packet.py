# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adverts captured on the nodes, the same bytes broken in every way, and adverts built here."""

from __future__ import annotations

import hashlib
import struct

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._link.checksum import checksum
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_packet import (
    GROUPS,
    Advert,
    PacketError,
    build,
    parse,
    parse_packet,
)
from hypothesis import given
from hypothesis import strategies as st

from .wire_frames import PACKETS

ADVERTS = [name for name in PACKETS if name.startswith("vrrp")]

# The configured adverts of keepalived.
PARSE_CASES: list[tuple[str, Advert]] = [
    (
        "vrrp3_ipv4",
        Advert(3, 10, 254, 0.2, "198.18.224.11", "224.0.0.18", 255, ("198.18.224.10",), "none", True),
    ),
    (
        "vrrp3_ipv4_unicast",
        Advert(3, 55, 200, 1.0, "198.18.224.21", "198.18.224.11", 255, ("198.18.224.55",), "none", True),
    ),
    (
        "vrrp3_ipv4_unicast_goodbye",
        Advert(3, 55, 0, 1.0, "198.18.224.21", "198.18.224.11", 255, ("198.18.224.55",), "none", True),
    ),
    (
        "vrrp2_password",
        Advert(2, 51, 150, 1.0, "198.18.224.21", "224.0.0.18", 255, ("198.18.224.51", "198.18.224.52"), "pass", True),
    ),
    (
        "vrrp2_ah",
        Advert(2, 53, 100, 2.0, "198.18.224.21", "224.0.0.18", 255, ("198.18.224.53",), "ah", True),
    ),
    (
        "vrrp3_ipv6",
        Advert(3, 54, 200, 0.5, "fe80::42:c6ff:fe12:e015", "ff02::12", 255, ("fe80::54", "fd00:54::54"), "none", True),
    ),
]

# Broken VRRP packets, and the errors.
MALFORMED_CASES: list[tuple[str, bytes, str]] = [
    ("cut off in the header", PACKETS["vrrp3_ipv4"][:27], "is cut off: 27 bytes of 32"),
    ("cut off in IPv6", PACKETS["vrrp3_ipv6"][:79], "is cut off: 79 bytes of 80"),
    ("a fragment", PACKETS["vrrp3_ipv4"][:6] + b"\x20\x00" + PACKETS["vrrp3_ipv4"][8:], "is a fragment"),
    ("a header of 4 bytes", b"\x41" + PACKETS["vrrp3_ipv4"][1:], "4 of them header"),
]

PAYLOAD_CASES: list[tuple[str, bytes, str]] = [
    ("empty", b"", "has 0 bytes, a VRRP header has 8"),
    ("version 4", b"\x41" + bytes(11), "has VRRP version 4, which does not exist"),
    ("type 2", b"\x32" + bytes(11), "has VRRP type 2, which does not exist"),
    ("three addresses in the room of one", b"\x31\x0a\xfe\x03" + bytes(8), "3 addresses need 20 bytes, it has 12"),
]

adverts = st.builds(
    Advert,
    version=st.sampled_from([2, 3]),
    vrid=st.integers(0, 255),
    priority=st.integers(0, 255),
    interval_s=st.integers(0, 255).map(float),
    source=st.ip_addresses(v=4).map(str),
    destination=st.just(GROUPS[4]),
    ttl=st.just(255),
    addresses=st.lists(st.ip_addresses(v=4).map(str), max_size=20).map(tuple),
    authentication=st.just("none"),
    checksum_ok=st.just(True),
    trailer=st.just(b""),
)


@pytest.mark.parametrize(("name", "expected"), PARSE_CASES, ids=[case[0] for case in PARSE_CASES])
def test_captured_advert(name: str, expected: Advert) -> None:
    assert parse_packet(PACKETS[name]) == expected


def test_the_password_is_nowhere() -> None:
    assert b"secret42" in PACKETS["vrrp2_password"]
    advert = parse_packet(PACKETS["vrrp2_password"])
    assert "secret" not in repr(advert)
    assert b"secret42".hex() not in repr(advert)


@pytest.mark.parametrize("name", ADVERTS)
def test_one_wrong_bit_in_the_message_is_seen(name: str) -> None:
    packet = bytearray(PACKETS[name])
    # The last byte is part of the message, also after AH.
    packet[-1] ^= 1
    advert = parse_packet(bytes(packet))
    assert advert is not None
    assert not advert.checksum_ok


# What keepalived 2.4 appends with auth_hmac, by its documentation: scheme, key, zero, time, fraction, counter, digest.
SIGNATURE = struct.pack("!BBHIHH", 1, 7, 0, 1767225600, 32768, 2) + hashlib.sha256(b"any").digest()[:16]
V3 = Advert(3, 10, 254, 0.2, "192.0.2.11", "224.0.0.18", 255, ("192.0.2.10",), "none", True)
V6 = Advert(3, 10, 254, 0.2, "fe80::11", "ff02::12", 255, ("fe80::10", "2001:db8::10"), "none", True)

# Over IPv4 the checksum is older than the signature; over IPv6 the kernel computes it last.
SIGNED_CASES: list[tuple[str, bytes, Advert]] = [
    ("VRRPv3 over IPv4", build(V3) + SIGNATURE, V3),
    ("VRRPv2", build(V3._replace(version=2, interval_s=1.0)) + SIGNATURE, V3._replace(version=2, interval_s=1.0)),
    ("VRRPv3 over IPv6", build(V6._replace(trailer=SIGNATURE)), V6),
]


@pytest.mark.parametrize(
    ("payload", "advert"), [case[1:] for case in SIGNED_CASES], ids=[case[0] for case in SIGNED_CASES]
)
def test_signed_advert(payload: bytes, advert: Advert) -> None:
    assert parse(payload, advert.source, advert.destination) == advert._replace(authentication="hmac")
    broken = bytes([*payload[:2], payload[2] ^ 1, *payload[3:]])
    assert not parse(broken, advert.source, advert.destination).checksum_ok


@pytest.mark.parametrize(
    "trailer", [SIGNATURE[:-1], SIGNATURE + b"\0", b"\2" + SIGNATURE[1:], b"\1\1\0\1" + SIGNATURE[4:]]
)
def test_other_trailers_are_not_signatures(trailer: bytes) -> None:
    advert = parse(build(V3) + trailer, V3.source, V3.destination)
    assert (advert.authentication, advert.trailer, advert.checksum_ok) == ("none", trailer, False)


@pytest.mark.parametrize("name", [name for name in PACKETS if not name.startswith("vrrp")])
def test_other_packets_are_no_adverts(name: str) -> None:
    assert parse_packet(PACKETS[name]) is None


def test_no_packet_at_all_is_no_advert() -> None:
    assert parse_packet(b"") is None


@pytest.mark.parametrize(
    ("packet", "problem"), [case[1:] for case in MALFORMED_CASES], ids=[c[0] for c in MALFORMED_CASES]
)
def test_malformed_packet(packet: bytes, problem: str) -> None:
    with pytest.raises(PacketError) as caught:
        parse_packet(packet)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("payload", "problem"), [case[1:] for case in PAYLOAD_CASES], ids=[c[0] for c in PAYLOAD_CASES]
)
def test_malformed_payload(payload: bytes, problem: str) -> None:
    with pytest.raises(PacketError) as caught:
        parse(payload, "198.18.0.11", GROUPS[4])
    assert problem in str(caught.value)


def test_version_2_over_ipv6_does_not_exist() -> None:
    with pytest.raises(PacketError, match="VRRPv2 over IPv6"):
        parse(b"\x21" + bytes(19), "fe80::1", GROUPS[6])


@pytest.mark.parametrize(
    "name", [name for name in ADVERTS if name not in ("vrrp2_password", "vrrp2_goodbye", "vrrp2_ah")]
)
def test_building_gives_what_keepalived_sent(name: str) -> None:
    """Except those with authentication data, which is never kept."""
    advert = parse_packet(PACKETS[name])
    assert advert is not None
    assert PACKETS[name].endswith(build(advert))


def test_a_checksum_without_pseudo_header_is_good_for_ipv4() -> None:
    """RFC 9568 section 5.2.8."""
    head = b"\x31\x0a\xfe\x00\x00\x64"
    payload = head + checksum(head).to_bytes(2, "big")
    assert parse(payload, "198.18.0.11", GROUPS[4]).checksum_ok


@pytest.mark.parametrize(
    "change",
    [{"vrid": 256}, {"priority": -1}, {"interval_s": 700.0}, {"addresses": ("nonsense",)}, {"source": ""}],
    ids=lambda change: next(iter(change)),
)
def test_what_fits_into_no_advert_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(PacketError, match="cannot be an advert"):
        build(PARSE_CASES[0][1]._replace(**change))  # type: ignore[arg-type]  # of any field


@given(adverts)
def test_parsing_is_the_inverse_of_building(advert: Advert) -> None:
    # Version 3 counts hundredths in 12 bits.
    advert = advert._replace(interval_s=advert.interval_s / 100) if advert.version == 3 else advert
    assert parse(build(advert), advert.source, advert.destination) == advert


@given(st.binary(max_size=200))
def test_any_bytes_end_well(packet: bytes) -> None:
    for first in (packet[:1], b"\x45", b"\x60"):
        try:
            parse_packet(first + packet[1:])
        except PacketError:
            continue


@given(st.sampled_from(ADVERTS), st.data())
def test_a_captured_advert_with_changed_bytes_ends_well(name: str, data: st.DataObject) -> None:
    packet = bytearray(PACKETS[name])
    for _change in range(data.draw(st.integers(1, 8))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    packet = packet[: data.draw(st.integers(0, len(packet)))]
    try:
        parse_packet(bytes(packet))
    except PacketError as error:
        assert str(error)  # noqa: PT017 - some packets stay valid


@given(st.binary(max_size=64))
def test_any_payload_ends_well(payload: bytes) -> None:
    for source, group in (("198.18.0.11", GROUPS[4]), ("fe80::1", GROUPS[6])):
        for start in (b"", b"\x21", b"\x31"):
            try:
                parse(start + payload, source, group)
            except PacketError:
                continue
