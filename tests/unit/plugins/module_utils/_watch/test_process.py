# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watch's findings about keepalived's processes, round by round."""

from __future__ import annotations

from typing import Sequence

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._watch.process import LASTS_S, Process, Restarts

MAIN, OTHER_MAIN = Process(10, 100), Process(20, 900)
VRRP, AGAIN, THIRD, CHECKER = Process(11, 101), Process(12, 500), Process(13, 700), Process(14, 600)
# The rounds' observations, and the number of restarts.
CASES: list[tuple[str, Sequence[tuple[Process | None, set[Process]]], int]] = [
    ("nothing", [(None, set())] * 3, 0),
    ("all is well", [(MAIN, {VRRP})] * 5, 0),
    ("replaced between two rounds", [(MAIN, {VRRP})] * 3 + [(MAIN, {AGAIN})] * 3, 1),
    ("replaced later", [(MAIN, {VRRP})] * 3 + [(MAIN, set())] * 4 + [(MAIN, {AGAIN})], 1),
    ("the same number again", [(MAIN, {VRRP})] * 3 + [(MAIN, {VRRP._replace(started=800)})], 1),
    ("twice", [(MAIN, {VRRP})] * 3 + [(MAIN, {AGAIN})] * 3 + [(MAIN, {THIRD})], 2),
    ("keepalived was restarted", [(MAIN, {VRRP})] * 3 + [(None, set())] + [(OTHER_MAIN, {AGAIN})] * 3, 0),
    ("keepalived stops", [(MAIN, {VRRP})] * 3 + [(MAIN, set())] * 2 + [(None, set())], 0),
    ("a reload adds health checks", [(MAIN, {VRRP})] * 3 + [(MAIN, {VRRP, CHECKER})] * 3, 0),
    ("a reload takes them away", [(MAIN, {VRRP, CHECKER})] * 3 + [(MAIN, {VRRP})] * 3, 0),
    ("a configuration is checked", [(MAIN, {VRRP})] * 3 + [(MAIN, {VRRP, AGAIN})] + [(MAIN, {VRRP, THIRD})], 0),
]


@pytest.mark.parametrize(("rounds", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_restarts(rounds: Sequence[tuple[Process | None, set[Process]]], expected: int) -> None:
    restarts = Restarts()
    for number, (main, children) in enumerate(rounds):
        restarts.step(main, children, number / 2)
    assert restarts.total == expected
    assert restarts.raised is (expected > 0)


def test_it_is_told_once_and_is_over_after_a_while() -> None:
    restarts = Restarts()
    told = [restarts.step(MAIN, {VRRP}, now) for now in (1.0, 1.5)]
    told += [restarts.step(MAIN, {AGAIN}, now) for now in (2.0, 2.5, 2.0 + LASTS_S - 0.1)]
    assert told == [False, False, True, False, False]
    assert restarts.text == "process 11 died, and was restarted as 12"
    assert restarts.step(MAIN, {AGAIN}, 2.0 + LASTS_S)
    assert (restarts.raised, restarts.total) == (False, 1)
