# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that become one line cannot break out of it."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import (
    VARIABLES,
    findings,
    path_problem,
    printable,
    secret_findings,
    systemd_word,
)
from hypothesis import given
from hypothesis import strategies as st

CHECKOUT = Path(__file__).parents[5]
# Strings used elsewhere: in nginx.conf and keepalived.conf, whose renderers quote or reject them, or not in files.
ELSEWHERE = {
    "haproxy_secrets",
    "keepalived_secrets",
    "keepalived_static_ipaddress",
    "keepalived_static_routes",
    "keepalived_static_rules",
    "nginx_canonical_host",
    "nginx_real_ip",
    "nginx_secrets",
}

GOOD: list[tuple[str, Any]] = [
    ("haproxy_stats_bind", "127.0.0.1:8404 interface eth0"),
    ("keepalived_extra_packages", ["libnl-3-dev", "libc6-dev:amd64", "gcc=4:12.2.0-3"]),
    ("keepalived_check_url", ""),
    ("keepalived_check_url", "http://127.0.0.1:8099/"),
    ("keepalived_check_url", "http://127.0.0.1:65535/"),
    ("keepalived_check_url", "http://[::1]:8099/a/b~c%20d"),
    ("keepalived_configure_options", ["CFLAGS=-O2 -g", "--enable-json"]),
    ("keepalived_script_user", "haproof_script"),
    ("keepalived_sysctl", {"net.ipv4.tcp_rmem": "4096\t87380 6291456", "net/ipv4/conf/eth0.100/arp_ignore": 1}),
    ("keepalived_track_services", ["nginx", "haproxy@one", "php8.2-fpm"]),
    ("keepalived_watch_metrics_dir", ""),
    ("keepalived_watch_metrics_dir", "/var/lib/prometheus/node-exporter"),
    ("nginx_vendor_url", "https://nginx.org/packages/debian"),
    ("nginx_vendor_url", "file:/srv/vendor"),
    ("nginx_vendor_url", "https://me@host:8443/a@b"),
]

