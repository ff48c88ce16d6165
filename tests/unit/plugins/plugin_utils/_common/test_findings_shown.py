# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.findings_shown import without_secrets

# settings, a finding that quotes them, and how it is shown
CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"http": {"gzip": "on"}}, "nginx_http.gzip: 'on' is wrong", "nginx_http.gzip: 'on' is wrong"),
    ({"servers": [{}, {"set": "$token_ok 1"}]}, "nginx_servers[1]: is wrong", "nginx_servers[1]: is wrong"),
    (
        {"servers": [{"location /": {"proxy_set_header": ["Host $host", 'Authorization "Bearer a\nb"']}}]},
        "nginx_servers[0]: it has a line break (value: 'Authorization \"Bearer a\\nb\"')",
        "nginx_servers[0]: it has a line break (value: 'Authorization \"********\"')",
    ),
    ({"http": {"map $a $b": {"k3y": 1}}, "secrets": ["k3y"]}, "'k3y' is wrong", "'********' is wrong"),
    ({"files": [{"content": "k3y\n", "secret": True}, {"content": "page"}]}, "'k3y' 'page'", "'********' 'page'"),
    ({"listens": [{"stats": {"auth": "admin:pass word"}}]}, "(value: 'admin:pass word')", "(value: 'admin:********')"),
    ({"vrrp_instance": {"authentication": {"auth_pass": 'a"b'}}}, "'a\"b' is wrong", "'********' is wrong"),
    ({"vrrp_instance": {"authentication": ["auth_pass s3cret"]}}, "'auth_pass s3cret'", "'auth_pass ********'"),
    ({"vrrp_instances": [["auth_pass ${PW}"]], "conf": {"@lb01 $PW=s3cret": True}}, "'s3cret'", "'********'"),
]


@pytest.mark.parametrize(("settings", "finding", "expected"), CASES)
def test_secrets_are_not_quoted(settings: dict[str, Any], finding: str, expected: str) -> None:
    assert without_secrets([finding], settings) == [expected]
