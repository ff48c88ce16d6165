# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Actions in the middle of a drill run at the right time, while the playbook is stopped."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import drilling
from drilling import THERE, drill
from nodes import Lab

# Two drills, of which each goes on after its task has begun.
PLAYBOOK = """
for fault in keepalived_stop service_stop; do
    echo "    msg: 'drill 1 of 2: $fault, it is stopped'"
    for attempt in 1 2; do
        echo 'TASK [haproof.balancer.drill : Break | Check the connection to the targets] *****'
        sleep 0.2
        echo "$fault $attempt" >>{went_on}
    done
done
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Return a lab whose playbook is a script, which writes to went_on."""
    script = PLAYBOOK.format(went_on=tmp_path / "went_on")
    monkeypatch.setattr(drilling, "command", lambda _lab, **_variables: ["sh", "-c", script])
    return Lab(tmp_path / "inventory.yml", {}, "nginx", [], [], {})


def test_it_is_done_once_at_its_moment_while_the_playbook_stands_still(lab: Lab, tmp_path: Path) -> None:
    seen = []

    def look() -> None:
        before = (tmp_path / "went_on").read_text().splitlines()
        seen.append(before)
        # Longer than the playbook would take for its next step.
        time.sleep(0.5)
        assert (tmp_path / "went_on").read_text().splitlines() == before

    done = drill(lab, {("service_stop", THERE): look})
    assert done.code == 0
    assert seen == [["keepalived_stop 1", "keepalived_stop 2"]]
    assert (tmp_path / "went_on").read_text().splitlines()[2:] == ["service_stop 1", "service_stop 2"]


def test_a_moment_that_never_came_is_an_error(lab: Lab) -> None:
    with pytest.raises(AssertionError, match=r"never came: \[\('link_down', 'Break"):
        drill(lab, {("link_down", THERE): lambda: None})


def test_what_fails_at_its_moment_ends_the_playbook(lab: Lab, tmp_path: Path) -> None:
    def fail() -> None:
        raise AssertionError("no such file")

    with pytest.raises(AssertionError, match="no such file"):
        drill(lab, {("keepalived_stop", THERE): fail})
    assert not (tmp_path / "went_on").exists()
