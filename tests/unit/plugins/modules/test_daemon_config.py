# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of a transaction, and that a failure at any step leaves everything as it was."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemons import DAEMONS
from ansible_collections.haproof.balancer.plugins.module_utils._files import File, FileSet
from ansible_collections.haproof.balancer.plugins.module_utils._packed import pack
from ansible_collections.haproof.balancer.plugins.module_utils._service import Service, ServiceError, Unit
from ansible_collections.haproof.balancer.plugins.modules.daemon_config import (
    Plan,
    apply,
    check_paths,
    default_mode,
    masks,
    secrets_of,
    wanted_file,
)

USER = pwd.getpwuid(os.getuid()).pw_name
GROUP = grp.getgrgid(os.getgid()).gr_name


class Recorder(Service):
    """Notes what it is told; fails once at the step named ``broken``."""

    def __init__(self, broken: str = "", running: bool = True) -> None:
        super().__init__(lambda _argv: (0, "", ""), lambda _words: None, DAEMONS["keepalived"], "keepalived", 1.0)
        self.steps: list[str] = []
        self._broken = broken
        self._running = running

    def _note(self, step: str) -> None:
        self.steps.append(step)
        if step == self._broken:
            self._broken = ""
            raise ServiceError(f"{step} failed", "its words")

    def check(self, path: str, dest: str) -> None:  # noqa: ARG002
        self._note("check")

    def check_addresses(self, before: bytes, after: bytes) -> None:
        assert (before, after) == (b"before", b"after")

    def active(self) -> bool:
        return self._running

    def start(self, units: object) -> None:
        if units:
            self._note("start")

    def stop(self, units: object) -> None:
        if units:
            self._note("stop")

    def reload(self) -> None:
        self._note("reload")

    def restart(self) -> None:
        self._note("restart")

    def recover(self) -> None:
        self._note("recover")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Write the configuration and a unit anew, and remove a drop-in; the unit needs a restart."""
    for name in ("daemon.conf", "unit", "drop-in"):
        (tmp_path / name).write_text("before")
    target, unit = (File(str(tmp_path / name), b"after", USER, GROUP, 0o644) for name in ("daemon.conf", "unit"))
    return Plan(target, [unit, target], [str(tmp_path / "drop-in")], [], [unit.dest])


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def run(plan: Plan, service: Service) -> bool:
    return apply(FileSet(lambda _staged, _dest: None), service, plan)


def test_a_unit_that_changes_restarts_after_the_check(tmp_path: Path, plan: Plan) -> None:
    service = Recorder()
    assert run(plan, service)
    assert service.steps == ["check", "restart"]
    assert texts(tmp_path) == {"daemon.conf": "after", "unit": "after"}


def test_other_files_reload(plan: Plan) -> None:
    service = Recorder()
    assert run(plan._replace(restart_on=["/etc/systemd/system/another.service"]), service)
    assert service.steps == ["check", "reload"]


def test_a_service_that_does_not_run_is_only_started(plan: Plan) -> None:
    service = Recorder(running=False)
    assert not run(plan._replace(idle=[Unit("keepalived", False, True, 0)]), service)
    assert service.steps == ["check", "start"]


@pytest.mark.parametrize(
    ("broken", "restart", "expected"),
    [
        ("check", True, ["check"]),
        ("restart", True, ["check", "restart", "restart"]),
        ("reload", False, ["check", "reload", "recover"]),
    ],
)
def test_a_failure_puts_everything_back(
    tmp_path: Path, plan: Plan, broken: str, restart: bool, expected: list[str]
) -> None:
    service = Recorder(broken)
    with pytest.raises(ServiceError, match=f"{broken} failed; everything was put back as it was"):
        run(plan if restart else plan._replace(restart_on=[]), service)
    assert service.steps == expected
    assert texts(tmp_path) == dict.fromkeys(("daemon.conf", "unit", "drop-in"), "before")


@pytest.mark.parametrize(
    ("mode", "secret", "expected"), [(None, False, 0o644), (None, True, 0o600), ("0640", True, 0o640)]
)
def test_modes(mode: str | None, secret: bool, expected: int) -> None:
    options = {"dest": "/a", "content": pack(""), "owner": "root", "group": "root", "mode": mode, "secret": secret}
    assert wanted_file(options).mode == expected


def test_a_mode_must_be_octal() -> None:
    with pytest.raises(ValueError, match=r"^/a: mode 'rw' is not octal; write '0644'$"):
        wanted_file({"dest": "/a", "content": pack(""), "owner": "root", "group": "root", "mode": "rw"})


def test_content_must_be_packed() -> None:
    with pytest.raises(ValueError, match=r"^/a: content is not packed, for the module ran without its action plugin$"):
        wanted_file({"dest": "/a", "content": "s3cret", "owner": "root", "group": "root", "mode": "0644"})


def test_secrets_are_the_named_ones_and_those_in_secret_files() -> None:
    files = [
        {"secret": True, "content": pack("k\u00e9y\n")},
        {"secret": False, "content": pack("page")},
        {"secret": True, "content": None},
    ]
    assert secrets_of({"secrets": [pack("word")], "files": files}) == ["word", "k\u00e9y\n"]


PLAIN = {"dest": "/etc/a", "files": [{"dest": "/etc/b"}], "absent": ["/etc/c"], "restart_on": ["/etc/b"]}


def test_plain_paths_pass() -> None:
    check_paths(PLAIN)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dest": "/etc/a\n/etc/b"}, r"'/etc/a\\n/etc/b' holds a line break or control character"),
        ({"files": [{"dest": "b"}]}, "'b' is not an absolute path"),
        ({"absent": ["/etc/../c"]}, "'/etc/../c' is another spelling of '/c'; write that"),
        ({"restart_on": ["//etc/b"]}, "'//etc/b' is another spelling of '/etc/b'; write that"),
        ({"absent": ["/etc/b"]}, "/etc/b is named twice; let it be one file, or absent"),
        ({"files": [{"dest": "/etc/a"}]}, "/etc/a is named twice; let it be one file, or absent"),
    ],
)
def test_other_paths_are_refused(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        check_paths({**PLAIN, **changed})


@pytest.mark.parametrize(
    ("dest", "content", "secret", "expected"),
    [
        ("/a.conf", b"", False, "0644"),
        ("/a.conf", b"proxy_set_header Authorization abc;", False, "0640"),
        ("/page.html", b"proxy_set_header Authorization abc;", False, "0644"),
        ("/page.html", b"", True, "0600"),
    ],
)
def test_what_holds_secrets_is_not_for_others(dest: str, content: bytes, secret: bool, expected: str) -> None:
    assert default_mode(dest, content, secret) == expected


def test_masks_know_what_is_in_the_files() -> None:
    def file(dest: str, text: str) -> File:
        return File(dest, text.encode(), USER, GROUP, 0o600)

    files = [
        file("/main", "stats auth admin:former\nuser x password stays\n"),
        file("/main", "stats auth admin:new-one\n"),
        file("/key", "-----BEGIN KEY-----\nMIIE\n"),
        file("/snippet", "unheard_of thing;\n"),
        file("/page.txt", "password=page\n"),
    ]
    mask, mask_words = masks(["named"], "/main", {"/key", "/snippet"}, files)
    text = "named former new-one stays MIIE thing page"
    assert mask(text) == "******** ******** ******** ******** ******** thing page"
    assert mask_words(text) == "******** ******** ******** ******** ******** ******** page"
