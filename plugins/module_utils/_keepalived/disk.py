# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The files on disk of a running keepalived: its program, its configuration, and when it last read that."""

from __future__ import annotations

import filecmp
import glob
import os
import re
import shutil
import time
from contextlib import suppress
from typing import Any, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.running import executable, named_in
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.dump import parse_version
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.lines import INCLUDES
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.scripts import missing, script_line

_INCLUDE = re.compile(rf"^[ \t]*(?:{'|'.join(sorted(INCLUDES))})[ \t]+([^\s!#][^\n!#]*)[^\n]*$", re.MULTILINE)
# A pair of braces without others in it.
_BRACES = re.compile(r"\{([^{}]*)\}")
_MOST_FILES = 256


class Sources(NamedTuple):
    """A configuration with its includes: the files, and their joined text."""

    files: list[str]
    text: str


def read_sources(path: str) -> Sources:
    """Return the configuration at *path*. Unreadable files are skipped, as keepalived skips an include."""
    files: list[str] = []
    return Sources(files, _read(path, files))


def _read(path: str, files: list[str]) -> str:
    if path in files or len(files) >= _MOST_FILES:
        return ""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read()
    except OSError:
        return ""
    files.append(path)
    folder = os.path.dirname(path)

    def included(line: re.Match[str]) -> str:
        # Quotes are part of the names.
        patterns = _alternatives(os.path.join(folder, line.group(1).strip()))
        return "\n".join(_read(name, files) for pattern in patterns for name in sorted(glob.glob(pattern)))

    return _INCLUDE.sub(included, text)


def _alternatives(pattern: str) -> list[str]:
    """Return the patterns that one with braces stands for, by GLOB_BRACE of glob(3)."""
    found = _BRACES.search(pattern)
    if not found:
        return [pattern]
    before, after = pattern[: found.start()], pattern[found.end() :]
    return [each for one in found[1].split(",") for each in _alternatives(before + one + after)]


def not_run(name: str, files: Sequence[str]) -> str:
    """Return where in its *files* keepalived has a vrrp_script that it does not run, and the reason."""
    for path in files:
        with suppress(OSError), open(path, encoding="utf-8", errors="replace") as stream:
            found = script_line(name, stream.read())
            if found:
                there = os.path.isfile(found.program) if "/" in found.program else shutil.which(found.program)
                why = "keepalived does not run this check: reload it" if there else missing(found.program)
                return f"{path} line {found.number}: vrrp_script {name}: {why}"
    return f"vrrp_script {name}: keepalived does not run this check"


def changed_at(files: list[str]) -> float | None:
    """Return when the newest of the files was written, in seconds since the epoch; None without files."""
    times = []
    for path in files:
        try:
            times.append(os.stat(path).st_mtime)
        except OSError:
            continue
    return max(times, default=None)


def unit_facts(run: Runner, pid: int) -> dict[str, Any]:
    """Return ``program`` and ``loaded_at`` as systemd knows them; both None when *pid* is not keepalived.service.

    A unit's state changes when it starts or reloads, even by a signal sent by hand, since keepalived notifies systemd.
    ``loaded_at`` is in seconds since the epoch.
    """
    names = ["MainPID", "ExecStart", "StateChangeTimestampMonotonic", "Type"]
    rc, out, _err = run(["systemctl", "show", "keepalived.service", *(f"--property={name}" for name in names)])
    properties = dict(line.split("=", 1) for line in out.splitlines() if "=" in line) if rc == 0 else {}
    if properties.get("MainPID") != str(pid):
        return {"program": None, "loaded_at": None}
    changed = properties.get("StateChangeTimestampMonotonic", "")
    loaded_at = None
    if changed.isdigit() and int(changed) and properties.get("Type") == "notify":
        loaded_at = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC) + int(changed) / 1e6
    return {"program": named_in(properties.get("ExecStart", "")), "loaded_at": loaded_at}


def restarts(run: Runner, pid: int) -> list[str]:
    """Return a line for each process that ended and that keepalived, whose main process is *pid*, started again.

    The lines are from the journal, which may have dropped old ones.
    """
    own = ["--boot", f"_PID={pid}", "_COMM=keepalived"]
    _rc, out, _err = run(["journalctl", "--quiet", "--output=cat", "--no-pager", *own])
    return [line for line in out.splitlines() if line.endswith("died: Respawning")]


def program_facts(run: Runner, pid: int, program: str | None) -> dict[str, Any]:
    """Return ``program`` (which would start now), its ``installed_version``, and whether the process is ``outdated``.

    *program* is the unit's; without one it is the running program.
    """
    installed = program or executable(pid)
    try:
        outdated = not filecmp.cmp(f"/proc/{pid}/exe", installed, shallow=False)
        _rc, out, err = run([installed, "--version"])
        version = parse_version(out + err)
    except OSError:
        outdated, version = True, None
    return {"program": installed, "installed_version": version, "outdated": outdated}
