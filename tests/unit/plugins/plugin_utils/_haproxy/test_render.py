# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""haproxy.cfg: line syntax comes out as typed, and no value leaves its line."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.render import check_line, quote, render
from hypothesis import example, given
from hypothesis import strategies as st

KEYWORDS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    (
        {"mode": "tcp", "maxconn": 200000, "daemon": None, "enabled": True},
        ["mode tcp", "maxconn 200000", "daemon", "enabled"],
    ),
    (
        {"option": {"httplog": True, "forwardfor": "except 127.0.0.1", "httpclose": False}},
        ["option httplog", "option forwardfor except 127.0.0.1", "no option httpclose"],
    ),
    ({"option": ["redispatch", "abortonclose"]}, ["option redispatch", "option abortonclose"]),
    ({"timeout": {"connect": "2s", "http-request": "10s"}}, ["timeout connect 2s", "timeout http-request 10s"]),
    ({"stats": {"enable": None, "uri": "/"}}, ["stats enable", "stats uri /"]),
    (
        {"http-request": [{"set-header": "X-A b"}, "deny if bad"]},
        ["http-request set-header X-A b", "http-request deny if bad"],
    ),
    ({"acl a path /a": None, "deny": "if a", "acl b path /b": None}, ["acl a path /a", "deny if a", "acl b path /b"]),
    (
        {"bind": ["192.0.2.1:25,192.0.2.1:110", {"address": ":443", "ssl": True, "crt": "/a b.pem"}]},
        ["bind 192.0.2.1:25,192.0.2.1:110", "bind :443 ssl crt '/a b.pem'"],
    ),
    ({"bind": []}, []),
    (
        {
            "server": [
                "a 192.0.2.1:80 check",
                {
                    "weight": 2,
                    "name": "b",
                    "address": "192.0.2.2:80",
                    "check": False,
                    "source": ["192.0.2.9", "usesrc", "clientip"],
                },
            ]
        },
        ["server a 192.0.2.1:80 check", "server b 192.0.2.2:80 weight 2 no-check source 192.0.2.9 usesrc clientip"],
    ),
    (
        {"server-template": {"prefix": "w", "num": "1-3", "fqdn": "w.example.com:80", "check": None}},
        ["server-template w 1-3 w.example.com:80 check"],
    ),
    ({"default-server": {"inter": "1s", "fall": 2}}, ["default-server inter 1s fall 2"]),
    (
        {"log-format": "\"%ci:%cp [%t] '#'\"", "http-request set-header X": r"a\ \#b"},
        ["log-format \"%ci:%cp [%t] '#'\"", r"http-request set-header X a\ \#b"],
    ),
]

BAD_KEYWORDS: list[tuple[Any, str]] = [
    ({"server": ["a 192.0.2.1:80\nglobal"]}, r"backend b\.server\[0\]: a newline cannot stand"),
    ({"mode\nglobal": None}, "a newline cannot stand"),
    ({"mode": "tcp\0"}, r"backend b\.mode: control character U\+0000"),
    ({"mode": "tcp # for mail"}, r"backend b\.mode: haproxy would take '# for mail' for a comment"),
    ({"log-format": '"%ci'}, r'backend b\.log-format: the quote "%ci is not closed'),
    ({"mode": "tcp\\"}, r"backend b\.mode: ends with a backslash"),
    ({"mode": " "}, r"backend b\.mode: is empty; use null"),
    ({"option": {True: None}}, r"backend b\.option\.True: the keyword True is not a string"),
    ({"server": {"name": "a"}}, r"backend b\.server: lacks 'address'"),
    ({"server": [{"name": "a", "address": "b", "check": {}}]}, r"backend b\.server\[0\]\.check: \{\} is neither"),
    ({"server": [{"name": "a", "address": "b", "sni": "a\nb"}]}, r"backend b\.server\[0\]\.sni: a newline"),
    ({"mode": [["a"]]}, r"backend b\.mode\[0\]: \['a'\] is neither"),
    ("mode tcp", "backend b: a mapping of keywords is needed"),
]

QUOTED = [
    ("a", "a"),
    ("%[src]", "%[src]"),
    ("a b", "'a b'"),
    ("it's", r"'it'\''s'"),
    ("a#b", "'a#b'"),
    ("a\\", "'a\\'"),
]

one_line = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, (*range(32), 127))]))
nasty = st.text("\\\"'#$ \tab%")


@pytest.mark.parametrize(("keywords", "lines"), KEYWORDS)
def test_keywords(keywords: dict[str, Any], lines: list[str]) -> None:
    assert render({"backend b": keywords}).splitlines() == ["backend b", *(f"    {line}" for line in lines)]


@pytest.mark.parametrize(("keywords", "message"), BAD_KEYWORDS)
def test_bad_keywords_are_named(keywords: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        render({"backend b": keywords})


def test_sections_are_parted_by_an_empty_line() -> None:
    assert render({"global": {"daemon": None}, "peers p": {}}) == "global\n    daemon\n\npeers p\n"


@pytest.mark.parametrize("header", ["global\n", "peers 'a"])
def test_bad_header(header: str) -> None:
    with pytest.raises(ConfigError):
        render({header: {}})


def test_sections_must_be_a_mapping() -> None:
    with pytest.raises(ConfigError, match="a mapping of sections is needed"):
        render([])  # type: ignore[arg-type]  # what a user may pass through the filter


@pytest.mark.parametrize(("word", "expected"), QUOTED)
def test_quote(word: str, expected: str) -> None:
    assert quote(word) == expected


@given(one_line.filter(bool) | nasty.filter(bool))
@example("it's")
def test_a_quoted_word_is_one_word(word: str) -> None:
    quoted = quote(word)
    check_line(f"{quoted} end")
    assert re.sub(r"'([^']*)'|\\(.)", lambda part: "".join(part.groups("")), quoted) == word


@given(st.text("\\\"'#$ \tab%\n\r\0"))
def test_a_value_is_refused_or_stays_one_line(value: str) -> None:
    try:
        check_line(value.strip())
        refused = not value.strip()
    except ValueError:
        refused = True
    if refused:
        with pytest.raises(ConfigError, match=r"^backend b\.keyword: "):
            render({"backend b": {"keyword": value}})
    else:
        assert render({"backend b": {"keyword": value}}) == f"backend b\n    keyword {value.strip()}\n"
