# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import quote, render
from hypothesis import assume, given
from hypothesis import strategies as st

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("nothing", {}, ""),
    ("value", {"include": "conf.d/*.conf"}, "include conf.d/*.conf\n"),
    ("flag", {"a": True, "b": None, "c": False}, "a\nb\n"),
    (
        "blocks are set apart",
        {"global_defs": {"router_id": "lb01"}, "vrrp_instance VI_1": {"state": "BACKUP", "nopreempt": True}},
        "global_defs {\n    router_id lb01\n}\n\nvrrp_instance VI_1 {\n    state BACKUP\n    nopreempt\n}\n",
    ),
    (
        "a list is a block of lines",
        {"virtual_ipaddress": ["192.0.2.10/24 dev eth0", "192.0.2.11/24"]},
        "virtual_ipaddress {\n    192.0.2.10/24 dev eth0\n    192.0.2.11/24\n}\n",
    ),
    (
        "a mapping in a list repeats a directive",
        {"virtual_server 192.0.2.10 80": [{"real_server 192.0.2.21 80": {"weight": 1}}, {"delay_loop": 3}]},
        "virtual_server 192.0.2.10 80 {\n    real_server 192.0.2.21 80 {\n        weight 1\n    }\n"
        "    delay_loop 3\n}\n",
    ),
    ("an empty block", {"authentication": {}}, "authentication {\n}\n"),
    (
        "a condition on a block",
        {"@lb01 a b": {"c": 1, "d": {"e": 2}}, "f": {"@^lb01 g": ["h"]}},
        "@lb01 a b {\n    @lb01 c 1\n    @lb01 d {\n        @lb01 e 2\n    @lb01 }\n@lb01 }\n\n"
        "f {\n    @^lb01 g {\n        @^lb01 h\n    @^lb01 }\n}\n",
    ),
    (
        "definitions",
        {"$A=": 1, "$B=x": True, "$C=": "d {\n  e\n}", "$F=": "g\n", "@lb01 $H=": "{ i }", "$J=": True},
        "$A=1\n$B=x\n$C= \\\n    d { \\\n      e \\\n    }\n\n$F= \\\n    g \\\n\n\n@lb01 $H={ i }\n$J=\n",
    ),
    ("what keeps its braces", {"include": "{a,b}", "~LST({A},": "{1}) ${A}"}, "include {a,b}\n~LST({A}, {1}) ${A}\n"),
    ("escaped and single quoted", {"a": "b\\#c \\!d don't"}, "a b\\#c \\!d don't\n"),
    ("control characters", {"a": '\x1b[0m "b\f\v\r\x7f"'}, 'a \x1b[0m "b\f\v\r\x7f"\n'),
    ("escapes in a script", {"script": '"/bin/sh -c \\"a # b\\""'}, 'script "/bin/sh -c \\"a # b\\""\n'),
]

BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"a": {"b": "x\ny"}}, "a.b: 'b x\\ny' holds a line break or control character"),
    ({"a": {"b": "x\0y"}}, "a.b: 'b x\\x00y' holds a line break or control character"),
    ({"a": '"x\ny"'}, "a: 'a \"x\\ny\"' holds a line break or control character"),
    ({"a": '"b" x\fy'}, "a: 'a \"b\" x\\x0cy' holds a line break or control character"),
    ({"a": ["x } y"]}, "a[0]: 'x } y' holds one of ! # { }; put the word in double quotes"),
    ({"a": "b # c"}, "a: 'a b # c' holds one of ! # { }; put the word in double quotes"),
    ({"a": 'b "c'}, "a: 'a b \"c' leaves a quote open"),
    ({"a\nb": 1}, "a\nb: 'a\\nb 1' holds a line break or control character"),
    ({"a": "'b # c'"}, "a: \"a 'b # c'\" holds one of ! # { }; put the word in double quotes"),
    ({"a": "'b { c'"}, "a: \"a 'b { c'\" holds one of ! # { }; put the word in double quotes"),
    ({"a": "b\\"}, "a: 'a b\\\\' ends with a backslash, which keepalived takes for an escape"),
    ({"a": '"b \\" { c \\" d"'}, 'a: \'a "b \\\\" { c \\\\" d"\' holds one of ! # { }; put the word in double quotes'),
    ({"a": [True]}, "a[0]: True is not a text or number"),
    ({"a": [" "]}, "a[0]: is empty"),
    ({"a": "x" * 1021}, "a: is longer than the 1022 bytes that keepalived takes for one line"),
    ({"a": {"b": "\u00e4" * 510}}, "a.b: is longer than the 1022 bytes that keepalived takes for one line"),
    ({"@lb01 a": ["@lb01 b"]}, "@lb01 a: '@lb01 b' cannot be under the condition @lb01, too"),
    ({"@lb01 a": {"$B=": "c\nd"}}, "@lb01 a: '$B= \\\\\\n    c \\\\\\n    d' cannot be under the condition @lb01, too"),
    ({"$A=": "b\n\nc"}, "$A=[1]: is empty, which ends the definition"),
    ({"$A=": "b # c\nd"}, "$A=[0]: 'b # c' holds ! or #; put the word in double quotes"),
    ({"$A=": 'b\n"c'}, "$A=[1]: '\"c' a quote is not closed"),
    ({"$A=": "b\\\nc"}, "$A=[0]: 'b\\\\' ends in a backslash or holds a control character"),
]


