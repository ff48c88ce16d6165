# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a hand-over, by what this host and its peers see."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._handover.machine import (
    ASK_S,
    DIED,
    DONE,
    FIRST_ASK_S,
    FIRST_S,
    HANDING_OVER,
    HOLDER,
    KNOWN_S,
    LEAST_LOOK_S,
    LEAST_QUESTIONS,
    LIMIT,
    LOOK_S,
    MOVED,
    REFUSED,
    SETTLE_S,
    SILENT_S,
    SOLE_S,
    STANDBY,
    Ended,
    Handover,
    Wanted,
)
from ansible_collections.haproof.balancer.plugins.module_utils._handover.messages import (
    ASK,
    HOLDING,
    NO,
    SERVING,
    SOLE,
)

PEER = "192.0.2.11"
OTHER = "192.0.2.13"
LIMIT_S = 600.0
ALIVE_S = 0.4


def standby(peer: str = PEER) -> Handover:
    """Return a standby that knows the holder."""
    machine = Handover(LIMIT_S, ALIVE_S, 0.0, held=False)
    machine.answer(0.0, peer, HOLDING, 3)
    return machine


def taking_over() -> Handover:
    """Return a host that has taken over at second 1, from a holder that has answered at once."""
    machine = standby()
    machine.observe(1.0, held=True, own=0)
    machine.answer(1.01, PEER, SERVING, 3)
    return machine


def ask_in_vain(machine: Handover, questions: int = LEAST_QUESTIONS) -> None:
    """Ask questions from second 1.1 on that no peer answers."""
    for number in range(questions):
        assert machine.must_ask(1.1 + number * (ASK_S + 0.01))


def test_a_standby_prepares_for_the_holder_that_it_knows() -> None:
    assert standby().wanted(0.1) == Wanted(local=False, formers=(PEER,))


def test_a_standby_prepares_nothing_for_a_peer_without_the_vip_and_its_connections() -> None:
    machine = Handover(LIMIT_S, ALIVE_S, 0.0, held=False)
    machine.answer(0.0, PEER, SERVING, 0)
    machine.answer(0.0, OTHER, NO, 0)
    assert machine.wanted(0.1) == Wanted(local=False, formers=())


def test_a_standby_forgets_a_holder_that_it_has_not_heard_of_for_long() -> None:
    machine = standby()
    machine.observe(KNOWN_S, held=False, own=0)
    assert machine.former == PEER
    machine.observe(KNOWN_S + 0.1, held=False, own=0)
    assert machine.former is None


def test_of_three_balancers_each_that_had_the_vip_counts() -> None:
    # Two may take over at the same moment; one gives up at once.
    machine = standby()
    machine.answer(1.0, OTHER, HOLDING, 0)
    assert machine.wanted(1.0).formers == (PEER, OTHER)
    machine.answer(1.1, PEER, SERVING, 3)
    assert machine.former == OTHER
    machine.answer(1.2, OTHER, SERVING, 0)
    machine.answer(1.2, OTHER, NO, 0)
    assert machine.wanted(1.2).formers == (PEER,)


def test_several_former_holders_are_asked_and_end_one_by_one() -> None:
    machine = standby()
    machine.answer(0.9, OTHER, HOLDING, 2)
    machine.observe(1.0, held=True, own=0)
    machine.answer(1.01, PEER, SERVING, 3)
    assert machine.wait_s(1.01) == 0.0
    assert machine.must_ask(1.01)
    assert machine.wait_s(1.01) == pytest.approx(FIRST_ASK_S)
    machine.answer(1.02, OTHER, SERVING, 2)
    assert (machine.state, machine.wanted(1.1).formers, machine.remaining) == (HANDING_OVER, (PEER, OTHER), 5)
    machine.answer(1.3, OTHER, NO, 0)
    assert (machine.state, machine.wanted(1.3).formers, machine.remaining) == (HANDING_OVER, (PEER,), 3)
    ask_in_vain(machine)
    machine.observe(1.02 + SILENT_S, held=True, own=0)
    assert (machine.state, machine.ended) == (HOLDER, [Ended(OTHER, DONE), Ended(PEER, DIED)])


def test_a_peer_that_serves_connections_joins_a_hand_over() -> None:
    # The VIP moves on in the middle of a hand-over.
    machine = taking_over()
    machine.answer(0.99, OTHER, SERVING, 2)
    assert machine.wanted(1.1).formers == (PEER,)
    machine.answer(1.1, OTHER, SERVING, 2)
    assert machine.wanted(1.1).formers == (PEER, OTHER)


