# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of a transaction, and the state after a failure, a full disk or a kill at each of its steps."""

from __future__ import annotations

import errno
import grp
import json
import os
import pwd
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon import unfinished
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.daemons import DAEMONS
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.files import File, FileSet, read
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.service import Service, ServiceError, Unit
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.transaction import (
    Transaction,
    apply,
    preview,
    take_up,
    tidy,
)
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.unfinished import Mark, Unfinished

USER = pwd.getpwuid(os.getuid()).pw_name
GROUP = grp.getgrgid(os.getgid()).gr_name
RESTART, RELOAD = Unfinished(True, False, []), Unfinished(False, False, [])
# The system calls of a transaction. On a full disk the first three fail.
CALLS = ("open", "link", "mkdir", "fsync", "replace", "rename", "unlink", "rmdir", "chmod")
ALLOCATING = CALLS[:3]


@pytest.fixture(autouse=True)
def _run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "FOLDER", str(tmp_path / "run"))


class Recorder(Service):
    """Records its calls; fails once at the step named ``broken``."""

    def __init__(self, broken: str = "", running: bool = True) -> None:
        super().__init__(lambda _argv: (0, "", ""), lambda _words: None, DAEMONS["keepalived"], "keepalived", 1.0)
        self.steps: list[str] = []
        self._broken = broken
        self._running = running

    def _note(self, step: str) -> None:
        self.steps.append(step)
        if step == self._broken:
            self._broken = ""
            raise ServiceError(f"{step} failed", "its output")

    def check(self, path: str, dest: str) -> None:  # noqa: ARG002 - Service's signature
        self._note("check")

    def check_addresses(self, before: bytes, after: bytes) -> None:
        pass

    def active(self) -> bool:
        return self._running

    def start(self, units: object) -> None:
        if units:
            self._note("start")

    def stop(self, units: object) -> None:  # noqa: ARG002 - Service's signature
        self._note("stop")

    def reload(self) -> None:
        self._note("reload")

    def restart(self) -> None:
        self._note("restart")

    def recover(self) -> None:
        self._note("recover")

    def reload_units(self) -> None:
        self._note("units")

    def settle(self) -> None:
        self._note("settle")


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """Create a directory for the files, apart from the marks."""
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder


@pytest.fixture
def transaction(etc: Path) -> Transaction:
    """Replace the configuration and a unit, and remove a drop-in; the unit needs a restart."""
    for name in ("daemon.conf", "unit", "drop-in"):
        (etc / name).write_text("before")
    target, unit = (File(str(etc / name), b"after", USER, GROUP, 0o644) for name in ("daemon.conf", "unit"))
    return Transaction(target, [unit, target], [str(etc / "drop-in")], [], [unit.dest])


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def file_set() -> FileSet:
    return FileSet(lambda _staged, _dest: None)


def run(transaction: Transaction, service: Recorder) -> bool:
    return apply(file_set(), service, transaction, Mark("keepalived"), service.settle)


def test_a_unit_that_changes_restarts_after_the_check(etc: Path, transaction: Transaction) -> None:
    service = Recorder()
    assert run(transaction, service)
    assert service.steps == ["check", "restart", "settle"]
    assert texts(etc) == {"daemon.conf": "after", "unit": "after"}
    assert Mark("keepalived").read() is None


def test_other_files_reload(transaction: Transaction) -> None:
    service = Recorder()
    assert run(transaction._replace(restart_on=["/etc/systemd/system/another.service"]), service)
    assert service.steps == ["check", "reload", "settle"]


def test_a_service_that_does_not_run_is_only_started(transaction: Transaction) -> None:
    service = Recorder(running=False)
    assert not run(transaction._replace(idle=[Unit("keepalived", False, True, 0)]), service)
    assert service.steps == ["check", "start"]


@pytest.mark.parametrize(
    ("broken", "restart", "expected"),
    [
        ("check", True, ["check"]),
        ("restart", True, ["check", "restart", "restart", "settle"]),
        ("reload", False, ["check", "reload", "recover", "settle"]),
        ("settle", False, ["check", "reload", "settle", "recover", "settle"]),
    ],
)
def test_a_failure_puts_everything_back(
    etc: Path, transaction: Transaction, broken: str, restart: bool, expected: list[str]
) -> None:
    service = Recorder(broken)
    with pytest.raises(ServiceError, match=f"{broken} failed; all changes were rolled back"):
        run(transaction if restart else transaction._replace(restart_on=[]), service)
    assert service.steps == expected
    assert texts(etc) == dict.fromkeys(("daemon.conf", "unit", "drop-in"), "before")


LEFT: list[tuple[Unfinished, list[str]]] = [
    (RELOAD, ["check", "reload", "settle"]),
    (RESTART, ["check", "restart", "settle"]),
    (RESTART._replace(units=True), ["units", "check", "restart", "settle"]),
]


