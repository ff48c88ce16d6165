# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The drills of a healthy pair, and the limits that the report's figures must meet."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

import observer
from drilling import Drilled, drill, whole
from nodes import PROJECT, inventory_variables

sys.path.insert(0, str(PROJECT / "build/collections"))
from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS

if TYPE_CHECKING:
    from nodes import Lab

PROMISED = [
    "service_stop",
    "service_kill",
    "service_hang",
    "keepalived_stop",
    "keepalived_kill",
    "link_down",
    "node_freeze",
    "vrrp_block",
]
# Faults that these nodes do not support, and are therefore skipped.
IMPOSSIBLE = {"clock_jump"}
REPEATS = 3

# Longest outage in seconds, by profile: the median of the repeats, so that a busy machine does not fail the test.
MOST_S: dict[str, dict[str, float]] = {
    "service_stop": {"standard": 0.1, "fast": 0.1},
    "service_kill": {"standard": 0.1, "fast": 0.1},
    "service_hang": {"standard": 3.0, "fast": 1.0},
    "keepalived_stop": {"standard": 0.05, "fast": 0.05},
    "link_down": {"standard": 1.1, "fast": 0.2},
    "node_freeze": {"standard": 1.1, "fast": 0.2},
}
ALONE_S = 5.0
# By how much the second observer may differ in most runs of a fault, and in any: a busy machine delays every observer.
AGREED_S = 0.01
FAR_S = 0.05
# drill_timeout_s
TIMEOUT_S = 0.25


Seen = dict[str, list[dict[str, float]]]


@pytest.fixture(scope="module")
def promised_seen(lab: Lab) -> tuple[Drilled, Seen]:
    """Drill the promised faults, a few times each, with the second observer."""
    return drilled(lab, "promised", faults=",".join(PROMISED), repeat=REPEATS, judge="median")


@pytest.fixture(scope="module")
def promised(promised_seen: tuple[Drilled, Seen]) -> Drilled:
    return promised_seen[0]


@pytest.fixture(scope="module")
def others_seen(lab: Lab) -> tuple[Drilled, Seen]:
    """Drill all other faults once."""
    return drilled(lab, "others", faults=",".join(fault for fault in FAULTS if fault not in PROMISED))


@pytest.fixture(scope="module")
def others(others_seen: tuple[Drilled, Seen]) -> Drilled:
    return others_seen[0]


def drilled(lab: Lab, name: str, **variables: Any) -> tuple[Drilled, Seen]:
    """Drill and keep the report; return how the drills ended, and the figures of the second observer."""
    with observer.observed(lab) as records:
        done = drill(lab, **variables)
    keep(lab, name)
    return done, observer.figures(lab, done, records, TIMEOUT_S)


def kept(lab: Lab, name: str) -> Path:
    """Return where a report is kept; it outlives the lab."""
    variables = inventory_variables(lab.inventory)
    family = {"redhat": "redhat-"}.get(os.environ.get("LAB_FAMILY", ""), "")
    release = os.environ.get("LAB_DEBIAN", "12")
    pair = f"{variables['balancer_engine']}-{variables['keepalived_profile']}-{family}{release}"
    return PROJECT / "build/failover" / pair / name


def keep(lab: Lab, name: str) -> None:
    """Keep the report that was just written."""
    shutil.rmtree(kept(lab, name), ignore_errors=True)
    shutil.copytree(lab.inventory.parent / "drill", kept(lab, name))


def profile(lab: Lab) -> str:
    return str(inventory_variables(lab.inventory)["keepalived_profile"])


@pytest.mark.parametrize("fault", PROMISED)
def test_promised_drill_passes(promised: Drilled, fault: str) -> None:
    done = promised.drills[fault]
    assert done["verdict"] == "pass", done["reasons"]
    assert len(done["runs"]) == REPEATS


@pytest.mark.parametrize("fault", MOST_S)
def test_outage_is_as_short_as_promised(lab: Lab, promised: Drilled, fault: str) -> None:
    outage_s = promised.drills[fault]["figures"]["outage_s"]
    assert outage_s["median"] <= MOST_S[fault][profile(lab)], outage_s


