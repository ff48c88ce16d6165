# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watcher in a network namespace of its own, with a real kernel's changes and a real lock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common.trust import UntrustedError
from ansible_collections.haproof.balancer.plugins.module_utils._probe.clock import Offset
from ansible_collections.haproof.balancer.plugins.module_utils._probe.run_file import RunFile
from ansible_collections.haproof.balancer.plugins.modules import vip_watch
from ansible_collections.haproof.balancer.plugins.modules.vip_watch import Sources, arp_ignore, better, lock, watch

VIP = "198.18.0.10"

# Runs in the namespace beside the watcher: "ip" with these arguments, one after the other.
SCRIPT = """
import json, os, subprocess, sys, threading, time
sys.path.insert(0, sys.argv[1])
from ansible_collections.haproof.balancer.plugins.modules import vip_watch
from ansible_collections.haproof.balancer.plugins.module_utils._probe.run_file import RunFile
run_file = RunFile(sys.argv[2])
run_file.create()

def act():
    while "ready" not in open(sys.argv[2]).read():
        time.sleep(0.01)
    before = time.monotonic()
    for words in sys.argv[3:]:
        subprocess.run(["ip", *words.split()], check=True)
    print(json.dumps([before, time.monotonic()]))
    os.unlink(sys.argv[2])

thread = threading.Thread(target=act)
thread.start()
seen = vip_watch.watch(["198.18.0.10/24"], vip_watch.Sources("/none", "/none", None), 20.0, run_file)
thread.join()
print(json.dumps([seen.holdings.at_start, seen.holdings.events, seen.started_s, seen.ended_s]))
"""

# More than the socket's buffer holds: the last changes are lost, earlier ones are pending.
OVERFLOW = """
import json, socket, subprocess, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.haproof.balancer.plugins.module_utils._watch.holdings import Holdings
from ansible_collections.haproof.balancer.plugins.module_utils._link.kernel_addresses import open_changes
from ansible_collections.haproof.balancer.plugins.modules import vip_watch
changes = open_changes()
changes.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
holdings = Holdings(["198.18.0.10"], [])
for verb in ["add", "del"] * 20 + ["add"]:
    subprocess.run(["ip", "address", verb, "198.18.0.10/32", "dev", "lo"], check=True)
for _time in range(3):
    vip_watch.take(changes, holdings)
print(json.dumps([[event["held"] for event in holdings.events], holdings.resumed_s]))
"""


def run_in_namespace(script: str, *arguments: str) -> list[Any]:
    """Run a script in a new network namespace, and return the lines of JSON that it prints."""
    collections = next(path for path in sys.path if path.endswith("build/collections"))
    command = ["unshare", "--net", "--map-root-user", sys.executable, "-c", script, collections, *arguments]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    return [json.loads(line) for line in output.splitlines()]


def in_namespace(tmp_path: Path, *actions: str) -> tuple[list[float], list[Any]]:
    """Watch in a new network namespace while these ``ip`` commands run there; return their time and what was seen."""
    during, seen = run_in_namespace(SCRIPT, str(tmp_path / "run"), *actions)
    return during, seen


def test_changes_are_seen_when_they_happen(tmp_path: Path) -> None:
    during, (at_start, events, started_s, ended_s) = in_namespace(
        tmp_path,
        f"address add {VIP}/32 dev lo",
        "address add 198.18.0.9/32 dev lo",
        f"address add {VIP}/24 dev lo",
        f"address del {VIP}/24 dev lo",
        f"address del {VIP}/32 dev lo",
    )
    assert at_start == {f"{VIP}/24": False}
    assert [event["held"] for event in events] == [True, False]
    assert started_s <= during[0] <= events[0]["at_s"] < events[1]["at_s"] <= during[1] <= ended_s


def test_changes_that_were_lost_are_made_up_for() -> None:
    """The final state is right, although the last received change is the removal of the address."""
    [(held, resumed_s)] = run_in_namespace(OVERFLOW)
    assert held == [number % 2 == 0 for number in range(len(held))]
    assert held[-1]
    assert len(resumed_s) == 1


def sources(tmp_path: Path) -> Sources:
    """Return sources that are all missing."""
    return Sources(str(tmp_path / "none"), str(tmp_path / "none"), None)


def test_it_ends_after_its_time(tmp_path: Path) -> None:
    start = time.monotonic()
    seen = watch([VIP], sources(tmp_path), 0.2, RunFile(None))
    assert seen.ended_s - seen.started_s >= 0.2
    assert time.monotonic() - start < 20


