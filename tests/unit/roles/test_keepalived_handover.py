# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the hand-over's program does, round by round."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import subprocess
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Callable

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._handover.messages import (
    HOLDING,
    SERVING,
    PeerMessage,
)
from ansible_collections.haproof.balancer.plugins.module_utils._handover.ruleset import (
    Forwarding,
    absence,
    addition,
    redirection,
    removal,
)
from ansible_collections.haproof.balancer.plugins.module_utils._handover.sockets import Connection

PROGRAM = Path(__file__).parents[3] / "roles/keepalived/files/handover.py"
VIP, PEER, OTHER = "192.0.2.10", "192.0.2.11", "192.0.2.13"
ENTRY = {"address": VIP, "interface": "eth1", "alive_s": 0.8, "source": "", "peers": [PEER, OTHER]}


class Kernel:
    """Records what would be done, and fails if it is told to."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.error = ""
        self.refused = ""
        self.after: Callable[[], None] = lambda: None

    def nft(self, commands: str, *_options: str) -> None:
        if self.error:
            raise subprocess.SubprocessError(self.error)
        if self.refused and commands.startswith(self.refused):
            raise subprocess.SubprocessError("refused")
        self.commands.append(commands)
        self.after()

    def has_rules(self, _vip: str) -> bool:
        return True

    def local(self, _vip: str, present: bool) -> None:
        self.commands.append(f"route {present}")


class Talk:
    """Has the messages of peers."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, PeerMessage]] = []

    def take(self, _now: float) -> list[tuple[str, PeerMessage]]:
        taken, self.messages = self.messages, []
        return taken

    def ask(self, *_arguments: Any) -> None:
        pass


