# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page is well formed, needs nothing else, and says what the report says."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.document import page
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.style import STYLE
from hypothesis import given, settings
from hypothesis import strategies as st

from ..drill_reports import disturbed, hostile, report

VOID = ("meta",)


class Reader(HTMLParser):
    """Reads a page and insists that each element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.said.append(data.replace("\u00a0", " "))

    def values(self, name: str) -> list[str]:
        return [value for found, value in self.attributes if found == name]


def without(*faults: str) -> dict[str, Any]:
    found = report()
    found["drills"] = [drill for drill in found["drills"] if drill["fault"] not in faults]
    return found


def previous() -> dict[str, Any]:
    found = without("keepalived_stop")
    found["started"] = "2026-02-20T08:00:00Z"
    found["drills"][0]["figures"]["outage_s"] = {"best": 0.001, "median": 0.001, "worst": 0.001}
    return found


def with_disturbed(*without_them: str) -> dict[str, Any]:
    found = without(*without_them)
    found["drills"] = [disturbed(drill) if drill["fault"] == "service_stop" else drill for drill in found["drills"]]
    return found


PAGES = [
    page(report()),
    page(report(), previous()),
    page(report(), {"schema_version": 1}),
    page({**report(), "drills": []}),
    page(hostile(report()), hostile(previous())),
    page(with_disturbed()),
]


@pytest.mark.parametrize("text", PAGES)
def test_well_formed_and_alone(text: str) -> None:
    read = Reader(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "image", "form"} & set(read.tags)
    assert not [name for name, _value in read.attributes if name.startswith("on") or name in ("src", "style", "srcset")]
    ids = read.values("id")
    assert len(ids) == len(set(ids))
    # Links and patterns stay within the page.
    assert {value[1:] for value in read.values("href")} <= set(ids)
    assert all(value.startswith("#") for value in read.values("href"))
    assert set(read.values("fill")) <= {"url(#unknown)"}
    assert read.tags.count("style") == 1


def test_style_loads_nothing() -> None:
    assert not re.search(r"url\(|@import|@font-face|</", STYLE)
    assert "prefers-color-scheme: dark" in STYLE
    assert "@media print" in STYLE


def test_hostile_texts_stay_texts() -> None:
    text = page(hostile(report()), hostile(previous()))
    assert "<script" not in text
    assert "evil.example" in "".join(Reader(text).said)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", text)


@given(st.text(st.characters(), max_size=30))
@settings(max_examples=15, deadline=None)
def test_any_text(text: str) -> None:
    Reader(page(hostile(without("service_stop", "link_down"), text))).tags.index("footer")


HEADLINES: list[tuple[dict[str, Any], str]] = [
    (report(), "2 of 8 faults failed, 1 skipped"),
    (without("vrrp_block", "node_freeze"), "All 6 faults passed, 1 skipped"),
    (without("vrrp_block", "node_freeze", "node_power_off"), "All 6 faults passed"),
    ({**report(), "drills": report()["drills"][:1]}, "1 fault passed"),
    ({**report(), "drills": report()["drills"][5:6]}, "1 of 1 fault failed"),
    ({**report(), "drills": report()["drills"][7:8]}, "No fault was drilled, 1 skipped"),
    ({**report(), "drills": []}, "No fault was drilled"),
    (with_disturbed(), "2 of 8 faults failed, 1 disturbed, 1 skipped"),
    (with_disturbed("vrrp_block", "node_freeze"), "1 of 6 faults disturbed, 1 skipped"),
]


@pytest.mark.parametrize(("what", "headline"), HEADLINES)
def test_headline(what: dict[str, Any], headline: str) -> None:
    assert f"<h1>{headline}</h1>" in page(what)


def test_says_what_failed_and_why() -> None:
    said = Reader(PAGES[0]).said
    assert ": run 3: the outage of 1.31 s is above the objective of 1.10 s" in said
    assert "lb01 is a container: it has no power to cut; set drill_power_command to drill it on machines" in said
    # Not by its colour alone.
    assert PAGES[0].count('title="above the objective"') == 1
    assert {said.count(word) for word in ("passed", "failed", "skipped")} == {12, 4, 2}


def test_says_what_disturbed_a_drill_after_what_failed() -> None:
    said = Reader(PAGES[5]).said
    assert said.index(": for 300 ms client made no request") > said.index(
        ": run 3: the outage of 1.31 s is above the objective of 1.10 s"
    )
    assert "Not proven, and accepted: it is behind a NAT." in said
    assert "Repeated because the drill was disturbed: the prober died." in said
    assert PAGES[5].count('class="state disturbed"') == 2


def test_says_which_balancer_served_the_connections() -> None:
    said = Reader(PAGES[0]).said
    assert any("connections served: lb01 22 \u203a 20 \u203a 23, lb02 0 \u203a 2 \u203a 0" in text for text in said)
    assert any(
        text.endswith(
            "the VIP moves to another balancer, outage at most 50 ms, 0 connections cut. VRRP's timers allow 22 ms."
        )
        for text in said
    )
    assert said[said.index("latency, kept connections") + 1 :][:2] == ["0.4 ms", "99 % within 1.2 ms, worst 209 ms"]


def test_says_how_many_connections_were_cut_at_failback() -> None:
    found = without(*(drill["fault"] for drill in report()["drills"] if drill["fault"] != "keepalived_stop"))
    assert "above the objective" not in page(found)
    found["drills"][0]["runs"][0]["failback_cut"] = 3
    assert page(found).count('title="above the objective"') == 1
    found["drills"][0]["expected"].update(cut_slo=None)
    assert "0 connections cut at failback" in page(found)
    found["drills"][0]["expected"].update(failback_cut_slo=None)
    assert "above the objective" not in page(found)


def test_all_runs_are_shown() -> None:
    runs = sum(len(drill["runs"]) for drill in report()["drills"])
    assert PAGES[0].count('aria-label="Timeline of run ') == 2 * runs
    assert "9 other runs" in Reader(PAGES[0]).said


@pytest.mark.parametrize(("outages", "first"), [((0.1, 0.3, 0.2), 2), ((0.1, 0.3, None), 3), ((0.0, 0.0, 0.0), 1)])
def test_worst_run_first(outages: tuple[float | None, ...], first: int) -> None:
    changed = without(*(drill["fault"] for drill in report()["drills"] if drill["fault"] != "node_freeze"))
    for run, outage_s in zip(changed["drills"][0]["runs"], outages):
        run["outage_s"] = outage_s
    said = Reader(page(changed)).said
    assert next(text for text in said if text.startswith("Run ")) == f"Run {first}"
    assert any(", the longest outage" in text for text in said) is (first == 2)


def test_comparison() -> None:
    assert "Compared with the previous report" not in Reader(PAGES[0]).said
    said = Reader(PAGES[1]).said
    assert "Made 2026-02-20 08:00:00 UTC, 10 days earlier." in said
    assert (said.count("slower"), said.count("new")) == (1, 1)
    assert "The previous report is not compared: its schema_version is 1, this one's is 5." in Reader(PAGES[2]).said
