# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/drill-report.schema.json takes the reports that there are, and no others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from .drill_reports import disturbed, report

SCHEMA = json.loads((Path(__file__).parents[5] / "docs" / "drill-report.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
RUN = ("drills", 0, "runs", 0)
LINE = (*RUN, "timeline")
SKIPPED = 7
FAILED = 5
LACKING = object()

# What is put where (or taken away), and the path that the schema then complains about.
BROKEN: list[tuple[tuple[str | int, ...], Any, str]] = [
    (("schema_version",), 1, "$.schema_version"),
    (("schema_version",), LACKING, "$"),
    (("note",), "x", "$"),
    (("started",), "yesterday", "$.started"),
    (("verdict",), "skip", "$.verdict"),
    (("cluster", "engine"), "", "$.cluster.engine"),
    (("cluster", "balancers"), [], "$.cluster.balancers"),
    (("cluster", "url"), "198.18.0.10", "$.cluster.url"),
    (("drills", 0, "fault"), "meteorite", "$.drills[0].fault"),
    (("drills", 0, "group"), "Some Group", "$.drills[0].group"),
    (("drills", 0, "verdict"), "ok", "$.drills[0].verdict"),
    (("drills", 0, "reasons"), ["passed, and yet"], "$.drills[0].reasons"),
    (("drills", 0, "verdict"), "disturbed", "$.drills[0].reasons"),
    (("drills", 0, "retried"), [""], "$.drills[0].retried[0]"),
    (("drills", 0, "unproven"), [""], "$.drills[0].unproven[0]"),
    (("drills", 0, "resolution_s"), LACKING, "$.drills[0]"),
    (("drills", FAILED, "reasons"), [], f"$.drills[{FAILED}].reasons"),
    (("drills", SKIPPED, "reasons"), [], f"$.drills[{SKIPPED}].reasons"),
    (("drills", SKIPPED, "runs"), [report()["drills"][0]["runs"][0]], f"$.drills[{SKIPPED}].runs"),
    (("drills", 0, "expected", "holder"), "flees", "$.drills[0].expected.holder"),
    (("drills", 0, "expected", "outage_slo_s"), -1, "$.drills[0].expected.outage_slo_s"),
    (("drills", 0, "figures", "outage_s"), 0.1, "$.drills[0].figures.outage_s"),
    (("drills", 0, "figures", "outage_s", "worst"), None, "$.drills[0].figures.outage_s"),
    (("drills", 0, "figures", "detect_s"), LACKING, "$.drills[0].figures"),
    (("drills", 0, "errors", "timeout"), 0, "$.drills[0].errors.timeout"),
    (("drills", 0, "connections", "cut"), LACKING, "$.drills[0].connections"),
    ((*RUN, "number"), 0, "$.drills[0].runs[0].number"),
    ((*RUN, "holder_during"), ["lb01", "lb02"], "$.drills[0].runs[0].holder_during"),
    ((*RUN, "outage_s"), "0.1", "$.drills[0].runs[0].outage_s"),
    ((*LINE, "to_s"), None, "$.drills[0].runs[0].timeline.to_s"),
    ((*LINE, "requests", "client", 0), [0, 1, 2, 3], "$.drills[0].runs[0].timeline.requests.client[0]"),
    ((*LINE, "requests", "client", 0), [0, 1, 2, 3, "", 0], "$.drills[0].runs[0].timeline.requests.client[0]"),
    ((*LINE, "requests", "client", 0, 4), None, "$.drills[0].runs[0].timeline.requests.client[0][4]"),
    ((*LINE, "holders", "lb01", 0), [1], "$.drills[0].runs[0].timeline.holders.lb01[0]"),
    ((*LINE, "moments", 0, "what"), "boom", "$.drills[0].runs[0].timeline.moments[0].what"),
]


def complaints(what: dict[str, Any]) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(what)]


def test_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_good_report() -> None:
    assert complaints(report()) == []
    assert complaints({**report(), "verdict": "disturbed", "drills": [disturbed(report()["drills"][0])]}) == []


@pytest.mark.parametrize(("where", "value", "path"), BROKEN)
def test_broken_report(where: tuple[str | int, ...], value: Any, path: str) -> None:
    broken = report()
    parent: Any = broken
    for step in where[:-1]:
        parent = parent[step]
    if value is LACKING:
        del parent[where[-1]]
    else:
        parent[where[-1]] = value
    assert complaints(broken) == [path]


def objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for item in schema for found in objects(item)]
    if not isinstance(schema, dict):
        return []
    here = [schema] if schema.get("type") == "object" else []
    return here + [found for item in schema.values() for found in objects(item)]


def test_strict_and_documented() -> None:
    for found in objects(SCHEMA):
        assert found["additionalProperties"] is not True
        for name, part in found.get("properties", {}).items():
            assert "description" in part or "$ref" in part or name in ("best", "median", "worst"), name
        assert found.get("required", []) == list(found.get("properties", {}))