class Host:
    """A balancer on which the program runs, round by round."""

    def __init__(self, program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held = False
        self.now = 0.0
        self.kernel = Kernel()
        self.talk = Talk()
        self.connections: set[Connection] = set()
        self.vip = program.ManagedVip(ENTRY, 600.0, self.now)
        self._loop: Any = object.__new__(program.HandoverLoop)
        monkeypatch.setattr(program, "read_connections", lambda _vip: frozenset(self.connections))
        monkeypatch.setattr(program.time, "monotonic", lambda: self.now)
        parts = {
            "_kernel": self.kernel,
            "_vips": {VIP: self.vip},
            "_arp": SimpleNamespace(ensure=lambda: None),
            "_health": SimpleNamespace(want=lambda _wanted: None),
            "_talk": self.talk,
            "_checked_at": 0.0,
            "_held": lambda: {VIP} if self.held else set(),
            "_write_state": lambda _now: None,
        }
        for name, part in parts.items():
            setattr(self._loop, name, part)

    def round(self, now: float, held: bool, answer: str = "", connections: int = 3) -> list[str]:
        """Return the rules that are written."""
        self.now, self.held = now, held
        if answer:
            self.talk.messages.append((PEER, PeerMessage(answer, VIP, int(now * 1000), connections)))
        self.kernel.commands.clear()
        self._loop._round(False, False)
        return [command for command in self.kernel.commands if "set mine" in command]


@pytest.fixture
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("keepalived_handover", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


@pytest.fixture
def host(program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(program, monkeypatch)


def test_connections_of_the_time_as_holder_are_forgotten(host: Host) -> None:
    assert host.round(1.0, held=False, answer=HOLDING)
    # The kernel adds the clients' addresses and ports to the rules, which stay.
    assert not host.round(2.0, held=True)
    assert not host.round(2.2, held=True, answer=SERVING)
    # A client may use such a port for a connection to another host.
    assert host.round(9.0, held=False)
    assert not host.round(9.1, held=False)


def test_the_journal_says_how_a_hand_over_ended(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.round(1.0, held=False, answer=HOLDING)
    host.round(2.0, held=True)
    host.round(5.0, held=True, answer=SERVING, connections=0)
    assert capsys.readouterr().err.splitlines() == [
        f"<6>{VIP} is here; {PEER} goes on serving its connections",
        f"<6>{VIP}: the hand-over from {PEER} has ended: no connection is left",
    ]


def test_a_problem_is_reported_once_and_ends(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.kernel.error = "No such file or directory"
    host.round(1.0, held=False, answer=HOLDING)
    host.round(1.1, held=False)
    assert host.vip.problem == "No such file or directory"
    assert capsys.readouterr().err.count("cannot prepare a hand-over: No such file") == 1
    host.kernel.error = ""
    # Not in every round.
    assert not host.round(1.2, held=False)
    assert host.round(2.5, held=False)
    assert host.vip.problem is None


def test_a_connection_that_begins_while_the_rules_are_written_is_not_forgotten(host: Host) -> None:
    late = Connection("198.51.100.7", 4000, 80)
    host.kernel.after = lambda: host.connections.add(late)
    host.round(1.0, held=False, answer=HOLDING)
    assert host.kernel.commands[1:] == [addition(VIP, [late])]


def test_another_former_holder_does_not_forget_the_connections_of_the_new_one(host: Host) -> None:
    host.round(1.0, held=False, answer=HOLDING)
    host.round(2.0, held=True)
    host.talk.messages.append((OTHER, PeerMessage(SERVING, VIP, 2100, 2)))
    assert not host.round(2.1, held=True, answer=SERVING)
    assert host.kernel.commands == [redirection(Forwarding(VIP, "eth1", (PEER, OTHER)))]


def test_the_rules_keep_the_kernel_from_resetting_connections_of_others_as_long_as_it_takes_their_packets(
    host: Host,
) -> None:
    host.round(1.0, held=True)
    assert host.kernel.commands == ["route True"]
    host.round(2.0, held=False)
    host.round(2.1, held=False, answer=HOLDING)
    # It has none left, and no client can miss the move any more.
    host.round(2.0 + host.vip.machine.settle_s, held=False)
    assert host.kernel.commands == ["route False", absence(VIP, False)]


def test_rules_that_cannot_be_completed_are_removed(host: Host) -> None:
    host.round(1.0, held=True)
    completed = Connection("198.51.100.7", 4000, 80)
    host.connections.add(completed)
    host.kernel.refused = "add element"
    # As after a freeze of both.
    host.round(2.1, held=True, answer=SERVING)
    assert host.kernel.commands[-1] == removal(VIP)
    assert host.vip.problem == "refused"


def test_a_service_that_misses_one_request_is_not_hung(program: ModuleType) -> None:
    health = program.Health("http://127.0.0.1:8099/")
    for answered, healthy in ((False, True), (True, True), (False, True), (False, False), (True, True)):
        health.take(answered)
        assert health.healthy.is_set() is healthy


@pytest.mark.parametrize("missing", ["open_changes", "_open_removals", "read_connections"])
def test_a_kernel_without_what_it_needs_is_reported_and_left_alone(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise OSError(errno.EPROTONOSUPPORT, "Protocol not supported")

    notified: list[str] = []
    stop, writer = os.pipe()
    os.write(writer, b"s")
    monkeypatch.setattr(program, "readable_to_stop", lambda: stop)
    monkeypatch.setattr(program, "read_connections", lambda _vip: frozenset())
    monkeypatch.setattr(program, "notify", notified.append)
    monkeypatch.setattr(program, "STATE", str(tmp_path / "state.json"))
    monkeypatch.setattr(program, missing, refuse)
    config = {"limit": 600, "check": "", "vips": [ENTRY], "left_out": {"192.0.2.99": "IPVS has its own connections"}}
    assert program.hand_over(config) == 0
    assert json.loads((tmp_path / "state.json").read_text()) == [
        {"vip": VIP, "problem": "[Errno 93] Protocol not supported"},
        {"vip": "192.0.2.99", "problem": "IPVS has its own connections"},
    ]
    # keepalived starts after it.
    assert notified[0] == "READY=1"
