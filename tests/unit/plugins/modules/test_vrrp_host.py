# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would break out of its line or argument is refused before the host is looked at."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.modules.vrrp_host import check

PLAIN: dict[str, Any] = {
    "sysctl": {"net.ipv4.tcp_rmem": "4096\t87380", "net/ipv4/conf/eth0.1/arp_ignore": 1},
    "sysctl_file": "/etc/sysctl.d/90-a.conf",
    "user": "keepalived_script",
}


def test_plain_options_pass() -> None:
    check(PLAIN)
    check({**PLAIN, "user": None, "sysctl": {}})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sysctl": {"a/../../../etc/passwd": 1}}, "sysctl: 'a/../../../etc/passwd' is not valid here"),
        ({"sysctl": {"kernel.a": "1\nkernel.b = 2"}}, r"sysctl.kernel.a: '1\\nkernel.b = 2' holds a line break"),
        ({"sysctl_file": "/etc/sysctl.d/../passwd"}, "sysctl_file: '/etc/sysctl.d/../passwd' is another spelling"),
        ({"user": "--root=/x"}, "user: '--root=/x' is not valid here"),
    ],
)
def test_other_options_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        check({**PLAIN, **changed})
