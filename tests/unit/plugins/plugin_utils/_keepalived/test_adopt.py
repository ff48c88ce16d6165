# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.lines import meaning
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import parse
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.adopt import difference, variables
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.tree import tree

from .cluster_facts import CLUSTER, SETTINGS

LIVE: list[tuple[str, str]] = [
    ("nothing", ""),
    ("definitions", "$N=0\n$VI\n$N=1\n$VI\n"),
    (
        "all kinds of blocks",
        """
        global_defs { router_id lb01
        notification_email {
            a@example.com
        } }
        static_routes {
            198.51.100.0/24 via 192.0.2.1
        }
        track_file t { file /run/t
        }
        vrrp_script s { script "/bin/true"
        }
        vrrp_sync_group g { group {
           VI_1
        } }
        vrrp_instance VI_1 { interface eth0
            virtual_ipaddress {
              192.0.2.10
            }
        }
        virtual_server_group w {
            192.0.2.10 80
        }
        virtual_server group w { real_server 192.0.2.21 80 { weight 1
          }
          real_server 192.0.2.22 80 { weight 2
          }
        }
        virtual_server fwmark 1 { delay_loop 3
           MISC { x 1
           }
           MISC { x 2
           }
        }
        linkbeat_use_polling
        """,
    ),
]


@pytest.mark.parametrize("live", [case[1] for case in LIVE], ids=[case[0] for case in LIVE])
def test_variables_reproduce_a_live_configuration(live: str) -> None:
    parsed = parse(live)
    assert difference(variables(parsed), parsed) == ""


# What is adopted, and what the variables for something else would make of it.
DIFFERENT: list[tuple[str, str, str]] = [
    (
        "global_defs {\n router_id a\n}\n",
        "global_defs {\n router_id b\n}\n",
        "its directive 3 is 'router_id b', and would be 'router_id a'",
    ),
    ("lvs_flush\n", "lvs_flush\ninclude b\n", "its directive 2 is 'include b', and would be missing"),
    (
        "a {\n auth_pass 1\n}\n",
        "a {\n auth_pass 2\n}\n",
        "its directive 3 is auth_pass ..., and would be auth_pass ...",
    ),
    (
        "auth_hmac {\n key 1 s3cret\n}\n",
        "auth_hmac {\n key 1 hex:00ff\n}\n",
        "its directive 3 is 'key 1 ********', and would be 'key 1 ********'",
    ),
    (
        "$KEY=s3cret\nauth_hmac {\n key 1 $KEY\n}\n",
        "$KEY=hidden\nauth_hmac {\n key 1 $KEY\n}\n",
        "its directive 1 is '$KEY=********', and would be '$KEY=********'",
    ),
]


@pytest.mark.parametrize(("adopted", "live", "told"), DIFFERENT)
def test_variables_that_differ_do_not_reproduce(adopted: str, live: str, told: str) -> None:
    assert difference(variables(parse(adopted)), parse(live)) == told


# Each means something else in another order, or with another spelling of its blocks.
ORDERS = [
    "vrrp_instance V {\n priority 1\n}\ntrack_file on {\n weight 0\n}\nvrrp_track_file up {\n weight 0\n}\n",
    "vrrp_instance V {\n track_script {\n  ok\n }\n}\nvrrp_script ok {\n script x\n}\n",
    "vrrp_instance V {\n priority $P\n}\n$P=1\n",
    "$P=200\nvrrp_instance V {\n priority $P\n}\n$P=100\nvrrp_instance W {\n priority $P\n}\n",
    "include a\nglobal_defs {\n router_id a\n}\n",
    "vrrp_instance V {\n}\nglobal_defs {\n}\n",
    "global_defs {\n}\nstatic_routes {\n}\nvrrp_script a {\n name b\n}\n",
    "@lb01 vrrp_instance V {\n@lb02 vrrp_instance W {\n}\n",
]


@pytest.mark.parametrize("text", ORDERS)
def test_what_is_adopted_keeps_its_order(text: str) -> None:
    found = {name.partition("_")[2]: value for name, value in variables(parse(text)).items()}
    again = tree({**SETTINGS, **found, "profile": {}, "check_script": ""}, CLUSTER)
    assert meaning(render(again)) == meaning(text)


def test_what_does_not_depend_on_its_order_is_adopted_by_block() -> None:
    text = (
        "global_defs {\n router_id a\n}\nvrrp_script ok {\n script x\n}\nvrrp_instance V {\n priority 1\n}\ninclude b\n"
    )
    assert variables(parse(text)) == {
        "keepalived_base": False,
        "keepalived_unit": False,
        "keepalived_track_services": [],
        "keepalived_check_url": "",
        "keepalived_nonlocal_bind": "never",
        "keepalived_global_defs": {"router_id": "a"},
        "keepalived_vrrp_scripts": [{"name": "ok", "script": "x"}],
        "keepalived_vrrp_instances": [{"name": "V", "priority": 1}],
        "keepalived_conf": {"include": "b"},
    }
