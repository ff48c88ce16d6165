# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Former members of a cluster in what Ansible knows: the closing lines of site, and the plan of a removal."""

from __future__ import annotations

from typing import Any

from ansible_collections.haproof.balancer.plugins.filter._remove_plan import _remove_plan
from ansible_collections.haproof.balancer.plugins.filter._site_summary import _site_summary
from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.observed import members

GROUPS = {"balancers": ["lb01", "lb02"], "edge": ["lb01", "lb03"], "clients": ["client"]}
OWN = {"lb01": "198.18.0.11", "lb02": "198.18.0.12", "lb03": "198.18.0.13"}


def hostvars(**changes: Any) -> dict[str, Any]:
    return {host: {"groups": GROUPS, "group_names": ["edge"], **changes} for host in (*OWN, "client")}


def test_the_members_by_the_inventory() -> None:
    assert members(["lb01"], hostvars()) == ["lb01", "lb02"]
    assert members(["lb01"], hostvars(keepalived_group="edge")) == ["lb01", "lb03"]
    assert members(["lb01"], {"lb01": {}}) == ["lb01"]


def test_site_ends_with_those_that_left() -> None:
    known = hostvars(__keepalived_plan={"former": {"lb09": ["198.18.0.19"]}}, ansible_facts={})
    asked = {"port": 80, "url": "", "validate_certs": True}
    *_lines, last = _site_summary(["lb01", "lb02"], known, ["lb01", "lb02"], [], False, asked)["lines"]
    command = "ansible-playbook haproof.balancer.remove -e remove_host=lb09"
    assert last == (
        "lb09 (198.18.0.19) left the balancers without the playbook remove: it may still take virtual IPs over. Return"
        f" it to the inventory, outside of the balancers, and run {command}, or if it no longer exists, {command} -e"
        " remove_gone=true"
    )


def test_the_plan_of_a_removal() -> None:
    known = hostvars(keepalived_vips=[{"address": "198.18.0.10/24", "owner": "lb02"}])
    for host, address in OWN.items():
        info = {"instances": [], "keepalived": {"running": False}, "maintenance_since": 0.0}
        known[host]["__audit_info"] = {**info, "addresses": [{"address": address, "prefix": 24, "family": "ipv4"}]}
    request = {"host": "lb02", "gone": "no", "probe_client": ""}
    told = _remove_plan(["lb01", "lb02"], known, [], [], request)
    assert (told["findings"], told["members"]) == ([], {"lb01": {}})
    assert told["next"][1:3] == [
        "delete lb02 from the inventory (groups: edge), and host_vars/lb02 if it exists",
        "delete owner: lb02 of 198.18.0.10/24 in keepalived_vips",
    ]
    known["lb02"]["groups"] = {"balancers": ["lb02"]}
    assert _remove_plan(["lb02"], known, [], [], request)["findings"] == [
        "lb02 is the last balancer: add another one first"
    ]
