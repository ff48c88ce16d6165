# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses that an nginx.conf listens on."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._nginx.listens import listens_of

CASES: list[tuple[str, list[str]]] = [
    ("listen 80;", ["0.0.0.0:80"]),
    ("server { listen *:8080 default_server; }", ["0.0.0.0:8080"]),
    ("listen 192.0.2.1;", ["192.0.2.1:80"]),
    ("listen [::]:443 ssl;", ["[::]:443"]),
    ("listen [2001:DB8::1];", ["[2001:db8::1]:80"]),
    ('listen "127.0.0.1:8099";', ["127.0.0.1:8099"]),
    ("server{listen 80;listen 81;}", ["0.0.0.0:80", "0.0.0.0:81"]),
    ("listen 443 quic;\nlisten 53 udp;\nlisten unix:/run/a.sock;\nlisten www.example.com:80;", []),
    ("# listen 80;\nlisten 81; # listen 82;", ["0.0.0.0:81"]),
    ("add_header x-listen 80;", []),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_listens(text: str, expected: list[str]) -> None:
    assert [str(bind) for bind in sorted(listens_of(text))] == expected
