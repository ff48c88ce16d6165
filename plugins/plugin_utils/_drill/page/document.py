# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A drill's report as one self-contained HTML page without scripts. Pure."""

from __future__ import annotations

import math
from typing import Any, Mapping, NamedTuple, Sequence
from xml.etree.ElementTree import Element

from ansible_collections.haproof.balancer.plugins.plugin_utils._common.markup import add, child, element, html
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.distribution import distribution
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.previous import (
    age,
    changes,
    differences,
    unusable,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.style import STYLE
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.page.timeline import HATCH, timeline
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import (
    EXPECTED,
    FIGURES,
    NONE,
    STATES,
    THEN,
    check_version,
    count,
    day_and_time,
    duration,
    joined,
    moment,
    plural,
    spread,
    way,
)


class Cell(NamedTuple):
    """One cell of a table, with its column's heading."""

    heading: str
    content: str | Element
    kind: str = "number"


def page(report: Mapping[str, Any], previous: Mapping[str, Any] | None = None) -> str:
    """Return the page, compared with *previous* if its version is the same. Raises ReportError for another version."""
    check_version(report)
    cluster = report["cluster"]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Drill of {cluster['vip']}: {_headline(report['drills'])}"),
        element("style", STYLE),
    )
    main = element("main", _header(report), _summary(report["drills"]))
    if previous is not None:
        main.append(_comparison(previous, report))
    main.append(_legend())
    for number, drill in enumerate(report["drills"], 1):
        main.append(_drill(drill, number))
    main.append(_footer(report))
    return html(element("html", head, element("body", _patterns(), main), lang="en"))


def _header(report: Mapping[str, Any]) -> Element:
    cluster, drills = report["cluster"], report["drills"]
    made = element(
        "header",
        element("p", f"Failover drill of {cluster['vip']}, {day_and_time(report['started'])}", class_="over"),
        element(
            "div",
            element("span", _icon(report["verdict"]), class_=f"state {report['verdict']}"),
            element("h1", _headline(drills)),
            class_="headline",
        ),
    )
    bad = [(drill, number) for number, drill in enumerate(drills, 1) if drill["verdict"] in ("fail", "disturbed")]
    if bad:
        reasons = child(made, "ul", class_="reasons")
        for drill, number in sorted(bad, key=lambda one: one[0]["verdict"] != "fail"):
            state = drill["verdict"]
            link = element("a", drill["title"], href=f"#drill-{number}")
            text = element("span", link, f": {'; '.join(drill['reasons']) or STATES[state]}")
            child(reasons, "li", _icon(state), text, class_=state)
    took_s = (moment(report["ended"]) - moment(report["started"])).total_seconds()
    longest = max(
        (drill for drill in drills if drill["figures"]["outage_s"]),
        key=lambda drill: float(drill["figures"]["outage_s"]["worst"]),
        default=None,
    )
    made.append(
        _facts(
            [
                ("virtual IP", cluster["vip"], ""),
                ("balancers", joined(cluster["balancers"]), f"{cluster['engine']}, profile {cluster['profile']}"),
                ("clients", joined(cluster["clients"]), cluster["url"]),
                (
                    "longest outage",
                    duration(longest["figures"]["outage_s"]["worst"]) if longest else NONE,
                    longest["title"] if longest else "",
                ),
                (
                    "requests",
                    count(sum(drill["requests"] for drill in drills)),
                    f"{count(sum(drill['failed'] for drill in drills))} failed",
                ),
                ("drilled for", duration(took_s), plural(sum(len(drill["runs"]) for drill in drills), "run")),
            ]
        )
    )
    return made


def _headline(drills: Sequence[Mapping[str, Any]]) -> str:
    number = {state: sum(drill["verdict"] == state for drill in drills) for state in STATES}
    drilled = number["pass"] + number["fail"] + number["disturbed"]
    more = ["skip"]
    if not drilled:
        said = "No fault was drilled"
    elif number["fail"]:
        said = f"{number['fail']} of {plural(drilled, 'fault')} failed"
        more = ["disturbed", "skip"]
    elif number["disturbed"]:
        said = f"{number['disturbed']} of {plural(drilled, 'fault')} disturbed"
    else:
        said = f"{'All ' if drilled > 1 else ''}{plural(drilled, 'fault')} passed"
    return ", ".join([said, *(f"{number[state]} {STATES[state]}" for state in more if number[state])])


