# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Packet and raw sockets on a link, bounded in time and memory. Other modules interpret the bytes."""

from __future__ import annotations

import ctypes
import os
import selectors
import socket
import struct
import time
from typing import Any, Callable, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.haproof.balancer.plugins.module_utils._link.neighbour import (
    Claim,
    mac_bytes,
    mac_text,
    parse_claim,
    question,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_packet import AH, GROUPS, TTL, VRRP

ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 0x0800, 0x0806, 0x86DD
SNAP = 2048
"""Bytes read of a packet; no advert is longer."""

NOT_ALLOWED = "needs CAP_NET_RAW: use become, or connect as root"

# if.h
_IFF_UP, _IFF_LOOPBACK, _IFF_MULTICAST = 0x1, 0x8, 0x1000
_SO_ATTACH_FILTER = 26

# As returned by recvfrom(): interface, type, kind, hardware type, hardware address for a packet socket.
Origin = Tuple[Any, ...]
# Takes a packet and its origin; returns True to stop listening.
Handler = Callable[[bytes, Origin], bool]
Instruction = Tuple[int, int, int, int]


class WireError(Exception):
    """A link cannot be used; the message names it, and the reason."""


class Link(NamedTuple):
    """An interface as described by the kernel. ``carrier``: whether it can send now."""

    name: str
    number: int
    mac: str
    mtu: int
    up: bool
    carrier: bool
    multicast: bool
    loopback: bool


# A question: the link, this host's own address there (None without one), the address to ask for.
Question = Tuple[Link, Optional[str], str]
_ROUNDS = 3
MOST_PACKETS = 100_000


def read_link(name: str) -> Link:
    """Return the interface *name*. Raises WireError if there is none."""
    try:
        flags = int(_sysfs(name, "flags"), 16)
        return Link(
            name=name,
            number=socket.if_nametoindex(name),
            mac=_sysfs(name, "address"),
            mtu=int(_sysfs(name, "mtu")),
            up=bool(flags & _IFF_UP),
            # Drivers without a carrier, such as some tunnels, report "unknown".
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


def own_macs() -> list[str]:
    """Return the MAC addresses of this host's interfaces, except those of virtual routers (RFC 9568 section 7.3)."""
    macs = {read_link(name).mac for _index, name in socket.if_nameindex()}
    return sorted(mac for mac in macs if not mac.startswith("00:00:5e:00:0") and mac != "00:00:00:00:00:00")


def open_packets(interface: str, ethertype: int, program: Sequence[Instruction] = ()) -> socket.socket:
    """Return a socket that receives packets of one type on an interface, without their Ethernet header.

    It sees them before any firewall does. *program* is a classic BPF filter that drops all others: a balancer
    carries gigabits, too much for Python. Raises WireError.
    """
    try:
        # Without a type until the filter is attached, so that no other packet comes in meanwhile.
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
        raise wire_error(interface, error) from error


class Listener:
    """Receives every VRRP packet that arrives on a link, firewall or not, except this host's own.

    ``handlers`` are for :func:`receive`. Raises WireError.
    """

    def __init__(self, link: Link, handler: Handler) -> None:
        self._members: list[socket.socket] = []
        self.handlers: dict[socket.socket, Handler] = {}
        try:
            for family, ethertype in ((4, ETH_P_IP), (6, ETH_P_IPV6)):
                self.handlers[open_packets(link.name, ethertype, protocols(family, VRRP, AH))] = handler
                self._members += _join(link, family)
        except WireError:
            self.close()
            raise

    def close(self) -> None:
        """Close the sockets, and leave the groups."""
        close([*self.handlers, *self._members])


def close(sockets: Sequence[socket.socket]) -> None:
    """Close the sockets."""
    for sock in sockets:
        sock.close()


class Raw:
    """Sends and receives VRRP as a router does: through this host's own firewall, in both directions.

    ``handlers`` are for :func:`receive`; *handler* gets payload, source and destination.
    """

    def __init__(self, link: Link, own: str, handler: Callable[[bytes, str, str], bool]) -> None:
        self._link = link
        self._own = own
        self._family = socket.AF_INET6 if ":" in own else socket.AF_INET
        self._sockets: list[socket.socket] = []
        self.handlers: dict[socket.socket, Handler] = {}
        version = 6 if ":" in own else 4
        try:
            # One socket per destination, since a received packet does not show it. The second, bound to this host's
            # address, also sends.
            for destination in (GROUPS[version], own):
                sock = self._open(destination)
                self.handlers[sock] = self._reader(handler, destination)
            self._sockets = [*self.handlers, *_join(link, version)]
        except OSError as error:
            close(list(self.handlers))
            raise wire_error(link.name, error) from error

    def send(self, payload: bytes, target: str) -> None:
        """Send a VRRP message with TTL 255. Packets dropped by a firewall are not reported."""
        sock = list(self.handlers)[1]
        scope = self._link.number if self._family == socket.AF_INET6 else 0
        try:
            sock.sendto(payload, (target, 0, 0, scope) if scope else (target, 0))
        except OSError:
            # EPERM from a firewall, a full queue, no route: the peer does not hear it, and that is reported.
            return

    def close(self) -> None:
        """Close the sockets."""
        close(self._sockets)

    def _open(self, bound: str) -> socket.socket:
        sock = socket.socket(self._family, socket.SOCK_RAW, VRRP)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._link.name.encode())
            number = struct.pack("@i", self._link.number)
            if self._family == socket.AF_INET:
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, TTL)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, TTL)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, bytes(8) + number)
                sock.bind((bound, 0))
            else:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, TTL)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, TTL)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, number)
                sock.bind((bound, 0, 0, self._link.number))
            sock.setblocking(False)
        except BaseException:
            sock.close()
            raise
        return sock

    def _reader(self, handler: Callable[[bytes, str, str], bool], destination: str) -> Handler:
        def read(packet: bytes, origin: Origin) -> bool:
            source = str(origin[0]).partition("%")[0]
            # A raw IPv4 socket also receives the header.
            payload = packet[(packet[0] & 0x0F) * 4 :] if self._family == socket.AF_INET and packet else packet
            return handler(payload, source, destination)

        return read


