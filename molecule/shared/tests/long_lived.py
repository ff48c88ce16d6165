# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that outlive a move of the VIP: kept ones, streams with numbered messages, and slow downloads."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple

from nodes import CLIENT, eventually

if TYPE_CHECKING:
    from nodes import Lab


class Scale(NamedTuple):
    """How many connections a load has, and how many new ones it opens per second."""

    kept: int
    streams: int
    downloads: int
    new_per_s: int


SMALL = Scale(kept=100, streams=10, downloads=0, new_per_s=50)
KEPT, STREAMS = SMALL.kept, SMALL.streams
DOWNLOAD_LINES = 400_000
"""The number of every line: 2.7 MB, which take two minutes."""
ECHO_PORT = 7007
RECORD = "/run/haproof-long-lived.json"
# Sends every line back. It listens on any address, as the daemon behind a VIP does.
ECHO = """
import asyncio, sys

async def serve(reader, writer):
    try:
        while True:
            line = await reader.readline()
            if not line:
                break
            writer.write(line)
    except OSError:
        pass
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
"""
# Kept connections with two requests per second each, streams with ten messages, downloads with 20 kB, and new ones.
# A request without an answer after five seconds counts as failed, and its connection as cut. One that the service has
# closed between two requests has ended. A long-lived connection has a port that none had in the last minutes, since a
# balancer that closed an earlier connection from the same port has it in TIME_WAIT, and would not reset this one.
LOAD = """
import asyncio, itertools, json, os, socket, sys, time
vip, record, port, kept, streams, downloads, new_per_s, lines = *sys.argv[1:3], *map(int, sys.argv[3:])
seen = {"kept": 0, "streamed": 0, "downloaded": 0, "new": 0, "cut": 0, "silent": 0, "wrong": 0, "failed": 0,
        "ended": 0, "worst_s": 0.0, "errors": {}}
whole = b"".join(b"%d\\n" % number for number in range(lines)) if downloads else b""
tasks = set()
# Below those that the kernel chooses. It takes 1000 s until the next load starts at the same one.
own_ports = itertools.count(10000 + int(time.time() * 20) % 20000)

def own_address():
    return "::" if ":" in vip else "0.0.0.0", next(own_ports)

def failed(how, error):
    seen[how] += 1
    text = "%s: %r" % (how, error)
    seen["errors"][text] = seen["errors"].get(text, 0) + 1

async def request(reader, writer, connection):
    writer.write(b"GET / HTTP/1.1\\r\\nHost: www\\r\\nConnection: %s\\r\\n\\r\\n" % connection)
    head = (await reader.readuntil(b"\\r\\n\\r\\n")).lower()
    assert b" 200 " in head.splitlines()[0], head
    await reader.readexactly(int(head.split(b"content-length:")[1].split()[0]))
    return b"connection: close" in head

async def message(reader, writer, number):
    writer.write(b"%d\\n" % number)
    line = await reader.readline()
    if not line:
        raise EOFError("the stream ended")
    seen["wrong"] += line != b"%d\\n" % number

async def client(target, what, period_s, ask):
    connection, number = None, 0
    while True:
        start = time.monotonic()
        if connection and connection[0].at_eof():
            seen["ended"] += 1
            connection[1].close()
            connection = None
        try:
            if connection is None:
                connection = await asyncio.wait_for(
                    asyncio.open_connection(vip, target, local_addr=own_address()), 5)
            if await asyncio.wait_for(ask(*connection, number), 5):
                connection[1].close()
                connection = None
            seen[what] += 1
            number += 1
        except (OSError, EOFError, AssertionError, asyncio.TimeoutError) as error:
            failed("silent" if isinstance(error, asyncio.TimeoutError) else "cut", error)
            if connection:
                connection[1].close()
            connection = None
        took = time.monotonic() - start
        seen["worst_s"] = max(seen["worst_s"], took)
        await asyncio.sleep(max(0.01, period_s - took))

async def download():
    while True:
        writer = None
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in vip else socket.AF_INET)
            sock.setblocking(False)
            # Or the kernel reads ahead of the client.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            sock.bind(own_address())
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(sock, (vip, 80)), 5)
            reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
            writer.write(b"GET /large HTTP/1.1\\r\\nHost: www\\r\\nConnection: close\\r\\n\\r\\n")
            head = await asyncio.wait_for(reader.readuntil(b"\\r\\n\\r\\n"), 5)
            assert b" 200 " in head.splitlines()[0], head
            at = 0
            while at < len(whole):
                part = await asyncio.wait_for(reader.read(2048), 5)
                if not part:
                    raise EOFError("the download ended after %d bytes" % at)
                seen["wrong"] += whole[at:at + len(part)] != part
                seen["downloaded"] += len(part)
                at += len(part)
                await asyncio.sleep(len(part) / 20000)
        except (OSError, EOFError, AssertionError, asyncio.TimeoutError) as error:
            failed("silent" if isinstance(error, asyncio.TimeoutError) else "cut", error)
            await asyncio.sleep(0.5)
        if writer:
            writer.close()

async def once():
    writer = None
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(vip, 80), 5)
        await asyncio.wait_for(request(reader, writer, b"close"), 5)
        seen["new"] += 1
    except (OSError, EOFError, AssertionError, asyncio.TimeoutError) as error:
        failed("failed", error)
    if writer:
        writer.close()

def start(coroutine):
    task = asyncio.ensure_future(coroutine)
    tasks.add(task)
    task.add_done_callback(tasks.discard)

async def main():
    for number in range(kept):
        start(client(80, "kept", 0.5, lambda r, w, n: request(r, w, b"keep-alive")))
        await asyncio.sleep(0.005)
    for number in range(streams):
        start(client(port, "streamed", 0.1, message))
    for number in range(downloads):
        start(download())
    begun = written = time.monotonic()
    ticks = 0
    while True:
        # Also as many after a pause of this process.
        while ticks < (time.monotonic() - begun) * new_per_s:
            start(once())
            ticks += 1
        await asyncio.sleep(1 / new_per_s)
        if time.monotonic() - written > 0.2:
            written = time.monotonic()
            with open(record + ".new", "w") as stream:
                json.dump(seen, stream)
            os.replace(record + ".new", record)

asyncio.run(main())
"""