def _summary(drills: Sequence[Mapping[str, Any]]) -> Element:
    rows = [_row(drill, number) for number, drill in enumerate(drills, 1)]
    return element("section", element("h2", "Faults"), _table(rows), class_="card")


def _row(drill: Mapping[str, Any], number: int) -> list[Cell]:
    figures, expected = drill["figures"], drill["expected"]
    connections = drill["connections"]
    name = element("span", element("a", drill["title"], href=f"#drill-{number}"), element("small", drill["fault"]))
    return [
        Cell("fault", name, "name"),
        Cell("target", joined(drill["targets"]), ""),
        Cell("outage, median", duration(spread(figures["outage_s"]))),
        Cell("worst", _against(spread(figures["outage_s"], "worst"), expected["outage_slo_s"])),
        Cell("bound", duration(expected["bound_s"])),
        Cell("objective", duration(expected["outage_slo_s"])),
        Cell("detect", duration(spread(figures["detect_s"]))),
        Cell("take over", duration(spread(figures["takeover_s"]))),
        Cell("failback outage", duration(spread(figures["failback_outage_s"]))),
        Cell("connections cut", count(connections["cut"]) if connections else NONE),
        Cell("cut at failback", _cut_at_failback(drill)),
        Cell("verdict", _state(drill["verdict"]), "last"),
    ]


def _cut_at_failback(drill: Mapping[str, Any]) -> str | Element:
    if not drill["connections"] or not drill["runs"]:
        return NONE
    number = sum(run["failback_cut"] for run in drill["runs"])
    allowed = drill["expected"]["failback_cut_slo"]
    return count(number) if allowed is None or number <= allowed else _above(count(number))


def _above(text: str) -> Element:
    return element("span", text, " !", class_="above", title="above the objective")


def _against(found_s: float | None, objective_s: float | None) -> str | Element:
    if found_s is None or objective_s is None or found_s <= objective_s:
        return duration(found_s)
    return _above(duration(found_s))


def _table(rows: Sequence[Sequence[Cell]]) -> Element:
    headings = rows[0] if rows else ()
    head = element("tr", *(element("th", cell.heading, class_=cell.kind or None, scope="col") for cell in headings))
    body = element("tbody")
    for row in rows:
        line = child(body, "tr")
        for cell in row:
            kind = f"{cell.kind} none" if cell.content == NONE else cell.kind
            child(line, "td", cell.content, class_=kind or None, data_label=cell.heading)
    table = element("table", element("thead", head), body, class_="stack")
    return element("div", table, class_="scroll", tabindex=0, role="group", aria_label="table")


def _comparison(previous: Mapping[str, Any], report: Mapping[str, Any]) -> Element:
    made = element("section", element("h2", "Compared with the previous report"), class_="card")
    why = unusable(previous)
    if why:
        child(made, "p", why, class_="note")
        return made
    when = f"{day_and_time(previous['started'])}, {age(previous, report)} earlier"
    child(made, "p", f"Made {when}.", class_="note")
    unlike = differences(previous, report)
    if unlike:
        child(made, "p", f"The clusters differ: {'; '.join(unlike)}.", class_="note")
    titles = {drill["fault"]: drill["title"] for drill in [*previous["drills"], *report["drills"]]}
    rows = []
    for change in changes(previous, report):
        name = element("span", titles[change.fault], element("small", change.fault))
        rows.append(
            [
                Cell("fault", name, "name"),
                Cell("median before", duration(change.before_s)),
                Cell("median now", duration(change.now_s)),
                Cell("verdict", element("span", change.verdicts, class_="worse" if change.worse else None), ""),
                Cell("outage", element("span", change.word, class_=change.word), "last"),
            ]
        )
    made.append(_table(rows))
    return made


