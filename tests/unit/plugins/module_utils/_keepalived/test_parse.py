# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import re
import time
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.lines import meaning
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import parse
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from hypothesis import assume, example, given
from hypothesis import strategies as st

CASES: list[tuple[str, str, Any]] = [
    ("nothing", "", {}),
    ("comments", "! one\n# two\nlvs_flush # three\n", {"lvs_flush": True}),
    ("bytes in comments", "# " + "\udce4" * 900 + "\nlvs_flush\n", {"lvs_flush": True}),
    ("includes", "include conf.d/*.conf\nlvs_flush\n", {"include": "conf.d/*.conf", "lvs_flush": True}),
    ("includes with blanks", "include \t a  b\t c.conf \n", {"include": "a  b\t c.conf"}),
    ("includes with braces", "include /etc/{a,b{1,2}}.conf\n", {"include": "/etc/{a,b{1,2}}.conf"}),
    (
        "includes in a block",
        "vrrp_instance A {\n includer a\n includer b\n}\n",
        {"vrrp_instance A": [{"includer": "a"}, {"includer": "b"}]},
    ),
    (
        "values",
        "a 7\nb -1\nc 0.2\nd 007\ne x \t y\nf -0\n",
        {"a": 7, "b": -1, "c": "0.2", "d": "007", "e": "x y", "f": "-0"},
    ),
    ("long numbers", f"a {'9' * 900}\n", {"a": "9" * 900}),
    ("digits of another script", "a \u0661\n", {"a": "\u0661"}),
    ("blanks of another kind are part of a word", "a b\u00a0c\n", {"a": "b\u00a0c"}),
    (
        "other blanks between words",
        "\f\n\va\fb \v\rc\r\nd {\f\n e\f}\n",
        {"a": "b c", "d": {"e": True}},
    ),
    ("control characters in words", 'a \x1b[0m\x01 "b\f\v\r"\n', {"a": '\x1b[0m\x01 "b\f\v\r"'}),
    ("line ends of DOS", "a 1\r\nb {\r\n c\r\n}\r\n", {"a": 1, "b": {"c": True}}),
    ("a block", "global_defs {\n  router_id lb01\n}\n", {"global_defs": {"router_id": "lb01"}}),
    ("braces of their own", "global_defs\n{\n  router_id lb01 }\n", {"global_defs": {"router_id": "lb01"}}),
    ("blocks in one line", "a { b 1 } c { d { e 2 } }\n", {"a": {"b": 1}, "c": {"d": {"e": 2}}}),
    ("empty blocks", "global_defs {}\nstatic_routes {}\n", {"global_defs": {}, "static_routes": []}),
    (
        "lists",
        "virtual_ipaddress {\n  192.0.2.10/24 dev eth0\n  192.0.2.11\n}\n",
        {"virtual_ipaddress": ["192.0.2.10/24 dev eth0", "192.0.2.11"]},
    ),
    ("a block in a list", "track_file {\n  up {\n weight 1\n }\n}\n", {"track_file": {"up": {"weight": 1}}}),
    ("a definition by the name of a list", "track_file up {\n  weight 0\n}\n", {"track_file up": {"weight": 0}}),
    ("repeated", "a {\n x 1\n y\n x 2\n}\n", {"a": [{"x": 1, "y": True}, {"x": 2}]}),
    ("repeated at the top", "$N=0\n$VI\n$N=\n$VI\n", [{"$N=": 0, "$VI": True}, {"$N=": True, "$VI": True}]),
    ("blanks in a definition count", "$S=  a   b\n", {"$S=": "a   b"}),
    ("quotes", "a  \"b # c {\" 'd  e' don't\n", {"a": "\"b # c {\" 'd  e' don't"}),
    ("single quotes hide nothing", "a 'b # c'\nd 'e {\n f'\n}\n", {"a": "'b", "d 'e": {"f'": True}}),
    ("a single quote", "router_id bob's\n", {"router_id": "bob's"}),
    ("escapes", "a \\#b c\\!d\n", {"a": "\\#b c\\!d"}),
    ("escaped quotes", 'a b \\"c \\"d\n', {"a": 'b \\"c \\"d'}),
    (
        "passwords",
        "x {\n auth_pass 'ab#cd'\n}\ny {\n @lb01 auth_pass a b\n}\nz {\n auth_pass \"a b\" c\n}\n",
        {"x": {"auth_pass": "'ab"}, "y": {"@lb01 auth_pass": "a"}, "z": {"auth_pass": '"a b"'}},
    ),
    (
        "long passwords",
        'auth_pass 12345678901\na {\n auth_pass "1234 678 01"\n}\n',
        {"auth_pass": 12345678, "a": {"auth_pass": '"1234 678"'}},
    ),
    ("substitution", "a ${B}.1/24\n", {"a": "${B}.1/24"}),
    ("a block with a definition in its name", "a $B {\n c $D\n}\n", {"a $B": {"c": "$D"}}),
    (
        "conditions",
        "@lb01 priority 2\n@lb02\tpriority  1\n@^lb01 nopreempt\n",
        {"@lb01 priority": 2, "@lb02 priority": 1, "@^lb01 nopreempt": True},
    ),
    (
        "a block under a condition",
        "@lb01 a ok {\n@lb01 b x\n@lb01 c {\n@lb01  d\n@lb01 }\n@lb01 }\ne\n",
        {"@lb01 a ok": {"b": "x", "c": {"d": True}}, "e": True},
    ),
    (
        "a definition of several lines",
        "$VI= \\\n  vrrp_instance V { \\\n    priority 1 \\\n  }\n$VI\n",
        {"$VI=": "vrrp_instance V {\n    priority 1\n}", "$VI": True},
    ),
    ("text in its first line", "$VI=a \\\n  b # c \\\n d\n", {"$VI=": "a\nb\nd"}),
    ("blanks after its backslashes", "$VI= \\ \t\n  b \\\r\n d\n", {"$VI=": "b\nd"}),
    ("an empty line at its end", "$VI= \\\n  b \\\n\nd\n", {"$VI=": "b\n", "d": True}),
    ("nothing in it", "$VI= \\\n\nd\n", {"$VI=": True, "d": True}),
    ("a condition before it", "@lb01 $VI= \\\n b { \\\n }\n", {"@lb01 $VI=": "b {\n}"}),
    ("braces in a definition", "$A=x { y }\n", {"$A=": "x { y }"}),
    ("another word with the sign of sequences", "a { ~x }\n", {"a": {"~x": True}}),
    (
        "sequences and lists",
        "~SEQ(A, 1, 3) a${A}\n~LST({A, B}, {1,2}, {3,4}) $M\n",
        {"~SEQ(A,": "1, 3) a${A}", "~LST({A,": "B}, {1,2}, {3,4}) $M"},
    ),
]
# What no dictionary holds.
AS_IT_STANDS = [
    ("@lb01 vrrp_script ok {\n script x\n@lb01 }\n", "a block that is under a condition in part"),
    ("@lb01 a {\n@lb01 b { c }\n@lb01 }\n", "a block of one line in one under a condition"),
    ("@lb01 vrrp_instance A {\n@lb02 vrrp_instance B {\n priority 1\n}\n", "alternative openers"),
    ("vrrp_instance A {\n$END }\n", "a brace after a definition"),
    ("a $B\n{\n}\n", "a brace below a definition"),
    ("a { b $B }\n", "a definition in a block of one line"),
    ("$A=x {\n$A\n y\n}\n", "a brace in a definition"),
    ("a { include b\n}\n", "an include after a brace, which is read twice"),
    ("include a\n}\n", "a brace that an include may have opened"),
    ("$VI= \\\n b\n", "a definition of several lines with one"),
    ("$VI= \\\n  b \\\n  # c\n d\n", "a comment in a definition, which not all processes read alike"),
    ("a b \\\nc\n", "a backslash at the end"),
    ('a b\\"c\n', "an escaped quote that is not closed"),
    ("auth_pass a$b\n", "a password that may hold a definition"),
    ("authentication {\n auth_pass p\u00e4ss\n}\n", "a password outside ASCII"),
]

