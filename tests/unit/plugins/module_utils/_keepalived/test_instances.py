# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One model of a configuration, whatever way it is written. On a node keepalived is asked about definitions, too."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common.parse_error import ParseError
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    ADDRESSES as LISTS,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    Address,
    Instance,
    expand,
    one_of,
    read,
    undecided,
    virtual_addresses,
)
from hypothesis import given
from hypothesis import strategies as st

PROBES = (Path(__file__).parents[5] / "tests" / "configurations" / "definitions.conf").read_text()


def test_definitions_and_conditions() -> None:
    found = expand(PROBES.splitlines(), one_of("lb01", ["lb01", "lb02", "lb011", "nobody", "everybody"]))
    assert [line for line in found if line and not line.startswith("@ ") and line != "@lb01"] == [
        # The example of keepalived.conf(5).
        "10.2.0.100/32",
        "10.2.10.100/32",
        "x1y_first",
        "$A_third",
        "$C",
        "$C.",
        "1",
        "1, comma",
        "z1) bracket",
        "z$B. point",
        '"q $B" quote',
        '"q 1 " quote',
        "\\1",
        "zz",
        '$D ="space"',
        "$1X=3",
        "$1X",
        "aseveral wordsb",
        '"quoted words"',
        "here",
        "not there",
        "after blanks",
        "before",
        "everybody",
        "b2 2",
        "b2 2",
        *["m12", "m2", "m47", "m5", "m6"],
        "$M not at the end",
        *["at the end m17", "m2", "m47", "m5", "m6"],
        *["xm17", "m2", "m47", "m5", "m6"],
        *["n1", "m18", "m2", "m47", "m5", "m6", "n2"],
        "b7",
        "after an empty line",
        *["f1", "f2"],
    ]


OPEN: list[tuple[str, list[str]]] = [
    ("@main priority 1\n@^main priority 2", ["@main priority 1", "@^main priority 2"]),
    # Until it is defined again, the name has one value or the other.
    ("$P=1\n@main $P=2\nuse $P\n$P=3\nuse $P", ["use $P", "use 3"]),
    ("@lb02 $P=2\nuse $P", ["use $P"]),
    ("$M= \\\n a { \\\n b \\\n }\n@main $M", ["@main a {", "@main b", "}"]),
    ("$M= \\\n a \\\n {\n@main $M", ["@main a", "{"]),
    ("$IF_MAIN=@main\n$IF_MAIN $IF_MAIN priority 1", ["@main @main priority 1"]),
    ("$IF_HERE=@lb01\n$IF_HERE priority 1", ["priority 1"]),
    ("$IF_HERE=@lb02\n$IF_HERE priority 1", []),
    ("@lb02 $A= \\\n b\nuse $A", ["b", "use $A"]),
    ("a { @lb01 b } @lb02 c", ["a", "{", "b", "}"]),
    ("$A=1\nx } $A=2\n$A", ["x", "}", "2"]),
    ("a\u2028b\u00a0", ["a\u2028b\u00a0"]),
    ("$A=~SEQ(N, 1, 2) x\n$A $A", ["x ~SEQ(N, 1, 2) x"] * 2),
    ("~SEQ(N, 3) ${N}", ["1", "2", "3"]),
    ("~SEQ(N, -2) ${N}", ["-1", "-2"]),
    ("~SEQ(N, 3, 1) ${N}", ["3", "2", "1"]),
    ("~SEQ (N , 1, 2, 6) ${N}", ["1", "3", "5"]),
    ("$L=010\n~SEQx(N, 0x7, ${L}) ${N}", ["7", "8"]),
    ("~SEQ(N, 1, x) ${N}", ["~SEQ(N, 1, x) ${N}"]),
    ("~SEQ(N, 1, 0, 2) ${N}", ["~SEQ(N, 1, 0, 2) ${N}"]),
    ("~SEQ(N, 1, 999999) ${N}", ["~SEQ(N, 1, 999999) ${N}"]),
    ("~SEQ(A, 1, 2) ~SEQ(B, 1, 2) ${A}${B}", ["11", "12", "21", "22"]),
    ("~LST(A, x, y) a${A}", ["ax", "ay"]),
    ("~LST({A, B}, {1,2}, {3}) ${A}-${B}.", ["1-2.", "3-."]),
    ("$M= \\\n m${A} { \\\n }\n~LST(A, x, y) $M", ["mx {", "}", "my {", "}"]),
    ("@main ~SEQ(N, 1, 2) x", ["@main ~SEQ(N, 1, 2) x"]),
    ("include a\n${_INSTANCE}", ["include a", "${_INSTANCE}"]),
    ("", []),
    ("$M= \\", []),
]


