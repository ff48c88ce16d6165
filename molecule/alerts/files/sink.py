# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record mail on port 1025 and POSTs on port 8080, one JSON object per line in /var/tmp/sink.jsonl."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

FILE = "/var/tmp/sink.jsonl"  # noqa: S108 - a throw-away node


def keep(entry: dict[str, Any]) -> None:
    """Append *entry* in one write."""
    with open(FILE, "a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")


class Mails:
    """aiosmtpd's handler."""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        keep(
            {
                "kind": "mail",
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "subject": str(letter["Subject"]),
                "body": letter.get_content(),
            }
        )
        await asyncio.sleep(0)
        return "250 kept"


class Posts(BaseHTTPRequestHandler):
    """Keeps each POST."""

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        keep(
            {
                "kind": "post",
                "path": self.path,
                "authorization": self.headers["Authorization"],
                "payload": json.loads(self.rfile.read(length)),
            }
        )
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    Controller(Mails(), hostname="0.0.0.0", port=1025).start()  # noqa: S104 - the lab's nodes must reach it
    ThreadingHTTPServer(("0.0.0.0", 8080), Posts).serve_forever()  # noqa: S104 - likewise
