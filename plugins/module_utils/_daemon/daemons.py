# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each daemon checks a file and confirms a reload, and what its answer means."""

from __future__ import annotations

import re
from typing import AbstractSet, Callable, Mapping, NamedTuple, Pattern, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.binds import Bind, binds_of
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.scripts import MISSING, explain
from ansible_collections.haproof.balancer.plugins.module_utils._nginx.listens import listens_of

# keepalived 2.2.7 sends itself SIGTERM while it checks a file that configures scripts, and loses its
# exit code and half of its output (fixed in 2.2.8). A signal that was ignored before exec stays ignored.
_IGNORE_SIGTERM: tuple[str, ...] = ("/bin/sh", "-c", 'trap "" TERM; exec "$0" "$@"')


class Daemon(NamedTuple):
    """How one daemon checks a file and confirms a reload.

    ``check`` is an argv to which the path is appended. ``harmless`` are lines that the check may print, with a
    failing exit code, for a file that works. ``acceptable`` are those for a file that works, though hardly as intended,
    by the name that accepts them; ``explain(line, text)`` returns a line with the place and reason in the file's text.
    ``reloaded`` is the line in the journal that confirms a reload; without it a new child process of the main one does.
    ``listens`` returns the addresses in a configuration; ``tries`` tells whether the daemon must not be reloaded with
    one that it cannot bind.
    """

    name: str
    check: tuple[str, ...]
    harmless: tuple[Pattern[str], ...] = ()
    acceptable: Mapping[str, Pattern[str]] = {}
    explain: Callable[[str, str], str] = lambda line, _text: line
    reloaded: str | None = None
    error_log: str | None = None
    listens: Callable[[str], AbstractSet[Bind]] | None = None
    tries: bool = False

    def at(self, binary: str) -> Daemon:
        """Return the same daemon with its binary at another path."""
        return self._replace(check=tuple(binary if word == self.name else word for word in self.check))

    def accepting(self, names: Sequence[str]) -> Daemon:
        """Return the same daemon with these of its acceptable lines taken for harmless."""
        accepted = tuple(pattern for name, pattern in self.acceptable.items() if name in names)
        left = {name: pattern for name, pattern in self.acceptable.items() if name not in names}
        return self._replace(harmless=(*self.harmless, *accepted), acceptable=left)


# haproxy starts without a server whose name does not resolve, and logs that as a notice.
_WARNING = re.compile(r"\[warn|\bwarning\b|could not resolve address", re.IGNORECASE)

DAEMONS: dict[str, Daemon] = {
    daemon.name: daemon
    for daemon in (
        Daemon("nginx", ("nginx", "-t", "-q", "-c"), error_log="/var/log/nginx/error.log", listens=listens_of),
        # haproxy pauses its listeners and retries for two seconds if another process uses an address.
        Daemon("haproxy", ("haproxy", "-c", "-f"), listens=binds_of, tries=True),
        Daemon(
            "keepalived",
            (*_IGNORE_SIGTERM, "keepalived", "-t", "-f"),
            harmless=(
                re.compile(r"ports don't match - resetting"),
                re.compile(r"Ignoring track_interface \S+ since own interface"),
                re.compile(r"\bis deprecated\b"),
            ),
            acceptable={
                "script_missing": MISSING,
                "script_security": re.compile(r"SECURITY VIOLATION - scripts are being executed but script_security"),
                "unknown_keyword": re.compile(r"Unknown keyword '"),
            },
            explain=explain,
            reloaded="Reload complete",
        ),
    )
}


class Verdict(NamedTuple):
    """A daemon's check of a file: its output if it rejects the file (else None), and its warnings."""

    rejection: str | None
    warnings: list[str]


def judge(daemon: Daemon, rc: int, output: str, staged: str, dest: str, text: str = "") -> Verdict:
    """Return the verdict of a check from its exit code and *output*, with *dest* for the *staged* path.

    *text* is that of the file.

    keepalived exits with 5 for errors and for harmless corrections alike, so its output is read too
    (keepalived(8), "EXIT STATUS"; the codes in use are 4, 5 and 6).
    """
    stripped = (line.strip() for line in output.replace(staged, dest).splitlines())
    lines = list(dict.fromkeys(line for line in stripped if line))
    harmless = [line for line in lines if any(known.search(line) for known in daemon.harmless)]
    if rc == 0:
        return Verdict(None, [line for line in lines if line in harmless or _WARNING.search(line)])
    if rc > 0 and lines and harmless == lines:
        return Verdict(None, harmless)
    told = (daemon.explain(line, text) + _how_to_accept(daemon, line) for line in lines)
    return Verdict("\n".join(told) or f"exit code {rc} without output", [])


def _how_to_accept(daemon: Daemon, line: str) -> str:
    names = [name for name, pattern in daemon.acceptable.items() if pattern.search(line)]
    return f" (if this is intended, set {daemon.name}_accept: {names})".replace("'", "") if names else ""
