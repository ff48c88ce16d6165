# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change of what the peers must share that is only planned, fails, or is interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from nodes import apply_site, eventually, unchanged
from witness import at_rest, check, witnessed

if TYPE_CHECKING:
    from nodes import Lab

CONF = "/etc/keepalived/keepalived.conf"
PLAY = "PLAY [Configure the balancers one by one"
# How the task begins, and how often it or its play has begun, when the controller is killed.
MOMENTS = {
    "before the holder changes": ("First | Wait until this balancer holds every virtual IP", 1),
    "after the holder has changed": (PLAY, 2),
}
COMPLETE_WITHIN_S = 60
"""Default of keepalived_mute."""


def settings(lab: Lab, vrid: int, **further: Any) -> dict[str, Any]:
    """Return the variables of the VIP with this router id."""
    return {"keepalived_vips": [{"address": f"{lab.vip}/24", "vrid": vrid}], **further}


def vrids(lab: Lab) -> dict[str, int]:
    """Return the router id in each balancer's configuration."""
    grep = "awk '/virtual_router_id/ {print $2}' %s"
    return {name: int(lab.nodes[name].check_output(grep, CONF)) for name in lab.balancers}


def interrupted(lab: Lab, variables: dict[str, Any], task: str, times: int) -> None:
    """Run site, and kill the controller when a task or play begins for the n-th time."""
    command = ["ansible-playbook", "haproof.balancer.site", "-i", str(lab.inventory)]
    with subprocess.Popen(
        [*command, "--extra-vars", json.dumps(variables)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "ANSIBLE_FORCE_COLOR": "false", "PYTHONUNBUFFERED": "1"},
    ) as run:
        seen = []
        for line in run.stdout or []:
            seen.append(line)
            if task in line:
                times -= 1
            if not times:
                os.killpg(run.pid, signal.SIGKILL)
                break
    assert not times, "".join(seen)


@pytest.fixture(autouse=True)
def _usual(lab: Lab) -> None:
    run = apply_site(lab, {})
    assert run.returncode == 0, run.stdout
    assert at_rest(lab, [lab.vip])


def test_check_mode_tells_the_order(lab: Lab) -> None:
    run = apply_site(lab, settings(lab, 77), "--check")
    assert run.returncode == 0, run.stdout
    said = " ".join(run.stdout.split())
    assert f"{lab.vip} (virtual_router_id): lb01 changes first" in said, run.stdout
    assert "while keepalived is stopped on lb02" in said, run.stdout
    assert at_rest(lab, [lab.vip])
    assert unchanged(apply_site(lab, {}).stdout)


def test_a_change_that_fails_on_the_holder_is_rolled_back(lab: Lab) -> None:
    # Valid for keepalived, but the instance ends in FAULT.
    failing = {
        "keepalived_vrrp_scripts": [{"name": "never", "script": "'/bin/false'", "interval": 1, "fall": 1}],
        "keepalived_vrrp_instance": {"track_script": ["never"]},
    }
    with witnessed(lab, [lab.vip]) as seen:
        run = apply_site(lab, settings(lab, 77, **failing))
        assert at_rest(lab, [lab.vip])
    assert run.returncode == 2, run.stdout
    said = " ".join(run.stdout.split())
    assert f"keepalived did not become the master of {lab.vip} within" in said, run.stdout
    assert "lb01, lb02 keep their configuration" in said, run.stdout
    assert vrids(lab) == {"lb01": 10, "lb02": 10}
    check("rolled back", seen)


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupted_pair_serves_and_the_next_run_completes_it(lab: Lab, moment: str) -> None:
    task, times = MOMENTS[moment]
    changed = moment.startswith("after")
    with witnessed(lab, [lab.vip]) as seen:
        interrupted(lab, settings(lab, 77), task, times)
        if not changed:
            # The standby sees that nothing has changed.
            assert eventually(lambda: lab.nodes["lb02"].service("keepalived").is_running, COMPLETE_WITHIN_S + 20)
            assert at_rest(lab, [lab.vip])
        assert vrids(lab) == {"lb01": 77 if changed else 10, "lb02": 10}
        assert lab.holders() == ["lb01"]
        run = apply_site(lab, settings(lab, 77))
        assert run.returncode == 0, run.stdout
        assert at_rest(lab, [lab.vip])
    assert vrids(lab) == {"lb01": 77, "lb02": 77}
    check(moment, seen)


def test_the_standby_of_an_interrupted_pair_takes_over(lab: Lab) -> None:
    interrupted(lab, settings(lab, 77), *MOMENTS["after the holder has changed"])
    assert not lab.nodes["lb02"].service("keepalived").is_running
    lab.nodes["lb01"].check_output("systemctl stop keepalived")
    assert lab.moved_to("lb02")
    # What both had before the run would be two holders now; the next one starts keepalived on lb01.
    run = apply_site(lab, settings(lab, 77))
    assert run.returncode == 0, run.stdout
    assert at_rest(lab, [lab.vip])
    assert vrids(lab) == {"lb01": 77, "lb02": 77}
