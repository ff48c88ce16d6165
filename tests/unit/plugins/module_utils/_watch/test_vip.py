# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any, Sequence

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._watch.vip import (
    BACKUP,
    BOOT_S,
    CALM_S,
    CLEAR_ROUNDS,
    FRESH_S,
    GRACE_S,
    INIT,
    KINDS,
    MASTER,
    MOST_ROUTERS,
    NO_HOLDER,
    PEER_SILENT,
    PERIOD_S,
    RAISE_ROUNDS,
    SPLIT_BRAIN,
    Debounce,
    Heard,
    Round,
    Vip,
    Watch,
)
from hypothesis import given
from hypothesis import strategies as st

VIP = Vip("VI_1", "192.0.2.10", "eth0", "eth0", 10, 4, 253, 1.2)
HERE, PEER = "192.0.2.11", "192.0.2.12"
HERE_MAC, PEER_MAC = "02:00:00:00:00:11", "02:00:00:00:00:12"
MACS = frozenset({PEER_MAC})
NOBODY: frozenset[str] = frozenset()

OWN = Heard(HERE, HERE_MAC, 254, own=True)
LOWER = Heard(PEER, PEER_MAC, 253)
OWN_LOWER = Heard(HERE, HERE_MAC, 253, own=True)
BETTER = Heard(PEER, PEER_MAC, 254)
GOODBYE = Heard(PEER, PEER_MAC, 0)

HOLDING = Round(True, NOBODY, adverts=[OWN])
STANDING_BY = Round(False, MACS, adverts=[BETTER])
BOTH_UPPER = Round(True, MACS, adverts=[OWN])
BOTH_LOWER = Round(True, MACS, adverts=[OWN_LOWER])
EMPTY = Round(False, NOBODY)
BLIND = Round(False, None)


class Play:
    """Plays rounds to a watch, and records its findings."""

    def __init__(self, **options: Any) -> None:
        self.now = options.pop("now", 1000.0)
        self.watch = Watch(options.pop("vip", VIP), self.now, **options)
        self.changes: list[tuple[str, bool]] = []

    def rounds(self, seen: Round, count: int = 1) -> Play:
        for _number in range(count):
            self.now += PERIOD_S
            self.changes += [(kind, self.watch.raised(kind)) for kind in self.watch.step(seen, self.now)]
        return self

    def for_s(self, seen: Round, seconds: float) -> Play:
        return self.rounds(seen, round(seconds / PERIOD_S))

    def raised(self) -> list[str]:
        return [kind for kind in KINDS if self.watch.raised(kind)]


def within(play: Play, seen: Round, kind: str, seconds: float = 5.0) -> float:
    """Return the seconds after which a finding is raised."""
    start = play.now
    while not play.watch.raised(kind):
        play.rounds(seen)
        assert play.now - start <= seconds, f"{kind} is not raised within {seconds} s"
    return play.now - start


def test_two_holders_are_found_by_both_and_it_is_over_after_a_while() -> None:
    for before, conflict in ((HOLDING, BOTH_UPPER), (STANDING_BY, BOTH_LOWER)):
        play = Play().for_s(before, 10)
        within(play, conflict, SPLIT_BRAIN, 2.0)
        assert play.watch.texts[SPLIT_BRAIN].startswith("2 hosts answer for 192.0.2.10 on eth0: this host, 02:00:00:")
        play.for_s(before, 4)
        assert play.raised() == []
        assert play.watch.conflicts == 1


def test_five_partitions_are_five_conflicts() -> None:
    play = Play().for_s(STANDING_BY, 10)
    for _number in range(5):
        play.for_s(BOTH_LOWER, 5).for_s(STANDING_BY, 5)
    for kind in (SPLIT_BRAIN, PEER_SILENT):
        assert [raised for name, raised in play.changes if name == kind] == [True, False] * 5
    assert play.watch.conflicts == 5


def test_a_third_host_finds_two_holders_too() -> None:
    play = Play().for_s(STANDING_BY, 10).for_s(Round(False, MACS | {"02:00:00:00:00:13"}, adverts=[BETTER]), 3)
    assert play.raised() == [SPLIT_BRAIN]
    assert "02:00:00:00:00:12 (192.0.2.12), 02:00:00:00:00:13" in play.watch.texts[SPLIT_BRAIN]


def test_two_holders_with_one_virtual_mac_are_found_by_their_adverts() -> None:
    play = Play().for_s(HOLDING, 10)
    within(play, Round(True, NOBODY, adverts=[OWN, LOWER]), SPLIT_BRAIN, 5.0)
    assert play.watch.texts[SPLIT_BRAIN] == "this host and 192.0.2.12 advertise 192.0.2.10 on eth0 at the same time"


