# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The outages of a drill's runs as a picture. Pure functions."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence
from xml.etree.ElementTree import Element

from ansible_collections.haproof.balancer.plugins.plugin_utils._common.markup import element
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.scale import (
    AXIS_HEIGHT,
    EDGE,
    GUTTER,
    LABEL_HEIGHT,
    WIDTH,
    Scale,
    Span,
    draw_axis,
    draw_labels,
    picture,
    place,
    rows,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import duration, plural

_RADIUS = 5.0
_TALLEST = 120.0
# A limit this many times above the longest outage would squeeze all dots into one.
_FAR = 5.0


class Dot(NamedTuple):
    """One run's outage, ``level`` dots above the axis."""

    x: float
    level: int
    outage_s: float


def distribution(drill: Mapping[str, Any]) -> Element | None:
    """Return the picture of a drill with several measured runs."""
    outages = [run["outage_s"] for run in drill["runs"] if run["outage_s"] is not None]
    if len(outages) < 2:
        return None
    limits = {
        "bound": drill["expected"]["bound_s"],
        "objective": drill["expected"]["outage_slo_s"],
    }
    figure = drill["figures"]["outage_s"]
    known = {kind: at_s for kind, at_s in limits.items() if at_s is not None}
    scale = Scale(Span(0.0, axis_end_s(outages, list(known.values()))), GUTTER, WIDTH - EDGE)
    wanted = [(scale.x(at_s), _limit(kind, at_s, scale), kind) for kind, at_s in known.items()]
    wanted += [(scale.x(figure[part]), f"{part} {duration(figure[part])}", part) for part in ("median", "worst")]
    labels = place(wanted, GUTTER, WIDTH - EDGE)
    dots = swarm(outages, scale)
    levels = max(dot.level for dot in dots) + 1
    apart = min(2 * _RADIUS + 1, _TALLEST / levels)
    head = rows(labels) * LABEL_HEIGHT + 8
    bottom = head + levels * apart + 8
    objective_s = known.get("objective")
    parts = [
        *draw_axis(scale, head, bottom),
        *draw_labels(labels, 0.0, bottom),
        *(_dot(dot, bottom - 5 - _RADIUS - dot.level * apart, objective_s) for dot in dots),
        element("text", "runs", class_="lane", x=GUTTER - 10, y=bottom - 6, text_anchor="end"),
    ]
    middle, worst = duration(figure["median"]), duration(figure["worst"])
    words = f"Outages of {plural(len(outages), 'run')}: median {middle}, worst {worst}"
    return picture(bottom + AXIS_HEIGHT, words, *parts)


def axis_end_s(outages: Sequence[float], limits: Sequence[float]) -> float:
    """Return where the axis ends: beyond all outages and all limits that are near them."""
    longest = max(outages)
    near = [limit for limit in limits if not longest or limit <= _FAR * longest]
    return (max([longest, *near]) or 0.01) * 1.2


def swarm(outages: Sequence[float], scale: Scale) -> list[Dot]:
    """Return a dot for each outage, stacked where they would overlap."""
    dots: list[Dot] = []
    reached: list[float] = []
    for outage_s in sorted(outages):
        x = scale.x(outage_s)
        level = next((level for level, right in enumerate(reached) if x - right >= 2 * _RADIUS), len(reached))
        reached[level : level + 1] = [x]
        dots.append(Dot(x, level, outage_s))
    return dots


def _limit(kind: str, at_s: float, scale: Scale) -> str:
    return f"{kind} {duration(at_s)}{'' if scale.span.has(at_s) else ' →'}"


def _dot(dot: Dot, y: float, objective_s: float | None) -> Element:
    title = element("title", duration(dot.outage_s))
    if objective_s is not None and dot.outage_s > objective_s:
        # A different shape, for those who cannot see the colour.
        corners = ((0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0))
        points = " ".join(f"{dot.x + x * _RADIUS:.1f},{y + up * _RADIUS:.1f}" for x, up in corners)
        return element("polygon", title, class_="beyond", points=points)
    return element("circle", title, class_="dot", cx=dot.x, cy=y, r=_RADIUS)
