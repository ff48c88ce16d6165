# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A drill's report as JUnit XML, which CI systems show. Pure functions."""

from __future__ import annotations

from typing import Any, Mapping
from xml.etree.ElementTree import Element, indent

from ansible_collections.haproof.balancer.plugins.plugin_utils._common.markup import child, element, xml
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import FIGURES, check_version, way


def junit(report: Mapping[str, Any]) -> str:
    """Return the XML; raises ReportError for a report of another version."""
    check_version(report)
    drills = report["drills"]
    cluster = report["cluster"]
    # CI systems read the totals of either element.
    totals = {
        "tests": len(drills),
        "failures": sum(drill["verdict"] == "fail" for drill in drills),
        "errors": sum(drill["verdict"] == "disturbed" for drill in drills),
        "skipped": sum(drill["verdict"] == "skip" for drill in drills),
        "time": _seconds(sum(map(_watched_s, drills))),
    }
    root = element("testsuites", name="haproof.balancer", **totals)
    suite = child(root, "testsuite", name=f"drill of {cluster['vip']}", timestamp=report["started"], **totals)
    _properties(suite, {**cluster, "schema_version": report["schema_version"]})
    for drill in drills:
        _case(suite, drill)
    indent(root)
    return xml(root)


def _case(suite: Element, drill: Mapping[str, Any]) -> None:
    case = child(
        suite,
        "testcase",
        classname=f"drill.{drill['group']}",
        name=drill["fault"],
        time=_seconds(_watched_s(drill)),
    )
    _properties(case, _facts(drill))
    reasons = "\n".join(drill["reasons"])
    if drill["verdict"] == "fail":
        child(case, "failure", reasons, message=drill["reasons"][0] if drill["reasons"] else "failed", type="drill")
    elif drill["verdict"] == "disturbed":
        # For JUnit a test that could not be judged has an error.
        message = drill["reasons"][0] if drill["reasons"] else "disturbed"
        child(case, "error", reasons, message=message, type="disturbed")
    elif drill["verdict"] == "skip":
        child(case, "skipped", message=reasons)


def _facts(drill: Mapping[str, Any]) -> dict[str, Any]:
    facts = {
        "title": drill["title"],
        "targets": drill["targets"],
        **{f"expected.{name}": value for name, value in drill["expected"].items()},
        **{f"{name}.{part}": value for name in FIGURES for part, value in (drill["figures"][name] or {}).items()},
        "requests": drill["requests"],
        "failed": drill["failed"],
        **{f"errors.{kind}": number for kind, number in drill["errors"].items()},
        **{f"connections.{name}": value for name, value in (drill["connections"] or {}).items()},
        **{
            f"latency_s.{kind}.{part}": value
            for kind, latency in drill["latency_s"].items()
            for part, value in (latency or {}).items()
        },
        "resolution_s": drill["resolution_s"],
        "clock_error_s": drill["clock_error_s"],
        "unproven": "; ".join(drill["unproven"]) or None,
        "retried": "; ".join(drill["retried"]) or None,
    }
    return {**facts, **{f"run {run['number']} holders": way(run) for run in drill["runs"]}}


def _properties(parent: Element, facts: Mapping[str, Any]) -> None:
    known = {name: value for name, value in facts.items() if value is not None}
    if known:
        properties = child(parent, "properties")
        for name, value in known.items():
            text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
            child(properties, "property", name=name, value=text if isinstance(text, str) else f"{text:g}")


def _watched_s(drill: Mapping[str, Any]) -> float:
    return float(sum(run["timeline"]["to_s"] - run["timeline"]["from_s"] for run in drill["runs"]))


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
