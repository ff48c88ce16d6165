# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a build is called, and what counts as built, with the words of keepalived 2.3.3's configure."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.build import (
    Source,
    findings,
    leaves,
    parse_summary,
    stale,
    to_text,
    unmet,
    wanted_features,
)
from hypothesis import given
from hypothesis import strategies as st

WORDS = (Path(__file__).parent / "fixtures" / "keepalived_2.3.3_configure.txt").read_text()
SOURCE = Source(
    version="2.3.3",
    url="https://192.0.2.1/keepalived-2.3.3.tar.gz",
    checksum="sha256:" + "0f" * 32,
    prefix="/usr/local/keepalived",
    options=("--enable-json", "--enable-bfd", "--enable-regex", "--enable-nftables"),
)


def test_a_good_source_has_no_findings() -> None:
    assert findings(SOURCE) == []
    local = SOURCE._replace(url="file:///srv/k.tar.gz", checksum="sha512:" + "0" * 128, options=("CFLAGS=-O2 -g",))
    assert findings(local) == []


FINDINGS: list[tuple[str, Source, str]] = [
    (
        "no version",
        SOURCE._replace(version=""),
        "keepalived_version is empty; a build from source needs it, such as 2.3.4",
    ),
    (
        "tag",
        SOURCE._replace(version="v2.3.3"),
        "keepalived_version: 'v2.3.3' is not a version such as 2.3.4",
    ),
    (
        "no host",
        SOURCE._replace(url="https://"),
        "keepalived_source_url: 'https://' is not an http, https or file URL of a tarball",
    ),
    (
        "no checksum",
        SOURCE._replace(checksum=""),
        "keepalived_checksum is empty; a build from source needs it, such as sha256:2288c5…",
    ),
    (
        "short checksum",
        SOURCE._replace(checksum="sha256:0f"),
        "keepalived_checksum: 'sha256:0f' is not one of sha256:64 digits, sha384:96 digits, sha512:128 digits "
        "(hexadecimal, lower case)",
    ),
    (
        "weak checksum",
        SOURCE._replace(checksum="md5:" + "0" * 32),
        "keepalived_checksum: 'md5:00000000000000000000000000000000' is not one of sha256:64 digits, sha384:96 digits, "
        "sha512:128 digits (hexadecimal, lower case)",
    ),
    (
        "no folder of its own",
        SOURCE._replace(prefix="/opt"),
        "keepalived_prefix: '/opt' is not an absolute path such as /usr/local/keepalived",
    ),
    (
        "prefix among the options",
        SOURCE._replace(options=("--enable-json", "--prefix=/usr")),
        "keepalived_configure_options[1]: --prefix=/usr is set by the role; remove it "
        "(the prefix is keepalived_prefix)",
    ),
    (
        "no option",
        SOURCE._replace(options=("json",)),
        "keepalived_configure_options[0]: 'json' is neither an option such as --enable-json nor a variable CFLAGS=…",
    ),
]


@pytest.mark.parametrize(("source", "message"), [case[1:] for case in FINDINGS], ids=[case[0] for case in FINDINGS])
def test_findings(source: Source, message: str) -> None:
    assert findings(source) == [message]


def test_a_build_has_a_folder_of_its_own() -> None:
    others = [
        SOURCE,
        SOURCE._replace(version="2.3.4"),
        SOURCE._replace(checksum="sha256:" + "0" * 64),
        SOURCE._replace(options=("--enable-json",)),
        SOURCE._replace(prefix="/opt/keepalived"),
    ]
    assert len({source.build for source in others}) == len(others)
    assert SOURCE.build.startswith("/usr/local/keepalived-2.3.3-")
    assert SOURCE._replace(url="file:///srv/keepalived.tar.gz").build == SOURCE.build


def test_the_roles_own_options_win() -> None:
    assert SOURCE.arguments[-4:] == [
        "--prefix=/usr/local/keepalived",
        "--sysconfdir=/etc",
        "--with-init=systemd",
        "--enable-systemd",
    ]


def test_parse_summary() -> None:
    summary = parse_summary("checking for gcc... gcc\n" + WORDS + "make  all-recursive\nCC : no label\n")
    assert len(summary) == 36
    assert summary["Use IPVS Framework"] == "Yes"
    assert summary["iproute usr directory"] == ""
    assert summary["Default runtime options"] == "-D"
    assert parse_summary(to_text(summary)) == summary


def test_no_summary() -> None:
    assert parse_summary("configure: error: no acceptable C compiler found in $PATH\n") == {}
    assert unmet(SOURCE, "") == ["configure printed no summary"]


def test_all_is_in() -> None:
    assert unmet(SOURCE, WORDS) == []


UNMET: list[tuple[str, Source, str, list[str]]] = [
    ("IPVS", SOURCE, WORDS.replace("Framework       : Yes", "Framework       : No", 1), [
        "--enable-lvs (Use IPVS Framework: No)",
    ]),
    ("libnl", SOURCE, WORDS.replace("use libnl           : Yes", "use libnl           : No"), [
        "--enable-libnl (IPVS use libnl: No)",
    ]),
    ("option", SOURCE._replace(options=("--enable-snmp",)), WORDS, [
        "--enable-snmp (SNMP vrrp support: No)",
        "--enable-snmp (SNMP checker support: No)",
    ]),
    ("unwanted", SOURCE._replace(options=("--disable-vmac", "--enable-json=no")), WORDS, [
        "--disable-vmac (Use VRRP VMAC: Yes)",
        "--disable-json (Use JSON output: Yes)",
    ]),
    ("version", SOURCE._replace(version="2.3.4"), WORDS, ["version 2.3.4 (the source is keepalived 2.3.3)"]),
    (
        "unknown",
        SOURCE,
        "configure: WARNING: unrecognized options: --enable-foo, --with-bar\n" + WORDS,
        [
            "--enable-foo (keepalived 2.3.3 has no such option)",
            "--with-bar (keepalived 2.3.3 has no such option)",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("source", "words", "expected"), [case[1:] for case in UNMET], ids=[case[0] for case in UNMET])
def test_unmet(source: Source, words: str, expected: list[str]) -> None:
    assert unmet(source, words) == expected


def test_what_is_switched_off_is_not_asked_for() -> None:
    wanted = wanted_features(["--disable-lvs", "--enable-lto", "CFLAGS=-O2"])
    assert wanted == {"lvs": False, "vrrp": True, "systemd": True}


@pytest.mark.parametrize(
    ("keep", "expected"), [(0, ["/b", "/c", "/d"]), (1, ["/c", "/d"]), (2, ["/d"]), (3, []), (9, [])]
)
def test_stale(keep: int, expected: list[str]) -> None:
    assert stale(["/a", "/b", "/c", "/d"], "/a", keep) == expected


@given(st.lists(st.text(), unique=True), st.integers(min_value=0, max_value=5))
def test_the_current_build_is_never_stale(builds: list[str], keep: int) -> None:
    for build in builds:
        assert build not in stale(builds, build, keep)


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("./sbin/keepalived", "", False),
        ("./bin/genhash", "../sbin/keepalived", False),
        ("./bin/genhash", "../../etc/shadow", True),
        ("./bin/genhash", "/etc/shadow", True),
        ("../etc/cron.d/x", "", True),
        ("/etc/cron.d/x", "", True),
        ("..", "", True),
        ("./..x", "", False),
    ],
)
def test_leaves(name: str, target: str, expected: bool) -> None:
    assert leaves(name, target) is expected
