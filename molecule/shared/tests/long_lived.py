# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that outlive a move of the VIP: kept HTTP connections, streams with numbered messages, and new ones."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Iterator

from nodes import CLIENT, eventually

if TYPE_CHECKING:
    from nodes import Lab

KEPT, STREAMS = 100, 10
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
# KEPT connections with two requests per second each, STREAMS with ten messages, and 50 new connections per second.
# A request without an answer after five seconds counts as failed, and its connection as cut. One that the service has
# closed between two requests has ended.
LOAD = """
import asyncio, json, os, sys, time
vip, port, kept, streams, record = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
seen = {"kept": 0, "streamed": 0, "new": 0, "cut": 0, "silent": 0, "wrong": 0, "failed": 0, "ended": 0, "worst_s": 0.0}
# The reasons of failed new connections, with their numbers.
seen["why"] = {}
tasks = set()

async def request(reader, writer, connection):
    writer.write(b"GET / HTTP/1.1\\r\\nHost: www\\r\\nConnection: %s\\r\\n\\r\\n" % connection)
    head = (await reader.readuntil(b"\\r\\n\\r\\n")).lower()
    assert b" 200 " in head.splitlines()[0], head
    await reader.readexactly(int(head.split(b"content-length:")[1].split()[0]))
    return b"connection: close" in head

async def message(reader, writer, number):
    writer.write(b"%d\\n" % number)
    seen["wrong"] += await reader.readline() != b"%d\\n" % number

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
                connection = await asyncio.wait_for(asyncio.open_connection(vip, target), 5)
            if await asyncio.wait_for(ask(*connection, number), 5):
                connection[1].close()
                connection = None
            seen[what] += 1
            number += 1
        except (OSError, EOFError, AssertionError, asyncio.TimeoutError) as error:
            seen["silent" if isinstance(error, asyncio.TimeoutError) else "cut"] += 1
            if connection:
                connection[1].close()
            connection = None
        took = time.monotonic() - start
        seen["worst_s"] = max(seen["worst_s"], took)
        await asyncio.sleep(max(0.01, period_s - took))

async def once():
    writer = None
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(vip, 80), 5)
        await asyncio.wait_for(request(reader, writer, b"close"), 5)
        seen["new"] += 1
    except (OSError, EOFError, AssertionError, asyncio.TimeoutError) as error:
        seen["failed"] += 1
        seen["why"][repr(error)] = seen["why"].get(repr(error), 0) + 1
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
    ticks = 0
    while True:
        start(once())
        await asyncio.sleep(0.02)
        ticks += 1
        if ticks % 10 == 0:
            with open(record + ".new", "w") as stream:
                json.dump(seen, stream)
            os.replace(record + ".new", record)

asyncio.run(main())
"""


class Load:
    """The client's connections while they last."""

    def __init__(self, lab: Lab, kept: int, streams: int) -> None:
        self._client = lab.nodes[CLIENT]
        self._kept, self._streams = kept, streams

    def seen(self) -> dict[str, Any]:
        """Return the counts so far, and the worst duration of a kept request or message."""
        found: dict[str, Any] = json.loads(self._client.check_output("cat %s 2>/dev/null || echo '{}'", RECORD) or "{}")
        return found

    def goes_on(self, rounds: int = 3, within_s: float = 60) -> bool:
        """Wait until every connection had this many turns on average; return whether it did."""
        before = self.seen()

        def done() -> bool:
            now = self.seen()
            return (
                now.get("kept", 0) >= before.get("kept", 0) + rounds * self._kept
                and now.get("streamed", 0) >= before.get("streamed", 0) + rounds * self._streams
            )

        return eventually(done, within_s)


@contextmanager
def long_lived(lab: Lab, vip: str = "", kept: int = KEPT, streams: int = STREAMS) -> Iterator[Load]:
    """Keep connections to a VIP, by default the first one, open for the duration of the block."""
    run = "systemd-run --quiet --collect --unit=%s /usr/bin/python3 -c %s"
    client = lab.nodes[CLIENT]
    with ExitStack() as stack:
        for name in lab.balancers:
            stack.callback(lab.nodes[name].run, "systemctl stop haproof-echo")
            lab.nodes[name].check_output(f"{run} %s", "haproof-echo", ECHO, str(ECHO_PORT))
        stack.callback(client.run, "systemctl stop haproof-load")
        client.check_output("rm -f %s", RECORD)
        arguments = [vip or lab.vip, str(ECHO_PORT), str(kept), str(streams), RECORD]
        client.check_output(f"{run} %s %s %s %s %s", "haproof-load", LOAD, *arguments)
        load = Load(lab, kept, streams)
        assert load.goes_on()
        yield load
