# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The prober against a real server on loopback that works and fails."""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._probe import clock
from ansible_collections.haproof.balancer.plugins.module_utils._probe.clock_server import answer_clock
from ansible_collections.haproof.balancer.plugins.module_utils._probe.loop import Loop
from ansible_collections.haproof.balancer.plugins.module_utils._probe.protocols import Http
from ansible_collections.haproof.balancer.plugins.module_utils._probe.url import read_url
from ansible_collections.haproof.balancer.plugins.modules.vip_probe import (
    Prober,
    pool_for,
    problems,
    requester_for,
    resolve,
)

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
Behaviour = Callable[[socket.socket], None]
PARAMS: dict[str, Any] = {
    "interval": 0.01,
    "timeout": 0.25,
    "duration": 0.3,
    "good_status": [200, 399],
    "validate_certs": True,
    "payload": "",
    "hold": 0.0,
    "connections": 0,
    "connection_interval": 0.02,
    "connection_timeout": None,
}


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
    reset_at_once(connection)


def reset_at_once(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_soon(connection: socket.socket) -> None:
    # Let the prober notice the connection.
    threading.Event().wait(0.02)
    reset_at_once(connection)


def hang(connection: socket.socket) -> None:
    # Until the prober gives up.
    connection.settimeout(5)
    while connection.recv(4096):
        pass


def slow(connection: socket.socket) -> None:
    connection.recv(4096)
    # Longer than the users' time-out.
    threading.Event().wait(0.15)
    connection.sendall(ANSWER)


def persistent(connection: socket.socket) -> None:
    while connection.recv(4096):
        connection.sendall(ANSWER)


def banner(connection: socket.socket) -> None:
    connection.sendall(b"220 ready\r\n")


def closing(connection: socket.socket) -> None:
    """Accept the connection and close it at once, like a balancer without a server."""


def times(count: int, then: Behaviour) -> Behaviour:
    """Answer a number of requests on each connection, and then…"""

    def behaviour(connection: socket.socket) -> None:
        for _number in range(count):
            good(connection)
        then(connection)

    return behaviour


def last_answer_third(connection: socket.socket) -> None:
    good(connection)
    good(connection)
    connection.recv(4096)
    connection.sendall(LAST_ANSWER)


def last_answer_first(connection: socket.socket) -> None:
    """Announce the close of the connection, and leave it to the client."""
    connection.recv(4096)
    connection.sendall(LAST_ANSWER)
    hang(connection)


class Server:
    """Answers each connection with the current behaviour."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.behaviour: Behaviour = good
        self.context = context
        self.accepted = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self.listener.getsockname()[1]

    def serve(self) -> None:
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._one, args=(connection, self.behaviour), daemon=True).start()

    def _one(self, connection: socket.socket, behaviour: Behaviour) -> None:
        with ExitStack() as stack:
            stack.enter_context(connection)
            try:
                if self.context:
                    connection = stack.enter_context(self.context.wrap_socket(connection, server_side=True))
                behaviour(connection)
            except OSError:
                return  # the prober gave up


@contextmanager
def serving(behaviour: Behaviour = good, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(context)
    server.behaviour = behaviour
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()


@contextmanager
def datagrams(reply: bytes | None, host: str = "127.0.0.1") -> Iterator[tuple[int, list[bytes]]]:
    """A UDP service; yields its port and the received datagrams."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        sock.settimeout(0.05)
        over = threading.Event()
        got: list[bytes] = []

        def serve() -> None:
            while not over.is_set():
                try:
                    packet, asker = sock.recvfrom(4096)
                except TimeoutError:
                    continue
                got.append(packet)
                if reply is not None:
                    sock.sendto(reply, asker)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()[1], got
        finally:
            over.set()
            thread.join()


def never(_answered: bool, _failed: int) -> bool:
    return False


def probe(url: str, on_tick: Callable[[bool, int], bool] = never, **changes: Any) -> dict[str, Any]:
    """Run the module's code without Ansible."""
    params = {**PARAMS, **changes}
    goal = read_url(url)
    assert not problems(params, goal.scheme)
    place = resolve(goal)
    loop = Loop()
    one = Prober(loop, requester_for(goal, place, params, loop), params["timeout"], pool_for(goal, place, params))
    return one.result(one.run(params["interval"], params["duration"], on_tick))


def at(server: Server, scheme: str = "http", host: str = "127.0.0.1") -> str:
    return f"{scheme}://{host}:{server.port}"


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(type=kind) as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def test_a_good_server_has_no_outage() -> None:
    with serving() as server:
        before = time.monotonic()
        result = probe(at(server), duration=0.5)
    assert result["failed"] == 0
    assert result["outages"] == []
    assert 25 <= result["requests"] <= 51
    assert result["elapsed_s"] == pytest.approx(0.5, abs=0.1)
    assert before <= result["origin_s"] <= before + 0.1
    (run,) = result["runs"]
    assert run[0] == 0.0
    assert run[1] < run[2]
    assert run[3:] == [result["requests"], ""]
    assert 0 < result["latency_s"]["p50"] <= result["latency_s"]["p99"] <= result["latency_s"]["max"] < 0.25
    assert result["connections"] is None


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (bad_status, "http_503"),
        (cut_off, "incomplete"),
        (silent, "empty"),
        (reset, "reset"),
        (hang, "timeout"),
        (slow, "timeout"),
    ],
)
def test_kinds_of_errors(behaviour: Behaviour, kind: str) -> None:
    with serving(behaviour) as server:
        result = probe(at(server), duration=0.1, timeout=0.1)
    assert result["errors"] == {kind: result["requests"]}
    assert [outage["recovered"] for outage in result["outages"]] == [False]
    assert result["latency_s"] is None