def protocols(family: int, *numbers: int) -> list[Instruction]:
    """Return the filter that passes the IP packets of these protocols (*family* 4 or 6)."""
    return _keep(9 if family == 4 else 6, numbers)


def advertisements() -> list[Instruction]:
    """Return the filter that passes IPv6 neighbour advertisements."""
    # Next header 58, ICMPv6 type 136 after the header's 40 bytes.
    return [(0x30, 0, 0, 6), (0x15, 0, 3, 58), (0x30, 0, 0, 40), (0x15, 0, 1, 136), (0x06, 0, 0, SNAP), (0x06, 0, 0, 0)]


def receive(handlers: Mapping[socket.socket, Handler], until: float, limit: int = MOST_PACKETS) -> bool:
    """Pass received packets to their socket's handler until ``time.monotonic()`` is *until*, or a handler stops it.

    At most *limit* packets; return whether there were more. Raises WireError if a link goes away.
    """
    with selectors.DefaultSelector() as selector:
        for sock, handler in handlers.items():
            selector.register(sock, selectors.EVENT_READ, handler)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return False
            for key, _events in selector.select(left):
                try:
                    packet, origin = key.fileobj.recvfrom(SNAP)  # type: ignore[union-attr]  # only sockets are registered
                except BlockingIOError:
                    continue
                except OSError as error:
                    raise WireError(f"a link is gone: {error.strerror}") from error
                if key.data(packet, origin):
                    return False
                limit -= 1
                if limit <= 0:
                    return True


