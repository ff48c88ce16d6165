# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster as Ansible's facts show it."""

from __future__ import annotations

from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster


def facts(last_byte: int) -> dict[str, Any]:
    """Return network facts as ansible.builtin.setup gives them."""
    return {
        "interfaces": ["eth0_3", "lo", "eth0", "br-lan"],
        # The label eth0:3.
        "eth0_3": {"ipv4_secondaries": [{"address": "192.0.2.10", "netmask": "255.255.255.0", "prefix": "24"}]},
        "lo": {"device": "lo", "ipv4": {"address": "127.0.0.1", "netmask": "255.0.0.0", "prefix": "8"}},
        "eth0": {
            "device": "eth0",
            "ipv4": {"address": f"192.0.2.{last_byte}", "netmask": "255.255.255.0", "prefix": "24"},
            "ipv4_secondaries": [{"address": "192.0.2.10", "netmask": "255.255.255.0", "prefix": "24"}],
            "ipv6": [{"address": f"2001:db8::{last_byte}", "prefix": "64", "scope": "global"}],
        },
        "br_lan": {
            "device": "br-lan",
            "ipv4": {"address": f"198.51.100.{last_byte}", "netmask": "255.255.255.0"},
        },
    }


HOSTS = ["lb01", "lb02", "lb03"]
CLUSTER = Cluster("lb01", HOSTS, {host: facts(number) for number, host in enumerate(HOSTS, start=11)})
SETTINGS: dict[str, Any] = {
    "vips": [],
    "profile": {"version": 3, "advert_int": 0.2, "down_timer_adverts": 5},
    "unicast": False,
    "script_user": "haproof_script",
    "track_services": [],
    "check_script": "",
    "global_defs": {},
    "vrrp_instance": {},
    "vrrp_instances": [],
    "vrrp_sync_groups": [],
    "vrrp_scripts": [],
    "track_files": [],
    "track_processes": [],
    "bfd_instances": [],
    "static_ipaddress": [],
    "static_routes": [],
    "static_rules": [],
    "virtual_server_groups": [],
    "virtual_servers": [],
    "conf": {},
}