@pytest.mark.parametrize(("text", "expected"), OPEN)
def test_what_is_left_open(text: str, expected: list[str]) -> None:
    assert [line for line in expand(text.split("\n"), one_of("lb01", ["lb01", "lb02"])) if line] == expected


@pytest.mark.parametrize("text", ["$A=$A\n$A", "$A=${A}${A}\n$A", "$A=$B\n$B=$A\n$A", "$M= \\\n x \\\n $M \\\n y\n$M"])
def test_definitions_without_an_end_end(text: str) -> None:
    assert len("".join(expand(text.splitlines(), undecided))) < 1_000_000


@given(st.lists(st.text('$AB{}=@^ \\~#!"x,', max_size=12), max_size=6))
def test_anything_is_read(lines: list[str]) -> None:
    with contextlib.suppress(ParseError):
        expand(lines, undecided)
    read(lines)
    read(["vrrp_instance x {", *lines, "}"])


NAMES = ["A", "B", "C", "D"]
WORDS = st.sampled_from(["x", ".", " ", *(f"${{{name}}}" for name in (*NAMES, "NONE"))])
# A name is made of later ones only, so that there is an end.
PROGRAMS = st.lists(
    st.one_of(
        st.builds("use {}".format, st.lists(WORDS, max_size=4).map("".join)),
        st.tuples(st.integers(0, 3), st.lists(WORDS, max_size=3).map("".join)).map(
            lambda drawn: (
                f"${NAMES[drawn[0]]}=" + re.sub(rf"\$\{{[{'|'.join(NAMES[: drawn[0] + 1])}]\}}", "-", drawn[1]).strip()
            )
        ),
    ),
    max_size=12,
)


@given(PROGRAMS)
def test_a_name_means_what_it_means_where_it_is_used(lines: list[str]) -> None:
    meanings: dict[str, str] = {}

    def meaning(text: str) -> str:
        return re.sub(
            r"\$\{(\w+)\}", lambda found: meaning(meanings[found[1]]) if found[1] in meanings else found[0], text
        )

    expected = []
    for line in lines:
        if line.startswith("use "):
            expected.append(meaning(line.strip()))
        else:
            name, _equals, value = line[1:].partition("=")
            meanings[name] = value
    assert expand(lines, undecided) == expected


# Directives of an instance: plain ones, flags, lists and blocks.
DIRECTIVES = st.fixed_dictionaries(
    {},
    optional={
        "interface": st.sampled_from(["eth0", '"eth1"', "$IF", "${NONE}"]),
        "virtual_router_id": st.sampled_from([1, "255", "$ID"]),
        "priority": st.sampled_from([1, 254, "$NONE"]),
        "advert_int": st.sampled_from([1, 0.2]),
        "version": st.sampled_from([2, 3]),
        "state": st.sampled_from(["MASTER", "BACKUP"]),
        "nopreempt": st.sampled_from([True, None, False]),
        "@lb01 priority": st.just(7),
        "@lb02 priority": st.just(8),
        "@main priority": st.just(9),
        "authentication": st.just({"auth_type": "AH", "auth_pass": "a b"}),
        "virtual_ipaddress": st.lists(st.sampled_from(["192.0.2.1/24 dev $IF", "@lb02 fe80::1/64", "$NONE"])),
        "unicast_peer": st.lists(st.sampled_from(["192.0.2.7", "@main 192.0.2.8 min_ttl 1"])),
        "include": st.just("a"),
    },
)
SPELLINGS = st.sampled_from(["mapping", "lines", "mappings", "nested", "mixed"])


def spelled(directives: dict[str, Any], way: str) -> Any:
    """Return a block in another of the ways in which it may be written."""
    if way == "mapping":
        return directives
    body = [{key: spelled(value, way) if isinstance(value, dict) else value} for key, value in directives.items()]
    if way == "mappings":
        return body
    if way == "nested":
        return [[part, {}] for part in body]
    lines: list[Any] = []
    for number, part in enumerate(body):
        ((key, value),) = part.items()
        if isinstance(value, (dict, list)) or (way == "mixed" and number % 2):
            lines.append(part)
        elif value is not False:
            lines.append(key if value is True or value is None else f"{key} {value}")
    return lines


