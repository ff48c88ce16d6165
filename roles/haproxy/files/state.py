# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Save the server states of a running haproxy for the one that a reload starts: state CONFIG SOCKET FILE

haproxy itself reads FILE (server-state-file). It takes ports, TLS and the addresses of host names from there even if
the new configuration or DNS differs (haproxy 2.2 to 3.2), so they are corrected here: the configuration wins, and names
are resolved again. A server without a fixed port in the configuration is left out, and starts as new.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import sys
import time
from contextlib import closing, suppress
from threading import Thread
from typing import AbstractSet, Iterable, Iterator, Mapping, NamedTuple, Sequence

TIMEOUT_S = 5.0
LOOKUP_S = 3.0
# The fields of version 1 end here; TLS and the addresses of checks follow.
FIELDS = 20
BACKEND, SERVER, ADDRESS, OPERATION, ADMIN, NAME, PORT, RECORD = 1, 3, 4, 5, 6, 17, 18, 19
# Values of OPERATION and ADMIN (management guide, "show servers state").
RUNNING, MAINTENANCE, UNRESOLVED = "2", 7, 32
SECTIONS = frozenset(["backend", "defaults", "frontend", "global", "listen", "peers", "resolvers", "ring"])
TEMPLATE = re.compile(r"(.*?)(\d+)")
HOST = re.compile(r"[\w.-]+|\[[\da-fA-F:.]+\]")
HOST_PORT = re.compile(r"(?:ipv[46]@)?([\w.-]+|\[?[\da-fA-F:.]+\]?):(\d+)")


class Server(NamedTuple):
    """A server in the configuration: its port (``0`` for the client's own) and its host name (empty for an address).

    ``follows`` is whether haproxy itself resolves the name at run time (``resolvers``).
    """

    port: str
    name: str = ""
    follows: bool = False


def ask(path: str, command: str) -> str:
    """Return haproxy's answer on its runtime socket. Raises OSError."""
    with closing(socket.socket(socket.AF_UNIX)) as runtime:
        runtime.settimeout(TIMEOUT_S)
        runtime.connect(path)
        runtime.sendall(command.encode() + b"\n")
        parts = iter(lambda: runtime.recv(65536), b"")
        return b"".join(parts).decode(errors="replace")


def resolvable(names: Iterable[str], within_s: float) -> set[str]:
    """Return the names that resolve; *within_s* is for all of them together."""
    found: set[str] = set()

    def look_up(name: str) -> None:
        with suppress(OSError, UnicodeError):
            socket.getaddrinfo(name, None)
            found.add(name)

    # Daemon threads, since an unresponsive name server must not keep the program from ending.
    threads = [Thread(target=look_up, args=(name,), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    end = time.monotonic() + within_s
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return set(found)


def configured(config: str) -> dict[tuple[str, str], Server]:
    """Return the servers of the configuration by backend and name, except those without a fixed port.

    A template's servers are listed under their prefix and ``*``.
    """
    found: dict[tuple[str, str], Server | None] = {}
    # Whether a defaults section has resolvers for its servers, by name. A proxy without "from" uses the one before it.
    following: dict[str, bool] = {}
    section = proxy = latest = ""
    follows = False
    for line in config.splitlines():
        keyword, name, *rest = [*(word.strip("\"'") for word in line.split()), "", ""]
        if keyword in SECTIONS:
            section, proxy = keyword, name if keyword in ("backend", "listen") else ""
            source = rest[rest.index("from") + 1] if "from" in rest else "" if section == "defaults" else latest
            follows = following.get(source, False)
            if section == "defaults":
                latest = name or "(unnamed)"
                following[latest] = follows
        elif keyword == "default-server" and "resolvers" in (name, *rest):
            follows = True
            if section == "defaults":
                following[latest] = True
        elif proxy and keyword == "server":
            found[proxy, name] = server_of(rest[0], follows or "resolvers" in rest)
        elif proxy and keyword == "server-template" and len(rest) > 1:
            found[proxy, name + "*"] = server_of(rest[1], follows or "resolvers" in rest)
    return {key: server for key, server in found.items() if server}


def server_of(address: str, follows: bool) -> Server | None:
    """Return the server of an address and port, None without a fixed port."""
    found = HOST_PORT.fullmatch(address)
    if found:
        host, port = found.groups()
    elif HOST.fullmatch(address):
        host, port = address, "0"
    else:
        return None
    with suppress(ValueError):
        ipaddress.ip_address(host.strip("[]"))
        return Server(port)
    return Server(port, host, follows)


def kept(states: str, servers: Mapping[tuple[str, str], Server], known: AbstractSet[str]) -> Iterator[str]:
    """Yield the lines of ``show servers state`` for the new haproxy, which can resolve the ``known`` names."""
    for line in filter(None, states.splitlines()):
        fields = line.split(" ")
        if len(fields) < FIELDS or fields[0] == "#":
            # The version, and the column names.
            yield line
            continue
        prefix = TEMPLATE.fullmatch(fields[SERVER])
        server = servers.get((fields[BACKEND], fields[SERVER]))
        if server is None and prefix:
            server = servers.get((fields[BACKEND], prefix[1] + "*"))
        if server:
            yield " ".join(carried(fields[:FIELDS], server, known))


def carried(fields: Sequence[str], server: Server, known: AbstractSet[str]) -> list[str]:
    """Return the fields of a server's line for the new haproxy."""
    new = list(fields)
    record = fields[RECORD] != "-"
    same = server.name.lower() == fields[RECORD if record else NAME].lower()
    if server.name and not (same and (server.follows or server.name not in known)):
        new[ADDRESS] = "-"
    if not (record and same):
        new[PORT] = server.port
    admin = int(fields[ADMIN])
    if admin & UNRESOLVED:
        # haproxy 2.2 rejects the flag. A server stopped for lack of an address starts as new once it has one.
        new[ADMIN] = str(admin - UNRESOLVED)
        new[OPERATION] = fields[OPERATION] if admin & MAINTENANCE else RUNNING
    return new


def main() -> None:
    """Replace the file, or remove it: an old state must not return."""
    config, runtime, path = sys.argv[1:]
    with suppress(FileNotFoundError):
        os.unlink(path)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(config, encoding="utf-8", errors="replace") as stream:
        servers = configured(stream.read())
    known = resolvable({server.name for server in servers.values() if server.name and not server.follows}, LOOKUP_S)
    states = ask(runtime, "show servers state")
    with open(path + ".new", "w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in kept(states, servers, known))
    os.replace(path + ".new", path)


if __name__ == "__main__":
    main()
