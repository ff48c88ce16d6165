# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the watch is to look at on a host, from that host's keepalived configuration."""

from __future__ import annotations

import ipaddress
from typing import Any, Iterator, Mapping, Sequence
from urllib.parse import quote

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived_parse import normal
from ansible_collections.haproof.balancer.plugins.module_utils._vrrp import DOWN_TIMER_ADVERTS, master_down_s

FOLDER = "/run/keepalived-watch"
"""The watch's own folder, the only one that it can write to."""

_ADDRESSES = ("virtual_ipaddress", "virtual_ipaddress_excluded")
_Block = Sequence[Any]


def release_tracker(name: str) -> str:
    """Return the name of the track_file by which the watch lets go of the vrrp_instance *name*."""
    return f"watch_{_plain(name)}"


def release_file(name: str) -> str:
    """Return the path of that file: 0 in it is nothing, 1 puts the instance into FAULT."""
    return f"{FOLDER}/{_plain(name)}.release"


def watched(tree: Mapping[str, Any] | Sequence[Any], release: bool = False) -> list[dict[str, Any]]:
    """Return the virtual IPs of keepalived's configuration, each with the keys of ``_watch.Vip`` and ``release``.

    ``release`` is the file by which the watch lets go, empty without *release*. What cannot be watched is left out:
    addresses on the loopback, and those that are made of keepalived's own variables.
    """
    blocks = normal(tree)
    defaults = dict(_words(_children(blocks, "global_defs")))
    found = []
    for line, block in blocks:
        words = line.split()
        if len(words) == 2 and words[0] == "vrrp_instance" and block is not None:
            name = words[1].strip('"')
            entries = _instance(name, block, defaults)
            found += [{**entry, "release": release_file(name) if release else ""} for entry in entries]
    return found


def _instance(name: str, block: _Block, defaults: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    directives = dict(_words(block))
    link, vrid = directives.get("interface", ""), directives.get("virtual_router_id", "")
    lines = [line.split() for key in _ADDRESSES for line, _body in _children(block, key)]
    vips = [(address, interface or link) for address, interface in map(_vip, lines) if address and interface != "lo"]
    if not link or not vrid.isdigit():
        return
    for number, (address, interface) in enumerate(vips):
        yield {
            "name": name,
            "address": address,
            "interface": interface,
            "link": link,
            "vrid": int(vrid),
            "family": ipaddress.ip_address(vips[0][0]).version,
            "priority": int(directives["priority"]) if directives.get("priority", "").isdigit() else 100,
            "failover_s": round(_failover_s(directives, defaults), 3),
            "first": number == 0,
        }


def _failover_s(directives: Mapping[str, str], defaults: Mapping[str, str]) -> float:
    """Return the longest time in which a standby takes over: that of the lowest priority."""
    version = directives.get("version", defaults.get("vrrp_version", "2"))
    adverts = directives.get("down_timer_adverts", defaults.get("vrrp_down_timer_adverts", str(DOWN_TIMER_ADVERTS)))
    try:
        return master_down_s(int(version), float(directives.get("advert_int", 1)), 1, int(adverts))
    except ValueError:
        # A variable of keepalived's own; its default is what most have.
        return master_down_s(2, 1, 1)


def _vip(words: Sequence[str]) -> tuple[str, str]:
    """Return address and interface of a line such as ``192.0.2.10/24 dev eth0``; empty for what there is none of."""
    try:
        address = str(ipaddress.ip_interface(words[0]).ip)
    except (IndexError, ValueError):
        return "", ""
    named = dict(zip(words[1:], words[2:]))
    return address, named.get("dev", "")


def _words(block: _Block) -> Iterator[tuple[str, str]]:
    for line, _body in block:
        key, _space, value = line.partition(" ")
        yield key, value.strip().strip('"')


def _children(block: _Block, wanted: str) -> _Block:
    return [entry for line, body in block if line == wanted for entry in body or ()]


def _plain(name: str) -> str:
    """Return a name without characters that a path or keepalived might take for something else."""
    return quote(name, safe="").replace("%", "=")
