# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keepalived-handover has set up on the balancers, and how to disturb it."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator

from long_lived import SMALL, long_lived

from nodes import BALANCERS, eventually, inventory_balancers

if TYPE_CHECKING:
    from long_lived import Load, Scale

    from nodes import Lab

FIRST, SECOND = BALANCERS
THIRD = "lb03"
UNIT = "keepalived-handover"


def state(lab: Lab, name: str, vip: str = "") -> dict[str, Any]:
    """Return what a balancer reports about a VIP."""
    entries = json.loads(lab.nodes[name].check_output("cat /run/keepalived-handover/state.json"))
    (found,) = (entry for entry in entries if entry["vip"] == (vip or lab.vip))
    return dict(found)


def tables(lab: Lab, name: str) -> str:
    """Return the hand-over's tables."""
    return str(lab.nodes[name].check_output("nft list tables | grep haproof_handover || true"))


def prepared(lab: Lab, name: str, vip: str = "") -> bool:
    """Return whether a standby can take over with the connections."""
    return state(lab, name, vip)["former"] is not None and tables(lab, name) != ""


def at_rest(lab: Lab) -> None:
    """Wait until the VIPs are on the first balancer, and the others are ready to take over."""
    assert all(lab.moved_to(FIRST, vip, within_s=60) for vip in lab.owners)
    assert eventually(lambda: all(state(lab, FIRST, vip)["state"] == "holder" for vip in lab.owners), within_s=90)
    others = [name for name in lab.balancers if name != FIRST]
    assert eventually(lambda: all(prepared(lab, name, vip) for name in others for vip in lab.owners), within_s=30)


@contextmanager
def handing_over(lab: Lab, scale: Scale = SMALL) -> Iterator[Load]:
    """Move the VIP to the second balancer, while the first one goes on serving the connections."""
    with long_lived(lab, scale=scale) as load, lab.stopped(FIRST, "keepalived"):
        assert lab.moved_to(SECOND)
        assert load.goes_on()
        assert load.harm() == {}
        assert state(lab, SECOND)["state"] == "handing over"
        yield load


@contextmanager
def powered_off(lab: Lab, name: str) -> Iterator[None]:
    """Kill a node, so that even its kernel acknowledges nothing, and boot it at the end."""
    container = inventory_balancers(lab.inventory)[name]["lab_container"]
    # The lab's kernel outlives the node, and would close its connections properly.
    subprocess.run(["docker", "exec", container, "ip", "link", "set", "eth1", "down"], check=True, capture_output=True)
    subprocess.run(["docker", "kill", container], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["docker", "start", container], check=True, capture_output=True)
        # SSH is refused until then.
        booted = ["docker", "exec", container, "systemctl", "is-active", "--quiet", "multi-user.target"]
        assert eventually(lambda: subprocess.run(booted, check=False).returncode == 0, within_s=60)
