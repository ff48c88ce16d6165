# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep what the servers of a running haproxy are up to for the haproxy that a reload starts: state CONFIG SOCKET FILE

haproxy itself reads FILE (server-state-file). It takes ports and TLS from there even where the new configuration says
otherwise (haproxy 2.6 to 3.0), so those are put right here: the configuration wins. A server whose port the
configuration leaves open is left out, and starts as if it were new.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from contextlib import closing, suppress
from typing import Iterator, Mapping

TIMEOUT_S = 5.0
# Up to here a line is complete (version 1); what follows is TLS and the addresses of checks.
FIELDS = 20
BACKEND, SERVER, PORT = 1, 3, 18
TEMPLATE = re.compile(r"(.*?)(\d+)")


def ask(path: str, command: str) -> str:
    """Return what haproxy answers on its runtime socket. Raises OSError."""
    with closing(socket.socket(socket.AF_UNIX)) as runtime:
        runtime.settimeout(TIMEOUT_S)
        runtime.connect(path)
        runtime.sendall(command.encode() + b"\n")
        parts = iter(lambda: runtime.recv(65536), b"")
        return b"".join(parts).decode(errors="replace")


def server_ports(config: str) -> dict[tuple[str, str], str]:
    """Return the port of each server, by backend and name, that the configuration tells; ``0`` for the client's own.

    A template's servers are there under their prefix and ``*``.
    """
    ports = {}
    section = ""
    for line in config.splitlines():
        words = [word.strip("\"'") for word in line.split()]
        if words[:1] in (["backend"], ["listen"]):
            section = "".join(words[1:2])
        elif words[:1] in (["frontend"], ["peers"]):
            section = ""
        elif section and words[:1] == ["server"] and len(words) > 2:
            ports[section, words[1]] = port_of(words[2])
        elif section and words[:1] == ["server-template"] and len(words) > 3:
            ports[section, words[1] + "*"] = port_of(words[3])
    return {server: port for server, port in ports.items() if port}


def port_of(address: str) -> str:
    """Return the port that an address ends with, ``0`` where it has none, nothing where it depends."""
    if re.fullmatch(r"[\w.-]+|\[[\da-fA-F:.]+\]", address):
        return "0"
    found = re.fullmatch(r"(?:ipv[46]@)?(?:[\w.-]+|\[?[\da-fA-F:.]+\]?):(\d+)", address)
    return found[1] if found else ""


def kept(states: str, ports: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Yield the lines of ``show servers state`` that the new haproxy may have."""
    for line in states.splitlines():
        fields = line.split(" ")
        if len(fields) < FIELDS or fields[0] == "#":
            # The version, and the names of the columns.
            yield line
            continue
        prefix = TEMPLATE.fullmatch(fields[SERVER])
        port = ports.get((fields[BACKEND], fields[SERVER]))
        if port is None and prefix:
            port = ports.get((fields[BACKEND], prefix[1] + "*"))
        if port is not None:
            yield " ".join([*fields[:PORT], port, *fields[PORT + 1 : FIELDS]])


def main() -> None:
    """Write the file anew, or remove it: an old state must not come back."""
    config, runtime, path = sys.argv[1:]
    with suppress(FileNotFoundError):
        os.unlink(path)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(config, encoding="utf-8", errors="replace") as stream:
        ports = server_ports(stream.read())
    states = list(kept(ask(runtime, "show servers state"), ports))
    with open(path + ".new", "w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in states if line)
    os.replace(path + ".new", path)


if __name__ == "__main__":
    main()