def told(instance: Instance) -> dict[str, Any]:
    """Return all that the readers ask of an instance."""
    return {
        "name": instance.name,
        "interface": instance.value("interface"),
        "state": instance.value("state"),
        "vrid": instance.number("virtual_router_id"),
        "vips": instance.vips,
        "peers": instance.addresses("unicast_peer"),
        "all": instance.all_addresses(*LISTS),
        **{
            name: getattr(instance, name)
            for name in ("priority", "version", "advert_int_s", "nopreempt", "family", "authentication", "uses_ah")
        },
    }


@given(DIRECTIVES, SPELLINGS, SPELLINGS)
def test_the_spelling_means_nothing(directives: dict[str, Any], way: str, outer: str) -> None:
    is_here = one_of("lb01", ["lb01", "lb02"])
    plain = {"$IF=eth0": True, "$ID=5": True, "vrrp_instance V": directives}
    (expected,) = read(plain, is_here).instances
    other = spelled({**plain, "vrrp_instance V": spelled(directives, way)}, outer)
    (found,) = read(other, is_here).instances
    assert told(found) == told(expected)


@given(DIRECTIVES)
def test_conditions_that_hold_might_as_well_not_be_there(directives: dict[str, Any]) -> None:
    lines = []
    for line in spelled(directives, "lines"):
        if isinstance(line, dict) and "virtual_ipaddress" in line:
            lines.append({"virtual_ipaddress": [vip for vip in line["virtual_ipaddress"] if "@" not in vip]})
        elif isinstance(line, str) and not line.startswith("@lb02"):
            lines.append(line.replace("@lb01 ", ""))
        elif isinstance(line, dict):
            lines.append(line)
    is_here = one_of("lb01", ["lb01", "lb02"])
    (found,) = read({"vrrp_instance V": directives}, is_here).instances
    (expected,) = read({"vrrp_instance V": lines}, is_here).instances
    assert told(found) == told(expected)


VALUES: list[tuple[str, Any, dict[str, Any]]] = [
    (
        "defaults",
        {"vrrp_instance V": {}, "track_file x": {}},
        {
            "version": 2,
            "advert_int_s": 1,
            "priority": 100,
            "nopreempt": False,
            "vrid": None,
            "interface": "",
            "all": [],
        },
    ),
    (
        "global_defs",
        {"global_defs": ["vrrp_version 3"], "vrrp_instance V": {"advert_int": 0.2, "priority": 5}},
        {"version": 3, "advert_int_s": 0.2, "priority": 5},
    ),
    (
        "two of them",
        [{"global_defs": {"vrrp_version": 3}}, {"global_defs": {}}, {"vrrp_instance V": {}}],
        {"version": 3},
    ),
    ("the last one counts", {"vrrp_instance V": ["priority 1", "priority 2"]}, {"priority": 2}),
    ("and a condition after it", {"vrrp_instance V": ["priority 1", "@main priority 2"]}, {"priority": None}),
    ("and one before it", {"vrrp_instance V": ["@main priority 2", "priority 1"]}, {"priority": 1}),
    ("a host's condition", {"vrrp_instance V": ["priority 1", "@lb02 priority 2"]}, {"priority": 1}),
    ("a name that nothing defines", {"vrrp_instance V": {"interface": "$NONE"}}, {"interface": None}),
    ("several arguments", {"vrrp_instance V": ['interface "eth0" x']}, {"interface": "eth0"}),
    (
        "no number",
        {"vrrp_instance V": {"priority": "1_0", "advert_int": "inf"}},
        {"priority": None, "advert_int_s": None},
    ),
    ("a flag taken back", {"vrrp_instance V": ["nopreempt", "preempt"]}, {"nopreempt": False}),
    ("a flag under a condition", {"vrrp_instance V": ["@main nopreempt"]}, {"nopreempt": None}),
    (
        "an include",
        {"vrrp_instance V": {"include x": True, "interface": "eth0"}},
        {
            "interface": "eth0",
            "priority": None,
            "nopreempt": None,
            "all": None,
            "authentication": None,
            "version": None,
        },
    ),
    ("an include beside it", {"includea": "x", "vrrp_instance V": {"priority": 7}}, {"version": None, "priority": 7}),
    ("a sequence", {"vrrp_instance V": ["~SEQ(N, 1, 2) priority ${N}"]}, {"priority": 2}),
    ("a sequence without an end", {"vrrp_instance V": ["~SEQ(N, 1, $X) notify ${N}"]}, {"priority": None}),
    ("lines that nothing defines", {"vrrp_instance V": ["$LINES"]}, {"priority": None}),
    (
        "an instance of several lines",
        [{"$V=": "vrrp_instance V${N} {\n  priority $N\n}"}, {"$N=8": True}, "$V"],
        {"name": "V8", "priority": 8},
    ),
    ("an opener that is another's", {"@lb02 vrrp_instance V": {}, "@^lb02 vrrp_instance W": {}}, {"name": "W"}),
    ("an open opener", {"@main vrrp_instance V": {"priority": 7}}, {"name": "V", "priority": None}),
    (
        "addresses",
        {
            "vrrp_instance V": {
                "virtual_ipaddress_excluded": ["192.0.2.9"],
                "virtual_ipaddress": ['"2001:DB8::1/64" dev eth1', "@main 192.0.2.8/24", "192.0.2.7 dev $NONE", "junk"],
            }
        },
        {
            "family": 6,
            "version": 3,
            "all": None,
            "vips": [
                Address("2001:DB8::1/64", "2001:db8::1", "eth1", True),
                Address("192.0.2.8/24", "192.0.2.8", "", False),
                Address("192.0.2.7", "192.0.2.7", "$NONE", False),
                Address("192.0.2.9", "192.0.2.9", "", True),
            ],
        },
    ),
    (
        "known addresses",
        {"vrrp_instance V": {"virtual_ipaddress": ["192.0.2.9/24", "192.0.2.10"]}},
        {"all": ["192.0.2.10", "192.0.2.9"]},
    ),
    ("IPv6 for its adverts", {"vrrp_instance V": ["native_ipv6", "version 2"]}, {"family": 6, "version": 3}),
    ("AH", {"vrrp_instance V": {"authentication": ["@main auth_type AH"]}}, {"uses_ah": True, "authentication": None}),
    (
        "a password that needs quotes",
        {"vrrp_instance V": {"authentication": {"auth_pass": "a {b"}}},
        {"authentication": [("auth_pass", "a {b"), ("authentication", "")]},
    ),
]


