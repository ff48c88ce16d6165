# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.finding import Finding, refusals

FINDINGS = [Finding("bind", "no bind"), Finding("check", "no check", "lb01")]
BIND, CHECK = (f"no {kind} (if this is intended, set haproxy_accept: [{kind}])" for kind in ("bind", "check"))


@pytest.mark.parametrize(
    ("accepted", "acceptable", "refused"),
    [
        ([], None, [BIND, CHECK]),
        (["check"], None, [BIND]),
        ([], ["check"], ["no bind", CHECK]),
        (["bind", "check"], ["check"], ["no bind"]),
    ],
)
def test_refusals(accepted: list[str], acceptable: list[str] | None, refused: list[str]) -> None:
    assert refusals(FINDINGS, accepted, "haproxy_accept", acceptable) == refused
