# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""nginx.conf is read by nginx's rules, and what is read can be written again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import crossplane
import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.filter.from_nginx_conf import from_nginx_conf
from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.parse import Statement, normal, parse
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import quote, render, unescape
from hypothesis import example, given
from hypothesis import strategies as st

HAND_MADE = (Path(__file__).parent / "fixtures/nginx_hand_made.conf").read_text(encoding="utf-8")

CASES: list[tuple[str, str, Any]] = [
    ("nothing", "", {}),
    ("comments", "# one\nip_hash; # two; {\n#three", {"ip_hash": None}),
    ("control characters in a comment", "# \f\0\x1b\na;", {"a": None}),
    ("control characters in words", "a \x1b[0m 'b\f\0';", {"a": '"\x1b[0m" "b\f\0"'}),
    ("no comment in a word", "a b#c;", {"a": "b#c"}),
    (
        "values",
        "a on;b off;c 80;d 007;e -1;f 1.5;g x  y;h 'on' x;",
        {"a": True, "b": False, "c": 80, "d": "007", "e": -1, "f": "1.5", "g": "x y", "h": "on x"},
    ),
    ("an empty word", "server_name '';", {"server_name": '""'}),
    ("words on several lines", "log_format main '$a '\n  # why\n  \"$b\";", {"log_format": 'main "$a " $b'}),
    ("blocks", "events{}http{server{listen 80;}}", {"events": {}, "http": {"server": {"listen": 80}}}),
    ("repeated blocks", "server{listen 80;}server{}", {"server": [{"listen": 80}, {}]}),
    ("repeated", "listen 80;listen [::]:80;listen 81;", {"listen": [80, "[::]:80", 81]}),
    ("repeated without arguments", "a;a;", {"a": [None, None]}),
    (
        "repeated with others in between",
        "allow a;deny b;allow c;allow d;deny b;allow c;",
        {"allow": "a", "deny": "b", "allow c": None, "allow d": None, "deny b": None, "allow c ": None},
    ),
    (
        "blocks with others in between",
        "if ($a) {} set $b 1; if ($a) {} set $b 1; if ($a) {}",
        {"if ($a)": {}, "set": "$b 1", "if ($a) ": {}, "set $b 1": None, "if ($a)\t": {}},
    ),
    ("a quote in a condition", 'if ($a = "b c") { return 403; }', {'if ($a = "b c")': {"return": 403}}),
    ("a variable's braces", "set $a ${b}c{}", {"set $a ${b}c": {}}),
    ("an escaped dollar", r"a \${}", {r"a \$": {}}),
    ("braces in quotes", "a '^/\\d{4}$';", {"a": r'"^/\d{4}$"'}),
    ("escapes", 'a "x\\"\\\\y\\.\\n" b\\ c;', {"a": '\'x"\\y\\.\\n\' "b\\ c"'}),
    ("switches as keys", 'map $a $b{on 1;5 five;"" x;}', {"map $a $b": {"on": 1, "5": "five", '""': "x"}}),
    (
        "words that never have a value, and entries of that name",
        "map $a $b{hostnames;volatile on;ranges off;}",
        {"map $a $b": {"hostnames": None, "volatile": "on", "ranges": "off"}},
    ),
    (
        "Lua",
        "set_by_lua_block $a { return '}' }\n init_by_lua_block {--}\n[==[ } ]] ]==]{x}}\n b;",
        {"set_by_lua_block $a": " return '}' ", "init_by_lua_block": "--}\n[==[ } ]] ]==]{x}", "b": None},
    ),
    ("Lua without the indentation of its brace", "a_by_lua_block {\n  x \n \t}", {"a_by_lua_block": "\n  x \n"}),
    ("Lua twice", "a_by_lua_block {x}a_by_lua_block {y}", {"a_by_lua_block": ["x", "y"]}),
    ("numbers are of ASCII digits", "a 1\u0663;b 0012;", {"a": "1\u0663", "b": "0012"}),
    ("an include", "include mime.types;include conf.d/*.conf;", {"include": ["mime.types", "conf.d/*.conf"]}),
]

BROKEN = [
    ("a {\n b;\n", "line 1: a block opens that is never closed"),
    ("a;\n}\n", "line 2: a block closes that was not opened"),
    ("a;\n;\n", "line 2: ';' without a directive"),
    ("a;\n\n{}", "line 3: '{' without a directive"),
    ("a {\n b\n}\n", "line 3: a block closes inside a directive; is a ';' missing?"),
    ("a;\nb c", "line 2: 'b' has no ';' or block at its end"),
    ('a;\nb "c\n;', "line 2: a quote opens that is never closed"),
    ("a;\nb 'c'd;", "line 2: a space, ';' or '{' is missing after a quoted word"),
    ("a;\nb 'c'", "line 2: a space, ';' or '{' is missing after a quoted word"),
    ("a b\\", "line 1: a backslash at the end of the file"),
    ("# \udcff\nb \udcff;", "line 2: is not UTF-8"),
    ("a \\", "line 1: a backslash opens that is never closed"),
    ("a;\ncontent_by_lua_block {\n ngx.say('}')\n", "line 2: a block of Lua opens that is never closed"),
    ("a {\n" * 65 + "}" * 65, "line 65: blocks are nested more than 64 deep"),
]