@pytest.mark.parametrize(("tree", "expected"), [case[1:] for case in VALUES], ids=[case[0] for case in VALUES])
def test_values(tree: Any, expected: dict[str, Any]) -> None:
    (instance,) = read(tree, one_of("lb01.example.com", ["lb01.example.com", "lb02.example.com"])).instances
    assert {key: told(instance)[key] for key in expected} == expected


@pytest.mark.parametrize("tree", [{"a": 'a "b'}, {"vrrp_instance V": {"state": "a\nb"}}, ["}"], {"vrrp_instance": {}}])
def test_of_what_cannot_be_written_nothing_is_known(tree: Any) -> None:
    assert read(tree).instances == []


def body(**more: Any) -> dict[str, Any]:
    return {"interface": "eth0", "virtual_router_id": 10, **more}


ADDRESSES: list[tuple[str, Any, list[str]]] = [
    (
        "several instances",
        {
            "vrrp_instance VI_1": body(virtual_ipaddress=["192.0.2.9/24 dev eth0", "$VIP", "2001:DB8::0:1/64"]),
            "vrrp_instance VI_2": body(virtual_ipaddress=["192.0.2.10", "192.0.2.9/24"]),
        },
        ["192.0.2.10", "192.0.2.9", "2001:db8::1"],
    ),
    (
        "excluded ones",
        {"vrrp_instance VI_1": body(virtual_ipaddress=["192.0.2.9"], virtual_ipaddress_excluded=["2001:db8::2 dev x"])},
        ["192.0.2.9", "2001:db8::2"],
    ),
    (
        "lists of lines",
        [{"global_defs": {}}, {"vrrp_instance VI_1": [{"interface": "eth0"}, {"virtual_ipaddress": ["192.0.2.9"]}]}],
        ["192.0.2.9"],
    ),
    (
        "conditions",
        {"@lb01 vrrp_instance VI_1": {"virtual_ipaddress": ["192.0.2.9/24"]}},
        ["192.0.2.9"],
    ),
    ("a condition, and no address", {"vrrp_instance VI_1": {"virtual_ipaddress": ["@lb01", ""]}}, []),
    ("no instance", {"virtual_server 192.0.2.9 80": {}, "static_ipaddress": ["192.0.2.8/24 dev eth0"]}, []),
]


@pytest.mark.parametrize(("conf", "expected"), [case[1:] for case in ADDRESSES], ids=[case[0] for case in ADDRESSES])
def test_addresses(conf: Any, expected: list[str]) -> None:
    assert virtual_addresses(conf) == expected
