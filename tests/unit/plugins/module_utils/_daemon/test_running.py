# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.running import Stray, program, stray


def process(proc: Path, number: int, name: str, parent: int, cgroup: str = "", **namespaces: str) -> None:
    folder = proc / str(number)
    (folder / "ns").mkdir(parents=True)
    (folder / "comm").write_text(f"{name}\n")
    (folder / "status").write_text(f"Name:\t{name}\nPid:\t{number}\nPPid:\t{parent}\n")
    (folder / "cgroup").write_text(cgroup)
    for kind in ("net", "pid"):
        (folder / "ns" / kind).symlink_to(namespaces.get(kind, f"{kind}:[1]"))


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    process(tmp_path, 10, "bash", 1)
    (tmp_path / "self").symlink_to(tmp_path / "10")
    process(tmp_path, 20, "nginx", 5, "0::/docker/x\n", pid="pid:[2]")
    process(tmp_path, 21, "nginx", 1, net="net:[2]")
    return tmp_path


def test_a_daemon_outside_of_its_unit(proc: Path) -> None:
    assert stray("nginx", str(proc)) is None
    process(proc, 31, "nginx", 99, "12:cpu:/x\n1:name=systemd:/docker/y/system.slice/keepalived.service\n")
    process(proc, 30, "nginx", 31)
    assert stray("nginx", str(proc)) == Stray(31, "keepalived.service")
    process(proc, 40, "haproxy", 1, "0::/user.slice/user-0.slice/session-1.scope\n")
    assert stray("haproxy", str(proc)) == Stray(40, "")


def test_program(tmp_path: Path) -> None:
    exe = os.path.realpath(sys.executable)
    link = tmp_path / "python"
    link.symlink_to(exe)
    assert program(os.getpid(), f"{{ path={link} ; argv[]={link} -x ; }}") == str(link)
    assert program(os.getpid(), "{ path=/bin/sh ; argv[]=/bin/sh -c x ; }") == exe
    assert program(os.getpid(), "") == exe