@pytest.mark.parametrize(("text", "tree"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_parse(text: str, tree: Any) -> None:
    found = parse(text)
    assert found == tree
    assert list(found) == list(tree)


@pytest.mark.parametrize("text", [*(case[1] for case in CASES), HAND_MADE])
def test_what_is_read_can_be_written(text: str) -> None:
    assert normal(parse(render(parse(text)))) == normal(parse(text))


def test_keys_of_what_repeats_stay_short() -> None:
    found = parse("deny a;allow b;" * 2500)
    assert len(found) == 5000
    assert max(map(len, found)) < 20


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_parse_refuses(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=f"^{re.escape(message)}$"):
        parse(text)


def test_filter_names_the_line() -> None:
    assert from_nginx_conf("events {}") == {"events": {}}
    with pytest.raises(AnsibleFilterError, match=r"^from_nginx_conf: line 2: a block closes that was not opened$"):
        from_nginx_conf("a;\n}")


@given(st.text(alphabet="ab{}\n ;#\"'\\$)(= 1\0", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = parse(text)
    except ParseError as error:
        assert re.match(r"line [1-9]\d*: ", str(error))  # noqa: PT017 - not every text raises
        return
    assert normal(parse(render(tree))) == normal(tree)


@given(st.data())
def test_any_cut_of_a_file_is_read_or_refused(data: st.DataObject) -> None:
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(HAND_MADE))] * 2)))
    try:
        tree = parse(HAND_MADE[:start] + HAND_MADE[end:])
    except ParseError:
        return
    assert normal(parse(render(tree))) == normal(tree)


WORDS = st.text("abn01 {}\"'\\;#$)(~^.*\t", max_size=5)
KEYS = st.lists(WORDS.filter(bool), min_size=1, max_size=2).map(lambda words: " ".join(map(quote, words)))
VALUES = st.booleans() | st.none() | st.integers() | st.floats(0, 9) | WORDS.map(quote) | st.lists(WORDS, min_size=1)
TREES = st.recursive(
    st.dictionaries(KEYS, VALUES.filter(lambda value: not isinstance(value, list)), max_size=4),
    lambda inner: st.dictionaries(KEYS, inner | st.lists(inner | VALUES, min_size=1, max_size=3), max_size=4),
    max_leaves=10,
)


@given(TREES)
@example({"a": [1, {"b": True}], 'if (a = "b")': {"return": 1}})
def test_what_is_written_can_be_read(tree: dict[str, Any]) -> None:
    assert normal(parse(render(tree))) == normal(tree)


STATEMENTS = st.lists(
    st.deferred(lambda: st.tuples(st.lists(st.sampled_from("abc"), min_size=1, max_size=2), st.none() | STATEMENTS)),
    max_size=4,
)


def as_text(statements: list[Any]) -> str:
    return "".join(" ".join(words) + (";" if body is None else "{" + as_text(body) + "}") for words, body in statements)


def as_statements(statements: list[Any]) -> list[Statement]:
    return [Statement(words, body if body is None else as_statements(body)) for words, body in statements]


@given(STATEMENTS)
def test_order_and_repetitions_stay(statements: list[Any]) -> None:
    """However directives repeat, with whatever in between."""
    assert normal(parse(as_text(statements))) == as_statements(statements)


def test_crossplane_reads_the_same(tmp_path: Path) -> None:
    conf = tmp_path / "nginx.conf"
    conf.write_text(HAND_MADE, encoding="utf-8")
    found = crossplane.parse(str(conf), single=True, check_ctx=False, check_args=False)
    assert found["errors"] == []

    # It leaves escapes as they are, reports a comment inside a directive, and takes the brackets off a condition.
    def statements(block: list[dict[str, Any]]) -> list[Statement]:
        return [
            Statement(
                [one["directive"], *map(unescape, one["args"])], statements(one["block"]) if "block" in one else None
            )
            for one in block
            if one["directive"] != "#"
        ]

    def bare(block: list[Statement]) -> list[Statement]:
        return [
            Statement(
                " ".join(words).replace("(", "").replace(" )", ")").replace(")", "").split()
                if words[0] == "if"
                else words,
                body if body is None else bare(body),
            )
            for words, body in block
        ]

    assert bare(normal(parse(HAND_MADE))) == statements(found["config"][0]["parsed"])