ODD_BLANK = (
    "holds a form feed, vertical tab or carriage return, which keepalived does not take for a blank everywhere;"
    " replace it with a blank"
)
BROKEN = [
    ("a {\n b\n", "line 1: a block opens that is never closed"),
    ("a\n}\n", "line 2: a block closes that was not opened"),
    ("a {\n}\n{\n}\n", "line 3: a block opens without a directive"),
    ('a\nb "c\n', "line 2: a quote is not closed"),
    ('a "b \\" c\n', "line 1: a quote is not closed"),
    ("a\nb\x00\n", "line 2: holds a control character"),
    ("a\nb 'c\r'\n", f"line 2: {ODD_BLANK}"),
    ("a\n@lb01\fb\n", f"line 2: {ODD_BLANK}"),
    ("$A= \\\n b \\\n\v\n", f"line 3: {ODD_BLANK}"),
    ("# ok \udce4\nb \udce4\n", "line 2: is not UTF-8"),
    (f"a\n# {'x' * 1021}\n", "line 2: is longer than the 1022 bytes that keepalived takes for one line"),
    ("a\nb " + "\u00e4" * 511, "line 2: is longer than the 1022 bytes that keepalived takes for one line"),
    ("a {\n" * 1500 + "}\n" * 1500, "line 50: more than 50 blocks are open"),
]


