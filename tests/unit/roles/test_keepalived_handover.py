# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that the hand-over's program writes as its state machine changes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._handover.messages import HOLDING, SERVING

PROGRAM = Path(__file__).parents[3] / "roles/keepalived/files/handover.py"
VIP, PEER = "192.0.2.10", "192.0.2.11"


class Kernel:
    """Records what would be done."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def nft(self, commands: str, *_options: str) -> None:
        self.commands.append(commands)

    def local(self, _vip: str, _present: bool) -> None:
        pass


@pytest.fixture
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("handover", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_connections_of_the_time_as_holder_are_forgotten(program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "read_connections", lambda _vip: frozenset())
    loop: Any = object.__new__(program.HandoverLoop)
    loop._kernel = Kernel()
    entry = {"address": VIP, "interface": "eth1", "alive_s": 0.8, "source": "", "peers": [PEER]}
    vip = program.ManagedVip(entry, 600.0, 0.0)

    def after(now: float, held: bool) -> list[str]:
        loop._kernel.commands.clear()
        vip.machine.observe(now, held, 0)
        loop._set_up(vip, now, False)
        return [command for command in loop._kernel.commands if "set mine" in command]

    vip.machine.answer(1.0, PEER, HOLDING, 3)
    assert after(1.0, held=False)
    # The kernel adds the clients' addresses and ports to the rules, which stay.
    assert not after(10.0, held=True)
    vip.machine.answer(10.1, PEER, SERVING, 3)
    assert not after(10.2, held=True)
    # A client may use such a port for a connection to another host.
    assert after(20.0, held=False)
    assert not after(20.1, held=False)
