# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""haproxy.cfg as data: every line comes out again in its place, and what cannot be read is named by its line only."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.filter.from_haproxy_cfg import from_haproxy_cfg
from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.parse import (
    line_words,
    parse,
    plain,
    words,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.render import render
from hypothesis import example, given
from hypothesis import strategies as st

CASES: list[tuple[str, str, Any]] = [
    ("nothing", "", {}),
    ("comments", "# a\nglobal # b\n  daemon#c\n  # d\n", {"global": {"daemon": True}}),
    (
        "values",
        "global\n maxconn 100\n nice -1\n node  a  b\n",
        {"global": {"maxconn": 100, "nice": "-1", "node": "a b"}},
    ),
    (
        "a carriage return ends the line behind a word, not behind a blank",
        "global\n a b\r c 'd\n \re\\\r\n f \rg\r h\n",
        {"global": {"a": "b", "e\\\\": True, "f": "g"}},
    ),
    ("carriage returns", "global\r\n\tdaemon\r\n", {"global": {"daemon": True}}),
    (
        "quotes and escapes",
        'backend b\n log-format "%ci # \\"" \'x y\'\n http-request set-header X a\\ \\#b\n',
        {"backend b": {"log-format": '"%ci # \\"" \'x y\'', "http-request": "set-header X a\\ \\#b"}},
    ),
    ("lists", "backend b\n server a 1:1\n server b 1:2 check\n", {"backend b": {"server": ["a 1:1", "b 1:2 check"]}}),
    (
        "mappings",
        "defaults\n timeout connect 2s\n timeout client 9\n option httplog\n no option httpclose\n",
        {
            "defaults": {
                "timeout": {"connect": "2s", "client": 9},
                "option": {"httplog": True},
                "no option": "httpclose",
            }
        },
    ),
    (
        "one name twice is a list",
        "global\n stats socket /a\n stats socket /b\n",
        {"global": {"stats": ["socket /a", "socket /b"]}},
    ),
    (
        "keywords between keep their place",
        "frontend f\n acl a path /a\n deny if a\n acl b path /b\n acl a path /c\n deny if a\n",
        {
            "frontend f": {
                "acl": "a path /a",
                "deny": "if a",
                "acl b": "path /b",
                "acl a": "path /c",
                "deny if": "a",
            }
        },
    ),
    (
        "a whole line repeats",
        "frontend f\n a\n b\n a\n b\n a\n",
        {"frontend f": {"a": True, "b": True, "a ": True, "b ": True, "a\t": True}},
    ),
    (
        "sections",
        "defaults\ndefaults tcp from x\nfrontend f from tcp\nhttp-errors e\ndefaults\n",
        {"defaults": {}, "defaults tcp from x": {}, "frontend f from tcp": {}, "http-errors e": {}, "defaults ": {}},
    ),
    (
        "words that end with a backslash or an escaped blank",
        "global\n setenv A b\\\n setenv B c\\\td\n setenv C a\\ \n setenv D a\\ \\  b\n",
        {"global": {"setenv": ["A b\\\\", "B c\\\\ d", "C a' '", "D a\\ ' ' b"]}},
    ),
    (
        "a blank in a word of a key",
        "backend b\n no 'a b' c\n a\\ b c\n no 'a b' d\n x\n a\\ b c\n",
        {"backend b": {"no 'a b'": "c", "a\\ b": "c", "no 'a b' d": True, "x": True, "a\\ b c": True}},
    ),
    ("quoted sections", "'global'\n \"a\" b\n", {"'global'": {'"a"': "b"}}),
    ("control characters", "global\n a\fb \x1b[0m 'c\f\v'\n", {"global": {"a": "b \x1b[0m 'c\f\v'"}}),
    (
        "numbers are of ASCII digits, and not endless",
        "global\n a \u0663\n b 1\u0663\n c " + "9" * 19 + "\n d 12\n",
        {"global": {"a": "\u0663", "b": "1\u0663", "c": "9" * 19, "d": 12}},
    ),
    (
        "conditions",
        ".if 1\nglobal\n .if 2\n daemon\n .endif\n.endif\n",
        {".if 1": {}, "global": {".if": 2, "daemon": True, ".endif": [True, True]}},
    ),
]

BROKEN = [
    ("global\n  setenv A 'secret\n", "line 2: a quote is not closed"),
    ('global\n  setenv A x"secret\n', "line 2: a quote is not closed"),
    ("global\n\n  setenv A sec\0ret\n", "line 3: a control character"),
    ("global\n  setenv A 'sec\rret'\n", "line 2: a control character"),
    ("global # \udcff\n a \udcff\n", "line 2: is not UTF-8"),
    ("daemon\nglobal\n", "line 1: a keyword before the first section"),
]

PLAIN = [
    (r"^\d\.\q$", r"^\d\.\q$"),
    (r"\x41\n\'\"\$A", "A\n'\"\\$A"),
    (r'"\x41\t\$A\d"', "A\t$A\\d"),
    ("a", "a"),
    (r"a\ \#b", "a #b"),
    ('"a\'b\\""', "a'b\""),
    (r"'a\b'c", r"a\bc"),
    ("%[src]", "%[src]"),
]


@pytest.mark.parametrize(("text", "tree"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_parse(text: str, tree: dict[str, Any]) -> None:
    parsed = parse(text)
    assert parsed == tree
    assert [list(keywords) for keywords in parsed.values()] == [list(keywords) for keywords in tree.values()]
    assert list(line_words(render(parsed))) == list(line_words(text))


def test_repetitions_cost_little() -> None:
    text = "frontend f\n" + " a x\n b x\n" * 2500
    keys = list(parse(text)["frontend f"])
    assert len(set(keys)) == 5000
    assert max(map(len, keys)) < 20


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_parse_refuses(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=f"^{re.escape(message)}$"):
        parse(text)
    with pytest.raises(AnsibleFilterError, match=f"^from_haproxy_cfg: {re.escape(message)}$"):
        from_haproxy_cfg(text)


@pytest.mark.parametrize(("word", "expected"), PLAIN)
def test_plain(word: str, expected: str) -> None:
    assert words(word) == [word]
    assert plain(word) == expected


LINES = st.lists(
    st.sampled_from(
        ["global", "defaults", "backend b", ".if", "acl a b", "a", "no a", "timeout x 1", "timeout y", "a #"]
    ),
    max_size=12,
)
TEXTS = LINES.map("\n".join) | st.text("ag \n\t\r\\\"'#$.\0\x0b\xa01") | st.text()


@given(TEXTS)
@example("global\n a \\ b\n")
def test_every_line_comes_out_again_or_is_refused(text: str) -> None:
    try:
        tree = parse(text)
    except ParseError as error:
        refusal = str(error)
    else:
        assert list(line_words(render(tree))) == list(line_words(text))
        return
    # The line, and nothing of what it says.
    assert re.fullmatch(r"line \d+: [a-z ;]+|line \d+: is not UTF-8", refusal)


WORDS = st.text("abXY01._/:@%[]-", min_size=1, max_size=6).filter(lambda word: not word.startswith("."))
VALUES = st.one_of(st.none(), st.booleans(), st.integers(0, 99), WORDS, st.sampled_from(["'a b'", '"#"', r"a\ b"]))
KEYWORDS = st.dictionaries(WORDS, VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(WORDS, VALUES, max_size=3))


@given(st.dictionaries(st.sampled_from(["global", "backend a", "peers x"]), KEYWORDS))
def test_what_is_written_can_be_read(tree: dict[str, Any]) -> None:
    written = render(tree)
    assert list(line_words(render(parse(written)))) == list(line_words(written))
