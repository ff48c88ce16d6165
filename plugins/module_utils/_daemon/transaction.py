# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of a daemon's files that is applied, or rolled back, as a whole.

The former files are kept until the daemon has accepted the new ones. From before the first change until then a mark
records what is left to do, so that the run after a killed one can continue.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Callable, Iterable, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._daemon.files import (
    File,
    FileSet,
    read,
    roll_back_killed,
    sweep,
)
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.service import Service, ServiceError, Unit
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.unfinished import Mark, Unfinished

Step = Callable[[], None]


def _nothing() -> None:
    """Do nothing: a Step."""


class Transaction(NamedTuple):
    """The changes to make: files to write (``target`` may be among them) and to remove, units to start.

    ``left`` is what a killed run left undone.
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
        """Whether a running service must be restarted."""
        return self.unfinished is not None and self.unfinished.restart

    @property
    def unfinished(self) -> Unfinished | None:
        """The actions that remain for the daemon and systemd once the files are in place."""
        if not (self.paths or self.left):
            return None
        before = self.left or Unfinished(False, False, [])
        return Unfinished(
            restart=before.restart or any(path in self.restart_on for path in self.paths),
            units=before.units or any(path.startswith("/etc/systemd/") for path in self.paths),
            folders=sorted({*before.folders, *map(os.path.dirname, self.paths)}),
        )


def preview(files: FileSet, service: Service, transaction: Transaction, can_check: bool) -> bool:
    """Return what :func:`apply` would, and leave nothing behind.

    The daemon, if it *can_check*, checks the new main file if no other file changes that it might need. Raises
    ServiceError if it rejects it.
    """
    if can_check and transaction.pending == [transaction.target]:
        try:
            _check(service, files.stage(transaction.target), transaction.target)
        finally:
            files.restore()
    return transaction.unfinished is not None and service.active()


def take_up(mark: Mark, check_mode: bool) -> Unfinished | None:
    """Restore the files of a killed run, and return what it left undone. Raises OSError."""
    left = mark.read()
    if left is None or check_mode:
        return left
    roll_back_killed(left.former)
    return left._replace(former=())


def tidy(transaction: Transaction, folders: Iterable[str]) -> None:
    """Remove the leftovers of a killed run from the directories, and from those that it used. Raises ServiceError."""
    try:
        sweep([*folders, *(transaction.left.folders if transaction.left else [])])
    except OSError as error:
        raise ServiceError(f"a leftover file of an earlier run cannot be removed: {error}") from error


def apply(files: FileSet, service: Service, transaction: Transaction, mark: Mark, settle: Step = _nothing) -> bool:
    """Make the changes and return whether the running service was reloaded or restarted.

    The idle units are started, the service itself last. *settle* waits until the service does its work again, also with
    the former files; it raises ServiceError if it does not. Raises ServiceError after rolling back.
    """
    undo: list[Step] = []
    if not transaction.changes:
        return False
    try:
        _carry_out(files, service, transaction, mark, undo, settle)
    except (ServiceError, OSError, LookupError) as error:
        output = error.output if isinstance(error, ServiceError) else ""
        failures = roll_back(files, service, transaction, mark, undo)
        if failures:
            raise ServiceError(f"{error}, and the rollback failed too: {'; '.join(failures)}", output) from error
        raise ServiceError(f"{error}; all changes were rolled back", output) from error
    try:
        if transaction.unfinished:
            # The daemon has accepted the files: the next run must not restore the former ones.
            mark.write(transaction.unfinished)
        files.settle()
        mark.write(None)
    except OSError as error:
        raise ServiceError(f"{service.unit} runs with its new files, but cleaning up failed: {error}") from error
    return bool(undo)


def _carry_out(
    files: FileSet, service: Service, transaction: Transaction, mark: Mark, undo: list[Step], settle: Step
) -> None:
    """Make the changes; *undo* gets the steps that return the service to the former files once it was touched."""
    unfinished = transaction.unfinished
    staged = _stage(files, transaction, mark)
    for path, file in staged:
        if file is not transaction.target:
            files.swap(path, file.dest)
    for gone in transaction.gone:
        files.remove(gone)
    if unfinished and unfinished.units:
        service.reload_units()
    service.start([unit for unit in transaction.idle if unit.name != service.unit])
    for path, file in staged:
        if file is transaction.target:
            _check(service, path, file)
            files.swap(path, file.dest)
    if transaction.target not in transaction.pending:
        service.check(transaction.target.dest, transaction.target.dest)
    if unfinished and service.active():
        undo += [service.restart if transaction.restarts else service.recover, settle]
        (service.restart if transaction.restarts else service.reload)()
        settle()
    service.start([unit for unit in transaction.idle if unit.name == service.unit])


def _stage(files: FileSet, transaction: Transaction, mark: Mark) -> list[tuple[str, File]]:
    """Write the new files beside their destinations, and record in the mark how to undo the rest."""
    unfinished = transaction.unfinished
    if unfinished is None:
        return []
    mark.write(unfinished)
    staged = [(files.stage(file), file) for file in transaction.pending]
    mark.write(unfinished._replace(former=files.record(staged, transaction.gone)))
    return staged


def _check(service: Service, staged: str, wanted: File) -> None:
    service.check(staged, wanted.dest)
    former = read(wanted.dest)
    service.check_addresses(former.content if former else b"", wanted.content)


def roll_back(files: FileSet, service: Service, transaction: Transaction, mark: Mark, undo: list[Step]) -> list[str]:
    """Undo :func:`apply` as far as possible, and return what failed."""
    failures: list[str] = []

    def attempt(step: Step) -> None:
        try:
            step()
        except (ServiceError, OSError) as error:
            failures.append(str(error))

    for unit in transaction.idle:
        attempt(partial(service.stop, [unit]))
    failures += files.restore()
    if transaction.unfinished and transaction.unfinished.units:
        attempt(service.reload_units)
    for step in undo:
        attempt(step)
    if not failures:
        # The restored service has accepted the former files, whatever an earlier run had left undone.
        attempt(partial(mark.write, None if undo else transaction.left))
    return failures
