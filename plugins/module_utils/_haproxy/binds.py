# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses that a haproxy.cfg listens on: out of its ``bind`` lines, and whether another process has them."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from contextlib import closing, suppress
from typing import Iterable, Iterator, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.parse import SECTIONS, plain, words

# What lets haproxy bind where the host itself could not, or elsewhere.
_ELSEWHERE = frozenset({"interface", "namespace", "transparent"})
# How many ports of a range are tried.
_TRIED = 1024


class Bind(NamedTuple):
    """One address of a ``bind`` line: a host (``0.0.0.0`` and ``::`` for all) and the ports from first to last."""

    host: str
    first: int
    last: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.first}" + (f"-{self.last}" if self.last > self.first else "")

    def meets(self, other: Bind) -> bool:
        """Whether both have an address and port in common, as it is written."""
        return self.host == other.host and self.first <= other.last and other.first <= self.last


def binds(address: str) -> Iterator[Bind]:
    """The TCP addresses in a ``bind`` line's first word; sockets by path or descriptor, QUIC and variables are none."""
    for part in plain(address).split(","):
        found = re.fullmatch(r"(?:(?:ipv|tcp)([46])@)?([^@$/]*):([0-9]{1,5})(?:-([0-9]{1,5}))?", part)
        if not found:
            continue
        host = found[2].strip("[]")
        if host in ("", "*"):
            host = "::" if found[1] == "6" else "0.0.0.0"  # noqa: S104 # compared with what others listen on
        with suppress(ValueError):
            # One spelling for each address; a host's name stays as it is.
            host = str(ipaddress.ip_address(host))
        yield Bind(host, int(found[3]), int(found[4] or found[3]))


def binds_of(text: str) -> set[Bind]:
    """The TCP addresses that a haproxy.cfg's proxies bind on this host, as far as it can be read."""
    found: set[Bind] = set()
    section = ""
    with suppress(ValueError):
        for line in ([plain(word) for word in words(one)] for one in text.split("\n")):
            if not line:
                continue
            if line[0] in SECTIONS:
                section = line[0]
            elif section in ("frontend", "listen") and line[0] == "bind" and _ELSEWHERE.isdisjoint(line):
                found.update(bind for address in line[1:2] for bind in binds(address))
    return found


def unavailable(wanted: Iterable[Bind]) -> list[str]:
    """Which of the addresses cannot be bound now, and why. A host's name is not looked up."""
    return [found for bind in sorted(wanted) for found in _refusals(bind)]


def _refusals(bind: Bind) -> Iterator[str]:
    try:
        family = {4: socket.AF_INET, 6: socket.AF_INET6}[ipaddress.ip_address(bind.host).version]
    except ValueError:
        return
    for port in range(bind.first, min(bind.last, bind.first + _TRIED) + 1):
        try:
            with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
                # The same options as haproxy's, which lets sockets of its own, and of root, share an address.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((bind.host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
                yield f"{Bind(bind.host, port, port)} ({error.strerror})"
                return
