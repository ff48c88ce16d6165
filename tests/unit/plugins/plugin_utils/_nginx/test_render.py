# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""nginx.conf: natural syntax comes out as typed, and no value leaves its directive."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import crossplane
import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import quote, read_arguments, render
from hypothesis import example, given
from hypothesis import strategies as st

ARGUMENTS: list[tuple[str, list[str]]] = [
    ("", []),
    ("Host $host", ["Host", "$host"]),
    (" \"a b\"\t'c;d' ", ["a b", "c;d"]),
    (
        "main '$remote_addr [$time_local] \"$request\" '\n'$status'",
        ["main", '$remote_addr [$time_local] "$request" ', "$status"],
    ),
    ('Connection ""', ["Connection", ""]),
    (r"~* \.(jpg|png)$", ["~*", r"\.(jpg|png)$"]),
    (r"^/(\d{4})/$ /y/$1 last", [r"^/(\d{4})/$", "/y/$1", "last"]),
    (r'"a\"b\\c\.d\n"', ['a"b\\c\\.d\n']),
    ("($host != 'www.example.com')", ["($host", "!=", "www.example.com", ")"]),
    ("https://${host}/#top", ["https://${host}/#top"]),
    (r"a\ b", [r"a\ b"]),
]

BAD_ARGUMENTS: list[tuple[str, str]] = [
    ("403; evil on", "an unquoted ';' ends the directive"),
    (";", "an unquoted ';' ends the directive"),
    ("a # b", "'#' begins a comment"),
    ('a "b', 'the quote "b is not closed'),
    ('"a"b', "unexpected 'b' after \"a\""),
    ('"a";', "unexpected ';' after \"a\""),
    ("a\\", "ends with a backslash"),
]

QUOTED: list[tuple[str, str]] = [
    ("", '""'),
    ("$host", "$host"),
    ("http://${name}/$1?a=b#c", "http://${name}/$1?a=b#c"),
    (r"\.(jpg|png)$", r"\.(jpg|png)$"),
    (r"^/\d{4}$", r'"^/\d{4}$"'),
    (r"\${a}", r'"\${a}"'),
    ("a b", '"a b"'),
    ('say "hi"', "'say \"hi\"'"),
    ('it\'s "both"', '"it\'s \\"both\\""'),
    ("a;b", '"a;b"'),
    ("}", '"}"'),
    ("#a", '"#a"'),
    ("a\nb\t", r'"a\nb\t"'),
    (r"\n", r'"\\n"'),
    ("a\\", '"a\\\\"'),
    ("\\\n", r'"\\\n"'),
]

TREES: list[tuple[dict[str, Any], str]] = [
    ({"map $a $b": {"hostnames": True, "volatile": False, "on": True}}, "map $a $b {\n    hostnames;\n    on on;\n}\n"),
    ({"log_by_lua_block": "\n  x = {}\n"}, "log_by_lua_block {\n  x = {}\n}\n"),
    ({}, ""),
    (
        {"sendfile": True, "gzip": False, "ip_hash": None, "keepalive": 32, "allow": []},
        "sendfile on;\ngzip off;\nip_hash;\nkeepalive 32;\n",
    ),
    ({"server_name": ""}, 'server_name "";\n'),
    (
        {"rewrite ^/a /b last": None, "return": 404, "rewrite ^/c /d": None},
        "rewrite ^/a /b last;\nreturn 404;\nrewrite ^/c /d;\n",
    ),
    ({"server": ["a:80 weight=2", ["b:80", "down"]]}, "server a:80 weight=2;\nserver b:80 down;\n"),
    ({"add_header": [["X-A", "a; b", "always"]]}, 'add_header X-A "a; b" always;\n'),
    ({"events": {}}, "events {\n}\n"),
    (
        {
            "user": "www-data",
            "server": [{"listen": [80, "[::]:80"]}, {"location /": {"if ($invalid_referer)": {"return": 403}}}],
        },
        "user www-data;\n\nserver {\n    listen 80;\n    listen [::]:80;\n}\n\n"
        "server {\n    location / {\n        if ($invalid_referer) {\n            return 403;\n        }\n    }\n}\n",
    ),
    (
        {"map $http_upgrade $connection": {"default": "upgrade", "''": "close", r"~^a{2}": 1, 5: "five"}},
        'map $http_upgrade $connection {\n    default upgrade;\n    "" close;\n    "~^a{2}" 1;\n    5 five;\n}\n',
    ),
    ({"if ($host != 'www.example.com')": {"return": 444}}, 'if ($host != "www.example.com") {\n    return 444;\n}\n'),
    ({"if ( $a )": {"return": 444}}, "if ( $a ) {\n    return 444;\n}\n"),
    ({"server": {"listen": 80}, "root": "/srv"}, "server {\n    listen 80;\n}\n\nroot /srv;\n"),
]

