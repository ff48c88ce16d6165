# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a running nginx or haproxy has read, and when."""

from __future__ import annotations

import glob
import os
import re
import time
from contextlib import suppress
from typing import Callable, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.proc import read_stat

_MOST_FILES = 4096
# Only files read with the configuration; not those read at run time (htpasswd, maps of a running haproxy).
_NGINX_FILE = re.compile(
    r"""(?:^|[\s;{}])
    (?P<directive> include | load_module | geoip_(?:city|country|org)
    | (?:\w+_)?ssl_(?: (?:client_|trusted_)?certificate | certificate_key | crl | dhparam | password_file
                     | session_ticket_key | stapling_file ))
    \s+ (?: "(?P<double>[^"]*)" | '(?P<single>[^']*)' | (?P<plain>[^\s;"']+) )""",
    re.VERBOSE,
)
_HAPROXY_FILE = re.compile(
    r"(?:^|\s)(?:crt|crt-list|ca-file|crl-file|lua-load|ssl-dh-param-file|errorfile\s+\d+)\s+[\"']?(/[^\s\"']+)",
    re.MULTILINE,
)
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*", re.MULTILINE)


class Started(NamedTuple):
    """A started process: its command line, and its start in clock ticks since the boot (proc(5), starttime)."""

    command: str
    started: int


class Loader(NamedTuple):
    """Which files one daemon has read, and when, by the age of its processes.

    ``files(argv, build)`` returns them, the configuration first, from its command line and from what its program prints
    with the option ``built``, which is empty if its build does not matter.
    """

    files: Callable[[Sequence[str], str], list[str]]
    started: Callable[[Started, Sequence[Started]], int]
    built: str


def nginx_started(master: Started, children: Sequence[Started]) -> int:
    """Return when the workers started: the oldest counts, since a dead one is replaced by a younger one."""
    serving = [child.started for child in children if "shutting down" not in child.command]
    return min(serving, default=master.started)


def haproxy_started(master: Started, children: Sequence[Started]) -> int:
    """Return when the last worker started. Former ones stay while they have connections, the master always."""
    return max((child.started for child in children), default=master.started)


def nginx_files(argv: Sequence[str], build: str = "") -> list[str]:
    """Return the files that an nginx with this command line reads, except unreadable ones. *build* is from ``-V``."""
    # The master's process title is a single argument.
    words = " ".join(argv).split()
    prefix = _given(words, "-p") or _configured(build, "prefix") or "/usr/local/nginx"
    main = os.path.join(prefix, _given(words, "-c") or _configured(build, "conf-path") or "conf/nginx.conf")
    files: list[str] = []
    _read_nginx(main, os.path.dirname(main), files)
    return files


def _given(words: Sequence[str], option: str) -> str:
    return words[words.index(option) + 1] if option in words[:-1] else ""


def _configured(build: str, option: str) -> str:
    found = re.search(rf"--{option}=(\S+)", build)
    return found[1] if found else ""


def _read_nginx(path: str, base: str, files: list[str]) -> None:
    if path in files or len(files) >= _MOST_FILES or not os.path.isfile(path):
        return
    files.append(path)
    for match in _NGINX_FILE.finditer(_COMMENT.sub("", _text(path))):
        named = os.path.join(base, match["double"] or match["single"] or match["plain"] or "")
        if match["directive"] == "include":
            for name in sorted(glob.glob(named)):
                _read_nginx(name, base, files)
        elif os.path.isfile(named) and named not in files:
            files.append(named)


def haproxy_files(argv: Sequence[str], _build: str = "") -> list[str]:
    """Return the files that a haproxy with this command line reads, except unreadable ones."""
    given = [following for word, following in zip(argv, argv[1:]) if word == "-f"]
    mains = [name for path in given for name in (_inside(path, ".cfg") if os.path.isdir(path) else [path])]
    files = list(mains)
    for path in mains:
        for named in _HAPROXY_FILE.findall(_COMMENT.sub("", _text(path))):
            files += _inside(named) if os.path.isdir(named) else [named]
    return [path for path in dict.fromkeys(files) if os.path.isfile(path)]


LOADERS = {
    "nginx": Loader(nginx_files, nginx_started, "-V"),
    "haproxy": Loader(haproxy_files, haproxy_started, ""),
}


def written_at(files: Sequence[str]) -> dict[str, float]:
    """Return when each file was written, in seconds since the epoch."""
    times = {}
    for path in files:
        with suppress(FileNotFoundError):
            times[path] = os.stat(path).st_mtime
    return times


def read_process(pid: int) -> Started | None:
    """Return the process, None if it has ended."""
    try:
        _state, started = read_stat(pid)
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as stream:
            return Started(stream.read(), started)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None


def since_epoch(started: int) -> float:
    """Convert clock ticks since the boot to seconds since the epoch."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + started / os.sysconf("SC_CLK_TCK")


def _inside(folder: str, end: str = "") -> list[str]:
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(end)]


def _text(path: str) -> str:
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read()
    return ""
