# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.disk import (
    Sources,
    not_run,
    read_sources,
    restarts,
)

if TYPE_CHECKING:
    from pathlib import Path

# What keepalived 2.2.7 says.
SAID = """\
Reload complete
pid 687 exited due to signal 9 (Killed) - has rlimit_rttime been exceeded?
VRRP child process(687) died: Respawning
  Please log an issue at https://github.com/acassen/keepalived/issues/
Starting VRRP child process, pid=5089
"""


def test_restarts_are_read_from_the_journal_of_the_one_that_runs() -> None:
    asked: list[list[str]] = []

    def run(argv: list[str]) -> tuple[int, str, str]:
        asked.append(argv)
        return 0, SAID, ""

    assert restarts(run, 686) == ["VRRP child process(687) died: Respawning"]
    assert {"_PID=686", "--boot"} <= set(asked[0])


def test_a_check_that_does_not_run_is_named_with_its_place(tmp_path: Path) -> None:
    first, second = tmp_path / "a.conf", tmp_path / "b.conf"
    first.write_text("include b.conf\n")
    second.write_text(f"vrrp_script gone {{\n script no-such-program\n}}\nvrrp_script here {{\n script {first}\n}}\n")
    files = [str(tmp_path / "unreadable"), str(first), str(second)]
    never = "no no-such-program in keepalived's PATH, so keepalived never runs this check"
    assert not_run("gone", files) == f"{second} line 2: vrrp_script gone: {never}"
    assert not_run("here", files) == f"{second} line 5: vrrp_script here: keepalived does not run this check: reload it"
    assert not_run("other", files) == "vrrp_script other: keepalived does not run this check"


def test_an_include_names_alternatives_and_quotes(tmp_path: Path) -> None:
    main = tmp_path / "a.conf"
    main.write_text('include {d,b{1,2}}.conf\ninclude "b3".conf\n')
    for name in ("d", "b1", "b2", "b3", '"b3"'):
        (tmp_path / f"{name}.conf").write_text(f"{name}\n")
    assert read_sources(str(main)).text.split() == ["d", "b1", "b2", '"b3"']


def test_an_include_names_the_rest_of_its_line(tmp_path: Path) -> None:
    first, second = tmp_path / "a.conf", tmp_path / "b  c.conf"
    first.write_text("include b  c.conf  # a comment\n")
    second.write_text("vrrp_instance a {\n}\n")
    assert read_sources(str(first)) == Sources([str(first), str(second)], "vrrp_instance a {\n}\n\n")
