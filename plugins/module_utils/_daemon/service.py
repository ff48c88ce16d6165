# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon as a systemd unit: have it check a file, reload it, and verify the reload."""

from __future__ import annotations

import os
import time
from typing import Callable, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.proc import children
from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.daemons import Daemon, judge
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.explain import port_users
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.maintenance import maintenance_since
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.replaced import (
    TRACKED,
    clashing,
    in_place,
    others,
)
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.running import at_boot
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.sockets import Socket
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.unit_sockets import (
    read_inodes,
    read_processes,
    read_sockets,
)
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.binds import unavailable


class ServiceError(Exception):
    """The daemon rejected a file or a reload; ``output`` is its own."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output.strip()


class Unit(NamedTuple):
    """A systemd unit: whether it is running and enabled, and its main process (0 without one)."""

    name: str
    running: bool
    enabled: bool
    pid: int


def parse_units(names: Sequence[str], output: str) -> list[Unit]:
    """Return the units in the output of ``systemctl show``, which has one paragraph for each of *names*."""
    units = []
    for name, paragraph in zip(names, output.strip().split("\n\n")):
        properties = dict(line.split("=", 1) for line in paragraph.splitlines())
        running = properties["ActiveState"] in ("active", "reloading", "activating")
        units.append(Unit(name, running, at_boot(properties["UnitFileState"]), int(properties.get("MainPID", "0"))))
    return units


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        # It only makes the daemon's complaints clearer.
        return ""


class Service:
    """One daemon on this host. ``warn`` gets its warnings, ``timeout_s`` is how long it may take to reload.

    ``enables`` is whether its unit is to start at boot; otherwise that stays as it is.
    """

    def __init__(
        self,
        run: Runner,
        warn: Callable[[str], None],
        daemon: Daemon,
        unit: str,
        timeout_s: float,
        enables: bool = True,
    ) -> None:
        self._run = run
        self._warn = warn
        self._daemon = daemon
        self.unit = unit
        self._timeout_s = timeout_s
        self._enables = enables

    def check(self, path: str, dest: str) -> None:
        """Have the daemon check the file at *path*, destined for *dest*. Raises ServiceError if it is rejected."""
        rc, out, err = self._run([*self._daemon.check, path])
        verdict = judge(self._daemon, rc, out + err, path, dest, _text(path))
        if verdict.rejection:
            raise ServiceError(f"{self._daemon.name} rejects {dest}", verdict.rejection)
        for warning in verdict.warnings:
            self._warn(f"{self._daemon.name} warns: {warning}")

    def check_addresses(self, before: bytes, after: bytes) -> None:
        """Raise ServiceError if the running daemon cannot bind an address that only *after* listens on."""
        listens = self._daemon.listens
        if listens and self._daemon.tries and self.active():
            taken = unavailable(listens(after.decode(errors="replace")) - listens(before.decode(errors="replace")))
            if taken:
                raise ServiceError(f"{self._daemon.name} cannot listen on {', '.join(taken)}")

    def replaces(self, former: str, wanted: bytes) -> bool:
        """Return whether another unit still has the place that this one takes with its *wanted* file."""
        tracks = self._show([TRACKED + former, TRACKED + self.unit])
        return in_place([unit.enabled for unit in tracks], self._clashing(wanted), self._inodes(former))

    def check_start(self, former: str, wanted: bytes) -> None:
        """Raise ServiceError if processes of others than the *former* unit have an address of the *wanted* file."""
        if self.active():
            return
        ports = others(self._clashing(wanted), self._inodes(former))
        if ports:
            raise ServiceError(f"{self._daemon.name} cannot start: {'; '.join(port_users(ports))}")

    def _clashing(self, wanted: bytes) -> list[Socket]:
        listens = self._daemon.listens
        return clashing(listens(wanted.decode(errors="replace")), read_sockets(os.getpid())) if listens else []

    def _inodes(self, unit: str) -> set[int]:
        return read_inodes(read_processes(self._run, f"{unit}.service")) if unit else set()

    def active(self) -> bool:
        """Return whether the unit is running."""
        return self._main_pid() > 0

    def idle(self, names: Sequence[str]) -> list[Unit]:
        """Return those of the units that are not running or not enabled, except those in maintenance."""
        idle = [unit for unit in self._show(names) if not (unit.running and (unit.enabled or self._kept(unit.name)))]
        return [unit for unit in idle if maintenance_since(unit.name) is None]

    def start(self, units: Sequence[Unit]) -> None:
        """Enable the units, the daemon's own only if ``enables``, and start them in turn. Raises ServiceError."""
        cursor = self._cursor() if units else ""
        for unit in units:
            start = ["start"] if self._kept(unit.name) else ["enable", "--quiet", "--now"]
            rc, _dummy, err = self._run(["systemctl", *start, unit.name])
            if rc != 0:
                raise ServiceError(f"{unit.name} does not start", self._journal(cursor, unit.name) or err)

    def stop(self, units: Sequence[Unit]) -> None:
        """Undo :meth:`start`. Raises ServiceError."""
        for unit in units:
            if not unit.running:
                self._output(["systemctl", "stop", unit.name])
            if not (unit.enabled or self._kept(unit.name)):
                self._output(["systemctl", "disable", "--quiet", unit.name])

    def _kept(self, name: str) -> bool:
        """Return whether starting at boot is the user's matter, as for the daemon's own unit with ``enables`` false."""
        return name == self.unit and not self._enables

    def reload(self) -> None:
        """Reload the unit. Raises ServiceError if the daemon dies or does not confirm the reload in time."""
        pid = self._main_pid()
        before = children(pid)
        cursor, log_size = self._cursor(), self._log_size()

        def failure(what: str, output: str = "") -> ServiceError:
            return ServiceError(f"{self.unit} {what}", self._logged(cursor, log_size) or output)

        rc, _dummy, err = self._run(["systemctl", "reload", self.unit])
        if rc != 0:
            raise failure("does not reload", err)
        deadline = time.monotonic() + self._timeout_s
        while not self._reloaded(pid, before, cursor):
            present = self._main_pid()
            if present != pid:
                # A haproxy without a master is replaced by another process.
                if present and not before and not self._daemon.reloaded:
                    return
                raise failure("died on reload")
            if time.monotonic() > deadline:
                raise failure(f"did not confirm the reload within {self._timeout_s:g} s")
            time.sleep(0.02)

    def restart(self) -> None:
        """Restart the unit. Raises ServiceError if it does not come back."""
        cursor = self._cursor()
        rc, _dummy, err = self._run(["systemctl", "restart", self.unit])
        if rc != 0:
            raise ServiceError(f"{self.unit} does not restart", self._journal(cursor) or err)

    def reload_units(self) -> None:
        """Make systemd read its unit files again. Raises ServiceError."""
        self._output(["systemctl", "daemon-reload"])

    def recover(self) -> None:
        """Make the unit run the files on disk, whether it is still running or not. Raises ServiceError."""
        if self.active():
            self.reload()
        else:
            self.restart()

    def _reloaded(self, pid: int, before: set[int], cursor: str) -> bool:
        if self._daemon.reloaded:
            return self._daemon.reloaded in self._journal(cursor)
        return bool(children(pid) - before)

    def _show(self, names: Sequence[str]) -> list[Unit]:
        properties = "--property=ActiveState,UnitFileState,MainPID"
        return parse_units(names, self._output(["systemctl", "show", properties, *names]) if names else "")

    def _main_pid(self) -> int:
        unit = self._show([self.unit])[0]
        return unit.pid if unit.running else 0

    def _cursor(self) -> str:
        output = self._output(["journalctl", "--quiet", "--lines=0", "--show-cursor"])
        return output.rpartition("-- cursor: ")[2].strip()

    def _journal(self, cursor: str, unit: str = "") -> str:
        since = ["--after-cursor=" + cursor] if cursor else []
        return self._output(["journalctl", "--quiet", "--output=cat", "--unit=" + (unit or self.unit), *since])

    def _log_size(self) -> int:
        log = self._daemon.error_log
        return os.path.getsize(log) if log and os.path.exists(log) else 0

    def _logged(self, cursor: str, log_size: int) -> str:
        log = self._daemon.error_log
        if log and os.path.exists(log):
            with open(log, encoding="utf-8", errors="replace") as stream:
                stream.seek(log_size)
                logged = stream.read()
        else:
            logged = self._journal(cursor)
        # A daemon that retries logs every line again.
        return "\n".join(dict.fromkeys(logged.splitlines()))

    def _output(self, argv: list[str]) -> str:
        rc, out, err = self._run(argv)
        if rc != 0:
            raise ServiceError("{} failed with exit code {}".format(" ".join(argv), rc), err)
        return out
