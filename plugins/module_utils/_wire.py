# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The link itself: packet and raw sockets, bounded in time and memory. What the bytes mean is decided elsewhere."""

from __future__ import annotations

import ctypes
import os
import selectors
import socket
import struct
import time
from typing import Callable, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.haproof.balancer.plugins.module_utils._neighbour import (
    mac_bytes,
    mac_text,
    question,
)
from ansible_collections.haproof.balancer.plugins.module_utils._vrrp_packet import AH, GROUPS, VRRP

ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 0x0800, 0x0806, 0x86DD
SNAP = 2048
"""Bytes of a packet that are looked at; no advert is longer."""

NOT_ALLOWED = "needs CAP_NET_RAW: use become, or connect as root"

# if.h
_IFF_UP, _IFF_LOOPBACK, _IFF_MULTICAST = 0x1, 0x8, 0x1000
_SO_ATTACH_FILTER = 26

# Handler of a packet: the bytes, the MAC address that they came from, the interface. True ends the listening.
Handler = Callable[[bytes, str, str], bool]
Instruction = Tuple[int, int, int, int]


class WireError(Exception):
    """The link cannot be used; the message says which, and why."""


class Link(NamedTuple):
    """An interface as the kernel describes it. ``carrier``: whether it can send now."""

    name: str
    number: int
    mac: str
    mtu: int
    up: bool
    carrier: bool
    multicast: bool
    loopback: bool


# Who is asked for: the link, this host's own address there (None without one), the address.
Question = Tuple[Link, Optional[str], str]
_ROUNDS = 3
MOST_PACKETS = 100_000


def read_link(name: str) -> Link:
    """Return the interface *name*. Raises WireError when there is none."""
    try:
        flags = int(_sysfs(name, "flags"), 16)
        return Link(
            name=name,
            number=socket.if_nametoindex(name),
            mac=_sysfs(name, "address"),
            mtu=int(_sysfs(name, "mtu")),
            up=bool(flags & _IFF_UP),
            # "unknown" is what drivers without a carrier say, such as some tunnels.
            carrier=_sysfs(name, "operstate") in ("up", "unknown"),
            multicast=bool(flags & _IFF_MULTICAST),
            loopback=bool(flags & _IFF_LOOPBACK),
        )
    except (OSError, ValueError) as error:
        raise WireError(f"interface {name} does not exist on this host") from error


def link_names() -> list[str]:
    """Return the names of all interfaces that can carry VRRP: those that are up, without the loopback."""
    links = [read_link(name) for _index, name in socket.if_nameindex()]
    return [link.name for link in links if link.up and not link.loopback]


def open_packets(interface: str, ethertype: int, program: Sequence[Instruction] = ()) -> socket.socket:
    """Return a socket that gets the packets of a type on an interface, without their Ethernet header.

    It sees them before any firewall does. *program* is a classic BPF filter that keeps all others out: a balancer
    carries gigabits that Python must not see. Raises WireError.
    """
    try:
        # Without a type until the filter is there: nothing else comes in meanwhile.
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        try:
            if program:
                _attach(sock, program)
            sock.bind((interface, ethertype))
            sock.setblocking(False)
        except BaseException:
            sock.close()
            raise
        return sock
    except OSError as error:
        raise _wire_error(interface, error) from error


def open_vrrp(link: Link) -> list[socket.socket]:
    """Return the sockets that get every VRRP packet that arrives on a link, firewall or not. Raises WireError.

    What this host sends itself is not among them.
    """
    opened = []
    try:
        for family, ethertype in ((4, ETH_P_IP), (6, ETH_P_IPV6)):
            opened.append(open_packets(link.name, ethertype, protocols(family, VRRP, AH)))
            opened += _join(link, family)
    except WireError:
        close(opened)
        raise
    return opened


def close(sockets: Sequence[socket.socket]) -> None:
    """Close the sockets."""
    for sock in sockets:
        sock.close()


def protocols(family: int, *numbers: int) -> list[Instruction]:
    """Return the filter that keeps the IP packets of these protocols (*family* 4 or 6)."""
    return _keep(9 if family == 4 else 6, numbers)


