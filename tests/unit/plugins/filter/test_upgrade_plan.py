# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook upgrade's variables, in the forms in which users give them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.filter._upgrade_plan import _upgrade_plan

PENDING = {"packages": [], "removed": [], "held": [], "installed": {"nginx": "1.26"}}
REQUEST = {"hosts": [], "versions": {}, "system": "false", "probe_client": "", "engine": "nginx", "answers": []}


def planned(hostvars: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:
    info = {"addresses": [], "instances": [], "keepalived": {"running": True, "version": "2.3.3"}}
    host = {"__audit_info": info, "__upgrade_pending": PENDING, **(hostvars or {})}
    return _upgrade_plan(["lb01", "lb02"], {"lb01": host, "lb02": host}, [], [], {**REQUEST, **request})


@pytest.mark.parametrize("hosts", ["lb02", ["lb02"], "lb02,", ":lb02"])
def test_hosts(hosts: Any) -> None:
    assert planned(hosts=hosts)["lines"] == ["lb02: nothing to upgrade (nginx 1.26)"]


@pytest.mark.parametrize("versions", ["nginx=1,web=2", '{"nginx": 1, "web": 2}', {"nginx": 1, "web": 2}])
def test_versions(versions: Any) -> None:
    found = "upgrade_versions: 'web' is not a daemon of a balancer: choose from nginx, haproxy, keepalived"
    assert planned(versions=versions)["findings"] == [found]
    # The text "false" does not turn it on.
    assert len(planned(versions=versions, system="true")["findings"]) == 2


def test_a_build_of_keepalived() -> None:
    build = {
        "__upgrade_build": {"build": "/usr/local/keepalived-2.3.4-1", "settled": False},
        "keepalived_version": "2.3.4",
    }
    assert planned(build)["lines"][0] == "lb01: keepalived 2.3.3 -> 2.3.4 from source"
    build["__upgrade_build"] = {"build": "/usr/local/keepalived-2.3.4-1", "settled": True}
    assert planned(build)["lines"][0] == "lb01: nothing to upgrade (nginx 1.26)"
