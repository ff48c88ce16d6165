# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Without the hand-over cut connections are reported and not judged, and a hand-over is not drilled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drilling import drill
from nodes import apply_site

if TYPE_CHECKING:
    from drilling import Drilled
    from nodes import Lab

KEPT = 20


@pytest.fixture(scope="module")
def off(lab: Lab) -> Drilled:
    run = apply_site(lab, {"keepalived_handover": False}, "--limit=balancers")
    assert run.returncode == 0, run.stdout + run.stderr
    return drill(lab, faults="handover,keepalived_stop", connections=KEPT, slo={"keepalived_stop": 1.0})


def test_a_hand_over_is_skipped(off: Drilled) -> None:
    found = off.drills["handover"]
    assert (found["verdict"], found["reasons"]) == (
        "skip",
        ["lb01: keepalived_handover is off; lb02: keepalived_handover is off"],
    )


def test_cut_connections_are_reported(off: Drilled) -> None:
    found = off.drills["keepalived_stop"]
    assert found["verdict"] == "pass", found["reasons"]
    assert (found["expected"]["cut_slo"], found["expected"]["failback_cut_slo"]) == (None, None)
    (run,) = found["runs"]
    # The takeover and the failback cut each of them.
    assert (run["cut"] > KEPT, run["failback_cut"] > 0, run["served"]) == (True, True, None)