@pytest.mark.parametrize(("text", "tree"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_parse(text: str, tree: Any) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize("text", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_read_can_be_written(text: str) -> None:
    assert meaning(render(parse(text))) == meaning(text)


@pytest.mark.parametrize("text", [case[0] for case in AS_IT_STANDS], ids=[case[1] for case in AS_IT_STANDS])
def test_what_no_dictionary_holds_stands_as_it_is(text: str) -> None:
    assert parse(text) == text
    assert render(text) == f"{text}\n"


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_parse_refuses(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=f"^{re.escape(message)}$"):
        parse(text)


@given(st.text(alphabet="ab{}\n !#\"'\\$@=~ 1\t", max_size=60))
# A blank at the end keeps the backslash from continuing the line.
@example("@{#\\ ")
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = parse(text)
    except ParseError:
        return
    assert meaning(render(tree)) == meaning(text)


WORDS = st.text(alphabet="abcXYZ019._/:@$-", min_size=1, max_size=8).filter(lambda word: not word.startswith("include"))
VALUES = st.one_of(st.booleans(), st.none(), st.integers(), WORDS, st.sampled_from(['"a b"', "'a  b'", "x  y", "${A}"]))
BLOCKS = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.dictionaries(WORDS, inner, max_size=3),
        st.lists(st.one_of(WORDS, st.dictionaries(WORDS, inner, min_size=1, max_size=2)), max_size=3),
    ),
    max_leaves=10,
)


@given(st.dictionaries(WORDS, BLOCKS, max_size=4))
def test_what_is_written_can_be_read(tree: dict[str, Any]) -> None:
    try:
        text = render(tree)
    except ConfigError:
        assume(False)
    assert meaning(render(parse(text))) == meaning(text)


# Half a megabyte each; a minute's work for a reader whose work grows faster than its file.
LARGE = [
    "a {\n" + "garp_master_delay 1\ngarp_master_repeat 1\n" * 12_000 + "}\n",
    "include a\nvrrp_sync_group x {\n}\n" * 15_000,
    "".join(f"vrrp_instance V{number} {{\n  priority {number}  # x\n}}\n" for number in range(12_000)),
    f"{'a' * 1000} =\n" * 500,
    f'a "{"b " * 400}\n',
    f"a {'{' * 900}\n" * 5 + "}\n" * 4500,
]


@pytest.mark.parametrize(
    "text", LARGE, ids=["alternating", "repeated", "blocks", "long lines", "an open quote", "braces"]
)
def test_large_files_are_read_in_time(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(ParseError):
        render(parse(text))
    assert time.process_time() - started < 5
