# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The addresses that an nginx.conf listens on: out of its ``listen`` directives. Pure."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from typing import Iterator

from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.binds import Bind

_COMMENT = re.compile(r"(?:^|(?<=[\s;{}]))#.*", re.MULTILINE)
_LISTEN = re.compile(r"(?:^|(?<=[\s;{}]))listen\s+([^;{}]+);")
_NOT_TCP = frozenset({"quic", "udp"})


def listens_of(text: str) -> set[Bind]:
    """Return the TCP addresses in a file, as far as it can be read; not those of the files that it includes."""
    return {bind for words in _LISTEN.findall(_COMMENT.sub("", text)) for bind in _binds(words.split())}


def _binds(words: list[str]) -> Iterator[Bind]:
    address = words[0].strip("\"'")
    found = re.fullmatch(r"(?:(.*):)?([0-9]{1,5})", address)
    host, port = (found[1] or "*", int(found[2])) if found else (address, 80)
    if not _NOT_TCP.isdisjoint(words):
        return
    if host == "*":
        host = "0.0.0.0"  # noqa: S104 # compared with what others listen on
    # A socket's path and a host's name are none.
    with suppress(ValueError):
        yield Bind(str(ipaddress.ip_address(host.strip("[]"))), port, port)
