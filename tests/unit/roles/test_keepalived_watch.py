# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._watch.vip import SPLIT_BRAIN

PATH = Path(__file__).resolve().parents[3] / "roles" / "keepalived" / "files" / "watch.py"


def load() -> Any:
    """Import the program."""
    spec = importlib.util.spec_from_file_location("keepalived_watch", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


watch = load()
VIP = {
    "name": "VI_1",
    "address": "192.0.2.10",
    "interface": "haproof-none0",
    "link": "haproof-none0",
    "vrid": 10,
    "family": 4,
    "priority": 254,
    "failover_s": 1.2,
    "first": True,
}


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the program keep its files in the test's directory."""
    for name, file in (
        ("CONFIG", "watch.json"),
        ("MEMORY", "memory.json"),
        ("METRICS", "haproof.prom"),
        ("PID_FILE", "keepalived.pid"),
    ):
        monkeypatch.setattr(watch, name, str(tmp_path / file))
    (tmp_path / "watch.json").write_text("{}")
    return tmp_path


@pytest.fixture
def config(places: Path) -> dict[str, Any]:
    """Return a configuration whose alert command records its arguments, unless the file ``deaf`` exists."""
    command = places / "alert"
    command.write_text(f'#!/bin/sh\ntest ! -e {places}/deaf && echo "$*" >>{places}/told\n')
    command.chmod(0o755)
    return {
        "alert": str(command),
        "release_after": 3,
        "vips": [{**VIP, "release": str(places / "VI_1.release")}],
    }


def told(places: Path) -> list[str]:
    """Return the alert command's arguments."""
    path = places / "told"
    return path.read_text().splitlines() if path.exists() else []


def test_an_alert_is_told_once_and_so_is_its_end(places: Path, config: dict[str, Any]) -> None:
    alerts = watch.Alerts(config["alert"], {})
    for now in range(3):
        alerts.tell({"split_brain 192.0.2.10": "two"}, {}, float(now))
    for now in range(3, 6):
        alerts.tell({}, {"split_brain 192.0.2.10": "one"}, float(now))
    assert told(places) == ["raise split_brain 192.0.2.10 two", "clear split_brain 192.0.2.10 one"]


def test_an_alert_that_nobody_takes_is_told_later(
    places: Path, config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (places / "deaf").touch()
    alerts = watch.Alerts(config["alert"], {})
    alerts.tell({"no_holder 192.0.2.10": "nobody"}, {}, 100.0)
    assert "it will be retried" in capsys.readouterr().err
    (places / "deaf").unlink()
    alerts.tell({"no_holder 192.0.2.10": "nobody"}, {}, 101.0)
    assert told(places) == []
    alerts.tell({"no_holder 192.0.2.10": "nobody"}, {}, 106.0)
    assert told(places) == ["raise no_holder 192.0.2.10 nobody"]


def test_what_is_no_longer_watched_is_cleared(places: Path, config: dict[str, Any]) -> None:
    watch.Alerts(config["alert"], {"no_holder 192.0.2.99": "nobody"}).tell({}, {}, 1.0)
    assert told(places) == ["clear no_holder 192.0.2.99 no longer watched"]


def test_without_a_link_it_works_and_finds_nothing(places: Path, config: dict[str, Any]) -> None:
    service = watch.WatchLoop(config, {})
    for _number in range(10):
        assert service._round() is None
    assert told(places) == []
    assert "haproof_vip_holder{" in (places / "haproof.prom").read_text()
    assert (places / "haproof.prom").stat().st_mode & 0o777 == 0o644
    assert (places / "VI_1.release").read_text() == "0\n"


def test_it_lets_go_by_a_file_and_never_when_it_ends(places: Path, config: dict[str, Any]) -> None:
    service = watch.WatchLoop(config, {})
    service._watches[0].released = True
    service._let_go()
    assert (places / "VI_1.release").read_text() == "1\n"
    service._end()
    assert (places / "VI_1.release").read_text() == "0\n"


def test_what_was_raised_is_cleared_when_it_is_switched_off(places: Path, config: dict[str, Any]) -> None:
    service = watch.WatchLoop(config, {"told": {"split_brain 192.0.2.10": "two"}})
    service._round()
    (places / "watch.json").unlink()
    service._end()
    assert told(places) == ["clear split_brain 192.0.2.10 no longer watched"]
    assert not (places / "haproof.prom").exists()
    assert not (places / "memory.json").exists()


def test_it_remembers_when_it_is_only_stopped(places: Path, config: dict[str, Any]) -> None:
    memory = {"told": {"split_brain 192.0.2.10": "two"}, "watches": {"192.0.2.10": {"raised": [SPLIT_BRAIN]}}}
    watch.WatchLoop(config, memory)._end()
    found = json.loads((places / "memory.json").read_text())
    assert found["told"] == memory["told"]
    assert found["watches"]["192.0.2.10"]["raised"] == [SPLIT_BRAIN]
    assert told(places) == []


def test_a_change_of_its_files_ends_it_when_it_has_settled(places: Path, config: dict[str, Any]) -> None:
    service = watch.WatchLoop(config, {})
    start = service._since
    assert service._changed(start + 1) is None
    watch.write(str(places / "watch.json"), "{ }", 0o644)
    assert service._changed(start + 2) is None
    assert service._changed(start + 2 + watch.SETTLE_S) is None
    assert service._changed(start + 3 + watch.SETTLE_S) == watch.CHANGED
    (places / "watch.json").unlink()
    assert service._changed(start + 10) is None
    assert service._changed(start + 11 + watch.GONE_S) == 0


@pytest.mark.parametrize("memory", [{"watches": {"192.0.2.10": {"at": "x"}}}, {"watches": []}, {"told": 1}])
def test_a_memory_that_means_nothing_is_left_out(
    places: Path, config: dict[str, Any], memory: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (places / "watch.json").write_text(json.dumps(config))
    (places / "memory.json").write_text(json.dumps(memory))
    monkeypatch.setattr(watch.WatchLoop, "run", lambda _service: 7)
    assert watch.main() == 7


def test_a_flood_does_not_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MOST_PACKETS", 3)
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        there.setblocking(False)
        for _number in range(5):
            here.send(b"x")
        assert [len(list(watch.drain(there))) for _number in range(3)] == [3, 2, 0]


def test_a_process_that_ended_and_came_again_is_told(places: Path, config: dict[str, Any]) -> None:
    """The test takes the place of keepalived, and its child that of the VRRP process."""
    (places / "keepalived.pid").write_text(f"{os.getpid()}\n")
    service = watch.WatchLoop(config, {})
    for _time in range(2):
        with subprocess.Popen(["/bin/sleep", "60"]) as child:
            for _round in range(3):
                service._round()
            child.kill()
    (line,) = told(places)
    assert line.startswith("raise process_restarted keepalived process ")
    assert "haproof_keepalived_restarts_total 1" in (places / "haproof.prom").read_text()


@pytest.mark.parametrize("content", ["", "0", "x", "999999999"])
def test_no_keepalived_has_no_processes(places: Path, content: str) -> None:
    (places / "keepalived.pid").write_text(content)
    assert watch.read_keepalived() == (None, [])


def state(pid: int) -> str:
    """Return a process's state: running (R), sleeping (S), stopped (T)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def eventually(condition: Callable[[], object]) -> bool:
    """Wait a few seconds for a condition, and return whether it was met."""
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


def test_it_goes_on_after_it_stood_still_and_ends_when_it_is_told_to(places: Path, config: dict[str, Any]) -> None:
    def run() -> None:
        sys.exit(watch.WatchLoop(config, {}).run())

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    assert process.pid is not None
    metrics = places / "haproof.prom"
    try:
        assert eventually(lambda: metrics.exists() and state(process.pid) == "S")
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(2 * watch.PERIOD_S)
        before = metrics.stat().st_mtime_ns
        os.kill(process.pid, signal.SIGCONT)
        assert eventually(lambda: metrics.exists() and metrics.stat().st_mtime_ns > before)
        os.kill(process.pid, signal.SIGTERM)
        process.join(10)
        assert process.exitcode == 0
    finally:
        process.kill()
        process.join()
    assert not metrics.exists()