def test_a_handover_is_no_conflict() -> None:
    play = Play()
    for _number in range(20):
        play.for_s(HOLDING, 5)
        play.rounds(Round(True, MACS, adverts=[OWN, BETTER]), 2)
        play.for_s(STANDING_BY, 5)
        play.rounds(Round(True, MACS, adverts=[OWN, BETTER._replace(priority=200)]), 2)
    assert play.changes == []


def test_nobody_is_found_within_five_seconds() -> None:
    play = Play().for_s(STANDING_BY, 10).rounds(EMPTY._replace(adverts=[GOODBYE]))
    assert within(play, EMPTY, NO_HOLDER, 5.0) > VIP.failover_s
    assert play.watch.texts[NO_HOLDER] == "no host answers for 192.0.2.10 on eth0"
    play.for_s(HOLDING, 4)
    assert play.changes == [(NO_HOLDER, True), (NO_HOLDER, False)]
    assert play.watch.texts[NO_HOLDER] == "this host has 192.0.2.10"


@pytest.mark.parametrize("failover_s", [0.2, 1.2, 4.0, 6.0])
def test_a_failover_is_no_alarm(failover_s: float) -> None:
    play = Play(vip=VIP._replace(failover_s=failover_s)).for_s(STANDING_BY, 10)
    # The peer is dead: it answers for no address.
    play.for_s(EMPTY, failover_s).for_s(Round(True, NOBODY, adverts=[OWN_LOWER]), 60)
    assert play.changes == []


def test_all_hosts_may_boot_in_peace() -> None:
    play = Play().for_s(EMPTY, GRACE_S - 1).for_s(HOLDING, 10)
    assert play.changes == []
    assert Play().for_s(EMPTY, GRACE_S + 5).raised() == [NO_HOLDER]


def test_a_link_that_is_down_says_nothing() -> None:
    assert Play().for_s(HOLDING, 5).for_s(BLIND, 300).for_s(HOLDING, 5).changes == []
    play = Play().for_s(HOLDING, 5).for_s(BOTH_UPPER, 3).for_s(BLIND, 300)
    assert play.raised() == [SPLIT_BRAIN]


# States of the peer, which had the VIP, with their durations in seconds, and whether that is silence.
SILENCES: list[tuple[str, list[tuple[Round, float]], bool]] = [
    ("it has the VIP still", [(BOTH_LOWER, 4)], True),
    ("it answers without the VIP", [(Round(True, NOBODY, frozenset({PEER}), [OWN_LOWER]), 4)], True),
    ("its adverts do not pass the firewall", [(Round(True, MACS, NOBODY, [BETTER._replace(let_in=False)]), 5)], True),
    ("it is dead", [(Round(True, NOBODY, NOBODY, [OWN_LOWER]), 600)], False),
    (
        "it is dead, boots, and starts keepalived",
        [
            (Round(True, NOBODY, NOBODY, [OWN_LOWER]), 20),
            (Round(True, NOBODY, frozenset({PEER}), [OWN_LOWER]), BOOT_S - 5),
            (STANDING_BY, 10),
        ],
        False,
    ),
    (
        "it boots, and keepalived does not start",
        [
            (Round(True, NOBODY, NOBODY, [OWN_LOWER]), 20),
            (Round(True, NOBODY, frozenset({PEER}), [OWN_LOWER]), BOOT_S + 5),
        ],
        True,
    ),
    (
        "it said goodbye",
        [
            (Round(False, NOBODY, NOBODY, [GOODBYE]), PERIOD_S),
            (Round(True, NOBODY, frozenset({PEER}), [OWN_LOWER]), 600),
        ],
        False,
    ),
    (
        "this host, the better one, took over",
        [(Round(True, NOBODY, frozenset({PEER}), [OWN._replace(priority=255)]), 600)],
        False,
    ),
    (
        "another one, better than it, took over",
        [
            (
                Round(
                    False,
                    frozenset({"02:00:00:00:00:13"}),
                    frozenset({PEER}),
                    [Heard("192.0.2.13", "02:00:00:00:00:13", 254)],
                ),
                600,
            )
        ],
        False,
    ),
]


