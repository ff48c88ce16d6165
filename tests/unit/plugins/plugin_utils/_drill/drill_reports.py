# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of drills to try things on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

FIXTURE = Path(__file__).parent / "fixtures" / "drill_report.json"

# Each part of it would be harmful or wrong in HTML, in an attribute, in SVG or in XML.
HOSTILE = "</title></style></svg><script src=\"https://evil.example/x.js\">alert('&')</script>\x00\x1b\ud800 ]]> ü"


def report() -> dict[str, Any]:
    """A report with each verdict, with one run and with ten, with moves, stays and splits."""
    found: dict[str, Any] = json.loads(FIXTURE.read_text(encoding="utf-8"))
    return found


def parsed(text: str) -> Element:
    """The root of a document that this collection wrote."""
    return fromstring(text.encode())  # noqa: S314 - this collection wrote it


def drill(fault: str) -> dict[str, Any]:
    """One entry of it."""
    return next(drill for drill in report()["drills"] if drill["fault"] == fault)


def disturbed(drill: dict[str, Any]) -> dict[str, Any]:
    """The entry of a drill that proved nothing, for the second time."""
    reasons = {
        "reasons": ["for 300 ms client made no request"],
        "retried": ["the prober died"],
        "unproven": ["it is behind a NAT"],
    }
    return {**drill, "verdict": "disturbed", **reasons}


def hostile(value: Any, text: str = HOSTILE) -> Any:
    """The same with ``text`` in each text and key that a host, an error or a person chose."""
    chosen = {"title", "group", "vip", "engine", "profile", "url", "holder_before", "holder_during", "holder_after"}
    if isinstance(value, list):
        return [hostile(item, text) for item in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for key, item in value.items():
        if key in chosen and isinstance(item, str):
            made[key] = text
        elif key in ("targets", "reasons", "retried", "unproven", "balancers", "clients"):
            made[key] = [text for _item in item]
        elif key in ("before", "during", "after") and isinstance(item, dict):
            made[key] = {f"{text}{name}": number for name, number in item.items()}
        elif key in ("errors", "holders", "unknown", "requests", "connections") and isinstance(item, dict):
            if key == "connections" and "open" in item:
                made[key] = item
                continue
            made[key] = {f"{text}{name}": hostile(part, text) for name, part in item.items()}
        else:
            made[key] = hostile(item, text)
    return made