def advertisements() -> list[Instruction]:
    """Return the filter that keeps IPv6 neighbour advertisements."""
    # Next header 58, ICMPv6 type 136 behind the header's 40 bytes.
    return [(0x30, 0, 0, 6), (0x15, 0, 3, 58), (0x30, 0, 0, 40), (0x15, 0, 1, 136), (0x06, 0, 0, SNAP), (0x06, 0, 0, 0)]


def receive(sockets: Sequence[socket.socket], until: float, handler: Handler, limit: int) -> bool:
    """Give the packets that come in to *handler*, until ``time.monotonic()`` is *until*, or it says that it is enough.

    At most *limit* packets; return whether there were more. Raises WireError when an interface goes away.
    """
    with selectors.DefaultSelector() as selector:
        for sock in sockets:
            # Not those that are only members of a group.
            if sock.family == socket.AF_PACKET:
                selector.register(sock, selectors.EVENT_READ, sock)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return False
            for key, _events in selector.select(left):
                try:
                    packet, origin = key.data.recvfrom(SNAP)
                except BlockingIOError:
                    continue
                except OSError as error:
                    raise WireError(f"a link is gone: {error.strerror}") from error
                if handler(packet, mac_text(origin[4]), str(origin[0])):
                    return False
                limit -= 1
                if limit <= 0:
                    return True


def ask_for(questions: Sequence[Question], until: float, handler: Handler) -> None:
    """Ask on the links who has the addresses, and give every packet that may be an answer to *handler*.

    The questions go out at once, and twice more until ``time.monotonic()`` is *until*. Raises WireError.
    """
    sockets: dict[tuple[str, int], socket.socket] = {}
    try:
        for link, _own, target in questions:
            kind = ETH_P_IPV6 if ":" in target else ETH_P_ARP
            if (link.name, kind) not in sockets:
                sockets[link.name, kind] = open_packets(link.name, kind, advertisements() if ":" in target else ())
        start = time.monotonic()
        for number in range(_ROUNDS):
            for link, own, target in questions:
                kind = ETH_P_IPV6 if ":" in target else ETH_P_ARP
                packet, mac = question(target, own, link.mac)
                _send(sockets[link.name, kind], packet, (link.name, kind, 0, 0, mac_bytes(mac)))
            # An even share of the time after each round.
            receive(list(sockets.values()), start + (until - start) * (number + 1) / _ROUNDS, handler, MOST_PACKETS)
    finally:
        close(list(sockets.values()))


def _send(sock: socket.socket, packet: bytes, to: tuple[str, int, int, int, bytes]) -> None:
    try:
        sock.sendto(packet, to)
    except BlockingIOError:
        # The card's queue is full; the next round asks again.
        return
    except OSError as error:
        raise _wire_error(to[0], error) from error


def _join(link: Link, family: int) -> list[socket.socket]:
    """Join VRRP's group, without which a network card or a switch may keep its packets away."""
    index = struct.pack("@i", link.number)
    group = socket.inet_pton(socket.AF_INET if family == 4 else socket.AF_INET6, GROUPS[family])
    member = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        if family == 4:
            member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + bytes(4) + index)
        else:
            member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + index)
    except OSError:
        # An interface without this family gets nothing in it anyway.
        member.close()
        return []
    return [member]


def _keep(offset: int, values: Sequence[int]) -> list[Instruction]:
    """Return the filter that keeps packets with one of the values in the byte at *offset*."""
    tests = [(0x15, len(values) - number, 0, value) for number, value in enumerate(values)]
    return [(0x30, 0, 0, offset), *tests, (0x06, 0, 0, 0), (0x06, 0, 0, SNAP)]


def _attach(sock: socket.socket, program: Sequence[Instruction]) -> None:
    """Attach a classic BPF program (linux/filter.h: struct sock_filter, struct sock_fprog)."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code)))


def _wire_error(interface: str, error: OSError) -> WireError:
    if isinstance(error, PermissionError):
        return WireError(f"looking at the link {NOT_ALLOWED}")
    return WireError(f"interface {interface}: {error.strerror}")


def _sysfs(name: str, attribute: str) -> str:
    # A name is no path.
    path = os.path.join("/sys/class/net", os.path.basename(name), attribute)
    with open(path, encoding="ascii") as stream:
        return stream.read().strip()
