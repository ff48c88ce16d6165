# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The tables of nftables that this host has, from the kernel itself: in a hand-over each process would cost resets."""

from __future__ import annotations

import struct
from typing import Iterator

from ansible_collections.haproof.balancer.plugins.module_utils._link.netlink import dump, messages

NETFILTER = 12
"""NETLINK_NETFILTER in linux/netlink.h."""
# linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h, linux/netfilter.h
_NFTABLES = 10 << 8
_NEW_TABLE, _GET_TABLE, _DELETED_TABLE = _NFTABLES, _NFTABLES | 1, _NFTABLES | 2
_NAME = 1
_FAMILIES = {2: "ip", 10: "ip6"}


def read_tables() -> frozenset[str]:
    """Return the tables of IPv4 and IPv6, as nft's commands take them. Raises OSError if the kernel does not answer."""
    return frozenset(parse(dump(NETFILTER, _GET_TABLE, struct.pack("=BBH", 0, 0, 0))))


def parse(data: bytes) -> Iterator[str]:
    """Yield the tables in the kernel's answer; truncated messages and other families are skipped."""
    for kind, body in messages(data):
        if kind != _NEW_TABLE or len(body) < 4 or body[0] not in _FAMILIES:
            continue
        at = 4
        while at + 4 <= len(body):
            length, attribute = struct.unpack_from("=HH", body, at)
            if length < 4 or at + length > len(body):
                break
            if attribute == _NAME:
                yield f"{_FAMILIES[body[0]]} {body[at + 4 : at + length].rstrip(bytes(1)).decode('utf-8', 'replace')}"
            at += (length + 3) & ~3


def removal_in(data: bytes) -> bool:
    """Return whether the kernel's notifications have the removal of a table."""
    return any(kind == _DELETED_TABLE for kind, _body in messages(data))
