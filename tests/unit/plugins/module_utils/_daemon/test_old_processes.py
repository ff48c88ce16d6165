# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.old_processes import left_behind

# Of Debian 12's nginx 1.22 and haproxy 2.6, after a reload with open connections.
OLD_NGINX = "nginx: worker process is shutting down"
NEW_HAPROXY = "/usr/sbin/haproxy -sf 412 -x sockpair@3 -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid"
OLD_HAPROXY = "/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid"


@pytest.mark.parametrize(
    ("engine", "commands", "number"),
    [
        ("nginx", [], 0),
        ("nginx", ["nginx: worker process", "nginx: worker process"], 0),
        ("nginx", ["nginx: worker process", OLD_NGINX, OLD_NGINX, "nginx: cache manager process"], 2),
        ("haproxy", [], 0),
        ("haproxy", [NEW_HAPROXY], 0),
        ("haproxy", [NEW_HAPROXY, OLD_HAPROXY, OLD_HAPROXY], 2),
        ("haproxy", [NEW_HAPROXY, "/usr/local/bin/agent --listen haproxy"], 0),
    ],
)
def test_what_a_reload_left_behind(engine: str, commands: list[str], number: int) -> None:
    assert left_behind(engine, commands) == number
