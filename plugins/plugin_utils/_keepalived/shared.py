# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a change keepalived's peers must share. Pure functions.

Applied to one host after the other, such a change gives a virtual IP two holders, or none: the peers ignore each
other's adverts, or a reload begins the instance anew.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    Configuration,
    Instance,
    Signing,
    one_of,
    read,
    read_text,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.findings import shared_settings


class SharedVip(NamedTuple):
    """A virtual IP in a host's configuration, its interface, and what its peers must share, by directive."""

    address: str
    interface: str
    settings: Mapping[str, Any]


class SharedChange(NamedTuple):
    """A virtual IP that a host keeps while ``directives`` of its instance change, which are none for most changes."""

    address: str
    interface: str
    directives: Sequence[str]


def shared_changes(before: str, tree: Any, host: str, hosts: Sequence[str]) -> list[SharedChange]:
    """Return the virtual IPs that are both in the text *before* and in the new configuration *tree* of a host.

    *hosts* are all that share them. Nothing is known of a text that cannot be read.
    """
    is_here = one_of(host, hosts)
    with suppress(ParseError):
        former = {vip.address: vip for vip in _vips(read_text(before, is_here))}
        return [
            SharedChange(vip.address, former[vip.address].interface, _differences(former[vip.address], vip))
            for vip in _vips(read(tree, is_here))
            if vip.address in former
        ]
    return []


def _vips(conf: Configuration) -> list[SharedVip]:
    groups = {
        member.word(0): sorted(each.word(0) for each in block.entries("group"))
        for block in conf.blocks("vrrp_sync_group").values()
        for member in block.entries("group")
    }
    found = []
    for instance in conf.instances:
        settings = _settings(instance, groups.get(instance.name, []))
        own = instance.value("interface") or ""
        found += [SharedVip(vip.address, vip.interface or own, settings) for vip in instance.vips if vip.known]
    return found


def _settings(instance: Instance, group: Sequence[str]) -> dict[str, Any]:
    return {
        **shared_settings(instance),
        "auth_hmac": instance.signing,
        "virtual_ipaddress": instance.all_addresses("virtual_ipaddress"),
        "unicast_peer": bool(instance.entries("unicast_peer")),
        # keepalived begins a renamed instance anew, and all of a group with a new member.
        "vrrp_instance": instance.name,
        "vrrp_sync_group": list(group),
    }


def _differences(former: SharedVip, new: SharedVip) -> list[str]:
    return [name for name, value in new.settings.items() if not _agree(value, former.settings[name])]


def _agree(one: Any, other: Any) -> bool:
    if isinstance(one, Signing) and isinstance(other, Signing):
        # So that keys can be replaced step by step.
        return one.accepts(other) and other.accepts(one)
    return bool(one == other)