@pytest.mark.parametrize(("left", "expected"), LEFT)
def test_what_an_earlier_run_left_is_done(transaction: Transaction, left: Unfinished, expected: list[str]) -> None:
    service = Recorder()
    Mark("keepalived").write(left)
    assert run(transaction._replace(pending=[], gone=[], left=left), service)
    assert service.steps == expected
    assert Mark("keepalived").read() is None


def test_what_an_earlier_run_left_stays_to_be_done_when_this_one_fails(transaction: Transaction) -> None:
    Mark("keepalived").write(RESTART)
    with pytest.raises(ServiceError, match="check failed"):
        run(transaction._replace(left=RESTART), Recorder("check"))
    assert Mark("keepalived").read() == RESTART


def test_nothing_to_do(transaction: Transaction) -> None:
    service = Recorder()
    assert not run(transaction._replace(pending=[], gone=[]), service)
    assert service.steps == []


def test_undoing_goes_on_and_reports_all_that_failed(
    etc: Path, transaction: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace
    service = Recorder("restart")

    def refuse(source: str, dest: str) -> None:
        if "restart" in service.steps and dest.endswith(("unit", "drop-in")):
            raise OSError(errno.EIO, "Input/output error", dest)
        replace(source, dest)

    monkeypatch.setattr(os, "replace", refuse)
    idle = [Unit(name, False, True, 0) for name in ("one", "two")]
    with pytest.raises(ServiceError, match="the rollback failed too") as failure:
        run(transaction._replace(idle=idle), service)
    for name in ("unit", "drop-in"):
        assert f"{etc / name} cannot be restored: [Errno 5] Input/output error" in str(failure.value)
    assert (etc / "daemon.conf").read_text() == "before"
    assert service.steps == ["start", "check", "restart", "stop", "stop", "restart", "settle"]
    unfinished = Mark("keepalived").read()
    assert unfinished
    assert unfinished.restart


class Host:
    """A small /etc and a daemon that, like systemd, records in a file what it has read."""

    def __init__(self, folder: Path) -> None:
        self.etc = folder / "etc"
        self.unit = self.etc / "systemd" / "unit"
        self.conf, self.key, self.old = (self.etc / name for name in ("daemon.conf", "key", "conf.d/old"))
        self.page = self.etc / "new" / "folder" / "page"
        self.memory = folder / "memory"

    def install(self) -> None:
        for path in (self.unit, self.conf, self.key, self.old):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"former {path.name}")
        self.key.chmod(0o600)
        self.old.chmod(0o640)
        Daemon(self, lambda _step: None).restart()

    def transaction(self) -> Transaction:
        """Return the transaction, as in the module."""
        modes = {self.unit: 0o644, self.key: 0o400, self.page: 0o644, self.conf: 0o640}
        wanted = [File(str(path), f"new {path.name}".encode(), USER, GROUP, mode) for path, mode in modes.items()]
        left = take_up(Mark("nginx"), check_mode=False)
        pending = [file for file in wanted if read(file.dest) != file]
        gone = [str(self.old)] if self.old.exists() else []
        return Transaction(wanted[-1], pending, gone, [], [str(self.unit)], left)

    def run(self, step: Callable[[str], None]) -> None:
        transaction = self.transaction()
        tidy(transaction, [str(path.parent) for path in (self.unit, self.conf, self.page, self.old)])
        apply(file_set(), Daemon(self, step), transaction, Mark("nginx"))

    def tree(self) -> dict[str, tuple[int, int, int, bytes]]:
        """Return all that is below /etc, with modes and owners."""
        found = {}
        for path in self.etc.rglob("*"):
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[str(path.relative_to(self.etc))] = (status.st_mode, status.st_uid, status.st_gid, content)
        return found

    def taken(self) -> dict[str, str]:
        """Return the daemon's running configuration."""
        taken: dict[str, str] = json.loads(self.memory.read_text())
        return taken


class Daemon(Recorder):
    """A host's daemon. It reads the unit only when it starts."""

    def __init__(self, host: Host, step: Callable[[str], None]) -> None:
        super().__init__()
        self._host = host
        self._step = step

    def _note(self, step: str) -> None:
        self._step(step)

    def reload(self) -> None:
        self._note("reload")
        files = {path.name: path.read_text() for path in (self._host.conf, self._host.key)}
        self._host.memory.write_text(json.dumps({**self._host.taken(), **files}))

    def restart(self) -> None:
        self._host.memory.write_text(json.dumps({"unit": self._host.unit.read_text()}))
        self.reload()

    def recover(self) -> None:
        self.reload()


class Steps:
    """Counts the steps of a run and acts at one of them, or from it on, if it is one of *names*."""

    def __init__(self, at: int, act: Callable[[], None], names: tuple[str, ...] = (), stays: bool = False) -> None:
        self.count = -1
        self._at, self._act, self._names, self._stays = at, act, names, stays

    def __call__(self, name: str) -> None:
        self.count += 1
        now = self.count >= self._at if self._stays else self.count == self._at
        if now and (not self._names or name in self._names):
            self._act()


