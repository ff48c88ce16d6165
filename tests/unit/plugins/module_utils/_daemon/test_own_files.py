# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a role has written, and what is removed because it lists it."""

from __future__ import annotations

import re

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.own_files import LISTED, listed
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.switches import files
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.tree import NOTHING


@pytest.mark.parametrize(
    "line",
    [
        "/etc/nginx/../passwd",
        "secret  /a",
        "etc/passwd",
        "/",
        "/etc/nginx/nginx.conf",
        "secret /etc/keepalived/keepalived.conf",
    ],
)
def test_a_damaged_list_removes_nothing(line: str) -> None:
    message = f"/list: the role did not write the line {line!r}; delete it, since listed files are removed"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        listed(["/a", line], "/list")
    assert listed(["/a", ""], "/list") == ["/a"]


def test_only_files_of_the_switches_are_listed_and_own() -> None:
    written = files({**NOTHING, "degraded": {"content": "d"}, "cache": {"size": "1g"}})
    assert [file["dest"] for file in written] == list(LISTED)