class Load:
    """The client's connections while they last."""

    def __init__(self, lab: Lab, scale: Scale) -> None:
        self._client = lab.nodes[CLIENT]
        self._scale = scale

    def seen(self) -> dict[str, Any]:
        """Return the counts so far, the errors, and the worst duration of a kept request or message."""
        found: dict[str, Any] = json.loads(self._client.check_output("cat %s 2>/dev/null || echo '{}'", RECORD) or "{}")
        return found

    def harm(self) -> dict[str, int]:
        """Return what went wrong so far, by kind: nothing if it is empty."""
        seen = self.seen()
        return {**{kind: seen[kind] for kind in ("cut", "silent", "wrong", "failed") if seen[kind]}, **seen["errors"]}

    def harmed(self) -> int:
        """Return how many connections were cut or left without an answer so far."""
        seen = self.seen()
        return int(seen["cut"] + seen["silent"])

    def goes_on(self, rounds: int = 3, within_s: float = 60) -> bool:
        """Wait until every connection had this many turns on average; return whether it did."""
        before = self.seen()
        turns = {"kept": self._scale.kept, "streamed": self._scale.streams, "downloaded": self._scale.downloads}

        def done() -> bool:
            now = self.seen()
            return all(now.get(key, 0) >= before.get(key, 0) + rounds * number for key, number in turns.items())

        return eventually(done, within_s)


@contextmanager
def long_lived(lab: Lab, vip: str = "", scale: Scale = SMALL) -> Iterator[Load]:
    """Keep connections to a VIP, by default the first one, open for the duration of the block."""
    run = "systemd-run --quiet --collect --unit=%s /usr/bin/python3 -c %s"
    client = lab.nodes[CLIENT]
    with ExitStack() as stack:
        for name in lab.balancers:
            stack.callback(lab.nodes[name].run, "systemctl stop haproof-echo")
            lab.nodes[name].check_output(f"{run} %s", "haproof-echo", ECHO, str(ECHO_PORT))
        for name in lab.backends if scale.downloads else ():
            lab.nodes[name].check_output("seq 0 %s >/srv/www/large", str(DOWNLOAD_LINES - 1))
        stack.callback(client.run, "systemctl stop haproof-load")
        client.check_output("rm -f %s", RECORD)
        words = [vip or lab.vip, RECORD, *map(str, (ECHO_PORT, *scale, DOWNLOAD_LINES))]
        client.check_output(f"{run} {' '.join(['%s'] * len(words))}", "haproof-load", LOAD, *words)
        load = Load(lab, scale)
        assert load.goes_on()
        yield load
