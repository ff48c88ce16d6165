# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.alerts import (
    RESERVED,
    alert_findings,
    instances,
    script_files,
    script_findings,
)

INSTANCES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("none", {"global_defs": {"router_id": "lb01"}, "vrrp_script check": {}}, {}),
    (
        "owner by priority",
        {"vrrp_instance VI_1": {"state": "BACKUP", "priority": 254, "virtual_ipaddress": ["192.0.2.10/24 dev eth0"]}},
        {"VI_1": {"vips": ["192.0.2.10/24"], "owner": True}},
    ),
    (
        "owner by state, quoted name, excluded addresses, a block of directives",
        {
            'vrrp_instance "VI 1"': {
                "state": "MASTER",
                "priority": "150",
                "virtual_ipaddress": {"192.0.2.10/24": True},
                "virtual_ipaddress_excluded": ["2001:db8::10/64", {"2001:db8::11/64 dev eth1": None}],
            }
        },
        {"VI 1": {"vips": ["192.0.2.10/24", "2001:db8::10/64", "2001:db8::11/64"], "owner": True}},
    ),
    (
        "standby, as a list that repeats directives",
        {
            "vrrp_instance VI_1": [
                {"priority": 100, "virtual_ipaddress": ["192.0.2.10"]},
                {"virtual_ipaddress": ["192.0.2.11"]},
            ]
        },
        {"VI_1": {"vips": ["192.0.2.10", "192.0.2.11"], "owner": False}},
    ),
    (
        "owner by state, as a list of lines",
        {"vrrp_instance VI_1": ["state MASTER", "priority 150", {"virtual_ipaddress": ["192.0.2.10/24 dev eth0"]}]},
        {"VI_1": {"vips": ["192.0.2.10/24"], "owner": True}},
    ),
    (
        "owner by definition",
        {
            "$P=254": True,
            "$NET=192.0.2": True,
            "vrrp_instance VI_1": ["priority $P", {"virtual_ipaddress": ["${NET}.1"]}],
        },
        {"VI_1": {"vips": ["192.0.2.1"], "owner": True}},
    ),
    ("an unknown priority", {"vrrp_instance VI_1": {"priority": "$P"}}, {"VI_1": {"vips": [], "owner": False}}),
]


@pytest.mark.parametrize(("tree", "expected"), [case[1:] for case in INSTANCES], ids=[case[0] for case in INSTANCES])
def test_instances(tree: dict[str, Any], expected: dict[str, Any]) -> None:
    assert instances(tree) == expected


FINDINGS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], list[str]]] = [
    ("off", {}, {}, {"vrrp_notify_fifo": "/run/mine"}, []),
    ("good", {"to": ["a@example.com"]}, {"url": "https://example.com/t0ken"}, {"notify_fifo": "/run/mine"}, []),
    (
        "nobody",
        {"server": "192.0.2.1"},
        {},
        {},
        ["lb01: keepalived_alert_mail.to: has no address; list at least one, or leave keepalived_alert_mail empty"],
    ),
    (
        "no address",
        {"to": ["a@example.com", "root"]},
        {},
        {},
        ["lb01: keepalived_alert_mail.to: 'root' is not a mail address; write it like oncall@example.com"],
    ),
    (
        "password in the clear",
        {"to": ["a@example.com"], "password": "t0ken"},
        {},
        {},
        ["lb01: keepalived_alert_mail.password: would travel in the clear; set tls to starttls or tls"],
    ),
    (
        "no URL, and no secret shown",
        {},
        {"url": "example.com/t0ken"},
        {},
        ["lb01: keepalived_alert_webhook.url: must begin with http:// or https:// and a host"],
    ),
    (
        "own hook in the way",
        {},
        {"url": "https://example.com/"},
        {"vrrp_notify_fifo": "/run/mine"},
        [
            "lb01: keepalived_global_defs.vrrp_notify_fifo: the alerts use it; use notify_fifo or notify for your own,"
            " or leave keepalived_alert_mail and keepalived_alert_webhook empty"
        ],
    ),
]


@pytest.mark.parametrize(
    ("mail", "webhook", "global_defs", "expected"), [case[1:] for case in FINDINGS], ids=[case[0] for case in FINDINGS]
)
def test_alert_findings(
    mail: dict[str, Any], webhook: dict[str, Any], global_defs: dict[str, Any], expected: list[str]
) -> None:
    assert alert_findings("lb01", mail, webhook, global_defs) == expected


def test_no_script_of_the_role_can_be_replaced() -> None:
    text = (Path(__file__).parents[5] / "roles/keepalived/vars/main.yml").read_text()
    assert sorted(re.findall(r"dest: \"\{\{ __keepalived_plan\.scripts \}\}/(\w+)\"", text)) == list(RESERVED)


def test_script_findings() -> None:
    scripts = [
        {"name": "promote", "content": "#!/bin/sh\n"},
        {"name": "../promote", "content": "#!/bin/sh\n"},
        {"name": "track", "content": "#!/bin/sh\n"},
        {"name": "promote", "content": "echo\n"},
    ]
    assert script_findings("lb01", scripts) == [
        "lb01: keepalived_scripts[1].name: '../promote' is not a valid file name; use letters, digits, dot, dash "
        "and underscore",
        "lb01: keepalived_scripts[2].name: track is one of the role's own scripts (alert, answers, check, track);"
        " choose another name",
        "lb01: keepalived_scripts[3].name: promote is also the name of keepalived_scripts[0]; rename one of them",
        "lb01: keepalived_scripts[3].content: promote does not begin with #!/, so keepalived cannot run it;"
        " name its interpreter",
    ]


def test_script_files() -> None:
    scripts = [{"name": "a", "content": "#!/bin/sh\n"}, {"name": "b", "content": "#!/bin/sh\n", "mode": "0750"}]
    assert script_files(scripts, "/opt") == [
        {"dest": "/opt/a", "content": "#!/bin/sh\n", "mode": "0755"},
        {"dest": "/opt/b", "content": "#!/bin/sh\n", "mode": "0750"},
    ]
