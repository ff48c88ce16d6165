# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The report of all drills, and the reason if it does not pass. Pure."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.verdict import DISTURBED, FAIL, PASS
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import SCHEMA_VERSION


def make_report(
    drills: Sequence[Mapping[str, Any]], cluster: Mapping[str, Any], started: str, ended: str
) -> dict[str, Any]:
    """Return the report. It passes when no drill failed or was disturbed, and at least one passed."""
    verdicts = {drill["verdict"] for drill in drills}
    if FAIL not in verdicts and DISTURBED in verdicts:
        verdict = DISTURBED
    else:
        verdict = PASS if PASS in verdicts and FAIL not in verdicts else FAIL
    return {
        "schema_version": SCHEMA_VERSION,
        "started": started,
        "ended": ended,
        "verdict": verdict,
        "cluster": dict(cluster),
        "drills": list(drills),
    }


def explain(report: Mapping[str, Any]) -> str:
    """Return why a report does not pass, "" when it does."""
    if report["verdict"] == PASS:
        return ""
    faults = {
        verdict: [drill["fault"] for drill in report["drills"] if drill["verdict"] == verdict]
        for verdict in (FAIL, DISTURBED)
    }
    told = {
        FAIL: "These drills did not pass, for the reasons in the table: ",
        DISTURBED: "Something else disturbed these drills (see the table), run them again: ",
    }
    sentences = [told[verdict] + ", ".join(names) for verdict, names in faults.items() if names]
    return ". ".join(sentences) or "Every drill was skipped, for the reasons in the table"