def _drill(drill: Mapping[str, Any], number: int) -> Element:
    heading = element("h2", drill["title"], element("code", drill["fault"]))
    made = element(
        "section",
        element("div", heading, _state(drill["verdict"]), class_="top"),
        element("p", _expectation(drill), class_="note"),
        class_="card drill",
        id=f"drill-{number}",
    )
    if drill["reasons"]:
        state = drill["verdict"]
        items = (element("li", _icon(state), element("span", text), class_=state) for text in drill["reasons"])
        child(made, "ul", *items, class_="reasons")
    if drill["unproven"]:
        child(made, "p", f"Not proven, and accepted: {'; '.join(drill['unproven'])}.", class_="note")
    if drill["retried"]:
        child(made, "p", f"Repeated because the drill was disturbed: {'; '.join(drill['retried'])}.", class_="note")
    if drill["runs"]:
        made.append(_facts(_figures(drill)))
        _pictures(made, drill)
    return made


def _expectation(drill: Mapping[str, Any]) -> str:
    expected = drill["expected"]
    limits = {
        "outage at most": expected["outage_slo_s"],
        "alarm within": expected["alarm_slo_s"],
        "two holders for at most": expected["overlap_slo_s"],
    }
    said = [EXPECTED[expected["holder"]]]
    said += [f"{word} {duration(limit)}" for word, limit in limits.items() if limit is not None]
    if expected["failback_cut_slo"] is not None:
        when = "" if expected["cut_slo"] is not None else " at failback"
        said.append(f"{plural(expected['failback_cut_slo'], 'connection')} cut{when}")
    text = f"On {joined(drill['targets'])}. Expected: {', '.join(said)}."
    if expected["bound_s"] is not None:
        text += f" VRRP's timers allow {duration(expected['bound_s'])}."
    return text


