# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The running keepalived: finds it, and asks it for a dump of its state by signal."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.dump import (
    DumpError,
    parse_defaults,
    parse_json,
    parse_signum,
    parse_text,
    parse_version,
)

Instances = List[Dict[str, Any]]

DEFAULT_CONFIG = "/etc/keepalived/keepalived.conf"
DEFAULT_PID_FILE = "/run/keepalived.pid"
POLL_S = 0.005
# Two dumps within one tick of the file system's clock have the same time stamp; the second request repeats.
ASK_AGAIN_S = 0.3


class KeepalivedError(Exception):
    """keepalived runs but did not return its state; the message is the reason."""


class Dump(NamedTuple):
    """One kind of dump: the signal that requests it, its file, and its parser."""

    signum: int
    name: str
    parse: Callable[[str], Any]


def find_pid(pid_file: str) -> int | None:
    """Return the process id of the running keepalived, None if it does not run, even with a stale pid file.

    Raises KeepalivedError if the pid file cannot be read.
    """
    try:
        with open(pid_file, encoding="ascii") as stream:
            pid = int(stream.read().strip() or 0)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise KeepalivedError(f"cannot read the pid file {pid_file}: {error}") from error
    with suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8") as stream:
        if stream.read().strip() == "keepalived":
            return pid
    return None


class Keepalived:
    """The keepalived process ``pid``; ``timeout_s`` limits how long it takes to write a dump."""

    def __init__(self, run: Runner, pid: int, timeout_s: float) -> None:
        self._run = run
        self._pid = pid
        self._timeout_s = timeout_s
        # The running binary, which an upgrade may have replaced on disk.
        self._binary = f"/proc/{pid}/exe"

    def version(self) -> str | None:
        """Return the running version, such as ``2.2.7``."""
        _rc, out, err = self._run([self._binary, "--version"])
        return parse_version(out + err)

    def instances(self) -> Instances:
        """Return keepalived's current VRRP instances. Raises KeepalivedError if it does not answer in time."""
        found: Instances = self._dumped(self._dump_kind())
        return found

    def text(self) -> str:
        """Return the text dump, which has more than the JSON dump. Raises KeepalivedError likewise."""
        found: str = self._dumped(Dump(signal.SIGUSR1, "keepalived.data", _whole))
        return found

    def config(self) -> str:
        """Return the path of its configuration file. Raises KeepalivedError if its command line cannot be read."""
        words = self._command_line()
        try:
            working = os.readlink(f"/proc/{self._pid}/cwd")
        except OSError as error:
            raise KeepalivedError(self._forbidden(error)) from error
        return os.path.join(working, option_of(words, "-f", "--use-file", "") or self._default_config())

    def config_id(self) -> str:
        """Return the config-id: the ``@word`` whose lines apply in that file. Raises KeepalivedError likewise."""
        return option_of(self._command_line(), "-i", "--config-id", os.uname().nodename.partition(".")[0])

    def _default_config(self) -> str:
        """Return the first of the binary's default paths that exists: a build has one in its own prefix."""
        _rc, out, err = self._run([self._binary, "--help"])
        return next(filter(os.path.exists, parse_defaults(out + err)), DEFAULT_CONFIG)

    def _command_line(self) -> list[str]:
        try:
            with open(f"/proc/{self._pid}/cmdline", "rb") as stream:
                return [os.fsdecode(word) for word in stream.read().split(b"\0")]
        except OSError as error:
            raise KeepalivedError(self._forbidden(error)) from error

    def _dumped(self, dump: Dump) -> Any:
        path = os.path.join(self._folder(), dump.name)
        before = _stamp(path)
        deadline = time.monotonic() + self._timeout_s
        ask_at = time.monotonic()
        problem = "it wrote nothing"
        while time.monotonic() < deadline:
            if time.monotonic() >= ask_at:
                self._ask(dump.signum)
                ask_at += ASK_AGAIN_S
            if _stamp(path) != before:
                try:
                    found = dump.parse(self._read(path))
                except (DumpError, FileNotFoundError) as error:
                    problem = str(error)
                else:
                    # It may contain passwords. Another waiting process requests its own, or has removed it already.
                    with suppress(FileNotFoundError):
                        os.unlink(path)
                    return found
            time.sleep(POLL_S)
        raise KeepalivedError(
            f"keepalived (pid {self._pid}) wrote no complete {dump.name} within {self._timeout_s:g} s: {problem}; "
            "it hangs or the host is overloaded, see journalctl --unit=keepalived"
        )

    def _dump_kind(self) -> Dump:
        _rc, out, _err = self._run([self._binary, "--signum=JSON"])
        signum = parse_signum(out)
        if signum is not None:
            return Dump(signum, "keepalived.json", parse_json)
        return Dump(signal.SIGUSR1, "keepalived.data", parse_text)

    def _folder(self) -> str:
        """Return the folder of the dumps: keepalived may have a private /tmp (PrivateTmp)."""
        try:
            with open(f"/proc/{self._pid}/environ", "rb") as stream:
                variables = stream.read().split(b"\0")
        except OSError as error:
            raise KeepalivedError(self._forbidden(error)) from error
        chosen = [variable[len(b"TMPDIR=") :] for variable in variables if variable.startswith(b"TMPDIR=/")]
        return f"/proc/{self._pid}/root" + (os.fsdecode(chosen[0]) if chosen else "/tmp")  # noqa: S108 # where keepalived writes

    def _ask(self, signum: int) -> None:
        try:
            os.kill(self._pid, signum)
        except ProcessLookupError as error:
            raise KeepalivedError(f"keepalived (pid {self._pid}) ended while it was asked") from error
        except PermissionError as error:
            raise KeepalivedError(self._forbidden(error)) from error

    def _read(self, path: str) -> str:
        """Read the dump only if it is keepalived's, since any user may put files into /tmp."""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with open(descriptor, encoding="utf-8", errors="replace") as stream:
            owner = os.fstat(descriptor).st_uid
            if owner != os.stat(f"/proc/{self._pid}").st_uid:
                raise KeepalivedError(f"{path} belongs to user id {owner}, not to keepalived: remove it")
            return stream.read()

    def _forbidden(self, error: OSError) -> str:
        return (
            f"asking keepalived (pid {self._pid}) for its state needs root: {error.strerror}. "
            "Use become, or keepalived: false for the kernel's addresses alone"
        )


def option_of(words: Sequence[str], short: str, long: str, default: str) -> str:
    """Return the value of an option on keepalived's command line, or its default."""
    for number, word in enumerate(words):
        if word in (short, long):
            return next(iter(words[number + 1 :]), default)
        for prefix in (f"{long}=", short):
            if word.startswith(prefix):
                return word[len(prefix) :]
    return default


def _whole(text: str) -> str:
    parse_text(text)
    return text


def _stamp(path: str) -> tuple[int, int, int] | None:
    """Return values that change when a dump is written, None while there is no file."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
