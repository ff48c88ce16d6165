# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Drills as text for a terminal: the final table, and the line before each drill. Pure."""

from __future__ import annotations

import math
import textwrap
from typing import Any, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import printable
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import check_version, ms

HEAD = ("fault", "on", "outage", "bound", "slo", "detect", "failback", "cut", "failed", "holder", "verdict")
DISPENSABLE = ("holder", "detect", "failed", "cut", "failback")
"""Columns that a narrow table drops, in this order."""
GAP = "  "


def table(report: Mapping[str, Any], width: float = math.inf) -> str:
    """Return the report as a table, with medians of repeated runs. Raises ReportError for another schema version.

    Below it are the reasons against a pass, what is not proven, and why a drill was repeated. To fit *width* it drops
    columns and wraps texts.
    """
    check_version(report)
    drills = report["drills"]
    rows = _narrowed([HEAD, *(_row(drill) for drill in drills)], width)
    lines = [f"{drill['fault']}: {reason}" for drill in drills for reason in drill["reasons"]]
    lines += [f"{drill['fault']}: not proven, and accepted: {what}" for drill in drills for what in drill["unproven"]]
    lines += [f"{drill['fault']}: repeated: {reason}" for drill in drills for reason in drill["retried"]]
    return printable("\n".join([*rows, *(part for line in lines for part in _wrapped(line, width))]))


def progress(planned: Sequence[Mapping[str, Any]], done: int, elapsed_s: float) -> str:
    """Return the next drill, its number of how many, and how long the rest will take at this rate."""
    drill = planned[done]
    times = f", {drill['runs']} times" if drill["runs"] > 1 else ""
    line = f"drill {done + 1} of {len(planned)}: {drill['fault']}, {drill['title']}{times}"
    before = sum(one["runs"] for one in planned[:done])
    if not before:
        return line
    left_s = elapsed_s / before * sum(one["runs"] for one in planned[done:])
    return f"{line}; about {_duration(left_s)} left"


def _narrowed(rows: Sequence[Sequence[str]], width: float) -> list[str]:
    """Return the lines of a table, without columns until they fit."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    kept = list(range(len(HEAD)))
    for name in DISPENSABLE:
        if sum(widths[column] + len(GAP) for column in kept) - len(GAP) <= width:
            break
        kept.remove(HEAD.index(name))
    return [GAP.join(row[column].ljust(widths[column]) for column in kept).rstrip() for row in rows]


def _wrapped(line: str, width: float) -> list[str]:
    if len(line) <= width:
        return [line]
    return textwrap.wrap(line, int(width), subsequent_indent=GAP, break_on_hyphens=False, break_long_words=False)


def _row(drill: Mapping[str, Any]) -> tuple[str, ...]:
    expected = drill["expected"]
    return (
        drill["fault"],
        ",".join(drill["targets"]) or "-",
        _median(drill, "outage_s"),
        ms(expected["bound_s"]),
        ms(expected["outage_slo_s"]),
        _median(drill, "detect_s"),
        _median(drill, "failback_outage_s"),
        str(drill["connections"]["cut"]) if drill["connections"] else "-",
        f"{drill['failed']}/{drill['requests']}",
        _way(drill["runs"]),
        drill["verdict"],
    )


def _way(runs: Sequence[Mapping[str, Any]]) -> str:
    if not runs:
        return "-"
    return " > ".join(runs[0][f"holder_{when}"] or "-" for when in ("before", "during", "after"))


def _median(drill: Mapping[str, Any], name: str) -> str:
    spread = drill["figures"][name]
    return ms(spread["median"] if spread else None)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
