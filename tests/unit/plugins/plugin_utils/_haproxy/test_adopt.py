# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables that give a haproxy.cfg again, with each proxy under the defaults that it had."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.parse import SECTIONS, line_words, parse
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.adopt import difference, variables
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.findings import findings
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.tree import sections
from hypothesis import given
from hypothesis import strategies as st

BARE = {
    "haproxy_base": False,
    "haproxy_unit": False,
    "haproxy_stats_bind": "",
    "haproxy_health_bind": "",
    "haproxy_peers_port": 0,
    "haproxy_global": {},
    "haproxy_defaults": {},
    "haproxy_sections": {},
    "haproxy_frontends": [],
    "haproxy_listens": [],
    "haproxy_backends": [],
    "haproxy_accept": [],
}
NOTHING: dict[str, Any] = {"global": {}, "defaults": {}, "sections": {}, "frontends": []}

CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("nothing", "", {}),
    (
        "one file of the usual kind",
        "global\n daemon\ndefaults\n mode tcp\npeers p\nfrontend f\n bind :1\nlisten l\n bind :2\nbackend b\n id 1\n",
        {
            "haproxy_global": {"daemon": True},
            "haproxy_defaults": {"mode": "tcp"},
            "haproxy_sections": {"peers p": {}},
            "haproxy_frontends": [{"name": "f", "bind": ":1"}],
            "haproxy_listens": [{"name": "l", "bind": ":2"}],
            "haproxy_backends": [{"name": "b", "id": 1}],
            "haproxy_accept": ["server"],
        },
    ),
    (
        "several defaults",
        "defaults\n mode tcp\nbackend a\ndefaults defaults-1\nbackend b\nbackend c from defaults-1\n"
        "defaults\nbackend d\n",
        {
            "haproxy_sections": {
                "defaults defaults-2": {"mode": "tcp"},
                "defaults defaults-1": {},
                "defaults defaults-3": {},
            },
            "haproxy_backends": [
                {"name": "a", "from": "defaults-2"},
                {"name": "b", "from": "defaults-1"},
                {"name": "c", "from": "defaults-1"},
                {"name": "d", "from": "defaults-3"},
            ],
            "haproxy_accept": ["server"],
        },
    ),
    ("conditions", "global\n .if x\n daemon\n .endif\n", {"haproxy_sections": {"global": ...}}),
    ("no defaults for the first", "backend b\ndefaults\n", {"haproxy_sections": {"backend b": {}, "defaults": {}}}),
    ("global is not the first", "peers p\nglobal\n", {"haproxy_sections": {"peers p": {}, "global": {}}}),
    ("quoted names", "'backend' \"b\"\n server a :1\n", {"haproxy_backends": [{"name": "b", "server": "a :1"}]}),
    ("a variable's name", 'backend "$B"\n', {"haproxy_sections": {'backend "$B"': {}}}),
    ("a keyword that is a key of ours", "backend b\n name x\n", {"haproxy_sections": {"backend b": {"name": "x"}}}),
    ("two of a name", "global\nglobal\n", {"haproxy_sections": {"global": {}, "global ": {}}}),
    ("an address behind the name", "listen l :80\n", {"haproxy_sections": {"listen l :80": {}}}),
]


def settings_of(found: dict[str, Any]) -> dict[str, Any]:
    """The settings that the role makes of variables."""
    empty = {**NOTHING, "backends": [], "listens": [], "files": [], "accept": []}
    return {name: found.get(f"haproxy_{name}", value) for name, value in empty.items()}


def meaning(text: str) -> list[Any]:
    """The sections of a text in any order, each with the lines of the defaults that it uses."""
    found, anonymous, named = [], [], {}
    for header, *lines in split_sections(text):
        if header[0] == "defaults":
            source = named[header[3]] if header[3:] else []
            anonymous = [*source, *lines]
            named[header[1] if header[1:] else ""] = anonymous
        else:
            proxy = header[0] in ("frontend", "backend", "listen")
            inherited = (named[header[3]] if header[3:] else anonymous) if proxy else []
            found.append((header[:2], inherited, lines))
    return sorted(found)


def split_sections(text: str) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    for words in line_words(text):
        if words[0] in SECTIONS:
            found.append([])
        found[-1].append(words)
    return found


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_variables(text: str, expected: dict[str, Any]) -> None:
    tree = parse(text)
    if expected.get("haproxy_sections", {}).get("global") is ...:
        expected = {"haproxy_sections": tree}
    assert variables(tree) == {**BARE, **expected}


@given(
    st.lists(
        st.sampled_from(
            [
                "global\n daemon",
                "defaults\n mode tcp",
                "defaults\n mode http",
                "defaults x\n maxconn 1",
                "defaults y\n maxconn 2",
                "frontend f\n bind :1\n acl a x\n deny if a\n acl b x",
                "backend b\n server a 1:1\n server b 1:2",
                "backend c\n id 3",
                "peers p\n peer a 1:1",
            ]
        ),
        unique=True,
    )
)
def test_the_role_gives_the_same_again(parts: list[str]) -> None:
    text = "\n".join(parts)
    again = render(sections(settings_of(variables(parse(text))), NOTHING))
    assert meaning(again) == meaning(text)


def test_the_first_line_that_differs_is_named() -> None:
    live = parse("global\n daemon\nbackend b\n id 1\n balance source\n")
    assert difference(variables(live), live) == ""
    lost = parse("global\n daemon\nbackend b\n id 1\n")
    assert difference(variables(lost), live) == "backend b: balance source"
    assert difference(variables(live), lost) == "backend b: balance source"
    late = parse("backend b\n id 1\n balance source\nglobal\n daemon\n")
    assert difference(variables(live), late) == "global (1)"


def test_what_is_not_reproduced_is_refused() -> None:
    tree = {"backend b": {"a": "'"}}
    with pytest.raises(ValueError, match=r"^backend b.a: "):
        difference(variables(tree), tree)


def test_findings_of_the_file_are_accepted() -> None:
    text = "defaults\n timeout connect 5\nfrontend f\nfrontend g\n bind :1\nlisten h\n bind :1\n option ldap-check\n"
    found = variables(parse(text))
    assert found["haproxy_accept"] == ["bind", "server", "timeout"]
    assert list(findings(settings_of(found), NOTHING, "/etc/haproxy/haproxy.cfg")) == []
    refused = findings(settings_of({**found, "haproxy_accept": ["server", "timeout"]}), NOTHING, "")
    assert [text.partition(";")[2] for text in refused] == [
        " give an address, e.g. 'bind: \"*:80\"' (if this is intended, set haproxy_accept: [bind])",
        " each would get a part of the connections (if this is intended, set haproxy_accept: [bind])",
    ]
