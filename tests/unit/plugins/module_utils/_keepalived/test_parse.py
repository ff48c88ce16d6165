# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import ParseError, normal, parse
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from hypothesis import given
from hypothesis import strategies as st

CASES: list[tuple[str, str, Any]] = [
    ("nothing", "", {}),
    ("comments", "! one\n# two\nlvs_flush # three\n", {"lvs_flush": True}),
    ("includes", "include conf.d/*.conf\nlvs_flush\n", {"lvs_flush": True}),
    (
        "values",
        "a 7\nb -1\nc 0.2\nd 007\ne x  y\nf -0\n",
        {"a": 7, "b": -1, "c": "0.2", "d": "007", "e": "x y", "f": "-0"},
    ),
    ("a block", "global_defs {\n  router_id lb01\n}\n", {"global_defs": {"router_id": "lb01"}}),
    ("braces of their own", "global_defs\n{\n  router_id lb01 }\n", {"global_defs": {"router_id": "lb01"}}),
    (
        "lists",
        "virtual_ipaddress {\n  192.0.2.10/24 dev eth0\n  192.0.2.11\n}\n",
        {"virtual_ipaddress": ["192.0.2.10/24 dev eth0", "192.0.2.11"]},
    ),
    ("a definition by the name of a list", "track_file up {\n  weight 0\n}\n", {"track_file up": {"weight": 0}}),
    ("repeated", "a {\n x 1\n y\n x 2\n}\n", {"a": [{"x": 1, "y": True}, {"x": 2}]}),
    ("repeated at the top", "$N=0\n$VI\n$N=1\n$VI\n", [{"$N=0": True, "$VI": True, "$N=1": True}, {"$VI": True}]),
    ("quotes", "a \"b # c {\" 'd  e' don't\n", {"a": "\"b # c {\" 'd  e' don't"}),
    ("single quotes hide nothing", "a 'b # c'\nd 'e {\n f'\n}\n", {"a": "'b", "d 'e": {"f'": True}}),
    ("escapes", "a \\#b c\\!d\n", {"a": "\\#b c\\!d"}),
    (
        "passwords",
        "x {\n auth_pass 'ab#cd'\n}\ny {\n @lb01 auth_pass a b\n}\nz {\n auth_pass \"a b\" c\n}\n",
        {"x": {"auth_pass": "'ab"}, "y": {"@lb01 auth_pass": "a"}, "z": {"auth_pass": '"a b"'}},
    ),
    ("substitution", "a ${B}.1/24\n", {"a": "${B}.1/24"}),
    (
        "conditions",
        "@lb01 priority 2\n@lb02 priority 1\n@^lb01 nopreempt\n",
        {"@lb01 priority": 2, "@lb02 priority": 1, "@^lb01 nopreempt": True},
    ),
    (
        "a definition of several lines",
        "$VI= \\\n  vrrp_instance V { \\\n    priority 1 \\\n  }\n$VI\n",
        {"$VI=": "vrrp_instance V {\n  priority 1\n}", "$VI": True},
    ),
]

BROKEN = [
    ("a {\n b\n", "line 1: a block opens that is never closed"),
    ("a\n}\n", "line 2: a block closes that was not opened"),
    ("a {\n}\n{\n}\n", "line 3: a block opens without a directive"),
    ('a\nb "c\n', "line 2: a quote is not closed"),
]


@pytest.mark.parametrize(("text", "tree"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_parse(text: str, tree: Any) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize("text", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_read_can_be_written(text: str) -> None:
    assert normal(parse(render(parse(text)))) == normal(parse(text))


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_parse_refuses(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=f"^{re.escape(message)}$"):
        parse(text)


@given(st.text(alphabet="ab{}\n !#\"'\\$@= 1", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = parse(text)
    except ParseError:
        return
    try:
        written = render(tree)
    except ConfigError:
        return
    assert normal(parse(written)) == normal(tree)


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
    assert normal(parse(render(tree))) == normal(tree)