@pytest.mark.parametrize(("played", "silent"), [case[1:] for case in SILENCES], ids=[case[0] for case in SILENCES])
def test_silence(played: list[tuple[Round, float]], silent: bool) -> None:
    play = Play().for_s(STANDING_BY, 10)
    for seen, seconds in played:
        play.for_s(seen, seconds)
    assert (PEER_SILENT in play.raised()) is silent
    assert [change for change in play.changes if change[0] == PEER_SILENT] == [(PEER_SILENT, True)] * silent


def test_a_silent_peer_is_named_within_five_seconds() -> None:
    play = Play().for_s(STANDING_BY, 10)
    within(play, BOTH_LOWER, PEER_SILENT, 5.0)
    assert play.watch.texts[PEER_SILENT] == (
        "192.0.2.12 (02:00:00:00:00:12) is up and answers for 192.0.2.10, but no advert for router id 10 for 2 s"
    )
    play = Play().for_s(STANDING_BY, 10).for_s(Round(True, MACS, NOBODY, [BETTER._replace(let_in=False)]), 5)
    assert "has passed this host's firewall, although they arrive" in play.watch.texts[PEER_SILENT]


def test_only_the_first_address_of_an_instance_tells_of_peers() -> None:
    play = Play(vip=VIP._replace(first=False)).for_s(STANDING_BY, 10).for_s(BOTH_LOWER, 10)
    assert play.raised() == [SPLIT_BRAIN]


def test_doubtful_peers_are_asked() -> None:
    play = Play().for_s(STANDING_BY, 10)
    assert play.watch.doubtful(play.now) == []
    play.for_s(EMPTY, 2)
    assert play.watch.doubtful(play.now) == [PEER]


def test_a_new_start_neither_raises_nor_forgets() -> None:
    first = Play().for_s(STANDING_BY, 10).for_s(BOTH_LOWER, 10)
    known = json.loads(json.dumps(first.watch.snapshot(first.now)))
    second = Play(now=first.now + 2, known=known)
    assert second.raised() == [SPLIT_BRAIN, PEER_SILENT]
    assert second.for_s(BOTH_LOWER, 20).changes == []
    assert second.for_s(STANDING_BY, 5).changes == [(SPLIT_BRAIN, False), (PEER_SILENT, False)]


def test_what_is_old_is_not_believed() -> None:
    first = Play().for_s(STANDING_BY, 10)
    second = Watch(VIP, first.now + FRESH_S + 1, known=first.watch.snapshot(first.now))
    assert second.doubtful(first.now + 2 * FRESH_S) == []


def test_state_and_age_of_adverts() -> None:
    play = Play()
    assert (play.watch.state, play.watch.advert_age_s(play.now)) == (INIT, None)
    play.for_s(STANDING_BY, 2)
    assert (play.watch.state, play.watch.held, play.watch.answers) == (BACKUP, False, 1)
    play.for_s(HOLDING, 2)
    assert (play.watch.state, play.watch.held, play.watch.answers) == (MASTER, True, 1)
    assert play.watch.advert_age_s(play.now) == 0
    play.for_s(EMPTY, 5)
    assert (play.watch.state, play.watch.transitions) == (INIT, 3)
    assert play.watch.advert_age_s(play.now) == 5


def test_the_lower_one_lets_go_and_comes_back_when_it_hears_the_other() -> None:
    upper, lower = Play(release_after=3).for_s(HOLDING, 10), Play(release_after=3).for_s(STANDING_BY, 10)
    within(upper, BOTH_UPPER, SPLIT_BRAIN)
    within(lower, BOTH_LOWER, SPLIT_BRAIN)
    upper.for_s(BOTH_UPPER, 2)
    lower.for_s(BOTH_LOWER, 2)
    assert (upper.watch.released, lower.watch.released) == (False, False)
    upper.for_s(BOTH_UPPER, 2)
    lower.for_s(BOTH_LOWER, 2)
    assert (upper.watch.released, lower.watch.released) == (False, True)
    # The link is still cut: it does not take the VIP back.
    lower.for_s(Round(False, MACS), 600)
    assert lower.watch.released
    lower.for_s(STANDING_BY, 4)
    assert not lower.watch.released


def test_who_cannot_advertise_knows_its_priority_all_the_same() -> None:
    for own, lets_go in ((HERE, True), (None, False)):
        play = Play(release_after=1).for_s(STANDING_BY, 10).for_s(Round(True, MACS, own=own), 10)
        assert play.watch.released is lets_go
    upper = Play(vip=VIP._replace(priority=255), release_after=1).for_s(STANDING_BY, 10)
    assert not upper.for_s(Round(True, MACS, own=HERE), 10).watch.released