def test_an_answer_that_this_host_sees_too_late_has_failed() -> None:
    """Also if it has arrived before the prober is scheduled again."""
    with serving() as server:
        # A prober that is not scheduled after its first request.
        ticks = iter([0.0, 0.2])

        def stall(_answered: bool, _failed: int) -> bool:
            time.sleep(next(ticks, 0.0))
            return False

        result = probe(at(server), stall, duration=0.05, timeout=0.1)
    assert result["runs"][0][3:] == [1, "timeout"]


@pytest.mark.parametrize("scheme", ["http", "https", "tcp"])
def test_nobody_listens(scheme: str) -> None:
    result = probe(f"{scheme}://127.0.0.1:{free_port(socket.SOCK_STREAM)}", duration=0.1)
    assert result["errors"] == {"refused": result["requests"]}


def test_a_hang_is_measured_in_open_loop() -> None:
    """Requests continue at their rate while others hang, so an outage of 0.3 s is seen as one."""
    with serving() as server:
        moments: dict[str, float] = {}
        counts: list[int] = []

        def script(_answered: bool, failed: int) -> bool:
            counts.append(failed)
            now = time.monotonic()
            start = moments.setdefault("start", now)
            hanging = 0.2 <= now - start < 0.5
            if hanging:
                moments.setdefault("hang", now)
            elif "hang" in moments:
                moments.setdefault("healed", now)
            server.behaviour = hang if hanging else good
            return False

        result = probe(at(server), script, duration=0.9, timeout=0.1)
    felt = moments["healed"] - moments["hang"]
    assert result["outage_s"] == pytest.approx(felt, abs=0.1)
    assert set(result["errors"]) == {"timeout"}
    # A closed loop would have made three requests in 0.3 s.
    assert result["failed"] >= 10
    # Told while it happens.
    assert (counts[0], counts[-1]) == (0, result["failed"])
    assert [run[4] for run in result["runs"]] == ["", "timeout", ""]
    (outage,) = result["outages"]
    assert outage["first_s"] == result["runs"][1][0]
    assert outage["last_s"] == result["runs"][1][1]
    # The prober's times and ours are on one clock.
    assert result["origin_s"] + outage["first_s"] == pytest.approx(moments["hang"], abs=0.05)


# --- TCP


def test_tcp_is_good_when_connected() -> None:
    with serving(closing) as server:
        assert probe(at(server, "tcp"), duration=0.1)["failed"] == 0


@pytest.mark.parametrize(
    ("behaviour", "errors"),
    [(closing, {"closed"}), (reset_at_once, {"reset"}), (hang, set()), (banner, set())],
)
def test_tcp_held(behaviour: Behaviour, errors: set[str]) -> None:
    with serving(behaviour) as server:
        result = probe(at(server, "tcp"), duration=0.1, hold=0.1)
    assert set(result["errors"]) == errors
    assert result["failed"] == (result["requests"] if errors else 0)


