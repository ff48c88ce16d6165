# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A check that keepalived does not run is named with its line and the reason."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.scripts import explain, script_line

LINES: list[tuple[str, tuple[int, str] | None]] = [
    ('vrrp_script chk {\n\n  script "killall -0 haproxy"\n}\n', (3, "killall")),
    ("vrrp_script other {\n script a\n}\nvrrp_script chk\n{\n script /b c ! d\n}\n", (6, "/b")),
    ("vrrp_script \"chk\" {\n script 'b c'\n}\n", (2, "b")),
    ("vrrp_script chk{\n script b\n}\n", (2, "b")),
    ("vrrp_script chk {\n # script b\n weight 2\n}\n", None),
    ("vrrp_script other {\n script b\n}\n", None),
    ('vrrp_script chk {\n script "b\n}\n', None),
]


@pytest.mark.parametrize(("text", "expected"), LINES)
def test_script_line(text: str, expected: tuple[int, str] | None) -> None:
    assert script_line("chk", text) == expected


SAID = "Disabling track script chk since not found/accessible"
EXPLAINED: list[tuple[str, str, str]] = [
    (SAID, "killall -0 x", f"{SAID}: line 2: no killall in keepalived's PATH, so keepalived never runs this check"),
    (
        SAID,
        "/a/check.sh",
        f"{SAID}: line 2: /a/check.sh does not exist, or is not a file, so keepalived never runs this check",
    ),
    (SAID.replace("chk", "included"), "killall", SAID.replace("chk", "included")),
    ("Unknown keyword 'chk'", "killall", "Unknown keyword 'chk'"),
]


@pytest.mark.parametrize(("said", "script", "expected"), EXPLAINED)
def test_explain(said: str, script: str, expected: str) -> None:
    assert explain(said, f"vrrp_script chk {{\n script {script}\n}}\n") == expected
