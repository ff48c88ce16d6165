# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backends that report which of their connections is used, and that close kept ones during a request."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Iterator

from nodes import BACKENDS, CLIENT, eventually

if TYPE_CHECKING:
    from nodes import Lab

PORT = 8090
LOG = "/run/fickle"
REQUESTS = 20
# Answers with its name and the number of the connection. Per method, the first request for /closing on a kept
# connection gets a reset.
BACKEND = """
import asyncio, socket, sys
connections, closed = 0, set()

async def serve(reader, writer):
    global connections
    connections += 1
    number, kept = connections, False
    try:
        while True:
            head = (await reader.readuntil(b"\\r\\n\\r\\n")).decode()
            method, path = head.split()[:2]
            fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
            await reader.readexactly(int(fields.get("content-length", 0)))
            print(method, path, flush=True)
            if fields.get("upgrade") == "websocket":
                writer.write(b"HTTP/1.1 101 Switching\\r\\nConnection: upgrade\\r\\nUpgrade: websocket\\r\\n")
                writer.write(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\n\\r\\n")
                writer.write((await reader.readline()).upper())
            elif kept and path.startswith("/closing") and method not in closed:
                closed.add(method)
                writer.transport.abort()
                return
            else:
                body = b"%s:%d" % (socket.gethostname().encode(), number)
                writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
            kept = True
    except (asyncio.IncompleteReadError, OSError):
        writer.close()

async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
"""
# Requests over one connection, and over a new one if it was closed. curl would repeat lost requests.
ASKER = """
import http.client, sys
address, site, method, path, count = sys.argv[1:]
connection = http.client.HTTPConnection(address, 80, timeout=20)
for number in range(int(count)):
    try:
        body = b"a=b" if method == "POST" else None
        connection.request(method, "%s?%d" % (path, number), body, {"Host": site})
        answer = connection.getresponse()
        text = answer.read().decode()
        print(text if answer.status == 200 else answer.status)
    except (http.client.HTTPException, OSError):
        print("closed")
        connection.close()
"""
# Sends a line over an upgraded connection; prints the status, and the answer.
UPGRADER = """
import socket, sys
connection = socket.create_connection((sys.argv[1], 80), timeout=5)
head = "GET /upgrade HTTP/1.1\\r\\nHost: %s\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n" % sys.argv[2]
# Key and answer of RFC 6455 section 1.3.
connection.sendall((head + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n").encode())
stream = connection.makefile("rb")
print(stream.readline().split()[1].decode())
while stream.readline().strip():
    pass
connection.sendall(b"hello\\n")
print(stream.readline().decode())
"""


@contextmanager
def fickle_backends(lab: Lab) -> Iterator[None]:
    """Run such a backend on each host of the backends."""
    run = f"rm -f {LOG}; systemd-run --quiet --collect --unit=fickle --property=StandardOutput=file:{LOG}"
    try:
        for name in BACKENDS:
            lab.nodes[name].check_output(f"{run} /usr/bin/python3 -c %s {PORT}", BACKEND)
        assert eventually(
            lambda: all(lab.nodes[name].socket(f"tcp://0.0.0.0:{PORT}").is_listening for name in BACKENDS), 10
        )
        yield
    finally:
        for name in BACKENDS:
            lab.nodes[name].run("systemctl stop fickle")


def check_kept_connections(lab: Lab, address: str, site: str) -> None:
    """Request a site on these backends from a balancer, and assert how it uses its connections to them."""

    def ask(method: str, path: str) -> list[str]:
        command = "python3 -c %s %s %s %s %s %s"
        return lab.nodes[CLIENT].check_output(command, ASKER, address, site, method, path, str(REQUESTS)).splitlines()

    with fickle_backends(lab):
        assert len(set(ask("GET", "/kept"))) <= len(BACKENDS)
        # Repeatable requests are retried, whichever backend closes.
        answers = ask("GET", "/closing")
        assert all(":" in answer for answer in answers), answers
        # Others are not, although their client gets no answer.
        answers = ask("POST", "/closing")
        seen = Counter(line for name in BACKENDS for line in lab.nodes[name].check_output(f"cat {LOG}").splitlines())
        posts = {line: count for line, count in seen.items() if line.startswith("POST")}
        assert not all(":" in answer for answer in answers), answers
        assert posts == {f"POST /closing?{number}": 1 for number in range(REQUESTS)}
        assert lab.nodes[CLIENT].check_output("python3 -c %s %s %s", UPGRADER, address, site).split() == [
            "101",
            "HELLO",
        ]
