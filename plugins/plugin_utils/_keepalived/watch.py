# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The virtual IPs that the watch monitors on a host, from that host's keepalived configuration."""

from __future__ import annotations

from typing import Any, Iterator, Sequence
from urllib.parse import quote

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import Instance, one_of, read
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_timers import master_down_s

FOLDER = "/run/keepalived-watch"
"""The only folder that the watch can write to."""


def release_tracker(name: str) -> str:
    """Return the name of the track_file by which the watch lets go of the vrrp_instance *name*."""
    return f"watch_{_plain(name)}"


def release_file(name: str) -> str:
    """Return the path of that file: 0 has no effect, 1 puts the instance into FAULT."""
    return f"{FOLDER}/{_plain(name)}.release"


def watched(tree: Any, release: bool = False, host: str = "", hosts: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the virtual IPs of *host*'s configuration, each with the keys of the watch's ``Vip`` and ``release``.

    ``release`` is the file by which the watch lets go, empty without *release*. Left out are addresses on the loopback,
    and those that are only partly known.
    """
    return [
        {**entry, "release": release_file(instance.name) if release else ""}
        for instance in read(tree, one_of(host, hosts)).instances
        for entry in _entries(instance)
    ]


def _entries(instance: Instance) -> Iterator[dict[str, Any]]:
    link, vrid, priority = instance.value("interface"), instance.number("virtual_router_id"), instance.priority
    if not link or vrid is None:
        return
    here = [vip for vip in instance.vips if vip.known and vip.interface != "lo"]
    for number, vip in enumerate(here):
        yield {
            "name": instance.name,
            "address": vip.address,
            "interface": vip.interface or link,
            "link": link,
            "vrid": int(vrid),
            "family": instance.family,
            "priority": 100 if priority is None else int(priority),
            "failover_s": round(_failover_s(instance), 3),
            "first": number == 0,
        }


def _failover_s(instance: Instance) -> float:
    """Return the longest time in seconds until a standby takes over: that of the lowest priority."""
    version, adverts = instance.version or 0, instance.down_timer_adverts or 0
    try:
        return master_down_s(int(version), instance.advert_int_s or 0, 1, int(adverts))
    except ValueError:
        # Only keepalived knows the value; assume its default.
        return master_down_s(2, 1, 1)


def _plain(name: str) -> str:
    """Return a name without characters that are special in a path or to keepalived."""
    return quote(name, safe="").replace("%", "=")