@pytest.mark.parametrize(("tree", "text"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_render(tree: dict[str, Any], text: str) -> None:
    assert render(tree) == text


@pytest.mark.parametrize(("tree", "message"), BROKEN)
def test_render_refuses(tree: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        render(tree)


# Text, and lists with text, which stands as it is.
TEXTS: list[tuple[Any, str]] = [
    ("a\n", "a\n\n"),
    ("@lb01 a {\n@lb02 b {\n}", "@lb01 a {\n@lb02 b {\n}\n\n"),
    ([{"a": 1}, "$B= \\\n c \\\n", "d"], "a 1\n$B= \\\n c \\\n\n\nd\n"),
]


@pytest.mark.parametrize(("tree", "text"), TEXTS)
def test_text_stands_as_it_is(tree: Any, text: str) -> None:
    assert render(tree) == text


def test_text_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^\[1\]: line 2: a quote is not closed$"):
        render([{"a": 1}, 'b\n"c\n'])


def test_text_does_not_stand_in_a_block() -> None:
    with pytest.raises(ConfigError, match=r"^a\[0\]: 'b\\nc' holds a line break or control character$"):
        render({"a": ["b\nc"]})


PASSWORDS: list[tuple[Any, str]] = [
    ("s3cret", "s3cret"),
    (1111, "1111"),
    ('"a!b#{"', '"a!b#{"'),
    ('"s3cret"', '"s3cret"'),
    ("a!b#{}", '"a!b#{}"'),
    ("'ab#cd'", "\"'ab#cd'\""),
    ("a b", '"a b"'),
    ("a\\b", '"a\\b"'),
    ("@a~b", "@a~b"),
    ("5$", "5$"),
    ("$PASSWORD", "$PASSWORD"),
    ("${PASSWORD}", "${PASSWORD}"),
]


@pytest.mark.parametrize(("value", "written"), PASSWORDS)
def test_passwords_mean_what_they_say(value: Any, written: str) -> None:
    assert render({"auth_pass": value}) == f"auth_pass {written}\n"
    assert render({"@lb01 auth_pass": value}) == f"@lb01 auth_pass {written}\n"
    assert render({"a": [f"auth_pass {value}"]}) == f"a {{\n    auth_pass {written}\n}}\n"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "is empty"),
        ('""', "is empty"),
        ("123456789", "has 9 characters, and keepalived uses 8; shorten it to these"),
        ('"12345678 "', "has 9 characters, and keepalived uses 8; shorten it to these"),
        (
            'a"b',
            "holds a double quote or ends with a backslash, which keepalived cannot escape; choose another password",
        ),
        (
            '"a',
            "holds a double quote or ends with a backslash, which keepalived cannot escape; choose another password",
        ),
        (
            "a\\",
            "holds a double quote or ends with a backslash, which keepalived cannot escape; choose another password",
        ),
        ("a$b", "holds a '$', which keepalived takes for a definition; choose a password without it"),
        ("a${b}", "holds a '$', which keepalived takes for a definition; choose a password without it"),
        ("p\u00e4ss", "holds a character outside ASCII, whose bytes keepalived would send; choose another password"),
    ],
)
def test_other_passwords_are_refused_and_not_shown(value: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=f"^a.auth_pass: {re.escape(reason)}$"):
        render({"a": {"auth_pass": value}})
    if value:
        with pytest.raises(ConfigError, match=rf"^a\[0\] \(auth_pass\): {re.escape(reason)}$"):
            render({"a": [f"auth_pass {value}"]})