def test_of_two_former_holders_neither_resets_the_connections_of_the_other() -> None:
    # The peer has its own, and may lose the VIP at any time.
    machine = Handover(LIMIT_S, ALIVE_S, 0.0, held=True)
    machine.observe(1.0, held=False, own=3)
    machine.answer(9.0, PEER, HOLDING, 1)
    assert machine.wanted(9.0).quiet
    machine.observe(10.0, held=False, own=0)
    assert machine.wanted(10.0) == Wanted(local=False, formers=(PEER,), quiet=False)


@pytest.mark.parametrize(("lost", "kind"), [(NO, SOLE), (SERVING, ASK)])
def test_the_last_former_holder_hears_that_it_is_the_only_one(lost: str, kind: str) -> None:
    # A refusal with connections: the service hangs there.
    machine = standby()
    machine.answer(0.9, OTHER, SERVING, 2)
    machine.observe(1.0, held=True, own=0)
    assert machine.question(OTHER) == ASK
    machine.answer(1.1, PEER, lost, 3)
    assert (machine.question(OTHER), machine.question(PEER)) == (kind, ASK)


def test_a_former_holder_that_joins_after_the_death_of_another_hears_it_as_well() -> None:
    machine = standby()
    machine.observe(1.0, held=True, own=0)
    ask_in_vain(machine)
    machine.observe(1.3, held=True, own=0)
    assert (machine.state, machine.question(OTHER)) == (HOLDER, ASK)
    machine.answer(1.4, OTHER, SERVING, 1)
    assert machine.question(OTHER) == SOLE
    machine.observe(2.0, held=False, own=0)
    assert machine.question(OTHER) == ASK
    machine.observe(3.0, held=True, own=0)
    assert (machine.state, machine.question(OTHER)) == (HANDING_OVER, ASK)


def test_the_only_former_holder_resets_the_connections_that_nobody_has() -> None:
    machine = Handover(LIMIT_S, ALIVE_S, 0.0, held=True)
    machine.observe(1.0, held=False, own=3)
    machine.asked(1.1, PEER, ASK)
    assert machine.wanted(1.1).quiet
    machine.asked(1.2, PEER, SOLE)
    machine.asked(1.3, OTHER, ASK)
    assert machine.wanted(1.19 + SOLE_S) == Wanted(local=True, formers=(), quiet=False)
    assert machine.wanted(1.21 + SOLE_S).quiet, "another one may have taken over, and have the connections"


def test_a_holder_that_has_lost_the_vip_takes_back_that_there_is_only_one() -> None:
    machine = Handover(LIMIT_S, ALIVE_S, 0.0, held=True)
    machine.observe(1.0, held=False, own=3)
    machine.asked(1.1, PEER, SOLE)
    machine.asked(1.2, PEER, ASK)
    assert machine.wanted(1.2).quiet


def test_connections_are_counted() -> None:
    machine = taking_over()
    assert (machine.received, machine.cut) == (3, 0)
    machine.answer(1.2, PEER, SERVING, 5)
    machine.answer(1.3, PEER, SERVING, 4)
    machine.answer(1.0 + LIMIT_S, PEER, SERVING, 4)
    machine.observe(1.1 + LIMIT_S, held=True, own=0)
    assert (machine.received, machine.cut) == (5, 4)


def test_a_holder_takes_its_packets_without_the_address_as_well() -> None:
    assert Handover(LIMIT_S, ALIVE_S, 0.0, held=True).wanted(0.0) == Wanted(local=True, formers=())


def test_a_takeover_keeps_the_rules_and_asks_at_once() -> None:
    machine = standby()
    assert machine.must_ask(0.9)
    machine.observe(1.0, held=True, own=0)
    assert machine.state == HANDING_OVER
    assert machine.wanted(1.0) == Wanted(local=True, formers=(PEER,), quiet=True)
    assert machine.must_ask(1.0)
    assert not machine.must_ask(1.001)
    assert machine.must_ask(1.02)


def test_two_holders_do_not_ask_each_other_without_end() -> None:
    first, second = (Handover(LIMIT_S, ALIVE_S, 0.0, held=True) for _host in range(2))
    questions = 0
    for each_ms in range(1000):
        for machine, other in ((first, second), (second, first)):
            if machine.must_ask(each_ms / 1000):
                questions += 1
                other.asked(each_ms / 1000, PEER, ASK)
    assert questions <= 2 / FIRST_ASK_S + 2


def test_a_takeover_without_a_known_holder_is_none() -> None:
    machine = Handover(LIMIT_S, ALIVE_S, 0.0, held=False)
    machine.observe(1.0, held=True, own=0)
    assert (machine.state, machine.former) == (HOLDER, None)


def test_a_holder_that_may_be_dead_must_answer_at_once() -> None:
    machine = standby()
    machine.observe(1.0, held=True, own=0)
    ask_in_vain(machine)
    machine.observe(1.0 + FIRST_S - 0.001, held=True, own=0)
    assert machine.state == HANDING_OVER
    machine.observe(1.0 + FIRST_S + 0.001, held=True, own=0)
    assert (machine.state, machine.former, machine.ended) == (HOLDER, None, [Ended(PEER, DIED)])


