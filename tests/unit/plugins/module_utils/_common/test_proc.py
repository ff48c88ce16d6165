# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common.proc import children, parse_stat, read_stat

ABSENT = 2**22 + 1
"""One more than the kernel's highest process id."""

# /proc/PID/stat of nginx's master on Debian 12, with the worst possible name.
STAT = (
    "595 (ngi) nx 1) S 1 595 595 0 -1 4194624 1131 6033 0 0 0 0 3 5 20 0 1 0 75923 11472896 455 18446744073709551615"
    " 1 1 0 0 0 0 0 1073746048 402745863 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
)


def test_state_and_start() -> None:
    assert parse_stat(STAT) == ("S", 75923)


@pytest.mark.parametrize("text", ["", "595 (nginx) S 1 595"])
def test_a_process_that_ends_while_it_is_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"^the process has ended$"):
        parse_stat(text)


def test_a_child_is_there_until_it_is_collected() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in children(os.getpid())
        assert read_stat(child.pid)[1] >= read_stat(os.getpid())[1]
    assert child.pid not in children(os.getpid())


def test_a_process_that_is_not_there() -> None:
    assert children(ABSENT) == set()
    with pytest.raises(FileNotFoundError):
        read_stat(ABSENT)
