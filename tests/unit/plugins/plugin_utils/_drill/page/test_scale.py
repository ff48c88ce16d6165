# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Axes have sensible ticks, and labels never cover each other."""

from __future__ import annotations

from itertools import combinations

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.scale import Scale, Span, place, rows, ticks
from hypothesis import given
from hypothesis import strategies as st

TICKS: list[tuple[tuple[float, float], list[str]]] = [
    ((-0.01, 0.06), ["\u221210 ms", "0", "10 ms", "20 ms", "30 ms", "40 ms", "50 ms", "60 ms"]),
    ((-1.0, 8.0), ["\u22121 s", "0", "1 s", "2 s", "3 s", "4 s", "5 s", "6 s", "7 s", "8 s"]),
    ((0.0, 1.32), ["0", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1.0 s", "1.2 s"]),
    ((5.5, 5.58), ["5.50 s", "5.51 s", "5.52 s", "5.53 s", "5.54 s", "5.55 s", "5.56 s", "5.57 s", "5.58 s"]),
    ((-30.0, 600.0), ["0", "1:00 min", "2:00 min", "3:00 min", "4:00 min", "5:00 min", "6:00 min", "7:00 min"]),
]


@pytest.mark.parametrize(("span", "texts"), TICKS)
def test_ticks(span: tuple[float, float], texts: list[str]) -> None:
    assert [text for _at, text in ticks(Scale(Span(*span), 100, 900))][: len(texts)] == texts


@given(st.floats(-1e4, 1e4), st.floats(1e-4, 1e6), st.floats(100, 1000))
def test_ticks_are_apart_and_inside(from_s: float, length_s: float, width: float) -> None:
    scale = Scale(Span(from_s, from_s + length_s), 0, width)
    places = [scale.x(at_s) for at_s, _text in ticks(scale)]
    assert len(places) <= width / 70 + 2
    assert all(0 <= x <= width for x in places)
    assert all(right - left > 60 or width < 150 for left, right in zip(places, places[1:]))


LABELS = st.lists(st.tuples(st.floats(100, 900), st.text(max_size=40), st.just("alarm")), max_size=30)


@given(LABELS)
def test_labels_do_not_overlap(wanted: list[tuple[float, str, str]]) -> None:
    placed = place(wanted, 100, 900)
    assert len(placed) == len(wanted)
    for label in placed:
        assert 100 <= label.left <= label.right <= 900
        assert 0 <= label.level < rows(placed)
    for one, other in combinations(placed, 2):
        assert one.level != other.level or one.right <= other.left or other.right <= one.left


@given(st.lists(st.tuples(st.floats(100, 500), st.text(max_size=20), st.just("alarm")), max_size=20))
def test_no_line_runs_through_a_text_where_there_is_room(wanted: list[tuple[float, str, str]]) -> None:
    for one, other in combinations(place(wanted, 100, 900), 2):
        # The line of ``other`` begins at its own row and goes down.
        assert not (one.left < other.x < one.right and other.level <= one.level)


def test_close_labels_form_stairs() -> None:
    placed = place([(100, "inject", ""), (104, "transition 4 ms", ""), (400, "heal", "")], 90, 900)
    assert [(label.text, label.level) for label in placed] == [("inject", 0), ("transition 4 ms", 1), ("heal", 0)]


def test_label_at_the_edge_turns_left() -> None:
    (label,) = place([(890, "heal 5.00 s", "")], 90, 900)
    assert label.right == 890