def test_a_peer_that_serves_connections_is_a_former_holder_whenever_it_says_so() -> None:
    machine = Handover(LIMIT_S, ALIVE_S, 0.0, held=True)
    assert machine.must_ask(0.9)
    assert not machine.must_ask(1.0)
    machine.asked(1.0, PEER, ASK)
    assert machine.must_ask(1.0)
    machine.answer(1.0, OTHER, NO, 0)
    machine.answer(1.0, OTHER, SERVING, 0)
    machine.answer(1.0, OTHER, HOLDING, 3)
    assert machine.state == HOLDER
    machine.answer(1.0, PEER, SERVING, 3)
    assert (machine.state, machine.wanted(1.0).formers, machine.ended) == (HANDING_OVER, (PEER,), [])
    ask_in_vain(machine)
    machine.observe(1.0 + SILENT_S + 0.1, held=True, own=0)
    assert (machine.state, machine.ended) == (HOLDER, [Ended(PEER, DIED)])
    machine.answer(2.0, PEER, SERVING, 3)
    machine.observe(2.1, held=True, own=0)
    assert machine.state == HANDING_OVER


@pytest.mark.parametrize("kind", [HOLDING, SERVING])
def test_a_holder_that_answered_too_recently_to_have_died_may_be_busy(kind: str) -> None:
    machine = standby()
    machine.answer(1.001 - ALIVE_S, PEER, kind, 3)
    machine.observe(1.0, held=True, own=0)
    ask_in_vain(machine)
    machine.observe(1.0 + SILENT_S - 0.001, held=True, own=0)
    assert machine.state == HANDING_OVER
    machine.observe(1.0 + SILENT_S + 0.001, held=True, own=0)
    assert (machine.state, machine.former, machine.ended) == (HOLDER, None, [Ended(PEER, DIED)])


def test_a_late_answer_to_an_earlier_question_only_proves_life() -> None:
    machine = standby()
    machine.observe(1.0, held=True, own=0)
    ask_in_vain(machine)
    machine.answer(0.9, PEER, SERVING, 0)
    machine.observe(1.0 + FIRST_S + 0.001, held=True, own=0)
    assert (machine.state, machine.remaining) == (HANDING_OVER, 0)


def test_the_life_of_another_peer_proves_nothing() -> None:
    machine = standby()
    machine.answer(0.9, OTHER, NO, 0)
    machine.observe(1.0, held=True, own=0)
    ask_in_vain(machine)
    machine.observe(1.0 + FIRST_S + 0.001, held=True, own=0)
    assert machine.ended == [Ended(PEER, DIED)]


def test_without_known_timers_every_holder_may_be_dead() -> None:
    machine = Handover(LIMIT_S, 0.0, 0.0, held=False)
    machine.answer(0.99, PEER, HOLDING, 3)
    machine.observe(1.0, held=True, own=0)
    ask_in_vain(machine)
    machine.observe(1.0 + FIRST_S + 0.001, held=True, own=0)
    assert machine.ended == [Ended(PEER, DIED)]


def test_an_answer_keeps_them_until_no_connection_is_left() -> None:
    machine = taking_over()
    machine.observe(1.2, held=True, own=0)
    assert (machine.state, machine.remaining) == (HANDING_OVER, 3)
    machine.answer(1.3, PEER, SERVING, 0)
    assert machine.state == HANDING_OVER, "a client that has not noticed the move may still connect there"
    machine.answer(1.0 + SETTLE_S, PEER, SERVING, 0)
    assert (machine.state, machine.former, machine.ended) == (HOLDER, None, [Ended(PEER, DONE)])


def test_a_former_holder_that_still_has_the_address_may_get_connections() -> None:
    machine = standby()
    machine.observe(1.0, held=True, own=0)
    machine.answer(1.01, PEER, HOLDING, 0)
    assert machine.state == HANDING_OVER


def test_a_former_holder_that_refuses_ends_it() -> None:
    machine = taking_over()
    machine.answer(1.2, PEER, NO, 3)
    assert (machine.state, machine.ended) == (HOLDER, [Ended(PEER, REFUSED)])


def test_a_former_holder_that_no_longer_needs_it_ends_it() -> None:
    machine = taking_over()
    machine.answer(1.2, PEER, NO, 0)
    assert (machine.state, machine.ended) == (HOLDER, [Ended(PEER, DONE)])


def test_other_peers_have_no_say() -> None:
    machine = taking_over()
    machine.answer(1.2, OTHER, NO, 0)
    machine.answer(1.2, OTHER, SERVING, 0)
    assert machine.state == HANDING_OVER