def counted(steps: Steps, patch: pytest.MonkeyPatch) -> None:
    """Make *steps* count the system calls."""

    def call(name: str, original: Any, *args: Any, **options: Any) -> Any:
        # Opening an existing file takes no space.
        if name != "open" or args[1] & os.O_CREAT:
            steps(name)
        return original(*args, **options)

    for name in CALLS:
        patch.setattr(os, name, partial(call, name, getattr(os, name)))


def full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """Return new hosts in the state before the first run."""

    def fresh() -> Iterator[Host]:
        for number in range(1000):
            folder = tmp_path / str(number)
            monkeypatch.setattr(unfinished, "FOLDER", str(folder / "run"))
            host = Host(folder)
            host.install()
            yield host

    return fresh()


def wanted_state(host: Host) -> tuple[Any, Any]:
    host.run(lambda _step: None)
    return host.tree(), host.taken()


@pytest.mark.parametrize(("names", "stays"), [((), False), (ALLOCATING, True)], ids=["once", "full from then on"])
def test_a_failure_at_any_step_leaves_all_as_it_was(
    hosts: Iterator[Host], monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], stays: bool
) -> None:
    failed = 0
    for at, host in enumerate(hosts):
        before, taken = host.tree(), host.taken()
        with monkeypatch.context() as patch:
            steps = Steps(at, full, names, stays)
            counted(steps, patch)
            with suppress(ServiceError):
                host.run(steps)
                break
            assert steps.count >= at
        if (host.taken(), names) == (
            {**taken, "daemon.conf": "new daemon.conf", "key": "new key", "unit": "new unit"},
            (),
        ):
            # Only the kept files remain, which the next run removes.
            wanted_state(host)
            continue
        failed += 1
        assert (host.tree(), host.taken()) == (before, taken), f"step {at}"
        assert Mark("nginx").read() is None
    assert failed > 15
    assert host.transaction().changes is False


@pytest.mark.parametrize("reboot", [False, True])
def test_a_run_after_a_kill_at_any_step_ends_as_wanted(
    hosts: Iterator[Host], monkeypatch: pytest.MonkeyPatch, reboot: bool
) -> None:
    wanted = wanted_state(next(hosts))
    for at, host in killed_at(hosts, monkeypatch):
        if reboot:
            # The marks are gone, and the daemon starts with the files on disk.
            Mark("nginx").write(None)
            Daemon(host, lambda _step: None).restart()
        assert wanted_state(host) == wanted, f"step {at}"
        assert host.transaction().changes is False
    assert at > 40


def killed_at(hosts: Iterator[Host], monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Host]]:
    """Yield hosts whose runs were killed, each a step later, until one was not."""
    for at, host in enumerate(hosts):
        child = os.fork()
        if not child:
            with monkeypatch.context() as patch:
                steps = Steps(at, lambda: os.kill(os.getpid(), signal.SIGKILL))
                counted(steps, patch)
                host.run(steps)
                os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
        yield at, host


def refuse(step: str) -> None:
    if step == "check":
        raise ServiceError("check failed")


def test_a_run_that_is_refused_after_a_kill_leaves_all_former_files_or_all_new_ones(
    hosts: Iterator[Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    former = next(hosts).tree()
    new = wanted_state(next(hosts))[0]
    committed = 0
    for at, host in killed_at(hosts, monkeypatch):
        with suppress(ServiceError):
            host.run(refuse)
        found = {path: file for path, file in host.tree().items() if not path.startswith("new")}
        committed += found == {path: file for path, file in new.items() if not path.startswith("new")}
        assert found in (former, {path: file for path, file in new.items() if not path.startswith("new")}), f"step {at}"
        assert ("new/folder/page" in host.tree()) == (found != former), f"step {at}"
    assert 0 < committed < at / 2


def test_what_was_edited_after_a_kill_stays(hosts: Iterator[Host], monkeypatch: pytest.MonkeyPatch) -> None:
    for _at, host in killed_at(hosts, monkeypatch):
        host.key.write_text("edited")
        host.transaction()
        assert host.key.read_text() == "edited"


@pytest.mark.parametrize("broken", ["", "check"])
def test_a_preview_leaves_nothing(hosts: Iterator[Host], broken: str) -> None:
    host = next(hosts)
    before, page = host.tree(), File(str(host.page), b"x", USER, GROUP, 0o644)
    transaction = Transaction(page, [page], [], [], [])
    service = Recorder(broken)
    if broken:
        with pytest.raises(ServiceError, match="check failed"):
            preview(file_set(), service, transaction, can_check=True)
    else:
        assert preview(file_set(), service, transaction, can_check=True)
        assert not preview(file_set(), Recorder("check", running=False), transaction, can_check=False)
        assert preview(file_set(), service, transaction._replace(pending=[], left=RELOAD), can_check=True)
        assert not preview(file_set(), service, transaction._replace(pending=[]), can_check=True)
    assert service.steps == ["check"]
    assert host.tree() == before
