# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""keepalived on a node accepts every configuration that the unit tests write."""

from __future__ import annotations

import base64
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

PROJECT = Path(__file__).parents[4]
sys.path[:0] = [str(PROJECT / "build/collections"), str(PROJECT / "tests/configurations")]
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.daemons import DAEMONS, judge
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import expand
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from configurations import NAMES, configuration

if TYPE_CHECKING:
    from nodes import Lab

STAGED = "/run/accepted.conf"
# Runs in its own network and mount namespaces, beside the active keepalived, and dumps its configuration on a signal.
RUNS = f"""unshare --net --mount sh -c '
    ip link add eth1 type veth peer name eth2 && ip address add 192.0.2.1/24 dev eth1 && ip link set eth1 up
    ip link set eth2 up
    mount -t tmpfs tmpfs /tmp
    keepalived --log-console --dont-fork --vrrp --use-file={STAGED} --pid=/tmp/a --vrrp_pid=/tmp/b >/tmp/log 2>&1 &
    timeout 20 sh -c "until grep -q Startup.complete /tmp/log; do sleep 0.1; done"
    kill -USR1 $!
    timeout 20 sh -c "until grep -q Password.*last /tmp/keepalived.data; do sleep 0.1; done"
    cat /tmp/keepalived.data
    kill $!
    wait'"""
PASSWORDS = ["s3cret", "'ab#cd'", "a!b#{}x", "a b", "a\\b", "@a~b", "5$", "$ecret", "}{", "\\!\\#a", "last"]
KEEPALIVED = DAEMONS["keepalived"]
DEFINITIONS = (PROJECT / "tests/configurations/definitions.conf").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_keepalived_accepts(lab: Lab, name: str) -> None:
    text = base64.b64encode(render(configuration(name, "eth1")).encode()).decode()
    check = shlex.join([*KEEPALIVED.check, STAGED])
    answer = lab.nodes["lb01"].run(f"echo {text} | base64 -d >{STAGED} && {check}")
    assert judge(KEEPALIVED, answer.rc, answer.stdout + answer.stderr, STAGED, name).rejection is None


def test_keepalived_rejects_unknown_directives(lab: Lab) -> None:
    check = shlex.join([*KEEPALIVED.check, STAGED])
    answer = lab.nodes["lb01"].run(f"echo no_such_directive >{STAGED} && {check}")
    rejection = judge(KEEPALIVED, answer.rc, answer.stdout + answer.stderr, STAGED, "it").rejection
    # It logs that twice, first without the file.
    assert rejection is not None
    assert "(it: Line 1) Unknown keyword 'no_such_directive'" in rejection.splitlines()


def test_keepalived_reads_definitions_as_the_role_does(lab: Lab) -> None:
    """keepalived logs the first word of each unknown line, and reads the file more than once."""
    lines = expand(DEFINITIONS.splitlines(), "lb01".__eq__)
    words = [re.match(r'"([^"]*)"|(\S+)', line) for line in lines if line and not line.startswith("@")]
    expected = [word[1] or word[2] for word in words if word]
    text = base64.b64encode(DEFINITIONS.encode()).decode()
    check = f"keepalived --config-test --config-id=lb01 --use-file={STAGED}"
    answer = lab.nodes["lb01"].run(f"echo {text} | base64 -d >{STAGED}; trap '' TERM; {check}")
    unknown = re.findall(r"Unknown keyword '(.*)'", answer.stdout + answer.stderr)
    assert unknown[-len(expected) :] == expected


def test_keepalived_runs_with_the_given_passwords(lab: Lab) -> None:
    instances = {
        f"vrrp_instance V{number}": {
            "interface": "eth1",
            "virtual_router_id": number,
            "priority": 100,
            "version": 2,
            "authentication": {"auth_type": "PASS", "auth_pass": password},
            "virtual_ipaddress": [f"192.0.2.{number + 9}"],
        }
        for number, password in enumerate(PASSWORDS, 1)
    }
    text = base64.b64encode(render(instances).encode()).decode()
    dump = lab.nodes["lb01"].check_output(f"echo {text} | base64 -d >{STAGED} && {RUNS}")
    assert re.findall(r"^   Password = (.*)$", dump, re.MULTILINE) == PASSWORDS
