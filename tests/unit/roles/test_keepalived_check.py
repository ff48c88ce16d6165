# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check before a manual reload rejects the same files as daemon_config."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.daemons import DAEMONS

CHECK = Path(__file__).resolve().parents[3] / "roles" / "keepalived" / "files" / "check"
HARMLESS = "(keepalived.conf: Line 9) VRRP ports don't match - resetting"
KNOWN = "Ignoring track_interface eth0 since own interface"
BROKEN = "(keepalived.conf: Line 50) Unknown keyword 'garbage'"

CASES: list[tuple[int, str, bool]] = [
    (0, "", True),
    (0, "a remark", True),
    (5, HARMLESS, True),
    (5, f"{HARMLESS}\n\n  {KNOWN}\nx is deprecated, use y", True),
    (5, f"{HARMLESS}\n{BROKEN}", False),
    (4, BROKEN, False),
    (5, "", False),
]


def check(folder: Path, keepalived: str, config: str, *accepted: str) -> subprocess.CompletedProcess[str]:
    """Run the check with a keepalived that is this shell script."""
    program = folder / "keepalived"
    program.write_text(f"#!/bin/sh\n{keepalived}\n")
    program.chmod(0o755)
    file = folder / "keepalived.conf"
    file.write_text(config)
    command = ["sh", str(CHECK), str(program), str(file), *accepted]
    environment = {"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": "/run/systemd/notify"}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize(("code", "words", "good"), CASES)
def test_verdicts(tmp_path: Path, code: int, words: str, good: bool) -> None:
    done = check(tmp_path, f"cat <<'END'\n{words}\nEND\nexit {code}", "global_defs {\n}\n")
    assert (done.returncode == 0) is good, done.stderr
    if not good:
        assert done.stderr == f"{words}\nkeepalived keeps its present configuration\n"


SECURITY = "SECURITY VIOLATION - scripts are being executed but script_security not enabled."
MISSING = "Disabling track script chk since not found/accessible"
UNKNOWN = "(Line 8) Unknown keyword 'smtp_connection_timeout'"
ACCEPTED: list[tuple[str, list[str], bool]] = [
    (SECURITY, [], False),
    (SECURITY, ["weight", "script_security"], True),
    (SECURITY, ["script_missing"], False),
    (UNKNOWN, ["script_security"], False),
    (f"{SECURITY}\n{UNKNOWN}", ["script_security", "unknown_keyword"], True),
    (f"{SECURITY}\n{MISSING}", ["script_security"], False),
    (f"{SECURITY}\n{MISSING}", ["script_security", "script_missing"], True),
    (BROKEN, ["script_security", "script_missing"], False),
]


@pytest.mark.parametrize(("words", "accepted", "good"), ACCEPTED)
def test_what_works_all_the_same_can_be_accepted(tmp_path: Path, words: str, accepted: list[str], good: bool) -> None:
    done = check(tmp_path, f"cat <<'END'\n{words}\nEND\nexit 6", "global_defs {\n}\n", *accepted)
    assert (done.returncode == 0) is good, done.stderr


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    done = check(tmp_path, "exit 0", "")
    assert done.returncode == 1
    assert done.stderr.endswith("/keepalived.conf is missing or empty: keepalived keeps its present configuration\n")


def test_keepalived_neither_ends_itself_nor_speaks_for_the_daemon(tmp_path: Path) -> None:
    done = check(tmp_path, 'kill -TERM "$$"; test -z "$NOTIFY_SOCKET"', "global_defs {\n}\n")
    assert done.returncode == 0, done.stderr


def test_it_knows_the_same_harmless_lines_as_daemon_config() -> None:
    text = CHECK.read_text()
    daemon = DAEMONS["keepalived"]
    known = [*daemon.harmless, *daemon.acceptable.values()]
    assert [each.pattern for each in known if each.pattern not in text.replace("\\\\", "\\")] == []
