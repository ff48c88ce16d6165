# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import parse
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.tree import (
    tree,
)

from .cluster_facts import CLUSTER, SETTINGS

VIP = {"address": "192.0.2.10/24", "label": "eth0:vip"}


def text(host: str = "lb01", **settings: Any) -> str:
    return render(tree({**SETTINGS, **settings}, CLUSTER._replace(host=host)))


def test_a_standby_with_checks() -> None:
    assert text("lb02", vips=[VIP], track_services=["nginx"], check_script="/usr/bin/true") == (
        """\
global_defs {
    router_id lb02
    enable_script_security
    script_user haproof_script
    vrrp_version 3
    vrrp_down_timer_adverts 5
    vrrp_rt_priority 50
    vrrp_no_swap
    vrrp_higher_prio_send_advert
    vrrp_garp_master_refresh 10
    vrrp_rlimit_rttime 2000000
}

track_file nginx {
    file /run/keepalived-nginx.track
    weight 0
    init_file 1
}

vrrp_script answers {
    script /usr/bin/true
    interval 1
    fall 2
    rise 1
}

vrrp_instance VI_192.0.2.10 {
    state BACKUP
    interface eth0
    virtual_router_id 10
    priority 253
    advert_int 0.2
    virtual_ipaddress {
        192.0.2.10/24 dev eth0 label eth0:vip
    }
    track_file {
        nginx
    }
    track_script {
        answers
    }
}
"""
    )


def test_a_profile_says_how_the_check_works() -> None:
    profile = {**SETTINGS["profile"], "vrrp_script": {"fall": 1, "timeout": 2}}
    body = parse(text(vips=[VIP], check_script="/usr/bin/true", profile=profile))["vrrp_script answers"]
    assert body == {"script": "/usr/bin/true", "interval": 1, "fall": 1, "rise": 1, "timeout": 2}


def test_own_directives_win_and_own_checks_add_up() -> None:
    rendered = text(
        vips=[{**VIP, "vrrp_instance": {"advert_int": 1, "nopreempt": True, "track_script": ["gateway"]}}],
        check_script="/usr/bin/true",
        global_defs={"vrrp_rt_priority": False, "lvs_flush": True},
        vrrp_instance={"advert_int": 3, "garp_master_delay": 1},
    )
    assert "    advert_int 1\n" in rendered
    assert "    nopreempt\n" in rendered
    assert "    garp_master_delay 1\n" in rendered
    assert "    lvs_flush\n" in rendered
    assert "vrrp_rt_priority" not in rendered
    assert "    track_script {\n        answers\n        gateway\n    }\n" in rendered


def test_full_instances_are_tracked_and_reach_their_peers_too() -> None:
    instance = {"name": "VI_1", "interface": "eth0", "virtual_ipaddress": ["192.0.2.10/24"], "priority": 200}
    rendered = text(vrrp_instances=[instance], unicast=True, track_services=["haproxy"])
    body = parse(rendered)["vrrp_instance VI_1"]
    assert body["track_file"] == ["haproxy"]
    assert body["unicast_peer"] == ["192.0.2.12", "192.0.2.13"]
    assert body["priority"] == 200


def test_full_instances_reach_their_peers_by_definitions_too() -> None:
    instance = {"name": "VI_1", "interface": "$IF", "virtual_ipaddress": ["@lb02 203.0.113.1", "${NET}.10/24"]}
    settings = {"vrrp_instances": [instance], "conf": {"$NET=192.0.2": True, "@lb01 $IF=eth0": True}, "unicast": True}
    assert parse(text(**settings))["vrrp_instance VI_1"]["unicast_peer"] == ["192.0.2.12", "192.0.2.13"]


@pytest.mark.parametrize("vips", [[], ["$NONE"]])
def test_peers_that_cannot_be_found(vips: list[str]) -> None:
    with pytest.raises(ValueError, match="lb01: vrrp_instance VI_1: keepalived_unicast finds its peers"):
        text(vrrp_instances=[{"name": "VI_1", "virtual_ipaddress": vips}], unicast=True)


