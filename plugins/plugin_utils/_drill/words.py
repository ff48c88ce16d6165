# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Texts for the values of a drill's report. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Mapping

SCHEMA_VERSION = 5
NONE = "\u2013"
THEN = " \u203a "

# The figures of a drill in the order in which they happen, and their labels.
FIGURES = {
    "outage_s": "outage",
    "detect_s": "detection",
    "takeover_s": "takeover",
    "gap_s": "without a holder",
    "overlap_s": "two holders",
    "alarm_s": "alarm",
    "failback_outage_s": "failback outage",
}

STATES = {"pass": "passed", "fail": "failed", "disturbed": "disturbed", "skip": "skipped"}

EXPECTED = {
    "moves": "the VIP moves to another balancer",
    "stays": "the VIP stays where it is",
    "splits": "two balancers hold the VIP until the fault is healed",
    "returns": "the node recovers by itself, and the VIP is where it was before anything is healed",
}


class ReportError(ValueError):
    """This version cannot show the report."""


def check_version(report: Mapping[str, Any]) -> None:
    """Raise ReportError for a report of another schema version."""
    found = report.get("schema_version")
    if found != SCHEMA_VERSION:
        raise ReportError(
            f"the report's schema_version is {found!r}, it must be {SCHEMA_VERSION}: "
            "use the version of haproof.balancer that wrote it, or drill again"
        )


def duration(seconds: float | None) -> str:
    """Return a duration with the unit in which it reads best."""
    if seconds is None:
        return NONE
    sign, seconds = ("\u2212", -seconds) if seconds < 0 else ("", seconds)
    milliseconds = seconds * 1000
    if 0 < milliseconds < 0.0995:
        return f"{sign}{milliseconds * 1000:.0f}\u00a0µs"
    if 0 < milliseconds < 9.95:
        return f"{sign}{milliseconds:.1f}\u00a0ms"
    if round(milliseconds) < 1000:
        return f"{sign}{milliseconds:.0f}\u00a0ms"
    if seconds < 9.995:
        return f"{sign}{seconds:.2f}\u00a0s"
    if seconds < 119.95:
        return f"{sign}{seconds:.1f}\u00a0s"
    return f"{sign}{round(seconds) // 60}\u00a0min {round(seconds) % 60}\u00a0s"


def ms(seconds: float | None) -> str:
    """Return a duration for a terminal, a dash for an unknown one."""
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms"


def count(number: int) -> str:
    """Return a number with thousands separators."""
    return f"{number:,}".replace(",", "\u202f")


def plural(number: int, word: str) -> str:
    """Return ``1 run``, ``2 runs``."""
    return f"{count(number)} {word}" if number == 1 else f"{count(number)} {word}s"


def moment(text: str) -> datetime:
    """Parse an ISO 8601 time."""
    # Before Python 3.11 fromisoformat() does not know the Z.
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def day_and_time(text: str) -> str:
    """Return an ISO 8601 time in a readable form."""
    at = moment(text)
    return f"{at:%Y-%m-%d %H:%M:%S} {at.tzname() or ''}".strip()


def spread(figure: Mapping[str, float] | None, part: str = "median") -> float | None:
    """Return one part of a figure, None if the figure does not apply."""
    return figure[part] if figure else None


def joined(names: object) -> str:
    """Return names as one text."""
    if isinstance(names, (list, tuple)):
        return ", ".join(map(str, names)) or NONE
    return str(names) if names else NONE


def way(run: Mapping[str, Any]) -> str:
    """Return the holders before, during and after the fault."""
    return THEN.join(joined(run[f"holder_{when}"]) for when in ("before", "during", "after"))