def test_tcp_that_cannot_be_held_in_time() -> None:
    with serving(hang) as server:
        # The connection itself takes some of the time-out.
        result = probe(at(server, "tcp"), duration=0.1, hold=0.1 - 1e-9, timeout=0.1)
    assert result["errors"] == {"timeout": result["requests"]}


# --- UDP


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_udp(host: str) -> None:
    with datagrams(b"", host) as (port, got):
        result = probe(f"udp://[{host}]:{port}" if ":" in host else f"udp://{host}:{port}", payload="\0häm")
    assert result["failed"] == 0
    assert got == [b"\0h\xc3\xa4m"] * result["requests"]


def test_udp_without_an_answer() -> None:
    with datagrams(None) as (port, got):
        result = probe(f"udp://127.0.0.1:{port}", duration=0.1, timeout=0.1)
    assert result["errors"] == {"timeout": result["requests"]}
    assert got == [b""] * result["requests"]


def test_udp_where_nobody_listens() -> None:
    result = probe(f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}", duration=0.1)
    assert result["errors"] == {"refused": result["requests"]}


def test_udp_from_somebody_else_is_no_answer() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as target, socket.socket(type=socket.SOCK_DGRAM) as stranger:
        target.bind(("127.0.0.1", 0))
        target.settimeout(2)

        def intrude() -> None:
            _packet, asker = target.recvfrom(64)
            stranger.sendto(b"me", asker)

        thread = threading.Thread(target=intrude)
        thread.start()
        result = probe(f"udp://127.0.0.1:{target.getsockname()[1]}", duration=0.005, timeout=0.2)
        thread.join()
    assert result["errors"] == {"timeout": 1}


# --- ICMP