class Asker:
    """Asks on links who has addresses. Its ``handlers`` are for :func:`receive`, and pass every claim to *found*."""

    def __init__(self, questions: Sequence[Question], found: Callable[[Claim], None]) -> None:
        self._questions = questions
        self._sockets: dict[tuple[str, int], socket.socket] = {}
        self._found = found
        try:
            for link, _own, target in questions:
                kind = _kind(target)
                if (link.name, kind) not in self._sockets:
                    program = advertisements() if kind == ETH_P_IPV6 else ()
                    self._sockets[link.name, kind] = open_packets(link.name, kind, program)
        except WireError:
            self.close()
            raise

    @property
    def handlers(self) -> dict[socket.socket, Handler]:
        """The sockets with their handlers."""
        return dict.fromkeys(self._sockets.values(), self._take)

    def ask(self) -> None:
        """Send every question once. Raises WireError."""
        for link, own, target in self._questions:
            packet, mac = question(target, own, link.mac)
            kind = _kind(target)
            send(self._sockets[link.name, kind], packet, (link.name, kind, 0, 0, mac_bytes(mac)), link.name)

    def close(self) -> None:
        """Close the sockets."""
        close(list(self._sockets.values()))

    def _take(self, packet: bytes, origin: Origin) -> bool:
        claim = parse_claim(packet, mac_text(origin[4]))
        if claim is not None:
            self._found(claim)
        return False


def ask_for(questions: Sequence[Question], window_s: float) -> dict[str, list[str]]:
    """Ask for the addresses three times, and return the MAC addresses that claim each. Raises WireError."""
    macs: dict[str, set[str]] = {target: set() for _link, _own, target in questions}

    def note(claim: Claim) -> None:
        if claim.address in macs:
            macs[claim.address].add(claim.mac)

    asker = Asker(questions, note)
    try:
        start = time.monotonic()
        for number in range(_ROUNDS):
            asker.ask()
            receive(asker.handlers, start + window_s * (number + 1) / _ROUNDS)
    finally:
        asker.close()
    return {target: sorted(found) for target, found in macs.items()}


def send(sock: socket.socket, packet: bytes, to: Origin, interface: str) -> None:
    """Send a packet; if the card's queue is full it is lost, as on any wire. Raises WireError."""
    try:
        sock.sendto(packet, to)
    except BlockingIOError:
        return
    except OSError as error:
        raise wire_error(interface, error) from error


def _join(link: Link, family: int) -> list[socket.socket]:
    """Join VRRP's group, without which a network card or a switch may drop its packets."""
    index = struct.pack("@i", link.number)
    group = socket.inet_pton(socket.AF_INET if family == 4 else socket.AF_INET6, GROUPS[family])
    member = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        if family == 4:
            member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + bytes(4) + index)
        else:
            member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + index)
    except OSError:
        # An interface without this family receives nothing in it anyway.
        member.close()
        return []
    return [member]


def _keep(offset: int, values: Sequence[int]) -> list[Instruction]:
    """Return the filter that passes packets with one of the values in the byte at *offset*."""
    tests = [(0x15, len(values) - number, 0, value) for number, value in enumerate(values)]
    return [(0x30, 0, 0, offset), *tests, (0x06, 0, 0, 0), (0x06, 0, 0, SNAP)]


def _kind(target: str) -> int:
    return ETH_P_IPV6 if ":" in target else ETH_P_ARP


def _attach(sock: socket.socket, program: Sequence[Instruction]) -> None:
    """Attach a classic BPF program (linux/filter.h: struct sock_filter, struct sock_fprog)."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code)))


def wire_error(interface: str, error: OSError) -> WireError:
    """Convert a socket's error to WireError."""
    if isinstance(error, PermissionError):
        return WireError(f"inspecting the link {NOT_ALLOWED}")
    return WireError(f"interface {interface}: {error.strerror}")


def _sysfs(name: str, attribute: str) -> str:
    # A name must not lead to another path.
    path = os.path.join("/sys/class/net", os.path.basename(name), attribute)
    with open(path, encoding="ascii") as stream:
        return stream.read().strip()
