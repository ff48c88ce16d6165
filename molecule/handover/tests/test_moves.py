# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same connections survive one move of the VIP after the other, until the former holder freezes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

import pytest
from handed_over import FIRST, SECOND, THIRD, at_rest, state
from long_lived import Scale, long_lived

from nodes import apply_site, eventually, frozen

if TYPE_CHECKING:
    from long_lived import Load

    from nodes import Lab

SCALE = Scale(kept=200, streams=20, downloads=10, new_per_s=100)


@pytest.fixture(scope="module")
def load(lab: Lab) -> Iterator[Load]:
    """Keep the same connections through all moves."""
    at_rest(lab)
    with long_lived(lab, scale=SCALE) as load:
        yield load


@pytest.fixture(autouse=True)
def _unharmed(load: Load) -> None:
    """Tell what an earlier test has done to the connections."""
    assert load.harm() == {}


def test_a_move_and_the_return(lab: Lab, load: Load) -> None:
    with lab.stopped(FIRST, "keepalived"):
        assert lab.moved_to(SECOND)
        assert load.goes_on()
        assert load.harm() == {}
        assert state(lab, SECOND)["state"] == "handing over"
        assert state(lab, FIRST)["own"] >= sum(SCALE[:3])
    assert lab.moved_to(FIRST, within_s=30)
    assert load.goes_on()
    assert load.harm() == {}


def test_a_move_in_the_middle_of_a_hand_over(lab: Lab, load: Load) -> None:
    with lab.stopped(FIRST, "keepalived"):
        assert lab.moved_to(SECOND)
        with lab.stopped(SECOND, "keepalived"):
            assert lab.moved_to(THIRD)
            assert load.goes_on()
            assert load.harm() == {}
            assert state(lab, THIRD)["remaining"] >= sum(SCALE[:3])
    assert lab.moved_to(FIRST, within_s=30)
    assert load.goes_on()
    assert load.harm() == {}


def test_the_rollout_of_another_router_id(lab: Lab, load: Load) -> None:
    vips = [{"address": f"{vip}/{64 if ':' in vip else 24}", "vrid": 77} for vip in lab.owners]
    # With two holders meanwhile, a new connection could begin on one and go on to the other.
    variables = {"keepalived_vips": vips, "site_one_holder": True}
    run = apply_site(lab, variables, "--limit=balancers")
    assert run.returncode == 0, run.stdout + run.stderr
    assert lab.moved_to(FIRST, within_s=30)
    assert load.goes_on()
    assert load.harm() == {}


def test_a_former_holder_that_freezes_loses_only_its_own_connections(lab: Lab, load: Load) -> None:
    with lab.stopped(FIRST, "keepalived"):
        assert lab.moved_to(SECOND)
        assert load.goes_on()
        assert load.harm() == {}
        with frozen(lab, FIRST):
            assert eventually(lambda: state(lab, SECOND)["ended"] == "the former holder does not answer", within_s=10)
            # The connections that were reset, and those that it still acknowledged, begin anew.
            assert eventually(lambda: load.harmed() >= sum(SCALE[:3]), within_s=30), load.seen()
            assert load.goes_on()
            seen = load.seen()
    assert (seen["failed"], seen["wrong"]) == (0, 0), seen
