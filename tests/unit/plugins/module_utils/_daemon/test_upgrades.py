# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What dpkg, rpm, apt and dnf print about an upgrade, and the commands for it."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.upgrades import (
    Package,
    Planned,
    applying,
    changes,
    combined,
    commands,
    named,
    parse_packages,
    parse_simulation,
    simulating,
)

DPKG = """\
keepalived\tkeepalived\t1:2.2.7-1+b2\thold\tinstalled
libnginx-mod-stream\tnginx\t1.22.1-9+deb12u9\tinstall\ttriggers-pending
nginx\tnginx\t1.22.1-9+deb12u9\tinstall\thalf-configured
nginx-core\tnginx\t1.18.0-6\tdeinstall\tconfig-files
haproxy\thaproxy\t\tunknown\tnot-installed
curl\tcurl\t7.88.1-10\tinstall\tinstalled
"""
PACKAGES = parse_packages(DPKG)
# A package that is upgraded, one of another architecture, a new one, one that is removed, and what follows.
APT = """\
NOTE: This is only a simulation!
Inst nginx-common [1.22.1-9+deb12u9] (1.22.1-9+deb12u11 Debian-Security:12/stable-security [all]) []
Inst libc6:i386 [2.36-9] (2.36-10 Debian:12.11/stable [i386])
Inst iproute2 (6.1.0-3 Debian:12.11/stable [amd64])
Remv nginx-extras [1.22.1-9+deb12u9] [nginx-full:amd64 ]
Conf nginx-common (1.22.1-9+deb12u11 Debian-Security:12/stable-security [all])
"""
# dnf 4.14.
DNF = """\
Last metadata expiration check: 0:00:06 ago on Fri Nov 27 04:55:02 2026.
Package keepalived-2.2.8-1.noarch is already installed.
Dependencies resolved.
================================================================================
 Package                                           Arch    Version     Repo
                                                                           Size
================================================================================
Installing:
 nginx-with-a-very-long-package-name-for-wrapping-and-more
                                                   noarch  1.0-1       x  5.5 k
Downgrading:
 nginx                                             noarch  1.20.1-1    x  5.4 k
Removing dependent packages:
 nginx-extras                                      noarch  1.20.1-2    @x   0\x20\x20

Transaction Summary
================================================================================
Install    1 Package
Downgrade  1 Package

Total size: 11 k
Operation aborted.
"""


def test_packages_of_dpkg() -> None:
    assert {
        "keepalived": Package("keepalived", "keepalived", "1:2.2.7-1+b2", held=True, broken=False),
        "libnginx-mod-stream": Package("libnginx-mod-stream", "nginx", "1.22.1-9+deb12u9", held=False, broken=False),
        "nginx": Package("nginx", "nginx", "1.22.1-9+deb12u9", held=False, broken=True),
        "curl": Package("curl", "curl", "7.88.1-10", held=False, broken=False),
    } == PACKAGES


def test_packages_of_rpm() -> None:
    line = "nginx-mod-stream\tnginx-1.20.1-14.el9_2.1.src.rpm\t1:1.20.1-14.el9_2.1\tinstall\tinstalled\n"
    version = "1:1.20.1-14.el9_2.1"
    assert parse_packages(line) == {
        "nginx-mod-stream": Package("nginx-mod-stream", "nginx", version, held=False, broken=False)
    }


def test_all_packages_of_a_daemon_but_those_on_hold() -> None:
    daemons = ["nginx", "keepalived"]
    assert named(PACKAGES, daemons, {}) == {"libnginx-mod-stream": "", "nginx": ""}
    assert named(PACKAGES, daemons, {"keepalived": "1:2.2.4-1"}) == {
        "keepalived": "1:2.2.4-1",
        "libnginx-mod-stream": "",
        "nginx": "",
    }
    assert named(PACKAGES, ["haproxy"], {}) == {}