BAD_TREES: list[tuple[Any, str]] = [
    (
        {"server": [{"location /": {"proxy_pass": "http://web;"}}]},
        r"server\[0\]\.location /\.proxy_pass: an unquoted ';'",
    ),
    ({"map $a $b": {True: 1}}, r"map \$a \$b\.True: the directive True is not a string; quote it"),
    ({"add_header": [["X-A", {"a": 1}]]}, r"add_header\[0\]: \{'a': 1\} is not an argument"),
    ({"add_header": [["X-A", None]]}, r"add_header\[0\]: None is not an argument"),
    ({"location / { return 200; }": {}}, "an unquoted ';'"),
    ({"http": {"server": object()}}, "http.server: <object"),
    ([], r"a mapping of directives is needed, not \[\]"),
]

# Everything nginx.conf can hold.
text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, (*range(9), 11, 12, *range(14, 32), 127))])
)
# The characters that mean something to nginx, so that they meet.
nasty = st.text("\\\"'{}();#$ \t\r\nantrx*~.")


@pytest.mark.parametrize(("value", "expected"), ARGUMENTS)
def test_read_arguments(value: str, expected: list[str]) -> None:
    assert read_arguments(value) == expected


@pytest.mark.parametrize(("value", "message"), BAD_ARGUMENTS)
def test_read_arguments_refuses_what_ends_the_directive(value: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_arguments(value)


@pytest.mark.parametrize(("argument", "expected"), QUOTED)
def test_quote(argument: str, expected: str) -> None:
    assert quote(argument) == expected


@given(text | nasty)
@example("${a}")
@example("\\\\n\\")
def test_quoted_argument_is_read_back(argument: str) -> None:
    assert read_arguments(quote(argument)) == [argument]


@given(st.lists(nasty | text, min_size=1))
@example([")", ")"])
def test_exact_arguments_stay_in_one_statement(arguments: list[str]) -> None:
    line = render({"directive": [arguments]})
    assert line.endswith(";\n")
    assert line.count("\n") == 1
    assert read_arguments(line[:-2]) == ["directive", *arguments]


@given(st.lists(nasty))
def test_block_arguments_stay_outside_the_block(arguments: list[str]) -> None:
    key = " ".join(["block", *map(quote, arguments)])
    opening, closing, end = render({key: {}}).split("\n")
    assert read_arguments(opening[:-2]) == ["block", *arguments]
    assert (opening[-2:], closing, end) == (" {", "}", "")


@given(nasty | text)
def test_a_string_is_refused_or_written_in_one_line(value: str) -> None:
    try:
        arguments = read_arguments(value) or [""]
    except ValueError:
        with pytest.raises(ConfigError, match=r"^a\.b: "):
            render({"a": {"b": value}})
    else:
        assert read_arguments(render({"b": value})[:-2]) == ["b", *arguments]


@pytest.mark.parametrize(("tree", "expected"), TREES)
def test_render(tree: dict[str, Any], expected: str) -> None:
    assert render(tree) == expected


@pytest.mark.parametrize(("tree", "message"), BAD_TREES)
def test_render_names_the_place(tree: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        render(tree)


# crossplane leaves escapes as they are, and reads ${x} and an empty word behind it as one where nginx reads two; it is
# not asked about these.
unescaped = st.text("{}();#$ axy.*~='").filter(lambda text: "${" not in text)
leaf = st.lists(st.lists(unescaped, min_size=1, max_size=3), max_size=2)
trees = st.recursive(
    st.dictionaries(st.text("abcde", min_size=1), leaf, max_size=4),
    lambda inner: st.dictionaries(
        st.text("abcde", min_size=1), leaf | st.lists(inner, min_size=1, max_size=2), max_size=4
    ),
    max_leaves=8,
)


def statements(tree: dict[str, Any]) -> list[Any]:
    """The tree as crossplane reports it."""
    found = []
    for directive, items in tree.items():
        for item in items:
            block = isinstance(item, dict)
            found.append((directive, [] if block else item, statements(item) if block else None))
    return found


def parsed(block: list[dict[str, Any]]) -> list[Any]:
    return [(one["directive"], one["args"], parsed(one["block"]) if "block" in one else None) for one in block]


@given(trees)
def test_crossplane_reads_the_same(tree: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder) / "nginx.conf"
        conf.write_text(render(tree), encoding="utf-8")
        found = crossplane.parse(str(conf), single=True, check_ctx=False, check_args=False)
    assert found["errors"] == []
    assert parsed(found["config"][0]["parsed"]) == statements(tree)