def test_with_equal_priorities_the_lower_address_lets_go() -> None:
    for mine, lets_go in (("192.0.2.11", True), ("192.0.2.13", False)):
        own = OWN._replace(source=mine)
        play = Play(release_after=1).for_s(STANDING_BY, 10).for_s(Round(True, MACS, adverts=[own]), 10)
        assert play.watch.released is lets_go


def test_nobody_lets_go_of_a_vip_that_a_stranger_has() -> None:
    stranger = Round(True, frozenset({"02:00:00:00:00:99"}), adverts=[OWN_LOWER])
    assert not Play(release_after=1).for_s(STANDING_BY, 10).for_s(stranger, 60).watch.released


def test_nobody_lets_go_without_being_told_to() -> None:
    assert not Play().for_s(STANDING_BY, 10).for_s(BOTH_LOWER, 600).watch.released


def test_it_comes_back_at_once_when_nobody_has_the_vip() -> None:
    play = Play(release_after=1)
    for _number in range(8):
        play.for_s(STANDING_BY, 4).for_s(BOTH_LOWER, 4)
        if play.watch.released:
            break
    assert play.watch.released
    play.rounds(EMPTY, RAISE_ROUNDS)
    assert not play.watch.released
    # If both release the VIP, then not repeatedly.
    assert not play.for_s(STANDING_BY, 4).for_s(BOTH_LOWER, CALM_S - 10).watch.released
    assert play.for_s(BOTH_LOWER, 20).watch.released


def test_the_sooner_the_conflict_comes_again_the_longer_it_stays_away() -> None:
    play = Play(release_after=1).for_s(STANDING_BY, 10)
    waits = []
    for _number in range(9):
        while not play.watch.released:
            play.rounds(BOTH_LOWER)
        start = play.now
        while play.watch.released:
            play.rounds(STANDING_BY)
        waits.append(round((play.now - start) / PERIOD_S))
    assert waits == [CLEAR_ROUNDS * 2 ** min(number, 6) for number in range(9)]


def heards() -> st.SearchStrategy[Heard]:
    sources = st.integers(1, 40).map(lambda byte: (f"192.0.2.{byte}", f"02:00:00:00:00:{byte:02x}"))
    return st.builds(
        lambda ends, priority, own, let_in: Heard(*ends, priority, own, let_in),
        sources,
        st.integers(0, 255),
        st.booleans(),
        st.booleans(),
    )


def seens() -> st.SearchStrategy[Round]:
    macs = st.frozensets(st.sampled_from([PEER_MAC, "02:00:00:00:00:13", "02:00:00:00:00:14"]), max_size=3)
    alive = st.frozensets(st.integers(1, 40).map(lambda byte: f"192.0.2.{byte}"), max_size=4)
    return st.builds(
        Round, st.booleans(), st.none() | macs, alive, st.lists(heards(), max_size=6), st.sampled_from([None, HERE])
    )


@given(plot=st.lists(st.tuples(seens(), st.integers(1, 12)), max_size=25), release_after=st.sampled_from([0, 1, 5]))
def test_nothing_flaps_whatever_is_seen(plot: Sequence[tuple[Round, int]], release_after: float) -> None:
    play = Play(release_after=release_after)
    last: dict[tuple[str, bool], float] = {}
    for seen, count in plot:
        for _number in range(count):
            released = play.watch.released
            done = len(play.changes)
            play.rounds(seen)
            for kind, raised in play.changes[done:]:
                needed = RAISE_ROUNDS if raised else CLEAR_ROUNDS
                assert play.now - last.get((kind, not raised), 0) >= needed * PERIOD_S
                last[kind, raised] = play.now
            if play.watch.released and not released:
                assert release_after
                assert play.watch.raised(SPLIT_BRAIN)
                assert seen.held
            assert len(play.watch.snapshot(play.now)["routers"]) <= MOST_ROUTERS
    for kind in KINDS:
        states = [raised for name, raised in play.changes if name == kind]
        assert states == [number % 2 == 0 for number in range(len(states))]
    Watch(VIP, play.now, known=json.loads(json.dumps(play.watch.snapshot(play.now)))).step(EMPTY, play.now + 1)


@given(values=st.lists(st.sampled_from([True, False, None])), up=st.integers(1, 5), down=st.integers(1, 5))
def test_a_change_takes_a_row_of_the_same(values: list[bool | None], up: int, down: int) -> None:
    debounce = Debounce(up, down)
    said: list[bool] = []
    for value in values:
        if value is not None:
            said.append(value)
        before = debounce.state
        if debounce.step(value):
            needed = down if before else up
            assert said[-needed:] == [not before] * needed
