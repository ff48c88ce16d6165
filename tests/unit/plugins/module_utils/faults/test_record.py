# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host remembers of its faults."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import FaultError
from ansible_collections.haproof.balancer.plugins.module_utils._faults.record import (
    Record,
    Records,
    base_folder,
    systemd_moment_s,
)

RECORD = Record("service_stop", "", "nginx", {"service": "nginx"}, [[["true"], [], False]], 130.0, 100.0, False)


def test_written_and_read(tmp_path: Path) -> None:
    records = Records(str(tmp_path / "drill"))
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
    assert Records(str(tmp_path)).names() == [], "a run file is no fault"


def test_unreadable_record_is_an_error(tmp_path: Path) -> None:
    records = Records(str(tmp_path))
    records.create("service_stop", {})
    (tmp_path / "service_stop" / "record.json").write_text("{")
    with pytest.raises(
        FaultError, match=r"^cannot read .*/service_stop/record.json \(.*\): run sh .*/service_stop/heal"
    ):
        records.active()


def test_folder_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "drill").symlink_to("elsewhere")
    with pytest.raises(FaultError, match=r"drill belongs to somebody else: remove it$"):
        Records(str(tmp_path / "drill")).create("service_stop", {})


def test_moments(tmp_path: Path) -> None:
    records = Records(str(tmp_path))
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


def test_base_folder(tmp_path: Path) -> None:
    assert base_folder(0, {"XDG_RUNTIME_DIR": str(tmp_path)}) == "/run/haproof-drill"
    assert base_folder(4711, {"XDG_RUNTIME_DIR": str(tmp_path)}) == f"{tmp_path}/haproof-drill"
    assert base_folder(4711, {}) == "/tmp/haproof-drill-4711"  # noqa: S108
