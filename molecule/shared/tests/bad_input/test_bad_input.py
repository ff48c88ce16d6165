# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input stops site.yml before a live file changes, and costs no request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Tuple

import pytest

from nodes import BACKENDS, BALANCERS, apply_site, inventory_variables

if TYPE_CHECKING:
    from nodes import Lab

# Name of the case, the wrong variables, and parts of the message.
Case = Tuple[str, Dict[str, Any], List[str]]
CASES: list[Case] = [
    (
        "VIP without prefix",
        {"keepalived_vips": [{"address": "VIP"}]},
        ["lb01: keepalived_vips[0].address: VIP has no prefix"],
    ),
    (
        "unknown key",
        {"keepalived_vips": [{"address": "VIP/24", "ownr": "lb01"}]},
        ["fatal: [lb01]", "keepalived_vips.ownr. Supported parameters"],
    ),
    (
        "vrid of 0",
        {"keepalived_vips": [{"address": "VIP/24", "vrid": 0}]},
        ["lb01: keepalived_vips[0].vrid: 0 "],
    ),
    (
        "vrid of 256",
        {"keepalived_vips": [{"address": "VIP/24", "vrid": 256}]},
        ["lb01: keepalived_vips[0].vrid: 256 "],
    ),
    (
        "two VIPs with one vrid",
        {"keepalived_vips": [{"address": "VIP/24", "vrid": 7}, {"address": "VIP9/24", "vrid": 7}]},
        ["lb01: keepalived_vips[1].vrid: VIP9/24 has the VRRP router id 7"],
    ),
    (
        "owner outside the group",
        {"keepalived_vips": [{"address": "VIP/24", "owner": "web01"}]},
        ["lb01: keepalived_vips[0].owner: web01 "],
    ),
    ("unknown engine", {"balancer_engine": "apache"}, ["lb01: balancer_engine: apache "]),
    (
        "line that keepalived rejects",
        {"keepalived_vrrp_instance": {"no_such_directive": "on"}},
        ["fatal: [lb0", "keepalived.conf", "no_such_directive"],
    ),
]
CASES_OF_ENGINE: dict[str, list[Case]] = {
    "nginx": [
        (
            "upstream without servers",
            {"nginx_upstreams": [{"name": "web", "server": []}]},
            ["web01: nginx_upstreams[0] (web)"],
        ),
        (
            "server without address",
            {"nginx_upstreams": [{"name": "web", "server": [{"adress": "192.0.2.1"}]}]},
            ["web01: nginx_upstreams[0] (web).server[0]: no address"],
        ),
        (
            "line that nginx rejects",
            {"nginx_http": {"no_such_directive": "on"}},
            ["fatal: [web0", "nginx.conf", "no_such_directive"],
        ),
        (
            # site.yml stops after it has found pending changes on each host.
            "package that does not exist",
            {
                "nginx_extra_packages": ["no-such-package"],
                "nginx_http": {"client_max_body_size": "9m"},
                "keepalived_global_defs": {"vrrp_garp_master_repeat": 9},
            },
            ["fatal: [lb0", "no-such-package"],
        ),
    ],
    "haproxy": [
        (
            "backend without servers",
            {"haproxy_backends": [{"name": "backends", "server": []}]},
            ["lb01: haproxy_backends[0] (backends)"],
        ),
        (
            "line that haproxy rejects",
            {"haproxy_global": {"no_such_directive": "on"}},
            ["fatal: [lb0", "haproxy.cfg", "no_such_directive"],
        ),
        (
            # site.yml stops after it has found pending changes on each host.
            "package that does not exist",
            {
                "haproxy_extra_packages": ["no-such-package"],
                "haproxy_global": {"maxconn": 999},
                "keepalived_global_defs": {"vrrp_garp_master_repeat": 9},
            },
            ["fatal: [lb0", "no-such-package"],
        ),
    ],
}


@pytest.fixture(scope="module")
def files_before(lab: Lab) -> dict[str, str]:
    """Return the checksums of the daemons' files before the first bad input."""
    return live_files(lab)


def live_files(lab: Lab) -> dict[str, str]:
    """Return the checksums of the files on every node that this collection may write."""
    find = "find /etc/haproxy /etc/keepalived /etc/nginx /etc/systemd/system -type f"
    # No node has all of these directories.
    return {
        name: lab.nodes[name].run(f"{find} -exec sha256sum {{}} + 2>/dev/null").stdout
        for name in (*BALANCERS, *BACKENDS)
    }


def with_addresses(lab: Lab, text: str) -> str:
    """Replace VIP by the lab's VIP, and VIP9 by a free address."""
    return text.replace("VIP9", lab.vip.rpartition(".")[0] + ".9").replace("VIP", lab.vip)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize with the cases of the inventory's engine."""
    engine = inventory_variables(Path(metafunc.config.option.ansible_inventory))["balancer_engine"]
    cases = [*CASES, *CASES_OF_ENGINE[engine]]
    metafunc.parametrize(("variables", "named"), [case[1:] for case in cases], ids=[case[0] for case in cases])


def test_bad_input(
    lab: Lab,
    answers_so_far: Callable[[], list[str]],
    files_before: dict[str, str],
    variables: dict[str, Any],
    named: list[str],
) -> None:
    asked_before = len(answers_so_far())

    play = apply_site(lab, json.loads(with_addresses(lab, json.dumps(variables))))

    # Ansible wraps long lines of a message.
    message = " ".join(play.stdout.split())
    assert play.returncode != 0, message
    assert "FAILED!" in message, message
    for word in named:
        assert with_addresses(lab, word) in message
    assert live_files(lab) == files_before
    answers = answers_so_far()
    assert len(answers) > asked_before
    assert set(answers) == {"200"}