def _figures(drill: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    several = len(drill["runs"]) > 1
    facts = []
    for name, word in FIGURES.items():
        figure = drill["figures"][name]
        if figure:
            best, worst = duration(figure["best"]), duration(figure["worst"])
            between = "in each run" if best == worst else f"{best} to {worst}"
            facts.append((word, duration(figure["median"]), between if several else ""))
    errors = ", ".join(f"{count(number)} {kind}" for kind, number in drill["errors"].items())
    facts.append(("failed requests", f"{count(drill['failed'])} of {count(drill['requests'])}", errors))
    connections = drill["connections"]
    if connections:
        cut = f"{count(connections['failed'])} of {count(connections['requests'])} requests failed"
        facts.append(("kept connections", f"{count(connections['cut'])} cut, {count(connections['open'])} open", cut))
    for kind, latency in drill["latency_s"].items():
        if latency:
            more = f"99 % within {duration(latency['p99'])}, worst {duration(latency['max'])}"
            facts.append((f"latency, {kind} connections", duration(latency["p50"]), more))
    if drill["resolution_s"] is not None:
        facts.append(("longest pause of a client", duration(drill["resolution_s"]), "a shorter outage may not show"))
    if drill["clock_error_s"] is not None:
        facts.append(("clocks agree within", duration(drill["clock_error_s"]), ""))
    return facts


def _pictures(made: Element, drill: Mapping[str, Any]) -> None:
    runs = drill["runs"]
    several = distribution(drill)
    if several is not None:
        figure = drill["figures"]["outage_s"]
        said = f": median {duration(figure['median'])}, worst {duration(figure['worst'])}"
        caption = element("figcaption", element("b", f"Outage of {len(runs)} runs"), said)
        child(made, "figure", caption, several)
    shown = max(runs, key=_badness)
    why = f" of {len(runs)}" if len(runs) > 1 else ""
    if why and shown["outage_s"]:
        why += ", the longest outage"
    made.append(_run(shown, why))
    others = [run for run in runs if run is not shown]
    if others:
        add(made, element("details", element("summary", plural(len(others), "other run")), *map(_run, others)))


def _badness(run: Mapping[str, Any]) -> float:
    # Failures of unknown duration come first.
    if run["outage_s"] is None:
        return math.inf if run["failed"] else 0.0
    return float(run["outage_s"])


def _run(run: Mapping[str, Any], why: str = "") -> Element:
    said = [f": outage {duration(run['outage_s'])}", f"VIP on {way(run)}"]
    if run["cut"]:
        said.append(f"{plural(run['cut'], 'connection')} cut")
    if run["served"]:
        said.append(f"connections served: {_served(run['served'])}")
    caption = element("figcaption", element("b", f"Run {run['number']}"), why, ", ".join(said))
    return element("figure", caption, timeline(run))


def _served(served: Mapping[str, Mapping[str, int | None]]) -> str:
    """Return each balancer's numbers before, during and after the fault."""
    numbers = {host: [moment[host] for moment in served.values()] for host in served["before"]}
    return ", ".join(
        f"{host} {THEN.join(NONE if number is None else count(number) for number in each)}"
        for host, each in numbers.items()
    )


def _facts(facts: Sequence[tuple[str, str, str]]) -> Element:
    made = element("dl", class_="facts")
    for word, value, more in facts:
        value_of = element("dd", value, element("small", more) if more else None)
        child(made, "div", element("dt", word), value_of)
    return made


def _state(verdict: str) -> Element:
    return element("span", _icon(verdict), STATES[verdict], class_=f"state {verdict}")


def _icon(verdict: str) -> Element:
    return element("svg", element("use", href=f"#is-{verdict}"), class_="icon", viewBox="0 0 24 24", aria_hidden="true")


def _patterns() -> Element:
    """Return the pictures' shared definitions: hatching, and an icon of its own shape for each verdict."""
    hatching = element(
        "pattern",
        element("path", class_="hatching", d="M0 0V8"),
        id=HATCH,
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    signs = {
        "pass": ("M12 1.5a10.5 10.5 0 1 0 0 21a10.5 10.5 0 1 0 0-21z", "M7 12.5l3.5 3.5l6.5-7.5"),
        "fail": ("M7.5 2h9L22 7.5v9L16.5 22h-9L2 16.5v-9z", "M8.5 8.5l7 7m0-7l-7 7"),
        "disturbed": ("M12 2L23 21.5H1z", "M12 9v6m0 2.5v1"),
        "skip": ("M3 6a3 3 0 0 1 3-3h12a3 3 0 0 1 3 3v12a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3z", "M8 12h8"),
    }
    symbols = (
        element(
            "symbol",
            element("path", class_="body", d=body),
            element("path", class_="sign", d=sign),
            id=f"is-{verdict}",
            viewBox="0 0 24 24",
        )
        for verdict, (body, sign) in signs.items()
    )
    return element("svg", element("defs", hatching), *symbols, class_="hidden", aria_hidden="true")


def _legend() -> Element:
    shapes = {
        "requests answered": [element("rect", class_="good", y=3, width=22, height=10)],
        "requests failed": [element("rect", class_="bad", x=8, width=5, height=16)],
        "balancer holds the VIP": [element("rect", class_="held", y=3, width=22, height=10)],
        "two balancers hold it": [element("rect", class_="double", width=22, height=16)],
        "connections that a balancer serves": [element("rect", class_="served", y=6, width=22, height=10)],
        "balancer could not be watched": [
            element("rect", class_="hatched", x=0.5, y=3, width=21, height=10, fill=f"url(#{HATCH})")
        ],
    }
    items = (element("li", element("svg", *parts, viewBox="0 0 22 16"), word) for word, parts in shapes.items())
    return element("ul", *items, class_="legend")


def _footer(report: Mapping[str, Any]) -> Element:
    return element(
        "footer",
        element(
            "p",
            "All times are on the client's clock, 0 is the injection. An outage lasts from the last good request "
            f"before it to the first good one after it. Report of schema version {report['schema_version']}, "
            f"ended {day_and_time(report['ended'])}.",
        ),
    )
