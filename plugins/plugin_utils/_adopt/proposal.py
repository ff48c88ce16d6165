# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The benefit of this collection's own settings over a keepalived that was set up by hand. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    Block,
    Configuration,
    Instance,
    includes,
    one_of,
    read,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.lines import INCLUDES
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_timers import clean_bound_s, dead_bound_s
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import HIGHEST_PRIORITY

HEALTH = "127.0.0.1:8099"
HEALTH_VARIABLES = {"haproxy": "haproxy_health_bind", "nginx": "nginx_health_listen"}


class Timers(NamedTuple):
    """The timers of the standby that takes over."""

    version: int
    advert_int_s: float
    priority: int
    down_timer_adverts: int

    @property
    def dead_s(self) -> float:
        """The longest outage when the holder falls silent."""
        return dead_bound_s(*self)

    @property
    def clean_s(self) -> float:
        """The longest outage when the holder sends priority 0."""
        return clean_bound_s(*self[:3])


class Pair(NamedTuple):
    """An instance on the host with the highest priority, and on the one with the next."""

    owner: str
    holder: Instance
    standby: Instance
    configuration: Configuration
    """The holder's."""


def proposed(trees: Mapping[str, Any], addresses: Mapping[str, Sequence[Mapping[str, Any]]], engine: str) -> Any:
    """Return variables for the same virtual IPs with this collection's own settings.

    *trees* has the configuration of each host, *addresses* its addresses as vip_info returns them.
    """
    services = {"keepalived_track_services": [engine], HEALTH_VARIABLES[engine]: HEALTH} if engine else {}
    return {
        "keepalived_profile": "standard",
        "keepalived_vips": [vip for pair in _pairs(trees) for vip in _vips(pair, addresses.get(pair.owner, ()))],
        **services,
        **({"keepalived_check_url": f"http://{HEALTH}/", f"{engine}_unit": True} if engine else {}),
    }


def gains(trees: Mapping[str, Any], profile: Mapping[str, Any]) -> list[str]:
    """Return a table of the longest outages today and with the timers of *profile*, in lines of at most 80 columns."""
    wanted = Timers(profile["version"], profile["advert_int"], HIGHEST_PRIORITY - 1, profile["down_timer_adverts"])
    lines = [_line("longest outage", "today", "proposed", "gain")]
    for pair in _pairs(trees):
        today = _timers(pair.standby)
        if today is None:
            lines.append(f"{pair.holder.name}: its timers depend on what only keepalived knows")
            continue
        lines.append(f"{pair.holder.name}, {', '.join(vip.address for vip in pair.holder.vips)}"[:80])
        lines += [
            _row("service stops", _service_s(pair, today), wanted.clean_s),
            _row("host dies", today.dead_s, wanted.dead_s),
            _row("keepalived stops", today.clean_s, wanted.clean_s),
        ]
    return [*lines, "What included files say is not known here."] if any(map(includes, trees.values())) else lines


def _pairs(trees: Mapping[str, Any]) -> list[Pair]:
    read_by = {host: _without_includes(read(tree, one_of(host, list(trees)))) for host, tree in trees.items()}
    found: dict[str, list[tuple[float, str, Instance]]] = {}
    for host, configuration in read_by.items():
        for instance in configuration.instances:
            found.setdefault(instance.name, []).append((instance.priority or 0, host, instance))
    pairs = []
    for hosts in found.values():
        if len(hosts) > 1:
            (_first, owner, holder), (_next, _host, standby) = sorted(hosts, key=lambda entry: -entry[0])[:2]
            pairs.append(Pair(owner, holder, standby, read_by[owner]))
    return pairs


def _without_includes(configuration: Configuration) -> Configuration:
    return Configuration(tuple(line for line in configuration.lines if line.word(0) not in INCLUDES))


def _vips(pair: Pair, addresses: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for number, vip in enumerate(pair.holder.vips):
        interface = vip.interface or pair.holder.value("interface")
        entry: dict[str, Any] = {"address": _with_prefix(vip.written, vip.address, addresses)}
        if interface:
            entry["interface"] = interface
        router_id = pair.holder.number("virtual_router_id")
        if router_id is not None and number == 0:
            entry["vrid"] = int(router_id)
        if not pair.holder.nopreempt:
            entry["owner"] = pair.owner
        found.append(entry)
    return found


def _with_prefix(written: str, address: str, addresses: Sequence[Mapping[str, Any]]) -> str:
    """Return the address with the prefix of its subnet on the host, since keepalived's default does not fit."""
    wanted = ipaddress.ip_address(address)
    for own in addresses:
        network = ipaddress.ip_interface(f"{own['address']}/{own['prefix']}").network
        if own["address"] != address and own["scope"] == "global" and wanted in network and network.num_addresses > 1:
            return f"{address}/{own['prefix']}"
    return written if "/" in written else f"{address}/{wanted.max_prefixlen}"


def _timers(standby: Instance) -> Timers | None:
    values = (standby.version, standby.advert_int_s, standby.priority, standby.down_timer_adverts)
    version, advert_int_s, priority, adverts = values
    if version is None or advert_int_s is None or priority is None or adverts is None:
        return None
    return Timers(int(version), advert_int_s, int(priority), int(adverts))


def _service_s(pair: Pair, timers: Timers) -> float | None:
    """Return the longest outage when a check fails on the holder; None if the virtual IP would stay there."""
    scripts = pair.configuration.blocks("vrrp_script")
    gap = (pair.holder.priority or 0) - (pair.standby.priority or 0)
    found = []
    for line in pair.holder.entries("track_script"):
        script = scripts.get(line.word(0), Block(()))
        words = line.text.split()
        own = words[words.index("weight") + 1] if "weight" in words[:-1] else ""
        weight = float(own) if own.lstrip("+-").isdigit() else script.number("weight", 0) or 0
        detected_s = (script.number("interval", 1) or 1) * (script.number("fall", 1) or 1)
        if not weight:
            found.append(detected_s + timers.clean_s)
        elif abs(weight) > gap and not pair.holder.nopreempt:
            # The standby ignores the lower adverts until its own timer ends.
            found.append(detected_s + timers.dead_s)
    return min(found, default=None)


def _row(fault: str, today_s: float | None, proposed_s: float) -> str:
    gain = "" if today_s is None else _milliseconds(today_s - proposed_s)
    return _line(
        f"  {fault}", "the VIP stays" if today_s is None else _milliseconds(today_s), _milliseconds(proposed_s), gain
    )


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def _line(title: str, *cells: str) -> str:
    return f"{title:<20}{''.join(f'{cell:>15}' for cell in cells)}".rstrip()
