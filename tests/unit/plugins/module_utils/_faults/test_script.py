# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script that heals, run by a shell as on a node."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import Step
from ansible_collections.haproof.balancer.plugins.module_utils._faults.script import heal_script, line
from hypothesis import given
from hypothesis import strategies as st

from .faults_host import shell


def written(folder: Path, heal: list[Step], disarm: list[Step], present: list[Step] | None = None) -> str:
    """Write a script and a record as the module does, and return the script's path."""
    folder.mkdir()
    (folder / "record.json").write_text("{}")
    script = folder / "heal"
    script.write_text(heal_script("a fault", str(folder), present or [], heal, disarm, sys.executable))
    return str(script)


def test_it_heals_then_disarms_then_says_so(tmp_path: Path) -> None:
    folder, trace = tmp_path / "it's", str(tmp_path / "trace")
    heal, disarm = (Step(["sh", "-c", f'echo {word} >>"$1"', "sh", trace]) for word in ("heal", "disarm"))
    script = written(folder, [heal], [disarm])
    before_s = time.monotonic()
    assert shell(script).returncode == 0
    assert Path(trace).read_text().split() == ["heal", "disarm"]
    assert before_s <= float((folder / "healed").read_text()) <= time.monotonic()
    assert not (folder / "record.json").exists()
    assert (folder / "healed.json").exists()


def test_again_it_does_nothing(tmp_path: Path) -> None:
    script = written(tmp_path / "fault", [Step(["true"])], [])
    shell(script)
    again = shell(script)
    assert (again.returncode, again.stdout) == (0, "healed already\n")


def test_it_goes_on_after_a_step_that_fails_and_keeps_the_timer(tmp_path: Path) -> None:
    folder, later, disarmed = tmp_path / "fault", tmp_path / "later", tmp_path / "disarmed"
    steps = [Step(["sh", "-c", "echo broken >&2; exit 3"]), Step(["touch", str(later)])]
    ran = shell(written(folder, steps, [Step(["touch", str(disarmed)])]))
    assert ran.returncode == 1
    assert "broken" in ran.stderr
    assert "failed: sh -c echo broken" in ran.stderr
    assert "a fault is NOT healed" in ran.stderr
    assert later.exists()
    assert not disarmed.exists()
    assert (folder / "record.json").exists()


@pytest.mark.parametrize(
    ("step", "healed"),
    [
        (Step(["true"]), True),
        (Step(["false"]), False),
        (Step(["false"], must_fail=True), True),
        (Step(["true"], must_fail=True), False),
        (Step(["false"], only_if=["false"]), True),
        (Step(["false"], only_if=["true"]), False),
    ],
)
def test_steps(tmp_path: Path, step: Step, healed: bool) -> None:
    assert (shell(written(tmp_path / "fault", [step], [])).returncode == 0) is healed


def test_it_looks_before_it_heals(tmp_path: Path) -> None:
    folder, fault = tmp_path / "fault", tmp_path / "it's there"
    fault.touch()
    present = [
        Step(["test", "-e", str(fault)], lost="it's gone"),
        Step(["test", "-e", str(tmp_path / "undone")], must_fail=True, lost="somebody was here"),
    ]
    script = written(folder, [Step(["rm", str(fault)])], [], present)
    shell(script)
    assert (folder / "lost").read_text() == ""
    assert not fault.exists()


def test_it_notes_what_has_ended_the_fault_and_keeps_the_note(tmp_path: Path) -> None:
    folder, fault = tmp_path / "fault", tmp_path / "fault.there"
    present = [
        Step(["test", "-e", str(fault)], lost="it's gone"),
        Step(["true"], must_fail=True, lost="$(undone)"),
        Step(["true"], lost="never"),
    ]
    script = written(folder, [Step(["false"])], [], present)
    shell(script)
    fault.touch()
    shell(script)
    assert (folder / "lost").read_text().splitlines() == ["it's gone", "$(undone)"]


def test_what_nobody_can_see_is_not_noted(tmp_path: Path) -> None:
    shell(written(tmp_path / "fault", [Step(["true"])], []))
    assert not (tmp_path / "fault/lost").exists()


def test_every_word_is_quoted() -> None:
    step = Step(["rm", "-f", "a b'$(x)"], only_if=["test", "-e", "a b"])
    assert line(step) == "if quietly test -e 'a b'; then must rm -f 'a b'\"'\"'$(x)'; fi"


@given(st.lists(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1), min_size=1))
def test_a_step_is_one_command(words: list[str]) -> None:
    assert shlex.split(line(Step(words)))[1:] == words
