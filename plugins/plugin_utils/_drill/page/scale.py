# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The layout of a picture: axes, ticks, and labels that do not overlap. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple, Sequence
from xml.etree.ElementTree import Element

from ansible_collections.haproof.balancer.plugins.plugin_utils._common.markup import element

# Units of the pictures' own coordinates; at a page's full width one is about a pixel.
WIDTH = 920.0
GUTTER = 96.0
EDGE = 8.0
LABEL_HEIGHT = 17.0
AXIS_HEIGHT = 26.0
_CHARACTER = 6.9
_TICK_APART = 74.0

_STEPS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_LONG_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


class Span(NamedTuple):
    """A time from one second to another."""

    from_s: float
    to_s: float

    @property
    def length_s(self) -> float:
        """The length in seconds."""
        return self.to_s - self.from_s

    def has(self, at_s: float) -> bool:
        """Return whether a moment is in the span."""
        return self.from_s <= at_s <= self.to_s


class Scale(NamedTuple):
    """Maps seconds to a picture's x."""

    span: Span
    left: float
    right: float

    def x(self, at_s: float) -> float:
        """Return a moment's x, at the edge for those outside the span."""
        length = self.span.length_s or 1.0
        part = min(1.0, max(0.0, (at_s - self.span.from_s) / length))
        return self.left + part * (self.right - self.left)


class Label(NamedTuple):
    """A text at ``x``, in a box from ``left`` to ``right``, ``level`` rows below the first."""

    x: float
    left: float
    right: float
    level: int
    text: str
    kind: str


def ticks(scale: Scale) -> list[tuple[float, str]]:
    """Return the moments to mark on an axis, each with its text."""
    most = max(2.0, (scale.right - scale.left) / _TICK_APART)
    step = next(
        (step for step in (*_STEPS, *_LONG_STEPS) if scale.span.length_s / step <= most), scale.span.length_s / most
    )
    first = math.ceil(scale.span.from_s / step - 1e-9)
    last = math.floor(scale.span.to_s / step + 1e-9)
    furthest = max(abs(scale.span.from_s), abs(scale.span.to_s))
    return [(number * step, _tick(number * step, step, furthest)) for number in range(first, last + 1)]


def place(wanted: Sequence[tuple[float, str, str]], left: float, right: float) -> list[Label]:
    """Return a place for each (x, text, kind) between ``left`` and ``right``; no two boxes overlap.

    A label stands to the right of its line where there is room. One further right stands lower, so its line does not
    run through the texts before it.
    """
    placed: list[Label] = []
    for x, text, kind in sorted(wanted, key=lambda label: label[0]):
        width = min(len(text) * _CHARACTER + 10, right - left)
        start = x if x + width <= right else max(left, x - width)
        end = start + width
        levels = [label.level for label in placed if label.left < end and start < label.right]
        placed.append(Label(x, start, end, max(levels, default=-1) + 1, text, kind))
    return placed


def rows(labels: Sequence[Label]) -> int:
    """Return how many rows the labels take."""
    return max((label.level for label in labels), default=-1) + 1


def draw_labels(labels: Sequence[Label], top: float, bottom: float) -> list[Element]:
    """Return each label with a line from it down to ``bottom``; the first row starts at ``top``."""
    lines = []
    texts = []
    for label in labels:
        row = top + label.level * LABEL_HEIGHT
        lines.append(element("line", class_=f"mark {label.kind}", x1=label.x, x2=label.x, y1=row + 2, y2=bottom))
        box = {"x": label.left + 1, "y": row + 1, "width": label.right - label.left - 2, "height": LABEL_HEIGHT - 2}
        texts.append(element("rect", class_="behind", **box))
        before = label.left < label.x
        x = label.x - 5 if before else label.left + 5
        anchor = "end" if before else None
        texts.append(element("text", label.text, class_=f"label {label.kind}", x=x, y=row + 12.5, text_anchor=anchor))
    # All lines first: where one passes a text, the text stays readable.
    return [*lines, *texts]


def draw_axis(scale: Scale, top: float, bottom: float) -> list[Element]:
    """Return the axis at ``bottom``, its ticks, and grid lines up to ``top``."""
    parts = []
    for at_s, text in ticks(scale):
        x = scale.x(at_s)
        # The outermost texts lean inwards; they would leave the picture.
        anchor = "start" if x - scale.left < 18 else "end" if scale.right - x < 18 else "middle"
        parts.append(element("line", class_="grid", x1=x, x2=x, y1=top, y2=bottom + 4))
        parts.append(element("text", text, class_="tick", x=x, y=bottom + 17, text_anchor=anchor))
    parts.append(element("line", class_="axis", x1=scale.left, x2=scale.right, y1=bottom, y2=bottom))
    return parts


def picture(height: float, words: str, *parts: Element) -> Element:
    """Return the picture in its own box, which scrolls on a narrow screen."""
    svg = element("svg", *parts, viewBox=f"0 0 {WIDTH:g} {height:g}", role="img", aria_label=words)
    return element("div", svg, class_="picture", tabindex=0, role="group", aria_label=words)


def _tick(at_s: float, step_s: float, furthest_s: float) -> str:
    sign = "\u2212" if at_s < -step_s / 2 else ""
    size = abs(at_s)
    if size < step_s / 2:
        return "0"
    if furthest_s < 1:
        return f"{sign}{round(size * 1000, 1):g} ms"
    if step_s >= 60 or furthest_s >= 600:
        return f"{sign}{round(size) // 60}:{round(size) % 60:02d} min"
    digits = max(0, -math.floor(math.log10(step_s) + 1e-9))
    return f"{sign}{size:.{digits}f} s"