BAD: list[tuple[str, Any, str]] = [
    ("haproxy_health_bind", ":1\n:2", r"haproxy_health_bind: ':1\n:2' holds a line break"),
    ("inventory_hostname", "a b", "inventory_hostname: 'a b' is not valid here; rename the host in the inventory"),
    ("inventory_hostname", "../a", "inventory_hostname: '../a' is not valid here"),
    ("keepalived_extra_packages", ["gcc", "--root=/x"], "keepalived_extra_packages[1]: '--root=/x' is not valid here"),
    ("keepalived_check_url", "http://a:80/$(x)", "keepalived_check_url: 'http://a:80/$(x)' is not valid here"),
    ("keepalived_check_url", "http://a:65536/", "keepalived_check_url: 'http://a:65536/' is not valid here"),
    ("keepalived_check_url", "http://a:80/b c", "keepalived_check_url: 'http://a:80/b c' is not valid here"),
    ("keepalived_check_url", "http://a:80/~SEQ(i,1,2)", "keepalived_check_url: "),
    ("keepalived_configure_options", ["CFLAGS=a\0b"], r"keepalived_configure_options[0]: 'CFLAGS=a\x00b' holds a"),
    ("keepalived_prefix", "/opt/%h", "keepalived_prefix: '/opt/%h' is not valid here; use an absolute path"),
    ("keepalived_script_user", "a\rUser=root", r"keepalived_script_user: 'a\rUser=root' holds a line break"),
    ("keepalived_script_user", "-x", "keepalived_script_user: '-x' is not valid here"),
    ("keepalived_sysctl", {"a/../../../etc/x": 1}, "keepalived_sysctl: 'a/../../../etc/x' is not valid here"),
    ("keepalived_sysctl", {"kernel.a": "1\nb = 2"}, r"keepalived_sysctl.kernel.a: '1\nb = 2' holds a line break"),
    ("keepalived_track_services", ["a/b"], "keepalived_track_services[0]: 'a/b' is not valid here"),
    ("keepalived_track_services", ["%n"], "keepalived_track_services[0]: '%n' is not valid here"),
    ("keepalived_track_services", ["a\u2028b"], r"keepalived_track_services[0]: 'a\u2028b' holds a line break"),
    ("keepalived_watch_metrics_dir", "/var/m\nExecStartPre=+/x", "keepalived_watch_metrics_dir: '/var/m\\nExec"),
    ("keepalived_watch_metrics_dir", "/var/my metrics", "keepalived_watch_metrics_dir: '/var/my metrics' is not"),
    ("keepalived_watch_metrics_dir", "/var/$HOME", "keepalived_watch_metrics_dir: '/var/$HOME' is not"),
    ("keepalived_watch_metrics_dir", "m", "keepalived_watch_metrics_dir: 'm' is not"),
    (
        "nginx_vendor_url",
        "https://me:pa@ss@host/",
        "nginx_vendor_url: 'https://me:********@host/' is not valid here; use",
    ),
    ("nginx_vendor_url", "https://a/b\nURIs: c", r"nginx_vendor_url: 'https://a/b\nURIs: c' holds a line break"),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_what_is_one_line_passes(name: str, value: Any) -> None:
    assert list(findings({name: value}, VARIABLES)) == []


@pytest.mark.parametrize(("name", "value", "message"), BAD)
def test_what_is_not_is_named(name: str, value: Any, message: str) -> None:
    (found,) = findings({name: value}, VARIABLES)
    assert found.startswith(message)
    assert "\n" not in found


@given(st.sampled_from(sorted(VARIABLES)), st.text(max_size=8), st.sampled_from("\n\r\0\x0b\x1b\x7f\x85\u2028"))
def test_no_variable_holds_a_control_character(name: str, text: str, control: str) -> None:
    assert list(findings({name: text + control + text}, VARIABLES))
    assert list(findings({name: [text + control]}, VARIABLES))


def test_every_variable_of_the_roles_is_judged() -> None:
    names = set()
    for role in ("haproxy", "keepalived", "nginx"):
        specs = yaml.safe_load((CHECKOUT / f"roles/{role}/meta/argument_specs.yml").read_text())
        for name, spec in specs["argument_specs"]["main"]["options"].items():
            kind = spec.get("elements") if spec.get("type") == "list" else spec.get("type", "str")
            if kind in ("str", "path") and "choices" not in spec:
                names.add(name)
    assert names == (set(VARIABLES) | ELSEWHERE) - {"inventory_hostname", "keepalived_sysctl"}
    # Each plan judges what the role's table of settings hands to it.
    for name in VARIABLES:
        role, setting = name.split("_", 1)
        if role != "inventory":
            assert f'  {setting}: "{{{{ {name} }}}}"\n' in (CHECKOUT / f"roles/{role}/vars/main.yml").read_text()


def test_secrets_are_not_shown() -> None:
    assert list(secret_findings("mail", {"to": ["a", "b\nBcc: c"], "password": "x\r", "port": 25, "tls": None})) == [
        "mail.to[1]: holds a line break or control character; write it in one line",
        "mail.password: holds a line break or control character; write it in one line",
    ]


@given(st.text())
def test_a_terminal_obeys_nothing(text: str) -> None:
    shown = printable(text)
    assert shown.count("\n") == text.count("\n")
    assert all(char == "\n" or unicodedata.category(char) != "Cc" for char in shown)


def test_what_a_terminal_would_obey_is_still_read() -> None:
    assert printable("a\x1b[31mb\x9bc\u202ed\n\u00e9") == "a\\x1b[31mb\\x9bc\\u202ed\n\u00e9"


PATHS = [
    ("/etc/nginx/a", ""),
    ("/", "'/' is not a file"),
    ("a", "'a' is not an absolute path"),
    ("", "'' is not an absolute path"),
    ("/etc/a\n/etc/b", r"'/etc/a\n/etc/b' holds a line break or control character; remove it"),
    ("//etc/a", "'//etc/a' is another spelling of '/etc/a'; use that one"),
    ("/etc/./a", "'/etc/./a' is another spelling of '/etc/a'; use that one"),
    ("/etc/b/../a", "'/etc/b/../a' is another spelling of '/etc/a'; use that one"),
    ("/etc/a/", "'/etc/a/' is another spelling of '/etc/a'; use that one"),
    (
        "/etc/$HOME",
        "'/etc/$HOME' holds a '$', which Ansible expands as a variable of the node's environment; rename the file",
    ),
]


@pytest.mark.parametrize(("path", "message"), PATHS)
def test_paths(path: str, message: str) -> None:
    assert path_problem(path) == message


def unquoted(word: str, command: bool) -> str:
    """Parse a word like systemd: extract_first_word(), specifier_printf() and replace_env()."""
    assert word[0] == word[-1] == '"'
    text, rest = "", iter(word[1:-1])
    for char in rest:
        assert char != '"'
        text += next(rest) if char == "\\" else char
    for mark in "%$" if command else "%":
        assert mark not in text.replace(mark * 2, "")
        text = text.replace(mark * 2, mark)
    return text


@given(st.text("ab \"'\\%$n{}", max_size=12), st.booleans())
def test_systemd_reads_the_word(text: str, command: bool) -> None:
    assert unquoted(systemd_word(text, command), command) == text


def test_systemd_gets_no_second_line() -> None:
    with pytest.raises(ValueError, match=r"^'/a\\nExecStartPre=/b' holds a line break"):
        systemd_word("/a\nExecStartPre=/b")