def test_a_virtual_ip_is_never_the_source_of_adverts() -> None:
    held = {
        "interfaces": ["eth0"],
        "eth0": {
            "device": "eth0",
            # The newest first, as the kernel lists them.
            "ipv6": [{"address": f"2001:db8::{last}", "prefix": "64"} for last in ("b", "a", "11")],
        },
    }
    cluster = CLUSTER._replace(facts=dict.fromkeys(CLUSTER.hosts, held))
    vips = [{"address": "2001:db8::a/64"}, {"address": "2001:db8::b/64"}]
    rendered = render(tree({**SETTINGS, "vips": vips, "unicast": True}, cluster))
    assert rendered.count("    unicast_src_ip 2001:db8::11\n") == 2
    instance = {"name": "VI_1", "virtual_ipaddress": ["${NET}::b/64"]}
    settings = {"vips": vips[:1], "vrrp_instances": [instance], "conf": {"$NET=2001:db8": True}, "unicast": True}
    rendered = render(tree({**SETTINGS, **settings}, cluster))
    assert rendered.count("    unicast_src_ip 2001:db8::11\n") == 2


def test_virtual_servers_repeat_their_blocks() -> None:
    server = {
        "name": "192.0.2.10 80",
        "lvs_sched": "wrr",
        "real_server": [
            {"name": "192.0.2.21 80", "weight": 1, "TCP_CHECK": {"connect_timeout": 3}},
            {"name": "192.0.2.22 80", "MISC_CHECK": [{"misc_path": "/a"}, {"misc_path": "/b"}]},
        ],
    }
    assert text(profile={}, virtual_servers=[server]) == (
        """\
virtual_server 192.0.2.10 80 {
    lvs_sched wrr
    real_server 192.0.2.21 80 {
        weight 1
        TCP_CHECK {
            connect_timeout 3
        }
    }
    real_server 192.0.2.22 80 {
        MISC_CHECK {
            misc_path /a
        }
        MISC_CHECK {
            misc_path /b
        }
    }
}
"""
    )


def test_definitions_come_first_and_the_unknown_last() -> None:
    conf = {"linkbeat_interfaces": ["eth0"], "$PRIO=100": None, "@lb01 $X=1": None}
    rendered = text(profile={}, conf=conf, global_defs={"router_id": "x"})
    assert rendered == (
        "$PRIO=100\n@lb01 $X=1\n\nglobal_defs {\n    router_id x\n}\n\nlinkbeat_interfaces {\n    eth0\n}\n"
    )


def test_what_repeats_stays_in_its_order() -> None:
    conf = [{"$N=0": True, "$VI": True}, {"$N=1": True}, {"$VI": True}]
    assert text(profile={}, conf=conf) == "$N=0\n$VI\n$N=1\n$VI\n"


# What the user sets in global_defs, and the limits that follow.
LIMITS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("the role's own priority", {}, ["vrrp_rlimit_rttime 2000000"]),
    ("no priority", {"vrrp_rt_priority": False}, []),
    ("an own limit", {"vrrp_rlimit_rttime": 5000}, ["vrrp_rlimit_rttime 5000"]),
    ("an own limit by its former name", {"vrrp_rlimit_rtime": 5000}, ["vrrp_rlimit_rtime 5000"]),
    (
        "all processes",
        {"checker_rt_priority": 40, "bfd_rt_priority": 60},
        ["vrrp_rlimit_rttime 2000000", "checker_rlimit_rttime 2000000", "bfd_rlimit_rttime 2000000"],
    ),
]


@pytest.mark.parametrize(("given", "expected"), [case[1:] for case in LIMITS], ids=[case[0] for case in LIMITS])
def test_real_time_priority_has_a_limit(given: dict[str, Any], expected: list[str]) -> None:
    lines = text(global_defs=given).splitlines()
    assert [line.strip() for line in lines if "rlimit" in line] == expected


def test_no_limit_where_the_role_adds_nothing() -> None:
    assert "rlimit" not in text(profile={}, global_defs={"vrrp_rt_priority": 50})
