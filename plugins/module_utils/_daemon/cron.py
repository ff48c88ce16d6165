# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The user's jobs of cron and rc.local that concern the daemons or their virtual IPs, such as alarms. They stay."""

from __future__ import annotations

import glob
import ipaddress
import os
import re
from contextlib import suppress
from typing import Iterable, Iterator, Sequence

# crontab(5): those of users, and those of the system, whose lines name a user.
USERS = ("/var/spool/cron/crontabs/*", "/var/spool/cron/*")
SYSTEM = ("/etc/crontab", "/etc/cron.d/*")
# What systemd runs at boot if it is executable; one may be a link to the other.
BOOT = ("/etc/rc.local", "/etc/rc.d/rc.local")
_WHEN = re.compile(r"\s*(?:@\w+|(?:[\w*,/-]+\s+){4}[\w*,/-]+)\s+(?P<command>\S.*)")
_PATH = re.compile(r"/[^\s;|&<>\"'()]+")
_ADDRESS = re.compile(r"[0-9a-fA-F.:]*[.:][0-9a-fA-F.:]+")
_LONGEST_SCRIPT = 65536


def jobs(names: Iterable[str], addresses: Iterable[str]) -> list[str]:
    """Return the jobs that name one of the words, or run a script that does: file and line, each once."""
    words = re.compile("|".join(rf"(?<![\w.:]){re.escape(word)}(?![\w:]|\.\d)" for word in (*names, *addresses)))
    crontabs = [path for pattern in (*USERS, *SYSTEM) for path in sorted(glob.glob(pattern)) if os.path.isfile(path)]
    found = [f"{path}: {line}" for path in dict.fromkeys(crontabs) for line in concerning(_text(path), words)]
    scripts = {os.path.realpath(path): path for path in reversed(BOOT) if os.access(path, os.X_OK)}
    return found + [f"{path}: {line}" for path in scripts.values() for line in at_boot(_text(path), words)]


def concerning(crontab: str, words: re.Pattern[str]) -> Iterator[str]:
    """Return the lines of a *crontab* whose command, or a script that it runs, has one of the *words*."""
    for line in crontab.splitlines():
        found = _WHEN.match(line)
        if found and _concerns(found["command"], words):
            yield line.strip()


def at_boot(script: str, words: re.Pattern[str]) -> Iterator[str]:
    """Return the lines of *script*, an rc.local, that have one of the *words*, or run a script that does."""
    for line in map(str.strip, script.splitlines()):
        if not line.startswith("#") and _concerns(line, words):
            yield line


def _concerns(command: str, words: re.Pattern[str]) -> bool:
    return any(words.search(text) for text in (command, *(_text(path) for path in _PATH.findall(command))))


def addresses_in(text: str) -> Sequence[str]:
    """Return the IP addresses in a text, each once."""
    found = []
    for word in _ADDRESS.findall(text):
        with suppress(ValueError):
            found.append(str(ipaddress.ip_address(word)))
    return list(dict.fromkeys(found))


def _text(path: str) -> str:
    with suppress(OSError):
        if os.path.getsize(path) <= _LONGEST_SCRIPT:
            with open(path, encoding="utf-8", errors="replace") as stream:
                return stream.read()
    return ""
