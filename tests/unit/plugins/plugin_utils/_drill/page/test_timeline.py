# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run's picture shows what happened, and nothing outside its frame."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.scale import EDGE, WIDTH, Span
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.timeline import (
    Serving,
    closer_looks,
    failures,
    requests,
    serving,
    timeline,
    two_holders,
)
from hypothesis import given
from hypothesis import strategies as st

from ..drill_reports import drill


def line(bad: list[list[Any]], holders: dict[str, list[list[float]]] | None = None, heal_s: float = 5.0) -> Any:
    return {
        "from_s": -1.0,
        "to_s": 9.0,
        "requests": {"client": bad},
        "holders": holders or {},
        "unknown": {},
        "connections": {},
        "moments": [{"at_s": 0.0, "what": "inject", "text": ""}, {"at_s": heal_s, "what": "heal", "text": ""}],
    }


def failing(from_s: float, to_s: float) -> list[list[Any]]:
    return [[-1.0, from_s - 0.01, from_s, 100, ""], [from_s, to_s - 0.01, to_s, 100, "timeout"], [to_s, 9, 9, 100, ""]]


def test_requests_last_until_the_next_ones_or_one_interval() -> None:
    runs = [[0.0, 0.9, 0.91, 10, ""], [1.0, 1.0, 1.25, 1, "timeout"], [1.1, 1.5, 1.6, 5, ""], [3.0, 3.1, 3.2, 2, ""]]
    spans = [request.span for request in requests(runs)]
    assert [span.from_s for span in spans] == [0.0, 1.0, 1.1, 3.0]
    # The prober was away from 1.6 to 3.0.
    assert [span.to_s for span in spans] == pytest.approx([1.0, 1.1, 1.6, 3.2])


def test_a_single_request() -> None:
    assert [run.span for run in requests([[0.0, 0.0, 0.25, 1, "timeout"]])] == [Span(0.0, 0.25)]


def test_failures_of_any_kind_are_one() -> None:
    runs = [[0, 0.9, 1, 10, ""], [1, 1.9, 2, 10, "timeout"], [2, 2.9, 3, 10, "refused"], [3, 4, 4, 11, ""]]
    assert failures({"requests": {"client": runs}}) == [Span(1, 3)]


TWO: list[tuple[dict[str, list[list[float]]], list[Span]]] = [
    ({}, []),
    ({"lb01": [[0, 5]], "lb02": [[5, 9]]}, []),
    ({"lb01": [[0, 5]], "lb02": [[3, 9]]}, [Span(3, 5)]),
    ({"lb01": [[0, 5], [7, 9]], "lb02": [[3, 8]], "lb03": []}, [Span(3, 5), Span(7, 8)]),
]


@pytest.mark.parametrize(("holders", "spans"), TWO)
def test_two_holders(holders: dict[str, list[list[float]]], spans: list[Span]) -> None:
    assert two_holders({"holders": holders}) == spans


@pytest.mark.parametrize(
    ("shown", "looks"),
    [
        (line([]), 0),
        (line(failing(0.0, 1.0)), 0),
        (line(failing(0.0, 0.03)), 1),
        (line(failing(5.1, 5.13)), 1),
        (line([], {"lb01": [[-1.0, 0.01]], "lb02": [[0.02, 9.0]]}), 1),
    ],
)
def test_closer_looks(shown: Any, looks: int) -> None:
    found = closer_looks(shown)
    assert len(found) == looks
    for look in found:
        bad = failures(shown)
        assert all(look.has(span.from_s) and look.has(span.to_s) for span in bad)
        assert not bad or bad[0].length_s > 0.05 * look.length_s


def test_around_injection_and_healing() -> None:
    shown = drill("service_stop")["runs"][4]["timeline"]
    first, second = closer_looks(shown)
    assert first.has(0.0)
    assert first.to_s < 0.1
    assert second.from_s > 5


def kinds(picture: Element) -> list[str]:
    return [str(part.get("class")) for part in picture.iter() if part.get("class")]


def test_what_is_drawn() -> None:
    found = kinds(timeline(drill("link_down")["runs"][0]))
    assert {"good", "bad", "held", "hatched", "felt", "label inject", "label alarm", "label heal"} <= set(found)
    assert "double" in kinds(timeline(drill("vrrp_block")["runs"][0]))
    assert {"fan", "served"} <= set(kinds(timeline(drill("keepalived_stop")["runs"][0])))


