# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.disk import restarts

# What keepalived 2.2.7 says.
SAID = """\
Reload complete
pid 687 exited due to signal 9 (Killed) - has rlimit_rttime been exceeded?
VRRP child process(687) died: Respawning
  Please log an issue at https://github.com/acassen/keepalived/issues/
Starting VRRP child process, pid=5089
"""


def test_restarts_are_read_from_the_journal_of_the_one_that_runs() -> None:
    asked: list[list[str]] = []

    def run(argv: list[str]) -> tuple[int, str, str]:
        asked.append(argv)
        return 0, SAID, ""

    assert restarts(run, 686) == ["VRRP child process(687) died: Respawning"]
    assert {"_PID=686", "--boot"} <= set(asked[0])
