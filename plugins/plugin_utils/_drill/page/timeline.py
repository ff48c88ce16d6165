# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One run of a drill as a picture: requests and holders over time. Pure."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, NamedTuple, Sequence
from xml.etree.ElementTree import Element

from ansible_collections.haproof.balancer.plugins.plugin_utils._common.markup import element
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.scale import (
    AXIS_HEIGHT,
    EDGE,
    GUTTER,
    LABEL_HEIGHT,
    WIDTH,
    Label,
    Scale,
    Span,
    draw_axis,
    draw_labels,
    picture,
    place,
    rows,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import duration, plural

# A failure or change of holder is hardly visible below this share of the picture's time.
SMALL = 0.05
# A closer look shows less than this share of the picture.
MOST_OF_IT = 0.6
_BEFORE = 0.3
_AFTER = 0.4
# The closer look at an effect leaves out a cause this many of the effect's lengths before it.
_FAR_FROM_CAUSE = 15
# A request may have started this long before the injection that cut it.
_IN_FLIGHT_S = 0.25
_SMALLEST_ZOOM_S = 0.02

_LANE = 26.0
_BAR = 14.0
_NARROWEST = 2.5
_FAN = 18.0
_BETWEEN = 28.0
_NAME = 13
HATCH = "unknown"
_CONNECTIONS = "connections"


class Requests(NamedTuple):
    """Consecutive requests of one outcome; from the first one's start to the next run."""

    span: Span
    number: int
    outcome: str


class Serving(NamedTuple):
    """A time in which a balancer served this many connections."""

    span: Span
    number: int


class Panel(NamedTuple):
    """One time axis with its lanes and the labels above them."""

    scale: Scale
    labels: Sequence[Label]


def timeline(run: Mapping[str, Any]) -> Element:
    """Return the picture of one of a drill's ``runs``, with a closer look at short failures."""
    line = run["timeline"]
    whole = Span(line["from_s"], line["to_s"])
    zooms = closer_looks(line)
    main = _panel(line, whole, GUTTER, WIDTH - EDGE, zooms)
    parts, bottom = _draw(line, [main], 0.0)
    if zooms:
        panels = _side_by_side(line, zooms)
        parts += _fans(main, panels, bottom)
        below, bottom = _draw(line, panels, bottom + _FAN)
        parts += below
    return picture(bottom, _words(run), *parts)


def requests(runs: Sequence[Sequence[Any]]) -> list[Requests]:
    """Return the timeline's ``[start_s, last_start_s, end_s, count, outcome]`` as spans without overlap.

    A pause of the prober leaves a gap: the last request of a run stands for one interval at most.
    """
    gaps = sum(run[3] - 1 for run in runs)
    interval_s = sum(run[1] - run[0] for run in runs) / gaps if gaps else None
    found = []
    for position, (start, last, end, number, outcome) in enumerate(runs):
        until = end if interval_s is None else last + interval_s
        if position + 1 < len(runs):
            until = min(until, runs[position + 1][0])
        found.append(Requests(Span(start, max(start, until)), number, outcome))
    return found


def failures(line: Mapping[str, Any]) -> list[Span]:
    """Return the spans of failed requests in order, whatever the error; adjacent ones are merged."""
    bad = sorted(part.span for runs in line["requests"].values() for part in requests(runs) if part.outcome)
    merged: list[Span] = []
    for span in bad:
        if merged and span.from_s <= merged[-1].to_s + 1e-6:
            merged[-1] = Span(merged[-1].from_s, max(span.to_s, merged[-1].to_s))
        else:
            merged.append(span)
    return merged


def two_holders(line: Mapping[str, Any]) -> list[Span]:
    """Return the spans in which more than one balancer held the VIP."""
    # Sorted, an end comes before a start at the same moment.
    edges = sorted(
        edge for held in line["holders"].values() for from_s, to_s in held for edge in ((from_s, 1), (to_s, -1))
    )
    found = []
    number = 0
    for (at_s, change), (next_s, _change) in zip(edges, edges[1:]):
        number += change
        if number > 1 and next_s > at_s:
            found.append(Span(at_s, next_s))
    return found


def serving(rows: Sequence[Sequence[float]], to_s: float) -> list[Serving]:
    """Return the timeline's ``[at_s, connections]`` as spans; the last one ends with the timeline."""
    ends = [row[0] for row in rows[1:]] + [to_s]
    return [Serving(Span(at_s, max(at_s, end)), int(number)) for (at_s, number), end in zip(rows, ends)]


def closer_looks(line: Mapping[str, Any]) -> list[Span]:
    """Return the spans that need a closer look: around the injection, the heal, both or neither."""
    whole = Span(line["from_s"], line["to_s"])
    bad = failures(line)
    healed_s = next((moment["at_s"] for moment in line["moments"] if moment["what"] == "heal"), None)
    looks = [_look(whole, 0.0, _first_effect(line, bad, Span(0.0, whole.to_s if healed_s is None else healed_s)))]
    if healed_s is not None:
        felt = next((span for span in bad if span.from_s >= healed_s - _IN_FLIGHT_S), None)
        looks.append(_look(whole, healed_s, felt))
    found = [look for look in looks if look]
    if len(found) > 1 and found[0].to_s > found[1].from_s:
        return found[:1]
    return found


def _first_effect(line: Mapping[str, Any], bad: Sequence[Span], during: Span) -> Span | None:
    for span in bad:
        if span.to_s > during.from_s and during.from_s - _IN_FLIGHT_S <= span.from_s < during.to_s:
            return span
    changes = [
        at_s
        for held in line["holders"].values()
        for span in held
        for at_s in span
        if during.from_s <= at_s < during.to_s
    ]
    if not changes:
        return None
    # A VIP that leaves one balancer soon appears on another.
    soon = min(changes) + SMALL / 2 * (line["to_s"] - line["from_s"])
    return Span(min(changes), max(at_s for at_s in changes if at_s <= soon))


def _look(whole: Span, cause_s: float, effect: Span | None) -> Span | None:
    if effect is None or effect.length_s >= SMALL * whole.length_s:
        return None
    first, last = min(cause_s, effect.from_s), max(cause_s, effect.to_s)
    length = max(effect.length_s, _SMALLEST_ZOOM_S)
    if last - first > _FAR_FROM_CAUSE * length:
        first, last = effect.from_s - length, effect.to_s + length
    reach = max(last - first, _SMALLEST_ZOOM_S)
    look = Span(max(whole.from_s, first - _BEFORE * reach), min(whole.to_s, last + _AFTER * reach))
    return look if 0 < look.length_s < MOST_OF_IT * whole.length_s else None


def _side_by_side(line: Mapping[str, Any], zooms: Sequence[Span]) -> list[Panel]:
    width = (WIDTH - EDGE - GUTTER - _BETWEEN * (len(zooms) - 1)) / len(zooms)
    return [
        _panel(line, zoom, GUTTER + (width + _BETWEEN) * number, GUTTER + (width + _BETWEEN) * number + width, [])
        for number, zoom in enumerate(zooms)
    ]


def _panel(line: Mapping[str, Any], span: Span, left: float, right: float, zooms: Sequence[Span]) -> Panel:
    scale = Scale(span, left, right)
    wanted = [
        (scale.x(moment["at_s"]), _moment(moment), moment["what"])
        for moment in line["moments"]
        if span.has(moment["at_s"])
        # The closer look has these labels already.
        and (moment["what"] in ("inject", "heal") or not any(zoom.has(moment["at_s"]) for zoom in zooms))
    ]
    return Panel(scale, place(wanted, left, right))


def _moment(moment: Mapping[str, Any]) -> str:
    if moment["what"] == "inject":
        return "inject"
    # An alarm's label is its finding, as in "split_brain on lb02".
    name = moment["text"].partition(" ")[0] if moment["what"] == "alarm" else moment["what"]
    return f"{name} {duration(moment['at_s'])}"


def _draw(line: Mapping[str, Any], panels: Sequence[Panel], top: float) -> tuple[list[Element], float]:
    """Return the panels side by side, and where the next element below may start."""
    head = top + max(rows(panel.labels) for panel in panels) * LABEL_HEIGHT + 4
    lanes = [*line["requests"]]
    for host in line["holders"]:
        lanes += [host, _CONNECTIONS] if host in line["connections"] else [host]
    bottom = head + len(lanes) * _LANE + 4
    parts: list[Element] = []
    for number, name in enumerate(lanes):
        parts += _lane_name(name, head + number * _LANE + _LANE / 2)
    most = max((number for rows in line["connections"].values() for _at_s, number in rows), default=0)
    for panel in panels:
        scale = panel.scale
        parts += draw_axis(scale, head, bottom)
        parts += [
            _bar(scale, span, head, bottom - head, "felt", "requests failed")
            for span in failures(line)
            if span.from_s < scale.span.to_s and span.to_s > scale.span.from_s
        ]
        above = head + len(line["requests"]) * _LANE
        parts += [
            _bar(scale, span, above, bottom - 4 - above, "double", f"two holders, {_during(span)}")
            for span in two_holders(line)
            if span.from_s < scale.span.to_s and span.to_s > scale.span.from_s
        ]
        row = head
        for runs in line["requests"].values():
            parts += _request_lane(scale, requests(runs), row)
            row += _LANE
        for host, held in line["holders"].items():
            parts += _holder_lane(scale, host, held, line["unknown"].get(host, ()), row)
            row += _LANE
            if host in line["connections"]:
                parts += _connection_lane(scale, host, serving(line["connections"][host], line["to_s"]), most, row)
                row += _LANE
        parts += draw_labels(panel.labels, head - 4 - rows(panel.labels) * LABEL_HEIGHT, bottom)
    return parts, bottom + AXIS_HEIGHT


def _lane_name(name: str, middle: float) -> list[Element]:
    short = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
    return [
        element("text", short, element("title", name), class_="lane", x=GUTTER - 10, y=middle + 4, text_anchor="end")
    ]


def _request_lane(scale: Scale, runs: Sequence[Requests], top: float) -> Iterator[Element]:
    y = top + (_LANE - _BAR) / 2
    yield element("rect", class_="track", x=scale.left, y=y, width=scale.right - scale.left, height=_BAR)
    shown = [run for run in runs if run.span.to_s >= scale.span.from_s and run.span.from_s <= scale.span.to_s]
    # Failures last and taller: a single one must stand out among good requests, and not by its colour alone.
    for run in sorted(shown, key=lambda run: bool(run.outcome)):
        words = f"{plural(run.number, 'request')} {run.outcome or 'good'}, {_during(run.span)}"
        if run.outcome:
            yield _bar(scale, run.span, y - 4, _BAR + 8, "bad", words)
        else:
            yield _bar(scale, run.span, y, _BAR, "good", words)


def _holder_lane(
    scale: Scale, host: str, held: Sequence[Sequence[float]], unknown: Sequence[Sequence[float]], top: float
) -> Iterator[Element]:
    y = top + (_LANE - _BAR) / 2
    yield element("line", class_="idle", x1=scale.left, x2=scale.right, y1=top + _LANE / 2, y2=top + _LANE / 2)
    for kind, words, spans in (("held", "held the VIP", held), ("hatched", "could not be watched", unknown)):
        for from_s, to_s in spans:
            if to_s >= scale.span.from_s and from_s <= scale.span.to_s:
                yield _bar(scale, Span(from_s, to_s), y, _BAR, kind, f"{host} {words}, {_during(Span(from_s, to_s))}")


def _connection_lane(scale: Scale, host: str, served: Sequence[Serving], most: int, top: float) -> Iterator[Element]:
    bottom = top + _LANE - 4
    yield element("line", class_="idle", x1=scale.left, x2=scale.right, y1=bottom, y2=bottom)
    for span, number in served:
        left, right = scale.x(span.from_s), scale.x(span.to_s)
        if number and right > left:
            height = number / most * (_LANE - 6)
            title = element("title", f"{host} served {plural(number, 'connection')}, {_during(span)}")
            yield element("rect", title, class_="served", x=left, y=bottom - height, width=right - left, height=height)


def _bar(scale: Scale, span: Span, y: float, height: float, kind: str, words: str) -> Element:
    left = scale.x(span.from_s)
    width = max(_NARROWEST, scale.x(span.to_s) - left)
    left = min(left, scale.right - width)
    fill = f"url(#{HATCH})" if kind == "hatched" else None
    return element("rect", element("title", words), class_=kind, x=left, y=y, width=width, height=height, fill=fill)


def _fans(main: Panel, panels: Sequence[Panel], bottom: float) -> Iterator[Element]:
    top = bottom - AXIS_HEIGHT
    for panel in panels:
        left, right = main.scale.x(panel.scale.span.from_s), main.scale.x(panel.scale.span.to_s)
        corners = (
            (left, top), (right, top), (panel.scale.right, bottom + _FAN), (panel.scale.left, bottom + _FAN)
        )  # fmt: skip
        yield element("polygon", class_="fan", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in corners))
        yield element("line", class_="looked", x1=left, x2=max(right, left + _NARROWEST), y1=top, y2=top)


def _during(span: Span) -> str:
    return f"{duration(span.from_s)} to {duration(span.to_s)}"


def _words(run: Mapping[str, Any]) -> str:
    return (
        f"Timeline of run {run['number']}: {plural(run['failed'], 'failed request')}, "
        f"outage {duration(run['outage_s'])}, the injection is at 0"
    )
