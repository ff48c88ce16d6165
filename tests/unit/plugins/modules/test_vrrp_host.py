# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that break out of their line or argument are rejected first, and changes are made at the right stage."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.modules.vrrp_host import check, survey

PLAIN: dict[str, Any] = {
    "sysctl": {"net.ipv4.tcp_rmem": "4096\t87380", "net/ipv4/conf/eth0.1/arp_ignore": 1},
    "sysctl_file": "/etc/sysctl.d/90-a.conf",
    "user": "haproof_script",
}


def test_plain_options_pass() -> None:
    check(PLAIN)
    check({**PLAIN, "user": None, "sysctl": {}})
    check({**PLAIN, "user": ""})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sysctl": {"a/../../../etc/passwd": 1}}, "sysctl: 'a/../../../etc/passwd' is not valid here"),
        ({"sysctl": {"kernel.a": "1\nkernel.b = 2"}}, r"sysctl.kernel.a: '1\\nkernel.b = 2' holds a line break"),
        ({"sysctl_file": "/etc/sysctl.d/../passwd"}, "sysctl_file: '/etc/sysctl.d/../passwd' is another spelling"),
        ({"user": "--root=/x"}, "user: '--root=/x' is not valid here; use the name of a user, such as haproof_script$"),
        ({"user": "a b", "sysctl_file": "b"}, r"user: 'a b' is not .*\nsysctl_file: 'b' is not an absolute path"),
    ],
)
def test_other_options_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        check({**PLAIN, **changed})


class Recorder:
    """A stand-in for the host that records the calls."""

    def firewall(self, _allows: Any, _interfaces: Any, keep: bool) -> list[Any]:
        return [("firewall", keep)]

    def sysctl(self, wanted: Any, _path: str) -> list[Any]:
        return [("sysctl", wanted)]

    def sysctl_now(self, wanted: Any) -> list[Any]:
        return [("sysctl now", wanted)]

    def user(self, name: str) -> list[Any]:
        return [("user", name)]

    def members(self, members: Any) -> list[Any]:
        return [("members", members)]

    def booleans(self, names: Any) -> list[Any]:
        return [("booleans", names)]


SYSCTL = {"net.ipv4.ip_nonlocal_bind": 1, "net.ipv6.ip_nonlocal_bind": 0, "net.ipv4.conf.all.arp_ignore": 1}
PARAMETERS: dict[str, Any] = {
    "allow": [{"service": "vrrp", "source": "192.0.2.12"}],
    "interfaces": ["eth0"],
    "sysctl": SYSCTL,
    "sysctl_file": "/etc/sysctl.d/x.conf",
    "user": "haproof_script",
    "sebooleans": [],
    "members": {"lb01": ["192.0.2.11"]},
}
CASES: list[tuple[str, bool, list[Any]]] = [
    ("all", False, [("firewall", False), ("sysctl", {key: str(value) for key, value in SYSCTL.items()})]),
    ("before", True, [("firewall", True), ("sysctl now", {"net.ipv4.ip_nonlocal_bind": "1"})]),
]


@pytest.mark.parametrize(("before", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_a_running_daemon_could_notice_comes_last(before: bool, expected: list[Any]) -> None:
    host: Any = Recorder()
    last = [] if before else [("members", PARAMETERS["members"])]
    assert survey(host, PARAMETERS, False, before) == [*expected, ("user", "haproof_script"), *last, ("booleans", [])]


def test_only_the_given_is_changed() -> None:
    """The engines' roles give SELinux booleans only, beside what keepalived's role keeps on the host."""
    host: Any = Recorder()
    omitted = {**PARAMETERS, "allow": None, "sysctl": None, "user": None, "members": None, "sebooleans": ["a_boolean"]}
    assert survey(host, omitted, True) == [("booleans", ["a_boolean"])]
    assert survey(host, {**omitted, "sysctl": {}}, False) == [("sysctl", {}), ("booleans", [])]
