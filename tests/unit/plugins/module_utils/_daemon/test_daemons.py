# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.daemons import DAEMONS, judge

STAGED = "/etc/keepalived/.keepalived.conf.x1"
DEST = "/etc/keepalived/keepalived.conf"

CASES: list[tuple[str, str, int, str, str | None, list[str]]] = [
    ("silence", "nginx", 0, "", None, []),
    (
        "a warning",
        "haproxy",
        0,
        "[WARNING]  (1) : no timeout\nConfiguration file is valid\n",
        None,
        ["[WARNING]  (1) : no timeout"],
    ),
    (
        "a server without an address",
        "haproxy",
        0,
        "[NOTICE]   (1) : config : [x:2] : 'server b/s' : could not resolve address 'gone.lab', disabling server.\n"
        "Configuration file is valid\n",
        None,
        ["[NOTICE]   (1) : config : [x:2] : 'server b/s' : could not resolve address 'gone.lab', disabling server."],
    ),
    (
        "nginx names the staged file",
        "nginx",
        1,
        f'nginx: [emerg] unknown directive "foo" in {STAGED}:2\nnginx: configuration file {STAGED} test failed\n',
        f'nginx: [emerg] unknown directive "foo" in {DEST}:2\nnginx: configuration file {DEST} test failed',
        [],
    ),
    ("no output", "haproxy", 1, "", "exit code 1 without output", []),
    (
        "keepalived says everything three times",
        "keepalived",
        5,
        f"({STAGED}: Line 7) Unknown keyword 'foo'\n" * 3,
        f"({DEST}: Line 7) Unknown keyword 'foo' (if this is intended, set keepalived_accept: [unknown_keyword])",
        [],
    ),
    (
        "keepalived corrects something harmless",
        "keepalived",
        5,
        "(Line 9) VS [192.0.2.10]:tcp:80 and RS ports don't match - resetting\n",
        None,
        ["(Line 9) VS [192.0.2.10]:tcp:80 and RS ports don't match - resetting"],
    ),
    (
        "harmless and not",
        "keepalived",
        5,
        "ports don't match - resetting\n(VI_1) Priority not valid! must be between 1 & 255. Using default 100\n",
        "ports don't match - resetting\n(VI_1) Priority not valid! must be between 1 & 255. Using default 100",
        [],
    ),
    ("a silent failure is one", "keepalived", 4, "", "exit code 4 without output", []),
    ("a crash is a rejection", "keepalived", -11, "", "exit code -11 without output", []),
    ("a crash after a remark", "keepalived", -11, "x is deprecated\n", "x is deprecated", []),
]


@pytest.mark.parametrize(
    ("daemon", "rc", "output", "rejection", "warnings"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_judge(daemon: str, rc: int, output: str, rejection: str | None, warnings: list[str]) -> None:
    assert judge(DAEMONS[daemon], rc, output, STAGED, DEST) == (rejection, warnings)


VIOLATION = "SECURITY VIOLATION - scripts are being executed but script_security not enabled."
DISABLED = "Disabling track script chk since not found/accessible"
UNKNOWN = "(/etc/keepalived/keepalived.conf: Line 8) Unknown keyword 'smtp_connection_timeout'"
TEXT = 'vrrp_script chk {\n    script "pgrep -x nginx"   # a comment\n}\n'
TOLD_VIOLATION = f"{VIOLATION} (if this is intended, set keepalived_accept: [script_security])"
TOLD_DISABLED = (
    f"{DISABLED}: line 2: no pgrep in keepalived's PATH, so keepalived never runs this check"
    " (if this is intended, set keepalived_accept: [script_missing])"
)
ACCEPTED: list[tuple[str, list[str], str | None, list[str]]] = [
    (VIOLATION, [], TOLD_VIOLATION, []),
    (VIOLATION, ["weight", "script_security"], None, [VIOLATION]),
    (DISABLED, [], TOLD_DISABLED, []),
    (DISABLED, ["script_security"], TOLD_DISABLED, []),
    (f"{VIOLATION}\n{DISABLED}", ["script_security", "script_missing"], None, [VIOLATION, DISABLED]),
    (UNKNOWN, [], f"{UNKNOWN} (if this is intended, set keepalived_accept: [unknown_keyword])", []),
    (UNKNOWN, ["unknown_keyword"], None, [UNKNOWN]),
    (f"{VIOLATION}\nbad", ["script_security"], f"{VIOLATION}\nbad", []),
]


@pytest.mark.parametrize(("output", "accepted", "rejection", "warnings"), ACCEPTED)
def test_what_works_all_the_same_can_be_accepted(
    output: str, accepted: list[str], rejection: str | None, warnings: list[str]
) -> None:
    daemon = DAEMONS["keepalived"].accepting(accepted)
    assert judge(daemon, 6, output, STAGED, DEST, TEXT) == (rejection, warnings)


def test_the_check_of_keepalived_outlives_its_own_signal() -> None:
    shell = DAEMONS["keepalived"].check[:3]
    suicide = [*shell, "/bin/sh", "-c", "kill -TERM $$; echo alive"]
    assert subprocess.run(suicide, capture_output=True, check=True, text=True).stdout == "alive\n"


def test_a_daemon_elsewhere_is_the_one_that_checks() -> None:
    elsewhere = DAEMONS["keepalived"].at("/opt/keepalived/sbin/keepalived")
    assert elsewhere.check[-3:] == ("/opt/keepalived/sbin/keepalived", "-t", "-f")
    assert elsewhere.reloaded == DAEMONS["keepalived"].reloaded
    assert DAEMONS["nginx"].at("nginx") == DAEMONS["nginx"]
