# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand in for an application server on a port: report who answers, over HTTP or line by line.

GET /...      this host and port, and the received headers
GET /slow/... the same after five seconds
GET /big/...  the same, plus 20,000 bytes
any line      this host and port, and the line
"""

import asyncio
import re
import socket
import sys

REQUEST = re.compile(rb"(GET|HEAD|POST) (\S+) HTTP/1\.[01]\r?\n")


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer until the peer closes the connection."""
    name = f"{socket.gethostname()}:{writer.get_extra_info('sockname')[1]}".encode()
    try:
        while True:
            line = await reader.readline()
            if not line:
                break
            request = REQUEST.fullmatch(line)
            if not request:
                writer.write(name + b" " + line)
                continue
            headers = await reader.readuntil(b"\r\n\r\n")
            body = name + b"\n" + headers.lower()
            if request[2].startswith(b"/slow/"):
                await asyncio.sleep(5)
            if request[2].startswith(b"/big/"):
                body += b"." * 20_000
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body))
            writer.write(body)
    except (asyncio.IncompleteReadError, OSError):
        pass
    writer.close()


async def main() -> None:
    """Listen on the port given as the only argument."""
    server = await asyncio.start_server(serve, "0.0.0.0", int(sys.argv[1]))  # noqa: S104  # in a lab
    await server.serve_forever()


asyncio.run(main())
