# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The prober against a real server on loopback that behaves and misbehaves."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._http import target
from ansible_collections.haproof.balancer.plugins.module_utils._probe import summary
from ansible_collections.haproof.balancer.plugins.modules.vip_probe import Prober, RunFile, problems

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Behaviour = Callable[[socket.socket], None]


def good(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(ANSWER)


def bad_status(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")


def cut_off(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(ANSWER[:-1])


def silent(connection: socket.socket) -> None:
    connection.recv(4096)


def reset(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang(connection: socket.socket) -> None:
    # Until the prober gives up.
    connection.settimeout(5)
    while connection.recv(4096):
        pass


class Server:
    """Answers each connection with the behaviour of the moment."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = good
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self.listener.getsockname()[1]

    def serve(self) -> None:
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection, self.behaviour), daemon=True).start()

    @staticmethod
    def _one(connection: socket.socket, behaviour: Behaviour) -> None:
        with connection:
            try:
                behaviour(connection)
            except ConnectionResetError:
                return  # the prober gave up


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()


def prober(port: int, timeout_s: float = 0.25) -> Prober:
    goal = target(f"http://127.0.0.1:{port}/")
    return Prober((goal.host, goal.port), socket.AF_INET, goal.request, timeout_s, (200, 399))


def probe(
    port: int, duration_s: float, on_tick: Callable[[bool], bool] = lambda _answered: False, **kwargs: float
) -> dict[str, Any]:
    one = prober(port, **kwargs)
    stopped = one.run(0.01, duration_s, on_tick)
    return summary(one.journal, stopped)


def test_a_good_server_has_no_outage() -> None:
    with serving() as server:
        result = probe(server.port, 0.5)
    assert result["failed"] == 0
    assert result["outages"] == []
    assert 25 <= result["requests"] <= 51
    assert result["elapsed_s"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [(bad_status, "http_503"), (cut_off, "incomplete"), (silent, "empty"), (reset, "reset"), (hang, "timeout")],
)
def test_kinds_of_errors(behaviour: Behaviour, kind: str) -> None:
    with serving() as server:
        server.behaviour = behaviour
        result = probe(server.port, 0.1, timeout_s=0.1)
    assert result["errors"] == {kind: result["requests"]}
    assert [outage["recovered"] for outage in result["outages"]] == [False]


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = probe(unused.getsockname()[1], 0.1)
    assert result["errors"] == {"refused": result["requests"]}


def test_a_hang_is_measured_in_open_loop() -> None:
    """Requests go on at their rate while others hang, so an outage of 0.3 s is seen as one."""
    with serving() as server:
        moments: dict[str, float] = {}

        def script(_answered: bool) -> bool:
            now = time.monotonic()
            start = moments.setdefault("start", now)
            hanging = 0.2 <= now - start < 0.5
            if hanging:
                moments.setdefault("hang", now)
            elif "hang" in moments:
                moments.setdefault("healed", now)
            server.behaviour = hang if hanging else good
            return False

        result = probe(server.port, 0.9, script, timeout_s=0.1)
    felt = moments["healed"] - moments["hang"]
    assert result["outage_s"] == pytest.approx(felt, abs=0.1)
    assert set(result["errors"]) == {"timeout"}
    # A closed loop would have made three requests in 0.3 s.
    assert result["failed"] >= 10


def test_run_file(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run_file = RunFile(str(path))
    run_file.create()
    assert not run_file.on_tick(answered=False)
    assert path.read_text() == ""
    assert not run_file.on_tick(answered=True)
    assert path.read_text() == "ready\n"
    path.unlink()
    assert run_file.on_tick(answered=True)
    run_file.remove()
    assert not list(tmp_path.iterdir())


def test_a_removed_run_file_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run_file = RunFile(str(path))
    run_file.create()
    path.unlink()
    assert run_file.on_tick(answered=True)
    assert not path.exists()


@pytest.mark.parametrize("link", [True, False])
def test_a_run_file_that_is_there_already_is_another_probers(tmp_path: Path, link: bool) -> None:
    path = tmp_path / "run"
    if link:
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.touch()
    with pytest.raises(FileExistsError):
        RunFile(str(path)).create()
    assert not (tmp_path / "elsewhere").exists()


def test_the_run_file_is_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run_file = RunFile(str(path))
    run_file.create()
    run_file.remove()
    assert not path.exists()


def test_without_run_file() -> None:
    run_file = RunFile(None)
    run_file.create()
    assert not run_file.on_tick(answered=True)
    run_file.remove()


def test_problems() -> None:
    params = {"interval": 0.0, "timeout": 0.25, "duration": float("inf"), "good_status": [399, 200]}
    assert problems(params) == [
        "interval is 0, it must be above 0 seconds",
        "duration is inf, it must be above 0 seconds",
        "good_status is [399, 200], it must be the lowest and the highest good status, within 100 to 599",
    ]