@pytest.mark.parametrize("value", [True, False, 1.5, " abc", "abc\t"])
def test_passwords_that_yaml_or_a_line_would_change_are_refused(value: object) -> None:
    words = "is a boolean or a number with a point, or has a blank at an end; put it in double quotes"
    with pytest.raises(ConfigError, match=rf"^a\.auth_pass: {words}$"):
        render({"a": {"auth_pass": value}})


def test_a_password_in_two_lines_is_not_shown() -> None:
    with pytest.raises(ConfigError, match=r"^a\[0\]: the value holds a line break or control character$"):
        render({"a": ["auth_pass s3cret\n}"]})


def words(line: str) -> list[str]:
    """Read a line as keepalived's decomment(), read_line() and alloc_strvec_r() do; braces as words of their own."""
    kept, quoted, position = "", False, 0
    while position < len(line):
        char, pair = line[position], line[position : position + 2]
        if char in "!#" and not quoted:
            break
        if char == "\\":
            kept += pair[1:] if not quoted and pair[1:] in ("#", "!") else pair
            position += 2
            continue
        quoted ^= char == '"'
        kept += char
        position += 1
    assert not quoted
    return [found[1:-1] if found[0] == '"' else found for found in re.findall(r'"[^"]*"|[{}]|[^\s"{}]+', kept)]


@given(st.text(st.sampled_from("ab'#!{}\\$~@ \""), max_size=9))
def test_keepalived_reads_the_password(text: str) -> None:
    try:
        line = render({"auth_pass": text})
    except ConfigError:
        return
    meant = text.strip()
    assert words(line) == ["auth_pass", meant[1:-1] if meant[0] == meant[-1] == '"' else meant]


@given(st.text(st.sampled_from("ab'#!{}\\ \""), max_size=9))
def test_no_value_loses_a_part_to_a_comment_or_block(text: str) -> None:
    try:
        line = render({"router_id": text})
    except ConfigError:
        return
    assert not {"{", "}"} & set(words(line)) or '"{"' in line or '"}"' in line
    assert len("".join(words(line))) >= len(re.sub(r'[\s"\\]', "", line))


SCALARS = st.one_of(st.booleans(), st.none(), st.integers(), st.text(max_size=12))
TREES = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


def lines_meant(value: Any) -> int:
    """Count the lines that a value of a directive may take, its own included."""
    if isinstance(value, dict):
        return 2 + sum(lines_meant(inner) for inner in value.values() if inner is not False)
    if isinstance(value, list):
        return 2 + sum(lines_meant(item) - 2 if isinstance(item, (dict, list)) else 1 for item in value)
    return 1


@given(TREES)
def test_no_value_breaks_out_of_its_line(tree: dict[str, Any]) -> None:
    try:
        text = render(tree)
    except ConfigError:
        return
    lines = [line for line in text.split("\n") if line]
    assert len(lines) == sum(lines_meant(value) for value in tree.values() if value is not False)
    assert sum(line.endswith("{") for line in lines) == sum(
        re.fullmatch(r"\s*(@\S* )?\}", line) is not None for line in lines
    )


@given(st.text(alphabet=st.characters(exclude_characters='"', exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1))
def test_quote_makes_one_word(text: str) -> None:
    assume(not text.endswith("\\"))
    assert render({"script": quote(text)}).count("\n") == 1


def test_quote_refuses_a_backslash_at_the_end() -> None:
    with pytest.raises(ConfigError, match="ends with a backslash, which keepalived takes for an escape"):
        quote("{\\")


def test_quote_refuses_a_quote() -> None:
    with pytest.raises(ConfigError, match="which keepalived cannot escape"):
        quote('a"b')