APT_INSTALL = ["install", "--only-upgrade"]
APT_EXACT = [*APT_INSTALL, "--allow-downgrades", "--allow-change-held-packages"]
COMMANDS: list[tuple[str, dict[str, str], bool, list[list[str]]]] = [
    ("dpkg", {}, False, []),
    ("dpkg", {"nginx": "", "nginx-common": ""}, False, [[*APT_INSTALL, "nginx", "nginx-common"]]),
    ("dpkg", {"nginx": "1.22-9", "keepalived": ""}, False, [[*APT_EXACT, "keepalived", "nginx=1.22-9"]]),
    ("dpkg", {"nginx": ""}, True, [["dist-upgrade"]]),
    ("rpm", {}, False, []),
    ("rpm", {"nginx": "", "keepalived": ""}, False, [["upgrade", "nginx", "keepalived"]]),
    ("rpm", {"nginx": "", "haproxy": "2.4-3.el9"}, False, [["upgrade", "nginx"], ["install", "haproxy-2.4-3.el9"]]),
    ("rpm", {"nginx": ""}, True, [["upgrade"]]),
]


@pytest.mark.parametrize(("database", "names", "system", "expected"), COMMANDS)
def test_the_commands(database: str, names: dict[str, str], system: bool, expected: list[list[str]]) -> None:
    found = commands(database, names, system)
    assert [argv[-len(words) :] for argv, words in zip(found, expected, strict=True)] == expected
    assert {argv[0] for argv in found} <= {{"dpkg": "apt-get", "rpm": "dnf"}[database]}


def test_only_one_of_them_asks_nothing() -> None:
    assert simulating(["apt-get", "install", "nginx"]) == ["apt-get", "install", "nginx", "--simulate"]
    assert applying(["apt-get", "install", "nginx"]) == ["apt-get", "install", "nginx", "--yes"]
    assert simulating(["dnf", "upgrade", "nginx"]) == ["dnf", "--assumeno", "--refresh", "upgrade", "nginx"]
    assert applying(["dnf", "upgrade", "nginx"]) == ["dnf", "--assumeyes", "upgrade", "nginx"]


def test_what_apt_would_do() -> None:
    assert parse_simulation("dpkg", APT) == Planned(
        {"nginx-common": "1.22.1-9+deb12u11", "libc6": "2.36-10", "iproute2": "6.1.0-3"}, ["nginx-extras"]
    )
    assert parse_simulation("dpkg", "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n") == Planned(
        {}, []
    )


def test_what_dnf_would_do() -> None:
    long = "nginx-with-a-very-long-package-name-for-wrapping-and-more"
    assert parse_simulation("rpm", DNF) == Planned({long: "1.0-1", "nginx": "1.20.1-1"}, ["nginx-extras"])
    assert parse_simulation("rpm", "Dependencies resolved.\nNothing to do.\nComplete!\n") == Planned({}, [])


def test_what_two_commands_would_do() -> None:
    found = [Planned({"nginx": "1"}, ["a"]), Planned({"haproxy": "2"}, ["b"])]
    assert combined(found) == Planned({"nginx": "1", "haproxy": "2"}, ["a", "b"])


def test_old_and_new_versions() -> None:
    planned = Planned({"libnginx-mod-stream": "2", "iproute2": "6.1.0-3"}, [])
    assert changes(PACKAGES, planned, ["nginx"]) == [
        {"name": "iproute2", "source": "", "old": "", "new": "6.1.0-3"},
        {"name": "libnginx-mod-stream", "source": "nginx", "old": "1.22.1-9+deb12u9", "new": "2"},
        # An interrupted run left it unconfigured.
        {"name": "nginx", "source": "nginx", "old": "1.22.1-9+deb12u9", "new": "1.22.1-9+deb12u9"},
    ]
    assert "nginx" not in [change["name"] for change in changes(PACKAGES, planned, ["keepalived"])]
