# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A watch that makes the lower holder release the VIP. Each test leaves the pair healed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nodes import BALANCERS, eventually
from watching import WAIT_S, Journal, cut, journals, metrics, pass_time

if TYPE_CHECKING:
    from nodes import Lab


@pytest.fixture(autouse=True)
def _forgetful(lab: Lab) -> None:
    """Restart the watch of lb02, which would otherwise wait before it releases the VIP again."""
    lab.nodes["lb02"].check_output("systemctl restart keepalived-watch")


def lets_go(lab: Lab, journal: Journal) -> None:
    """Wait until lb02 has released the VIP, and only lb01 has it."""
    line = f"VI_{lab.vip} releases {lab.vip}"
    assert eventually(lambda: line in [text for _at, text in journal.lines("keepalived-watch")], within_s=WAIT_S), (
        journal.findings()
    )
    assert eventually(lambda: lab.holders() == ["lb01"], within_s=WAIT_S), lab.holders()


def test_one_holder_is_left(lab: Lab) -> None:
    # Their files have changed, so they were restarted.
    path = f"/run/keepalived-watch/VI_{lab.vip}.release"
    assert eventually(lambda: all(lab.nodes[name].file(path).exists for name in BALANCERS), within_s=WAIT_S)
    said = journals(lab)
    with cut(lab, "lb02"):
        assert eventually(lambda: len(lab.holders()) == 2, within_s=WAIT_S), lab.holders()
        lets_go(lab, said["lb02"])
        assert lab.answering_macs() == lab.holder_macs()
        assert metrics(lab, "lb02", "haproof_vip_released") == [1]
        # It does not take the VIP back while it cannot hear the holder.
        pass_time(lab, "lb02", 5)
        assert lab.holders() == ["lb01"]
    assert eventually(lambda: metrics(lab, "lb02", "haproof_vip_released") == [0], within_s=WAIT_S)
    assert lab.holders() == ["lb01"]
    # lb01 never released it.
    assert not [text for _at, text in said["lb01"].lines("keepalived-watch") if "lets go" in text]
    assert not [text for _at, text in said["lb01"].lines("keepalived") if "FAULT" in text]


def test_it_still_takes_over_when_the_holder_is_gone(lab: Lab) -> None:
    said = journals(lab)
    with cut(lab, "lb02"):
        lets_go(lab, said["lb02"])
        with lab.stopped("lb01", "keepalived"):
            assert lab.moved_to("lb02", within_s=WAIT_S), lab.holders()
            assert lab.answering_macs() == lab.holder_macs()
    assert lab.moved_to("lb01", within_s=WAIT_S), lab.holders()


def test_a_watch_that_is_stopped_holds_nothing_back(lab: Lab) -> None:
    said = journals(lab)
    with cut(lab, "lb02"):
        lets_go(lab, said["lb02"])
        with lab.stopped("lb02", "keepalived-watch"):
            assert eventually(lambda: len(lab.holders()) == 2, within_s=WAIT_S), lab.holders()
    assert lab.moved_to("lb01", within_s=WAIT_S), lab.holders()