def test_connections_last_until_the_next_number() -> None:
    assert serving([[-1.0, 3], [2.0, 0]], 5.0) == [Serving(Span(-1.0, 2.0), 3), Serving(Span(2.0, 5.0), 0)]
    assert serving([], 5.0) == []


def test_a_balancers_connections_are_below_its_own_lane_and_as_high_as_they_are_many() -> None:
    shown = {**line([], {"lb01": [[-1.0, 9.0]], "lb02": []}), "connections": {"lb01": [[-1.0, 4], [3.0, 8]]}}
    picture = timeline({"number": 1, "failed": 0, "outage_s": 0.0, "timeline": shown})
    lanes = [part.text for part in picture.iter("text") if part.get("class") == "lane"]
    assert lanes == ["client", "lb01", "connections", "lb02"]
    low, high = [part for part in picture.iter("rect") if part.get("class") == "served"]
    assert float(high.attrib["height"]) == 2 * float(low.attrib["height"])
    assert [part.text for part in low] == ["lb01 served 4 connections, \u22121.00\u00a0s to 3.00\u00a0s"]


def numbers(picture: Element, *names: str) -> list[float]:
    return [float(part.attrib[name]) for part in picture.iter() for name in names if name in part.attrib]


def points(picture: Element) -> list[tuple[float, float]]:
    text = " ".join(part.attrib["points"] for part in picture.iter("polygon"))
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]


def in_frame(picture: Element) -> bool:
    (svg,) = picture.iter("svg")
    width, height = map(float, svg.attrib["viewBox"].split()[2:])
    ends = [float(part.attrib["x"]) + float(part.attrib["width"]) for part in picture.iter("rect")]
    downs = [float(part.attrib["y"]) + float(part.attrib["height"]) for part in picture.iter("rect")]
    across = [*numbers(picture, "x", "x1", "x2", "cx"), *ends, *(x for x, _y in points(picture))]
    down = [*numbers(picture, "y", "y1", "y2", "cy"), *downs, *(y for _x, y in points(picture))]
    return (
        width == WIDTH
        and all(0 <= x <= width + 0.01 for x in across)
        and all(0 <= y <= height + 0.01 for y in down)
        and all(size >= 0 for size in numbers(picture, "width", "height"))
        and all(end <= width - EDGE + 0.01 for end in ends)
    )


AT = st.floats(-5e3, 5e3, allow_nan=False)
SPANS = st.dictionaries(st.text(max_size=20), st.lists(st.tuples(AT, AT).map(sorted), max_size=4), max_size=3)
RUNS = st.lists(st.tuples(AT, AT, AT), max_size=6).map(
    lambda times: [[*sorted(part), 1 + n, ["", "timeout"][n % 2]] for n, part in enumerate(sorted(times))]
)
MOMENTS = st.lists(
    st.builds(
        dict,
        at_s=AT,
        what=st.sampled_from(["inject", "transition", "alarm", "heal"]),
        text=st.sampled_from(["", "split_brain on x"]),
    ),
    max_size=12,
)


@given(
    st.tuples(AT, AT).map(sorted),
    st.dictionaries(st.text(max_size=20), RUNS, max_size=2),
    SPANS,
    SPANS,
    MOMENTS,
    st.lists(st.tuples(AT, st.integers(0, 10**6)), max_size=5).map(sorted),
)
def test_all_is_in_the_frame(
    span: list[float], asked: Any, holders: Any, unknown: Any, moments: Any, served: Any
) -> None:
    shown = {
        "from_s": span[0],
        "to_s": span[1],
        "requests": asked,
        "holders": holders,
        "unknown": unknown,
        "connections": dict.fromkeys(list(holders)[1:], served),
        "moments": moments,
    }
    picture = timeline({"number": 1, "failed": 0, "outage_s": None, "timeline": shown})
    assert in_frame(picture)
    boxes = [
        tuple(float(part.attrib[name]) for name in ("x", "y", "width", "height"))
        for part in picture.iter("rect")
        if part.get("class") == "behind"
    ]
    for place, (x, y, width, height) in enumerate(boxes):
        for left, top, wide, high in boxes[:place]:
            assert x >= left + wide or left >= x + width or y >= top + high or top >= y + height
