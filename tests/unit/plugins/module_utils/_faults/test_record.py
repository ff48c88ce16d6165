# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host remembers of its faults."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common.boot import current_boot
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import FaultError
from ansible_collections.haproof.balancer.plugins.module_utils._faults.record import (
    FaultRecord,
    base_folders,
    systemd_moment_s,
)

from .faults_host import records_in

RECORD = FaultRecord("service_stop", "", "nginx", {"service": "nginx"}, [[["true"], [], False]], 130.0, 100.0, False)


def test_written_and_read(tmp_path: Path) -> None:
    records = records_in(tmp_path / "drill")
    assert records.active() == []
    records.create("service_stop", {"heal": "exit 0\n"})
    records.write(RECORD)
    assert records.active() == [RECORD]
    assert Path(records.script("service_stop")).read_text() == "exit 0\n"
    assert os.stat(records.folder("service_stop")).st_mode & 0o777 == 0o700
    records.remove("service_stop")
    assert records.names() == []


def test_names_of_nodes(tmp_path: Path) -> None:
    assert RECORD._replace(fault="node_freeze", node="lb01").name == "node_freeze-lb01"
    (tmp_path / "probe.run").touch()
    assert records_in(tmp_path).names() == [], "a run file is no fault"


def test_unreadable_record_is_an_error(tmp_path: Path) -> None:
    records = records_in(tmp_path)
    records.create("service_stop", {})
    (tmp_path / "service_stop" / "record.json").write_text("{")
    with pytest.raises(
        FaultError, match=r"^cannot read .*/service_stop/record.json \(.*\): run sh .*/service_stop/heal"
    ):
        records.active()


def test_folder_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "drill").symlink_to("elsewhere")
    for use in (lambda records: records.create("service_stop", {}), lambda records: records.active()):
        with pytest.raises(FaultError, match=r"drill is a symbolic link: remove it"):
            use(records_in(tmp_path / "drill"))


def test_moments(tmp_path: Path) -> None:
    records = records_in(tmp_path)
    records.create("service_stop", {})
    assert records.healed_s("service_stop") is None
    assert records.injected_s(RECORD) == 100.0
    delayed = RECORD._replace(delayed=True)
    assert records.injected_s(delayed) is None
    (tmp_path / "service_stop" / "injected").write_text("ExecMainStartTimestampMonotonic=98500000\n")
    (tmp_path / "service_stop" / "healed").write_text("131.25\n")
    assert records.injected_s(delayed) == 98.5
    assert records.healed_s("service_stop") == 131.25


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ExecMainStartTimestampMonotonic=2248205278", 2248.205278),
        ("ExecMainStartTimestampMonotonic=0", None),
        ("ExecMainStartTimestampMonotonic=", None),
        ("", None),
    ],
)
def test_systemd_moment(text: str, expected: float | None) -> None:
    assert systemd_moment_s(text) == expected


def test_base_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def homes(uid: int) -> SimpleNamespace:
        return SimpleNamespace(pw_dir={1: str(tmp_path), 2: "/nonexistent", 3: "/"}[uid])

    monkeypatch.setattr(pwd, "getpwuid", homes)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/elsewhere")
    assert base_folders(0) == ("/run/haproof-drill", "/var/lib/haproof-drill")
    assert base_folders(1) == (f"{tmp_path}/.local/state/haproof-drill/{os.uname().nodename}",) * 2
    # Nobody in the list of users has this number either.
    for uid in (2, 3, 4):
        assert base_folders(uid) == (f"/tmp/haproof-drill-{uid}",) * 2  # noqa: S108 - only the name


def test_what_a_boot_does_not_end_is_kept_where_it_lasts(tmp_path: Path) -> None:
    records = records_in(tmp_path)
    broken = RECORD._replace(fault="keepalived_bad_config", boot="before")
    for record in (RECORD, broken):
        records.create(record.name, {})
        records.write(record)
    assert [path.name for path in (tmp_path / "lasting").iterdir()] == ["keepalived_bad_config"]
    assert records.active() == [broken, RECORD]
    # Its moments are those of another clock.
    assert records.injected_s(broken) is None
    assert records.injected_s(broken._replace(boot=current_boot())) == 100.0


def test_what_others_may_write_is_not_believed(tmp_path: Path) -> None:
    records = records_in(tmp_path)
    records.create("service_stop", {"heal": "exit 0\n"})
    records.write(RECORD)
    assert records.own_script("service_stop") == f"{tmp_path}/service_stop/heal"
    for path in ("service_stop/heal", "service_stop/record.json", "service_stop", ""):
        mode = os.stat(tmp_path / path).st_mode
        os.chmod(tmp_path / path, mode | 0o020)
        with pytest.raises(FaultError, match=r"may be written by other users"):
            (records.own_script("service_stop"), records.active())
        os.chmod(tmp_path / path, mode)
    assert records.active() == [RECORD]


def test_script_must_be_no_link(tmp_path: Path) -> None:
    records = records_in(tmp_path)
    records.create("service_stop", {})
    os.symlink("/bin/true", records.script("service_stop"))
    with pytest.raises(FaultError, match=r"heal is a symbolic link: remove it$"):
        records.own_script("service_stop")
