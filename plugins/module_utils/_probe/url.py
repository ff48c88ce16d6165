# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Parse a prober's URL. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from ansible_collections.haproof.balancer.plugins.module_utils._common.mask import url_shown

FORMS = "http://host[:port]/path, https://host[:port]/path, tcp://host:port, udp://host:port or icmp://host"

_PORTS = {"http": 80, "https": 443, "icmp": 0}
_BARE = ("tcp", "udp", "icmp")


class Url(NamedTuple):
    """A URL in parts. ``authority`` and ``path`` are sent to an HTTP server; an icmp URL has port 0."""

    scheme: str
    host: str
    port: int
    authority: str
    path: str


def read_url(url: str) -> Url:
    """Parse *url*. Raises ValueError for any form except FORMS."""
    shown = url_shown(url)
    if shown != url:
        raise ValueError(f"url is {shown!r}, a password would not be sent, and reports would show it; leave it out")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"url is {url!r}: {error}") from error
    if re.search(r"[\x00-\x20\x7f-\U0010ffff]", url):
        raise ValueError(f"url is {url!r}, it must not have spaces, control or non-ASCII characters")
    if parts.scheme not in ("http", "https", *_BARE) or not parts.hostname:
        raise ValueError(f"url is {url!r}, it must be {FORMS}")
    bare = parts.scheme in _BARE
    if bare and (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc):
        raise ValueError(f"url is {url!r}, {parts.scheme}:// takes no user, path or query")
    if parts.scheme == "icmp" and port is not None:
        raise ValueError(f"url is {url!r}, icmp:// takes no port")
    if port is None:
        port = _PORTS.get(parts.scheme)
    elif port == 0:
        port = None
    if port is None:
        raise ValueError(f"url is {url!r}, {parts.scheme}:// needs a port from 1 to 65535")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(parts.scheme, parts.hostname, port, parts.netloc.rpartition("@")[2], path)


def tcp_port(url: str) -> int:
    """Return the TCP port of a URL, 0 if its requests use no connections. Raises ValueError."""
    goal = read_url(url)
    return 0 if goal.scheme in ("udp", "icmp") else goal.port
