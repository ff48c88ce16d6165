# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking a process for its dump: here a small script that is named keepalived and answers signals as it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived import process as keepalived_process
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.process import (
    Keepalived,
    KeepalivedError,
    find_pid,
    option_of,
)

FIXTURES = Path(__file__).parent / "fixtures"

# Writes what is given, in two halves, when SIGUSR1 comes; says "ready" first.
DAEMON = """
import os, signal, sys, time
open("/proc/self/comm", "w").write("keepalived")
source, answer = sys.argv[1:]
dump = open(source).read()
def on_signal(*_):
    if answer == "no":
        return
    with open(os.path.join(os.environ["TMPDIR"], "keepalived.data"), "w") as stream:
        stream.write(dump[:len(dump) // 2])
        stream.flush()
        time.sleep(0.05)
        stream.write(dump[len(dump) // 2:] if answer == "whole" else "")
signal.signal(signal.SIGUSR1, on_signal)
print("ready", flush=True)
while True:
    signal.pause()
"""

Process = subprocess.Popen[str]


@pytest.fixture(params=["whole"])
def daemon(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Process]:
    source = FIXTURES / "keepalived_2.2.7_pair.data"
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(DAEMON), str(source), request.param],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def run(argv: list[str]) -> tuple[int, str, str]:
    """A keepalived without JSON."""
    if argv[1] == "--version":
        return 0, "", "Keepalived v2.2.7 (01/16,2022)\n"
    return 1, "", "Unknown sigfunc JSON\n"


def test_a_dump_that_is_still_being_written_is_waited_for(daemon: Process, tmp_path: Path) -> None:
    instances = Keepalived(run, daemon.pid, timeout_s=5).instances()
    assert [instance["name"] for instance in instances] == ["VI_10", "VI_9"]
    assert Keepalived(run, daemon.pid, timeout_s=5).version() == "2.2.7"
    # It may hold passwords.
    assert not (tmp_path / "keepalived.data").exists()


def test_a_dump_that_another_process_removes_first_counts(daemon: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Keepalived._read
    whole = []

    def read_and_lose(keepalived: Keepalived, path: str) -> str:
        text = read(keepalived, path)
        if text.endswith("\n"):
            whole.append(text)
            os.unlink(path)
        return text

    monkeypatch.setattr(Keepalived, "_read", read_and_lose)
    Keepalived(run, daemon.pid, timeout_s=5).instances()
    assert len(whole) == 1, "it was not asked again"


@pytest.mark.parametrize("daemon", ["no"], indirect=True)
def test_a_stale_dump_is_no_answer(daemon: Process, tmp_path: Path) -> None:
    (tmp_path / "keepalived.data").write_text((FIXTURES / "keepalived_2.2.7_pair.data").read_text())
    with pytest.raises(KeepalivedError, match=r"wrote no complete keepalived.data within 0.1 s: it wrote nothing"):
        Keepalived(run, daemon.pid, timeout_s=0.1).instances()


@pytest.mark.parametrize("daemon", ["half"], indirect=True)
def test_half_a_dump_is_no_answer(daemon: Process) -> None:
    with pytest.raises(KeepalivedError, match="not a complete keepalived text dump"):
        Keepalived(run, daemon.pid, timeout_s=0.3).instances()


def test_somebody_elses_file_is_refused(daemon: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fstat

    def of_another(descriptor: int) -> os.stat_result:
        fields = list(real(descriptor))
        fields[4] = 65534
        return os.stat_result(fields)

    monkeypatch.setattr(keepalived_process.os, "fstat", of_another)
    with pytest.raises(KeepalivedError, match="belongs to user id 65534, not to keepalived"):
        Keepalived(run, daemon.pid, timeout_s=5).instances()


def test_without_the_right_to_signal(daemon: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_pid: int, _signum: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(keepalived_process.os, "kill", forbidden)
    with pytest.raises(KeepalivedError, match=r"needs root: Operation not permitted\. Use become"):
        Keepalived(run, daemon.pid, timeout_s=5).instances()


def test_a_daemon_that_ends_meanwhile(daemon: Process) -> None:
    keepalived = Keepalived(run, daemon.pid, timeout_s=5)
    folder = keepalived._folder()
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keepalived, "_folder", lambda: folder)
        with pytest.raises(KeepalivedError, match="ended while it was asked"):
            keepalived.instances()


def test_the_configuration_of_a_build_with_a_prefix(daemon: Process, tmp_path: Path) -> None:
    first, second = tmp_path / "etc/keepalived.conf", tmp_path / "keepalived.conf"
    help_text = f"  -f, --use-file=FILE  Use it\n      default '{first}'\n      or '{second}'\n"
    keepalived = Keepalived(lambda _argv: (0, help_text, ""), daemon.pid, timeout_s=5)
    assert keepalived.config() == "/etc/keepalived/keepalived.conf"
    second.touch()
    assert keepalived.config() == str(second)
    first.parent.mkdir()
    first.touch()
    assert keepalived.config() == str(first)


def test_find_pid(daemon: Process, tmp_path: Path) -> None:
    pid_file = tmp_path / "keepalived.pid"
    assert find_pid(str(pid_file)) is None
    pid_file.write_text(f"{daemon.pid}\n")
    assert find_pid(str(pid_file)) == daemon.pid
    pid_file.write_text(f"{os.getpid()}\n")  # left behind, the number now belongs to another program
    assert find_pid(str(pid_file)) is None
    pid_file.write_text("")
    assert find_pid(str(pid_file)) is None
    pid_file.write_text("x")
    with pytest.raises(KeepalivedError, match="cannot read the pid file"):
        find_pid(str(pid_file))


OPTIONS: list[tuple[list[str], str]] = [
    (["keepalived", "--dont-fork"], "lb01"),
    (["keepalived", "-n", "-i", "main"], "main"),
    (["keepalived", "-imain", "-f", "/a"], "main"),
    (["keepalived", "--config-id", "main", ""], "main"),
    (["keepalived", "--config-id=main"], "main"),
    (["keepalived", "-i"], "lb01"),
]


@pytest.mark.parametrize(("words", "expected"), OPTIONS)
def test_options(words: list[str], expected: str) -> None:
    assert option_of(words, "-i", "--config-id", "lb01") == expected