@pytest.mark.parametrize("fault", ["link_down", "node_freeze"])
def test_a_dead_node_is_felt_and_measured(promised: Drilled, fault: str) -> None:
    """A blind prober or watcher would make every drill pass."""
    done = promised.drills[fault]
    bound_s = done["expected"]["bound_s"]
    for run in done["runs"]:
        assert run["failed"] > 0
        assert bound_s / 3 < run["detect_s"]
        assert run["gap_s"] > 0 or fault == "node_freeze"
        assert run["holder_before"] != run["holder_during"]


def test_a_killed_keepalived_leaves_one_holder(promised: Drilled) -> None:
    overlap_s = promised.drills["keepalived_kill"]["figures"]["overlap_s"]
    # Without any outage the fault had no effect.
    assert 0 < overlap_s["median"] <= ALONE_S, overlap_s


def test_a_partition_is_told_within_five_seconds(promised: Drilled) -> None:
    done = promised.drills["vrrp_block"]
    assert done["figures"]["overlap_s"]["best"] > 0
    assert done["figures"]["alarm_s"]["median"] <= ALONE_S
    for run in done["runs"]:
        (alarm,) = [entry for entry in run["timeline"]["moments"] if entry["what"] == "alarm"]
        assert alarm["text"].startswith("split_brain on lb0")


def test_a_second_observer_saw_the_same(promised_seen: tuple[Drilled, Seen]) -> None:
    assert list(promised_seen[0].drills) == PROMISED
    differing = disagreements(*promised_seen)
    assert not differing, "\n".join(differing)


def disagreements(done: Drilled, seen: Seen) -> list[str]:
    """Return the figures that differ in most runs of a fault, or by far in one."""
    found = []
    for fault, entry in done.drills.items():
        # A drill that was disturbed has been repeated; its last runs are the report's.
        assert entry["retried"] or entry["verdict"] == "skip" or len(seen[fault]) == len(entry["runs"]), fault
        runs = list(zip(entry["runs"], seen[fault][-len(entry["runs"]) :] if entry["runs"] else []))
        near, far = ([observer.disagreements(*run, most_s) for run in runs] for most_s in (AGREED_S, FAR_S))
        differing = near if sum(map(bool, near)) > len(runs) / 2 else far
        found += [f"{fault}, run {number}: {one}" for number, all_ in enumerate(differing, 1) for one in all_]
    return found


def test_moments_are_told_on_one_clock(promised: Drilled) -> None:
    """All nodes of the lab share one kernel's clock, so a wrong offset shows."""
    for done in promised.drills.values():
        assert 0 < done["clock_error_s"] < 0.05


@whole
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in PROMISED])
def test_other_drill_passes(others: Drilled, fault: str) -> None:
    done = others.drills[fault]
    expected = "skip" if fault in IMPOSSIBLE else "pass"
    assert done["verdict"] == expected, done["reasons"]


@whole
def test_a_second_observer_saw_the_same_of_the_others(others_seen: tuple[Drilled, Seen]) -> None:
    assert list(others_seen[0].drills) == [fault for fault in FAULTS if fault not in PROMISED]
    differing = disagreements(*others_seen)
    assert not differing, "\n".join(differing)


def test_reports_are_what_their_schema_says(lab: Lab, promised: Drilled) -> None:
    folder = kept(lab, "promised")
    schema = yaml.safe_load((PROJECT / "docs/drill-report.schema.json").read_text())
    jsonschema.validate(json.loads((folder / "report.json").read_text()), schema)
    cases = re.findall(r'<testcase [^>]*name="(\w+)', (folder / "report.xml").read_text())
    assert cases == list(promised.drills)
    assert "<svg" in (folder / "report.html").read_text()


def test_the_playbook_says_how_it_ended(promised: Drilled) -> None:
    bad = [name for name, done in promised.drills.items() if done["verdict"] in ("fail", "disturbed")]
    assert (promised.code == 0) == (not bad), promised.output
    assert f"drill {len(PROMISED)} of {len(PROMISED)}: {PROMISED[-1]}" in promised.output