def run_module(params: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Run the module like Ansible."""
    name = "ansible_collections.haproof.balancer.plugins.modules.vip_probe"
    done = subprocess.run(
        [sys.executable, "-m", name],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": params}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        **kwargs,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def need_root(url: str) -> None:
    """If the tests do not run as root, the error is tested instead."""
    with pytest.raises(PermissionError):
        probe(url)
    assert run_module({"url": url})["msg"] == NO_RAW_SOCKET.format(url)


NO_RAW_SOCKET = "url is {!r}, echo requests need root or CAP_NET_RAW: become root, or probe tcp://"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_icmp(host: str) -> None:
    url = f"icmp://{host}"
    if os.geteuid():
        need_root(url)
        return
    result = probe(url)
    assert result["failed"] == 0
    assert result["requests"] >= 15
    assert result["latency_s"]["max"] < 0.25


def test_two_that_ping_do_not_take_each_others_replies() -> None:
    url = "icmp://127.0.0.1"
    if os.geteuid():
        need_root(url)
        return
    results: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: results.append(probe(url))) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result["failed"] for result in results] == [0, 0]


def test_icmp_without_the_right_to(tmp_path: Path) -> None:
    """As another user, if run as root."""
    if os.geteuid():
        need_root("icmp://127.0.0.1")
        return
    command = (
        "import ctypes, os, sys; "
        # CAP_NET_RAW is 13; PR_CAPBSET_DROP 24. The next program starts without it.
        "assert ctypes.CDLL(None).prctl(24, 13, 0, 0, 0) == 0; "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    name = "ansible_collections.haproof.balancer.plugins.modules.vip_probe"
    done = subprocess.run(
        [sys.executable, "-c", command, sys.executable, "-m", name],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"url": "icmp://127.0.0.1"}}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert json.loads(done.stdout)["msg"] == NO_RAW_SOCKET.format("icmp://127.0.0.1")


# --- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key, in one file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-subj", "/CN=haproof", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"),
            *("-keyout", path, "-out", path.with_suffix(".crt")),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL's own way to set the host's certificate store."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.mark.usefixtures("trusted")
def test_https_with_a_certificate_that_is_trusted(server_tls: ssl.SSLContext) -> None:
    with serving(good, server_tls) as server:
        result = probe(at(server, "https"))
    assert result["failed"] == 0
    assert result["requests"] >= 10


@pytest.mark.parametrize(("validate", "errors"), [(True, {"tls_untrusted"}), (False, set())])
def test_https_with_a_certificate_that_is_not(server_tls: ssl.SSLContext, validate: bool, errors: set[str]) -> None:
    with serving(good, server_tls) as server:
        result = probe(at(server, "https"), validate_certs=validate)
    assert set(result["errors"]) == errors


@pytest.mark.usefixtures("trusted")
def test_https_with_a_certificate_for_another_name(server_tls: ssl.SSLContext) -> None:
    with serving(good, server_tls) as server:
        result = probe(at(server, "https", "127.0.0.1").replace("127.0.0.1", "localhost"))
    assert set(result["errors"]) == {"tls_name"}


@pytest.mark.parametrize(
    ("behaviour", "kind", "timeout"),
    [(silent, "tls_closed", 5.0), (reset, "reset", 5.0), (hang, "timeout", 0.1), (banner, "tls_", 5.0)],
)
def test_https_where_nobody_speaks_tls(behaviour: Behaviour, kind: str, timeout: float) -> None:
    with serving(behaviour) as server:
        result = probe(at(server, "https"), duration=0.1, timeout=timeout)
    assert result["failed"] == result["requests"]
    assert all(error.startswith(kind) for error in result["errors"])


@pytest.mark.parametrize(
    ("behaviour", "kind", "timeout"),
    [(bad_status, "http_503", 5.0), (cut_off, "incomplete", 5.0), (hang, "timeout", 0.1)],
)
def test_https_with_bad_answers(server_tls: ssl.SSLContext, behaviour: Behaviour, kind: str, timeout: float) -> None:
    with serving(behaviour, server_tls) as server:
        result = probe(at(server, "https"), duration=0.1, timeout=timeout, validate_certs=False)
    assert result["errors"] == {kind: result["requests"]}


def test_a_long_answer_over_tls(server_tls: ssl.SSLContext) -> None:
    """More than a TLS record, and than a socket accepts at once."""
    body = b"x" * 3_000_000

    def long(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with serving(long, server_tls) as server:
        result = probe(at(server, "https"), interval=0.1, timeout=2.0, validate_certs=False)
    assert result["failed"] == 0


# --- connections that are kept open


def pooled(url: str, on_tick: Callable[[bool, int], bool] = never, **changes: Any) -> dict[str, Any]:
    """Return the measurements of the kept connections."""
    options = {"interval": 0.02, "connections": 2, "timeout": 0.1, "validate_certs": False, **changes}
    connections: dict[str, Any] = probe(url, on_tick, **options)["connections"]
    return connections


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_is_used_again(server_tls: ssl.SSLContext, scheme: str) -> None:
    with serving(persistent, server_tls if scheme == "https" else None) as server:
        result = probe(at(server, scheme), connections=3, validate_certs=False)
    connections = result["connections"]
    assert connections["open"] == 3
    assert connections["requests"] >= 3 * 8
    assert (connections["failed"], connections["cut"], connections["cuts"]) == (0, 0, [])
    assert connections["reused"] == connections["requests"] - 3
    assert 0 < connections["latency_s"]["p50"] <= connections["latency_s"]["max"] < 0.25
    assert server.accepted == result["requests"] + 3


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (times(2, reset), "reset"),
        (times(2, silent), "empty"),
        (times(2, cut_off), "incomplete"),
        (times(2, hang), "timeout"),
    ],
)
def test_a_connection_is_cut_while_a_request_is_under_way(behaviour: Behaviour, kind: str) -> None:
    with serving(behaviour) as server:
        found = pooled(at(server), duration=0.4)
    assert found["cut"] >= 2
    assert {cut["kind"] for cut in found["cuts"]} == {kind}
    assert found["failed"] == found["cut"] == len(found["cuts"])
    assert found["requests"] >= 3 * found["cut"]
    moments = [cut["at_s"] for cut in found["cuts"]]
    assert moments == sorted(moments)
    assert moments[0] > 0
    assert moments[-1] < 0.6
    waited_s = 0.1 if kind == "timeout" else 0.0
    assert all(cut["since_s"] + waited_s - 0.001 <= cut["at_s"] for cut in found["cuts"])


def test_a_kept_connection_may_take_longer_than_a_new_one() -> None:
    def late(connection: socket.socket) -> None:
        good(connection)
        while True:
            slow(connection)

    with serving(late) as server:
        found = pooled(at(server), timeout=0.1, connection_timeout=1.0, duration=0.5)
    assert (found["failed"], found["cut"]) == (0, 0)
    assert found["latency_s"]["max"] >= 0.15
    with serving(late) as server:
        assert pooled(at(server), timeout=1.0, connection_timeout=0.1, duration=0.5)["cut"] >= 2


def test_a_connection_that_the_server_always_closes_is_not_kept() -> None:
    with serving(last_answer_first) as server:
        found = pooled(at(server), timeout=2.0)
    assert (found["reused"], found["failed"]) == (0, 0)


@pytest.mark.parametrize(
    "behaviour", [last_answer_first, last_answer_third, times(2, closing), times(2, reset_at_once)]
)
def test_a_connection_that_ends_between_requests_is_not_cut(behaviour: Behaviour) -> None:
    with serving(behaviour) as server:
        # Long enough for a busy machine: this is not about time-outs.
        found = pooled(at(server), timeout=2.0)
    assert (found["failed"], found["cut"]) == (0, 0)
    assert found["requests"] >= 15


@pytest.mark.parametrize("behaviour", [reset, silent, hang])
def test_a_new_connection_that_never_answers_is_not_cut(behaviour: Behaviour) -> None:
    with serving(behaviour) as server:
        found = pooled(at(server))
    assert found["failed"] == found["requests"] > 2
    assert found["cut"] == 0


def test_a_bad_status_cuts_no_connection() -> None:
    def busy(connection: socket.socket) -> None:
        while True:
            bad_status(connection)

    with serving(busy) as server:
        found = pooled(at(server))
    assert found["failed"] == found["requests"] > 10
    assert found["cut"] == 0


def test_nobody_to_keep_a_connection_with() -> None:
    found = pooled(f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}")
    assert found["failed"] == found["requests"] > 10
    assert found["cut"] == 0


def test_a_tcp_connection_stays_open() -> None:
    with serving(hang) as server:
        found = pooled(at(server, "tcp"))
    assert found == {
        "open": 2,
        "requests": 2,
        "failed": 0,
        "reused": 0,
        "cut": 0,
        "cuts": [],
        "latency_s": None,
    }


@pytest.mark.parametrize(("behaviour", "kind"), [(closing, "closed"), (reset_soon, "reset")])
def test_a_tcp_connection_is_opened_again(behaviour: Behaviour, kind: str) -> None:
    with serving(behaviour) as server:
        found = pooled(at(server, "tcp"))
    assert found["failed"] == 0
    assert {cut["kind"] for cut in found["cuts"]} == {kind}
    assert all(cut["since_s"] == cut["at_s"] for cut in found["cuts"])
    assert 6 <= found["cut"] <= found["requests"] <= 2 * 16


def test_nobody_to_keep_a_tcp_connection_with() -> None:
    found = pooled(f"tcp://127.0.0.1:{free_port(socket.SOCK_STREAM)}")
    assert found["failed"] == found["requests"] > 10
    assert found["cut"] == 0


# --- what it costs

QUICK_SERVER = """
import socket
listener = socket.create_server(("127.0.0.1", 0), backlog=512)
print(listener.getsockname()[1], flush=True)
while True:
    connection, _address = listener.accept()
    with connection:
        try:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
        except OSError:
            pass
"""


def test_500_requests_a_second_take_a_fraction_of_a_core() -> None:
    """Measured in CPU time, so that a busy machine does not matter. The server is another process."""
    with subprocess.Popen([sys.executable, "-c", QUICK_SERVER], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            url = f"http://127.0.0.1:{int(server.stdout.readline())}"
            before = time.process_time()
            result = probe(url, interval=0.002, duration=1.0, timeout=2.0)
            spent_s = time.process_time() - before
        finally:
            server.kill()
    assert result["requests"] > 50
    assert result["failed"] == 0
    # 2 ms would be the whole core.
    assert spent_s / result["requests"] < 0.001


# --- the clock


def ask_from_port_0(family: int, address: str, port: int) -> None:
    """No answer can be sent there: sending fails. Needs a raw socket."""
    packet = clock.question(1.0)
    with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
        if family == socket.AF_INET6:
            # IPV6_CHECKSUM: the kernel sets it at this offset, since IPv6 requires one.
            raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_CHECKSUM, 6)
        raw.sendto(struct.pack("!HHHH", 0, port, 8 + len(packet), 0) + packet, (address, 0))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_clock_is_answered_while_probing(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with serving() as server:
        loop = Loop()
        target = (host, server.port) if family == socket.AF_INET else (host, server.port, 0, 0)
        address, port = answer_clock(loop, family, target)
        assert address == host
        found: list[clock.Offset | None] = []

        def ask() -> None:
            with socket.socket(family, socket.SOCK_DGRAM) as stranger:
                stranger.sendto(b"nonsense", (address, port))
            if os.geteuid() == 0:
                ask_from_port_0(family, address, port)
            found.append(clock.ask(address, port))

        thread = threading.Thread(target=ask)
        requester = Http(resolve(read_url(at(server))), b"GET / HTTP/1.1\r\n\r\n", (200, 399))
        one = Prober(loop, requester, 0.25)
        thread.start()
        one.run(0.002, 10.0, lambda _answered, _failed: not thread.is_alive())
        thread.join()
    (offset,) = found
    assert offset
    # Both are this host's clock.
    assert abs(offset.offset_s) <= offset.error_s < 0.02


def test_the_module(tmp_path: Path) -> None:
    path = tmp_path / "run"
    read: list[str] = []

    def watch() -> None:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if path.exists() and path.read_text().startswith("ready"):
                read.append(path.read_text())
                path.unlink()
                return

    with serving() as server:
        thread = threading.Thread(target=watch)
        thread.start()
        before = time.monotonic()
        url = at(server)
        result = run_module({"url": url, "clock": True, "run_file": str(path), "connections": 1})
        thread.join()
    probed = result["probe"]
    assert probed["url"] == url
    assert probed["failed"] == 0
    assert probed["elapsed_s"] < 10
    assert before < probed["origin_s"] < time.monotonic()
    assert probed["connections"]["open"] == 1
    word, address, port = read[0].split()
    assert (word, address) == ("ready", "127.0.0.1")
    assert int(port) > 0
    assert not path.exists()


def test_problems() -> None:
    params = {
        "interval": 0.0,
        "timeout": 0.25,
        "duration": float("inf"),
        "connection_interval": -1.0,
        "connection_timeout": 0.0,
        "good_status": [399, 200],
        "connections": -1,
        "hold": 0.25,
        "payload": "x",
    }
    assert problems(params, "icmp") == [
        "interval is 0, it must be above 0 seconds",
        "duration is inf, it must be above 0 seconds",
        "connection_interval is -1, it must be above 0 seconds",
        "connection_timeout is 0, it must be above 0 seconds",
        "good_status is [399, 200], it must be the lowest and the highest good status, within 100 to 599",
        "connections is -1, it must not be negative",
        "hold is 0.25, it must be from 0 to below timeout, 0.25 seconds",
        "payload is 'x', a url that starts with icmp:// takes none",
        "hold is 0.25, a url that starts with icmp:// takes none",
        "connections is -1, a url that starts with icmp:// takes none",
    ]


@pytest.mark.parametrize(
    ("scheme", "changes"),
    [("udp", {"payload": "x"}), ("tcp", {"hold": 0.1, "connections": 2}), ("https", {"connections": 2})],
)
def test_no_problems(scheme: str, changes: dict[str, Any]) -> None:
    assert problems({**PARAMS, **changes}, scheme) == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"url": "tcp://h"}, "url is 'tcp://h', tcp:// needs a port from 1 to 65535"),
        ({"url": "udp://h:1", "connections": 1}, "connections is 1, a url that starts with udp:// takes none"),
        ({"url": "http://a..b/"}, "cannot resolve the host of http://a..b/: "),
        (
            {"url": "http://127.0.0.1:1/", "run_file": "/no/such"},
            "cannot make run_file /no/such: No such file or directory",
        ),
    ],
)
def test_what_the_module_says(params: dict[str, Any], message: str) -> None:
    assert run_module(params)["msg"].startswith(message)
