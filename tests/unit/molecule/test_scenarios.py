# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every scenario's tests run: molecule skips a path that does not exist, and says nothing. Every fault has a test."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Iterator

import pytest
import yaml
from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import PLANS

CHECKOUT = Path(__file__).parents[3]
MOLECULE = CHECKOUT / "molecule"
SCENARIOS = sorted(path.parent.name for path in MOLECULE.glob("*/molecule.yml"))


def sequence(scenario: str) -> list[str]:
    """Return the steps of a scenario: its own, or the shared ones."""
    for path in (MOLECULE / scenario / "molecule.yml", CHECKOUT / ".config/molecule/config.yml"):
        steps: list[str] = (yaml.safe_load(path.read_text()) or {}).get("scenario", {}).get("test_sequence", [])
        if steps:
            return steps
    raise AssertionError(f"{scenario} has no steps")


def arguments(scenario: str) -> Iterator[Path]:
    """Return the files and folders that the steps of a scenario name."""
    for step in sequence(scenario):
        for argument in step.split()[1:]:
            yield (MOLECULE / scenario / argument).resolve()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_the_steps_name_exists(scenario: str) -> None:
    assert [path for path in arguments(scenario) if not path.exists()] == []


def test_every_test_belongs_to_a_step() -> None:
    named = {path for scenario in SCENARIOS for path in arguments(scenario)}
    tests = MOLECULE.glob("*/tests/**/test_*.py")
    assert [path for path in tests if not named.intersection(path.parents)] == []


def test_contributors_are_told_what_make_test_leaves_out() -> None:
    run = re.findall(r"^SCENARIOS := (.*)", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)[0].split()
    told = re.findall(r"- the scenarios (.*?)\n- ", (CHECKOUT / "CONTRIBUTING.md").read_text(), re.DOTALL)[0]
    assert re.findall(r"`(\w+)`", told) == [name for name in SCENARIOS if name not in (*run, "failover")]


def test_every_fault_that_a_host_gets_is_tested_on_a_node() -> None:
    faults = runpy.run_path(str(MOLECULE / "faults/tests/test_faults.py"))
    assert sorted([*(case.fault for case in faults["CASES"]), *faults["OTHER_TESTS"]]) == sorted(PLANS)
    assert set(faults["OTHER_TESTS"].values()) <= faults.keys()
