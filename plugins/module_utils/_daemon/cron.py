# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Jobs of cron that concern the daemons or their virtual IPs, such as alarms. They are the user's, and stay."""

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
_WHEN = re.compile(r"\s*(?:@\w+|(?:[\w*,/-]+\s+){4}[\w*,/-]+)\s+(?P<command>\S.*)")
_PATH = re.compile(r"/[^\s;|&<>\"'()]+")
_ADDRESS = re.compile(r"[0-9a-fA-F.:]*[.:][0-9a-fA-F.:]+")
_LONGEST_SCRIPT = 65536


def jobs(names: Iterable[str], addresses: Iterable[str]) -> list[str]:
    """Return the jobs that name one of the words, or run a script that does: file and line, each once."""
    words = re.compile("|".join(rf"(?<![\w.:]){re.escape(word)}(?![\w:]|\.\d)" for word in (*names, *addresses)))
    files = [path for pattern in (*USERS, *SYSTEM) for path in sorted(glob.glob(pattern)) if os.path.isfile(path)]
    return [f"{path}: {line}" for path in dict.fromkeys(files) for line in concerning(_text(path), words)]


def concerning(crontab: str, words: re.Pattern[str]) -> Iterator[str]:
    """Return the lines of a *crontab* whose command, or a script that it runs, has one of the *words*."""
    for line in crontab.splitlines():
        found = _WHEN.match(line)
        if found:
            command = found["command"]
            texts = [command, *(_text(path) for path in _PATH.findall(command))]
            if any(words.search(text) for text in texts):
                yield line.strip()


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
