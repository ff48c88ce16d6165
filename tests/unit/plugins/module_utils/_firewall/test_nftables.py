# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules for rulesets printed by nft 1.0.6: one with two closed chains, ufw's, and firewalld's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._firewall.firewall import Allow
from ansible_collections.haproof.balancer.plugins.module_utils._firewall.nftables import (
    Chain,
    is_defined,
    kept_statements,
    live_statements,
    parse_ruleset,
    place_for_rules,
)

FIXTURES = Path(__file__).parent / "fixtures"
CLOSED, UFW, FIREWALLD = (
    (FIXTURES / f"nft_1.0.6_{name}.json").read_text(encoding="utf-8") for name in ("closed", "ufw", "firewalld")
)
INPUT = Chain("inet", "filter", "input")
LATE = Chain("ip", "guard", "late")
# The rules already in CLOSED, in this order.
VRRP_RULE = 'ip saddr 198.18.0.12 meta l4proto 112 accept comment "haproof vrrp from 198.18.0.12"'
BFD, VRRP = Allow("bfd", "fe80::1"), Allow("vrrp", "198.18.0.12")

CLOSED_CASES: list[tuple[str, str, list[Chain]]] = [
    ("by policy, and by a jump to a chain that refuses", CLOSED, [INPUT, LATE]),
    ("iptables'", UFW, [Chain("ip", "filter", "INPUT"), Chain("ip6", "filter", "INPUT")]),
    ("firewalld's own", FIREWALLD, []),
    ("no ruleset", "", []),
    ("an empty ruleset", '{"nftables": [{"metainfo": {"version": "1.0.6"}}]}', []),
]


@pytest.mark.parametrize(("output", "expected"), [case[1:] for case in CLOSED_CASES], ids=[c[0] for c in CLOSED_CASES])
def test_closed_chains(output: str, expected: list[Chain]) -> None:
    assert parse_ruleset(output).closed == expected


def ruleset(rules: list[list[dict[str, Any]]], policy: str = "accept", hook: str = "input") -> str:
    """Return a ruleset with one base chain that has these rules."""
    place = {"family": "inet", "table": "t"}
    chain = {**place, "name": "c", "type": "filter", "hook": hook, "policy": policy, "handle": 1}
    listed = [{"rule": {**place, "chain": "c", "handle": 2 + i, "expr": expr}} for i, expr in enumerate(rules)]
    return json.dumps({"nftables": [{"chain": chain}, *listed]})


MATCH = {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": 6}}
RULE_CASES: list[tuple[str, str, bool]] = [
    ("nothing refuses", ruleset([[{"accept": None}]]), False),
    ("some are refused", ruleset([[MATCH, {"drop": None}]]), False),
    ("the rest is refused", ruleset([[{"counter": {"packets": 1}}, {"log": None}, {"drop": None}]]), True),
    ("the rest is rejected", ruleset([[{"reject": {"type": "tcp reset"}}]]), True),
    ("a part of the rest is refused", ruleset([[{"limit": {"rate": 1}}, {"drop": None}]]), False),
    ("what goes out is refused", ruleset([], "drop", "output"), False),
]


@pytest.mark.parametrize(("output", "closed"), [case[1:] for case in RULE_CASES], ids=[c[0] for c in RULE_CASES])
def test_a_chain_that_refuses_is_closed(output: str, closed: bool) -> None:
    assert bool(parse_ruleset(output).closed) == closed


def test_present_rules_are_left_alone_and_missing_ones_inserted() -> None:
    assert live_statements(parse_ruleset(CLOSED), [BFD, VRRP]) == [f"insert rule ip guard late {VRRP_RULE}"]


def test_other_peers_replace_the_former_ones() -> None:
    peers = [Allow("ah", "198.18.0.13"), Allow("vrrp", "198.18.0.13")]
    inserted = [
        'ip saddr 198.18.0.13 meta l4proto 112 accept comment "haproof vrrp from 198.18.0.13"',
        'ip saddr 198.18.0.13 meta l4proto 51 accept comment "haproof ah from 198.18.0.13"',
    ]
    statements = live_statements(parse_ruleset(CLOSED), peers)
    assert [statement.rpartition(" ")[0] for statement in statements[:2]] == [
        "delete rule inet filter input handle"
    ] * 2
    assert statements[2:] == [f"insert rule {chain} {rule}" for chain in (INPUT, LATE) for rule in inserted]


def test_without_peers_only_our_rules_go() -> None:
    parsed = parse_ruleset(CLOSED)
    assert live_statements(parsed, []) == [
        f"delete rule inet filter input handle {rule.handle}" for rule in parsed.ours()
    ]


def test_iptables_and_firewalld_are_not_written_to() -> None:
    assert live_statements(parse_ruleset(UFW), [VRRP]) == []
    assert live_statements(parse_ruleset(FIREWALLD), [VRRP]) == []


def test_an_address_that_a_rule_names_is_found_whole() -> None:
    parsed = parse_ruleset(CLOSED)
    assert parsed.names(INPUT, "198.18.0.12")
    assert not parsed.names(INPUT, "198.18.0.1")
    assert not parsed.names(LATE, "198.18.0.12")


def test_kept_rules_name_their_chain_first() -> None:
    assert kept_statements([LATE], [BFD, VRRP]) == [
        "table ip guard {",
        "\tchain late {",
        "\t}",
        "}",
        f"insert rule ip guard late {VRRP_RULE}",
    ]
    assert kept_statements([LATE], [BFD]) == []


DEFINED_CASES: list[tuple[Chain, str, bool]] = [
    (INPUT, "table inet filter {\n}", True),
    (INPUT, "\n  add chain inet filter input { type filter hook input priority 0; }", True),
    (INPUT, "# table inet filter", False),
    (INPUT, "table inet filter2 {", False),
    (INPUT, "table filter {", False),
    (LATE, "table guard {", True),
    (LATE, "table ip guard {", True),
    (LATE, "table ip6 guard {", False),
]


@pytest.mark.parametrize(("chain", "text", "expected"), DEFINED_CASES)
def test_is_defined(chain: Chain, text: str, expected: bool) -> None:
    assert is_defined(chain, text) == expected


TABLE = "table inet filter {\n}\n"
PLACE_CASES: list[tuple[str, str, str]] = [
    ("no include", TABLE, "/etc/nftables.conf"),
    ("at the end", TABLE + 'include "/etc/nftables.d/*.nft"\n# end\n', "/etc/nftables.d/zz.nft"),
    ("relative", TABLE + 'include "nftables.d/*.nft"', "/etc/nftables.d/zz.nft"),
    ("before the chains", 'include "/etc/nftables.d/*.nft"\n' + TABLE, "/etc/nftables.conf"),
    ("inside a table", 'table inet filter {\n\tinclude "/etc/nftables.d/*.nft"\n}\n', "/etc/nftables.conf"),
    ("one file", TABLE + 'include "/etc/nftables.d/a.nft"\n', "/etc/nftables.conf"),
    ("other names", TABLE + 'include "/etc/nftables.d/*.conf"\n', "/etc/nftables.conf"),
    ("commented out", TABLE + '# include "/etc/nftables.d/*.nft"\n', "/etc/nftables.conf"),
    ("nothing at all", "", "/etc/nftables.conf"),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in PLACE_CASES], ids=[c[0] for c in PLACE_CASES])
def test_place_for_rules(text: str, expected: str) -> None:
    assert place_for_rules("/etc/nftables.conf", text, "zz.nft") == expected
