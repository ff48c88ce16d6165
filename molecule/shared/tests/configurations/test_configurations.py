# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""keepalived on a node accepts every configuration that the unit tests write."""

from __future__ import annotations

import base64
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

PROJECT = Path(__file__).parents[4]
sys.path[:0] = [str(PROJECT / "build/collections"), str(PROJECT / "tests/configurations")]
from ansible_collections.haproof.balancer.plugins.module_utils._daemons import DAEMONS, judge
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived_conf import render
from configurations import NAMES, configuration

if TYPE_CHECKING:
    from nodes import Lab

STAGED = "/run/accepted.conf"
KEEPALIVED = DAEMONS["keepalived"]


@pytest.mark.parametrize("name", NAMES)
def test_keepalived_accepts(lab: Lab, name: str) -> None:
    text = base64.b64encode(render(configuration(name, "eth1")).encode()).decode()
    check = shlex.join([*KEEPALIVED.check, STAGED])
    answer = lab.nodes["lb01"].run(f"echo {text} | base64 -d >{STAGED} && {check}")
    assert judge(KEEPALIVED, answer.rc, answer.stdout + answer.stderr, STAGED, name).refusal is None


def test_keepalived_refuses_what_it_does_not_know(lab: Lab) -> None:
    check = shlex.join([*KEEPALIVED.check, STAGED])
    answer = lab.nodes["lb01"].run(f"echo no_such_directive >{STAGED} && {check}")
    refusal = judge(KEEPALIVED, answer.rc, answer.stdout + answer.stderr, STAGED, "it").refusal
    # It says that twice, at first without the file.
    assert refusal is not None
    assert "(it: Line 1) Unknown keyword 'no_such_directive'" in refusal.splitlines()
