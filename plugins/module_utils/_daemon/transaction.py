# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of a daemon's files that is carried out, or undone, as a whole.

The former files are kept until the daemon has taken the new ones, and a mark says from before the first change until
then what it has to take, so the run that follows one that was killed carries on.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Callable, Iterable, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._daemon.files import (
    File,
    FileSet,
    put_back_killed,
    read,
    sweep,
)
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.service import Service, ServiceError, Unit
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.unfinished import Mark, Unfinished


class Plan(NamedTuple):
    """What there is to do: files to write (``target`` may be among them) and to remove, units to start.

    ``left`` is what a run that was killed has not finished.
    """

    target: File
    pending: list[File]
    gone: list[str]
    idle: list[Unit]
    restart_on: list[str]
    left: Unfinished | None = None

    @property
    def paths(self) -> list[str]:
        """Paths of all files that change."""
        return [*(file.dest for file in self.pending), *self.gone]

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.paths or self.idle or self.left)

    @property
    def restarts(self) -> bool:
        """Whether a running service has to be restarted."""
        return self.unfinished is not None and self.unfinished.restart

    @property
    def unfinished(self) -> Unfinished | None:
        """What the daemon and systemd have to take once the files are in place."""
        if not (self.paths or self.left):
            return None
        before = self.left or Unfinished(False, False, [])
        return Unfinished(
            restart=before.restart or any(path in self.restart_on for path in self.paths),
            units=before.units or any(path.startswith("/etc/systemd/") for path in self.paths),
            folders=sorted({*before.folders, *map(os.path.dirname, self.paths)}),
        )


def preview(files: FileSet, service: Service, plan: Plan, can_check: bool) -> bool:
    """Return what :func:`apply` would, and leave nothing behind.

    The daemon, if it *can_check*, looks at the new main file when no other file changes that it might need. Raises
    ServiceError when it refuses it, or would.
    """
    if can_check and plan.pending == [plan.target]:
        try:
            _check(service, files.stage(plan.target), plan.target)
        finally:
            files.restore()
    return plan.unfinished is not None and service.active()


def take_up(mark: Mark, check_mode: bool) -> Unfinished | None:
    """Return what a run that was killed has not finished, after its files were put back. Raises OSError."""
    left = mark.read()
    if left is None or check_mode:
        return left
    put_back_killed(left.former)
    return left._replace(former=())


def tidy(plan: Plan, folders: Iterable[str]) -> None:
    """Remove what a run that was killed has left in the folders, and in those that it used. Raises ServiceError."""
    try:
        sweep([*folders, *(plan.left.folders if plan.left else [])])
    except OSError as error:
        raise ServiceError(f"A file that an earlier run left cannot be removed: {error}") from error


def apply(files: FileSet, service: Service, plan: Plan, mark: Mark) -> bool:
    """Carry the plan out and return whether the service, which ran, was reloaded or restarted.

    The idle units are started, the service itself last. Raises ServiceError after everything was put back.
    """
    undo: list[Callable[[], None]] = []
    if not plan.changes:
        return False
    try:
        _carry_out(files, service, plan, mark, undo)
    except (ServiceError, OSError, LookupError) as error:
        output = error.output if isinstance(error, ServiceError) else ""
        failures = roll_back(files, service, plan, mark, undo)
        if failures:
            raise ServiceError(f"{error}, and undoing the change failed too: {'; '.join(failures)}", output) from error
        raise ServiceError(f"{error}; everything was put back as it was", output) from error
    try:
        if plan.unfinished:
            # The daemon has them: the next run must not put the former ones back.
            mark.write(plan.unfinished)
        files.settle()
        mark.write(None)
    except OSError as error:
        raise ServiceError(f"{service.unit} runs with its new files, and tidying up failed: {error}") from error
    return bool(undo)


def _carry_out(files: FileSet, service: Service, plan: Plan, mark: Mark, undo: list[Callable[[], None]]) -> None:
    """Carry the plan out; *undo* gets what brings the service back to the former files once it was touched."""
    unfinished = plan.unfinished
    staged = _stage(files, plan, mark)
    for path, file in staged:
        if file is not plan.target:
            files.swap(path, file.dest)
    for gone in plan.gone:
        files.remove(gone)
    if unfinished and unfinished.units:
        service.reload_units()
    service.start([unit for unit in plan.idle if unit.name != service.unit])
    for path, file in staged:
        if file is plan.target:
            _check(service, path, file)
            files.swap(path, file.dest)
    if plan.target not in plan.pending:
        service.check(plan.target.dest, plan.target.dest)
    if unfinished and service.active():
        undo.append(service.restart if plan.restarts else service.recover)
        (service.restart if plan.restarts else service.reload)()
    service.start([unit for unit in plan.idle if unit.name == service.unit])


def _stage(files: FileSet, plan: Plan, mark: Mark) -> list[tuple[str, File]]:
    """Write the new files beside their places, and into the mark how to undo what follows."""
    unfinished = plan.unfinished
    if unfinished is None:
        return []
    mark.write(unfinished)
    staged = [(files.stage(file), file) for file in plan.pending]
    mark.write(unfinished._replace(former=files.record(staged, plan.gone)))
    return staged


def _check(service: Service, staged: str, wanted: File) -> None:
    service.check(staged, wanted.dest)
    former = read(wanted.dest)
    service.check_addresses(former.content if former else b"", wanted.content)


def roll_back(files: FileSet, service: Service, plan: Plan, mark: Mark, undo: list[Callable[[], None]]) -> list[str]:
    """Undo :func:`apply` as far as possible, and return what failed."""
    failures: list[str] = []

    def attempt(step: Callable[[], None]) -> None:
        try:
            step()
        except (ServiceError, OSError) as error:
            failures.append(str(error))

    for unit in plan.idle:
        attempt(partial(service.stop, [unit]))
    failures += files.restore()
    if plan.unfinished and plan.unfinished.units:
        attempt(service.reload_units)
    for step in undo:
        attempt(step)
    if not failures:
        # The service that was brought back has taken the former files, whatever an earlier run had left.
        attempt(partial(mark.write, None if undo else plan.left))
    return failures
