# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Compares a drill's report with the previous one. Pure functions."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple

from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import (
    NONE,
    SCHEMA_VERSION,
    STATES,
    duration,
    joined,
    moment,
    spread,
)

# Medians that differ by less are alike, because of the prober's interval and the node's scheduling ...
NOISE_S = 0.02
# ... and of the time between the last advert and the fault.
NOISE_PART = 0.2


class FaultChange(NamedTuple):
    """The change of one fault between two reports."""

    fault: str
    before_s: float | None
    now_s: float | None
    word: str
    verdicts: str
    worse: bool


def unusable(previous: Mapping[str, Any]) -> str | None:
    """Return why a previous report cannot be compared, None if it can."""
    found = previous.get("schema_version")
    if found != SCHEMA_VERSION:
        return f"The previous report is not compared: its schema_version is {found!r}, this one's is {SCHEMA_VERSION}."
    return None


def differences(previous: Mapping[str, Any], report: Mapping[str, Any]) -> list[str]:
    """Return the differences between the clusters."""
    before, now = previous["cluster"], report["cluster"]
    return [f"{key}: {joined(before[key])} → {joined(now[key])}" for key in now if before[key] != now[key]]


def changes(previous: Mapping[str, Any], report: Mapping[str, Any]) -> list[FaultChange]:
    """Return each fault's change, in the report's order, those that are gone at the end."""
    before = {drill["fault"]: drill for drill in previous["drills"]}
    now = {drill["fault"]: drill for drill in report["drills"]}
    return [_change(fault, before.get(fault), now.get(fault)) for fault in {**now, **before}]


def noise_s(before: Mapping[str, float], now: Mapping[str, float]) -> float:
    """Return the difference of two medians that is noise, in seconds: the spread of either report's runs."""
    return max(
        NOISE_S,
        NOISE_PART * before["median"],
        before["worst"] - before["best"],
        now["worst"] - now["best"],
    )


def age(previous: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Return how long before this report the previous one began."""
    seconds = (moment(report["started"]) - moment(previous["started"])).total_seconds()
    if abs(seconds) < 2 * 3600:
        return duration(seconds)
    return f"{seconds / 3600:.0f} hours" if abs(seconds) < 2 * 86400 else f"{seconds / 86400:.0f} days"


def _change(fault: str, before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> FaultChange:
    then = before["figures"]["outage_s"] if before else None
    current = now["figures"]["outage_s"] if now else None
    was, is_ = (STATES[drill["verdict"]] if drill else NONE for drill in (before, now))
    verdicts = is_ if was == is_ else f"{was} → {is_}"
    worse = was != is_ == STATES["fail"]
    return FaultChange(fault, spread(then), spread(current), _word(before, now, then, current), verdicts, worse)


def _word(
    before: Mapping[str, Any] | None,
    now: Mapping[str, Any] | None,
    then: Mapping[str, float] | None,
    current: Mapping[str, float] | None,
) -> str:
    if not before:
        return "new"
    if not now:
        return "gone"
    if not then or not current:
        return "unmeasured"
    more = current["median"] - then["median"]
    if abs(more) <= noise_s(then, current):
        return "alike"
    return "slower" if more > 0 else "faster"
