# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""URLs of every form, and errors for invalid ones."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common.mask import url_shown
from ansible_collections.haproof.balancer.plugins.module_utils._probe.url import FORMS, Url, read_url, tcp_port
from hypothesis import given
from hypothesis import strategies as st

GOOD: list[tuple[str, Url]] = [
    ("http://198.18.0.10", Url("http", "198.18.0.10", 80, "198.18.0.10", "/")),
    ("http://[2001:db8::10]:8080/a?b=c#d", Url("http", "2001:db8::10", 8080, "[2001:db8::10]:8080", "/a?b=c")),
    ("http://user@www.example/", Url("http", "www.example", 80, "www.example", "/")),
    ("http://[::1]:8080/a@b", Url("http", "::1", 8080, "[::1]:8080", "/a@b")),
    ("http://h:8080?mail=a@b", Url("http", "h", 8080, "h:8080", "/?mail=a@b")),
    ("https://www.example/x", Url("https", "www.example", 443, "www.example", "/x")),
    ("tcp://198.18.0.10:5432", Url("tcp", "198.18.0.10", 5432, "198.18.0.10:5432", "/")),
    ("udp://[2001:db8::10]:53/", Url("udp", "2001:db8::10", 53, "[2001:db8::10]:53", "/")),
    ("icmp://[fe80::1%eth1]", Url("icmp", "fe80::1%eth1", 0, "[fe80::1%eth1]", "/")),
]
BAD: list[tuple[str, str]] = [
    ("", f"url is '', it must be {FORMS}"),
    ("198.18.0.10", f"url is '198.18.0.10', it must be {FORMS}"),
    ("ftp://h/", f"url is 'ftp://h/', it must be {FORMS}"),
    ("http:///path", f"url is 'http:///path', it must be {FORMS}"),
    ("http://h:99999/", "url is 'http://h:99999/': Port out of range 0-65535"),
    ("http://h:0/", "url is 'http://h:0/', http:// needs a port from 1 to 65535"),
    (
        "http://me:pa:s@s@h/",
        "url is 'http://me:********@h/', a password would not be sent, and reports would show it; leave it out",
    ),
    (
        "http://me:pa/ss@h:99999/",
        "url is 'http://me:********@h:99999/', a password would not be sent, and reports would show it; leave it out",
    ),
    ("tcp://h", "url is 'tcp://h', tcp:// needs a port from 1 to 65535"),
    ("udp://h:53/path", "url is 'udp://h:53/path', udp:// takes no user, path or query"),
    ("tcp://user@h:1", "url is 'tcp://user@h:1', tcp:// takes no user, path or query"),
    ("icmp://h:7", "url is 'icmp://h:7', icmp:// takes no port"),
    ("http://[::1/", "url is 'http://[::1/': Invalid IPv6 URL"),
    ("http://h/a b", "url is 'http://h/a b', it must not have spaces, control or non-ASCII characters"),
    ("http://h/\r\nX: y", "url is 'http://h/\\r\\nX: y', it must not have spaces, control or non-ASCII characters"),
    ("http://h/\xe4", "url is 'http://h/\xe4', it must not have spaces, control or non-ASCII characters"),
]


@pytest.mark.parametrize(("url", "expected"), GOOD)
def test_good(url: str, expected: Url) -> None:
    assert read_url(url) == expected


@pytest.mark.parametrize(("url", "message"), BAD)
def test_bad(url: str, message: str) -> None:
    with pytest.raises(ValueError, match="url is ") as caught:
        read_url(url)
    assert str(caught.value) == message


@given(st.text(), st.sampled_from(["", "http://", "tcp://", "icmp://", "udp://h:"]))
def test_anything_is_read_or_named(text: str, start: str) -> None:
    try:
        found = read_url(start + text)
    except ValueError as error:
        assert repr(url_shown(start + text)) in str(error)  # noqa: PT017 - most, but not all, are refused
    else:
        assert found.host


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://x/", 80), ("https://x/", 443), ("tcp://x:25", 25), ("udp://x:53", 0), ("icmp://x", 0)],
)
def test_tcp_port(url: str, port: int) -> None:
    assert tcp_port(url) == port