def test_a_former_holder_that_falls_silent_ends_it() -> None:
    machine = taking_over()
    ask_in_vain(machine)
    machine.observe(1.01 + SILENT_S, held=True, own=0)
    assert machine.state == HANDING_OVER
    machine.observe(1.02 + SILENT_S, held=True, own=0)
    assert (machine.state, machine.ended) == (HOLDER, [Ended(PEER, DIED)])


@pytest.mark.parametrize("answered", [False, True])
def test_a_host_that_was_suspended_asks_again_before_it_takes_others_for_dead(answered: bool) -> None:
    machine = taking_over() if answered else standby()
    machine.observe(1.0, held=True, own=0)
    ask_in_vain(machine, LEAST_QUESTIONS - 1)
    machine.observe(60.0, held=True, own=0)
    assert machine.state == HANDING_OVER
    assert machine.must_ask(60.0)
    machine.observe(60.0, held=True, own=0)
    assert machine.ended == [Ended(PEER, DIED)]


def test_a_former_holder_may_be_silent_as_long_as_vrrp_allows() -> None:
    machine = Handover(LIMIT_S, 4.0, 0.0, held=False)
    machine.answer(0.9, PEER, HOLDING, 3)
    machine.observe(1.0, held=True, own=0)
    ask_in_vain(machine)
    machine.observe(4.9, held=True, own=0)
    assert machine.state == HANDING_OVER
    machine.observe(5.1, held=True, own=0)
    assert machine.ended == [Ended(PEER, DIED)]


def test_the_limit_ends_it() -> None:
    machine = taking_over()
    end_s = 1.0 + LIMIT_S
    machine.answer(end_s, PEER, SERVING, 1)
    machine.observe(end_s, held=True, own=0)
    assert machine.state == HANDING_OVER
    machine.observe(end_s + 0.1, held=True, own=0)
    assert (machine.state, machine.ended) == (HOLDER, [Ended(PEER, LIMIT)])


def test_a_second_move_makes_it_a_standby_that_serves_its_own_connections() -> None:
    machine = taking_over()
    machine.observe(2.0, held=False, own=5)
    assert (machine.state, machine.ended) == (STANDBY, [Ended(PEER, MOVED)])
    machine.answer(2.1, OTHER, HOLDING, 3)
    machine.answer(2.1, PEER, NO, 0)
    assert machine.wanted(2.1) == Wanted(local=True, formers=(OTHER,), quiet=True)
    assert machine.wanted(2.0 + LIMIT_S) == Wanted(local=False, formers=(OTHER,), quiet=False)
    machine.observe(3.0, held=True, own=5)
    assert (machine.state, machine.former) == (HANDING_OVER, OTHER)


def test_a_vip_that_comes_back_before_another_host_has_it_goes_on_with_the_same_former_holder() -> None:
    machine = taking_over()
    machine.observe(2.0, held=False, own=5)
    machine.answer(2.1, PEER, SERVING, 3)
    machine.observe(3.0, held=True, own=5)
    assert (machine.state, machine.former) == (HANDING_OVER, PEER)


def test_a_former_holder_serves_until_no_connection_is_left_or_the_limit() -> None:
    machine = Handover(LIMIT_S, ALIVE_S, 0.0, held=True)
    machine.observe(1.0, held=False, own=2)
    assert machine.serves(1.0)
    assert machine.serves(1.0 + LIMIT_S - 1)
    assert not machine.serves(1.0 + LIMIT_S)
    machine.observe(2.0, held=False, own=0)
    assert machine.wanted(2.0).local is False


def test_a_former_holder_without_connections_serves_for_a_moment() -> None:
    machine = Handover(LIMIT_S, ALIVE_S, 0.0, held=True)
    machine.observe(1.0, held=False, own=0)
    assert machine.serves(1.0 + SETTLE_S - 0.01)
    assert not machine.serves(1.0 + SETTLE_S)
    assert not Handover(LIMIT_S, ALIVE_S, 0.0, held=False).serves(0.1)


def test_the_time_to_wait_is_that_to_the_next_question() -> None:
    machine = standby()
    assert machine.wait_s(0.5) == 0.0
    assert machine.must_ask(0.5)
    assert machine.wait_s(0.55) == pytest.approx(0.05)
    assert machine.wait_s(9.0) == 0.0
    assert taking_over().wait_s(1.0) == 0.0


@pytest.mark.parametrize(("alive_s", "every_s"), [(0.0, LOOK_S), (0.1, LEAST_LOOK_S), (0.8, 0.2), (40.0, LOOK_S)])
def test_a_standby_asks_so_often_that_a_late_answer_still_proves_life(alive_s: float, every_s: float) -> None:
    machine = Handover(LIMIT_S, alive_s, 0.0, held=False)
    assert machine.must_ask(1.0)
    assert machine.wait_s(1.0) == pytest.approx(every_s)
