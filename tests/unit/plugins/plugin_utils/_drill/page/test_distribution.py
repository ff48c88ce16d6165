# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dots of a drill's outages are all there, beside what they are held against."""

from __future__ import annotations

from itertools import combinations
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.distribution import (
    axis_end_s,
    distribution,
    swarm,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.scale import Scale, Span
from hypothesis import given
from hypothesis import strategies as st

from ..drill_reports import drill

ENDS: list[tuple[list[float], list[float], float]] = [
    ([0.0, 0.0], [], 0.01),
    ([0.0, 0.0], [0.1], 0.1),
    ([0.5, 1.0], [1.1, 1.02], 1.1),
    ([0.5, 1.0], [30.0], 1.0),
    ([0.5, 1.0], [0.1], 1.0),
]


@pytest.mark.parametrize(("outages", "limits", "end_s"), ENDS)
def test_axis_end(outages: list[float], limits: list[float], end_s: float) -> None:
    assert axis_end_s(outages, limits) == pytest.approx(1.2 * end_s)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=40))
def test_dots_do_not_cover_each_other(outages: list[float]) -> None:
    dots = swarm(outages, Scale(Span(0, axis_end_s(outages, [])), 100, 900))
    assert sorted(dot.outage_s for dot in dots) == sorted(outages)
    assert all(100 <= dot.x <= 900 for dot in dots)
    for one, other in combinations(dots, 2):
        assert one.level != other.level or abs(one.x - other.x) >= 9.99


def shapes(made: Element | None) -> tuple[int, int, list[str]]:
    assert made is not None
    texts = [str(part.text).replace("\u00a0", " ") for part in made.iter("text") if "label" in part.attrib["class"]]
    return len(list(made.iter("circle"))), len(list(made.iter("polygon"))), texts


def test_a_run_beyond_the_objective_has_a_shape_of_its_own() -> None:
    circles, diamonds, texts = shapes(distribution(drill("node_freeze")))
    assert (circles, diamonds) == (2, 1)
    assert texts == ["median 923 ms", "bound 1.02 s", "objective 1.10 s", "worst 1.31 s"]


def test_a_limit_far_away() -> None:
    changed = drill("service_stop")
    changed["expected"]["outage_slo_s"] = 5.0
    assert "objective 5.00 s →" in shapes(distribution(changed))[2]


@pytest.mark.parametrize("runs", [[], drill("keepalived_stop")["runs"], [{"outage_s": None}, {"outage_s": 1.0}]])
def test_nothing_to_compare(runs: list[Any]) -> None:
    assert distribution({**drill("service_stop"), "runs": runs}) is None