def test_alarms_are_read_while_it_watches(tmp_path: Path) -> None:
    metrics = tmp_path / "haproof.prom"
    line = f'haproof_vip_finding{{interface="eth1",vip="{VIP}",vrid="10",finding="split_brain"}}'
    metrics.write_text(f"{line} 0\n")

    class Ticks(RunFile):
        """Changes the file meanwhile, like keepalived-watch: first it is missing for a moment."""

        number = 0

        def on_tick(self, ready: bool, failed: int = 0) -> bool:
            actions: list[Callable[[], Any]] = [
                lambda: None,
                metrics.unlink,
                lambda: metrics.write_text(f"{line} 1\n"),
                lambda: metrics.write_text(f"{line} 0\n"),
            ]
            self.number += 1
            actions[min(self.number, len(actions)) - 1]()
            return super().on_tick(ready, failed) or self.number > len(actions)

    seen = watch([VIP], sources(tmp_path)._replace(metrics=str(metrics)), 20.0, Ticks(None))
    assert [(event["finding"], event["raised"]) for event in seen.alarms.events] == [
        ("split_brain", True),
        ("split_brain", False),
    ]


def test_the_hand_over_is_read_while_it_watches(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps([{"vip": VIP, "problem": None, "state": "standby", "own": 2, "remaining": 0}]))
    seen = watch([VIP], sources(tmp_path)._replace(handover=str(state), interface="lo"), 0.1, RunFile(None))
    (event,) = seen.handovers.events
    assert (event["state"], event["arp_ignore"]) == ("standby", arp_ignore("lo"))
    assert seen.started_s <= event["at_s"] <= seen.ended_s
    assert [row[1:] for row in seen.handovers.served[VIP]] == [[2, 0]]


def test_an_interface_that_is_gone_has_no_parameters_of_its_own() -> None:
    assert arp_ignore(None) is None
    assert arp_ignore("nonesuch") == int(Path("/proc/sys/net/ipv4/conf/all/arp_ignore").read_text())


def test_a_second_one_is_told_who_has_the_lock(tmp_path: Path) -> None:
    path = str(tmp_path / "run" / "lock")
    held = lock(path, "ann's drill")
    try:
        with pytest.raises(BlockingIOError, match=r"^ann's drill, since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$"):
            lock(path, "bob's drill")
    finally:
        os.close(held)
    os.close(lock(path, "bob's drill"))
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_a_lock_that_others_could_hold_for_ever_is_none(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    with pytest.raises(UntrustedError, match=r"/shared may be written by other users, and leads to "):
        lock(str(tmp_path / "shared/lock"), "ann's drill")
    (tmp_path / "lock").touch()
    (tmp_path / "lock").chmod(0o666)
    with pytest.raises(UntrustedError, match=r"/lock may be written by other users"):
        lock(str(tmp_path / "lock"), "ann's drill")
    (tmp_path / "link").symlink_to("lock")
    with pytest.raises(OSError, match="symbolic links"):
        lock(str(tmp_path / "link"), "ann's drill")


def test_a_watch_that_stood_still_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Only a look at the metrics moves the clock: other programs change addresses meanwhile, which it asks for the time.
    clock = SimpleNamespace(now_s=100.0)
    looks = iter([100.0, 100.1, 103.0])

    def look(path: str) -> None:
        if path == "metrics":
            clock.now_s = next(looks)

    monkeypatch.setattr(vip_watch, "time", SimpleNamespace(monotonic=lambda: clock.now_s))
    monkeypatch.setattr(vip_watch, "read_text", look)
    seen = watch(["192.0.2.1"], sources(tmp_path)._replace(metrics="metrics"), 3.0, RunFile(None))
    assert seen.stalls == [{"from_s": 100.1, "to_s": 103.0}]


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    locker = subprocess.Popen(
        ["flock", path, "sh", "-c", "echo held; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert locker.stdout is not None
    assert locker.stdin is not None
    assert locker.stdout.readline() == "held\n"
    with pytest.raises(BlockingIOError):
        lock(path, "x")
    # flock(1) passes the lock to its command: the lock ends with the command.
    locker.stdin.close()
    locker.wait()
    os.close(lock(path, "x"))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (None, None, None),
        (Offset(1.0, 0.1), None, 1.0),
        (Offset(1.0, 0.1), Offset(2.0, 0.05), 2.0),
    ],
)
def test_the_better_clock(one: Offset | None, other: Offset | None, expected: float | None) -> None:
    found = better(one, other)
    assert (found and found["offset_s"]) == expected
