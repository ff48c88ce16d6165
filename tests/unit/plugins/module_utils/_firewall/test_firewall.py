# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of ufw and firewalld, the latter against the output of firewall-cmd 1.3.3."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._firewall.firewall import (
    BEGIN,
    END,
    Allow,
    Zone,
    iptables_command,
    parse_zones,
    rich_rule,
    rich_rule_options,
    ufw_rules,
    with_block,
    zones_in_use,
)
from hypothesis import given
from hypothesis import strategies as st

ZONES = (Path(__file__).parent / "fixtures" / "firewalld_1.3.3_zones.txt").read_text(encoding="utf-8")
PEERS = [
    Allow("vrrp", "198.18.0.12"),
    Allow("ah", "198.18.0.12"),
    Allow("bfd", "198.18.0.13"),
    Allow("vrrp", "fe80::12"),
]

RULE = 'rule priority="-112" family="ipv4" source address="198.18.0.12" protocol value="112" accept'

BEFORE_RULES = """*filter
:ufw-before-input - [0:0]
# End required lines

-A ufw-before-input -i lo -j ACCEPT
COMMIT
"""


def test_ufw_rules() -> None:
    assert ufw_rules(PEERS, 4) == [
        "-A ufw-before-input -s 198.18.0.12 -p 112 -j ACCEPT",
        "-A ufw-before-input -s 198.18.0.12 -p 51 -j ACCEPT",
        "-A ufw-before-input -s 198.18.0.13 -p udp --dport 3784 -j ACCEPT",
    ]
    assert ufw_rules(PEERS, 6) == ["-A ufw6-before-input -s fe80::12 -p 112 -j ACCEPT"]


def test_the_block_stands_before_the_first_rule() -> None:
    assert with_block(BEFORE_RULES, ["-A x"], "-A ufw-before-input ") == BEFORE_RULES.replace(
        "-A ufw", f"{BEGIN}\n-A x\n{END}\n-A ufw"
    )


@pytest.mark.parametrize("text", ["", "a\n", "a", "a\n\n"])
def test_the_block_stands_at_the_end(text: str) -> None:
    assert with_block(text, ["x"]) == (text + "\n" if text == "a" else text) + f"{BEGIN}\nx\n{END}\n"


@given(st.text(alphabet="ab #\n-"), st.lists(st.text(alphabet="xy "), max_size=3), st.sampled_from(["", "-", "b"]))
def test_a_block_is_replaced_and_removed_whole(text: str, lines: list[str], before: str) -> None:
    text += "\n"
    once = with_block(text, lines, before)
    assert with_block(once, lines, before) == once
    assert with_block(once, [], before) == text


def test_commands_for_a_person() -> None:
    assert iptables_command(PEERS[0]) == "iptables -I INPUT -s 198.18.0.12 -p 112 -j ACCEPT"
    assert iptables_command(PEERS[3]) == "ip6tables -I INPUT -s fe80::12 -p 112 -j ACCEPT"


def test_rich_rules_are_spelled_as_firewalld_lists_them() -> None:
    assert rich_rule(PEERS[0]) == RULE
    assert rich_rule(PEERS[2]) == (
        'rule priority="-112" family="ipv4" source address="198.18.0.13" port port="3784" protocol="udp" accept'
    )


def test_parse_zones() -> None:
    zones = {zone.name: zone for zone in parse_zones(ZONES)}
    assert list(zones) == ["block", "dmz", "drop", "external", "home", "internal", "public", "trusted", "work"]
    assert zones["internal"] == Zone("internal", ("eth1",), ())
    assert zones["public"] == Zone("public", (), (RULE,))


USE_CASES: list[tuple[list[str], set[str]]] = [
    (["eth1"], {"internal"}),
    (["eth0"], {"public"}),
    (["eth0", "eth1"], {"internal", "public"}),
    ([], {"public"}),
]


@pytest.mark.parametrize(("interfaces", "expected"), USE_CASES)
def test_zones_in_use(interfaces: list[str], expected: set[str]) -> None:
    assert zones_in_use(parse_zones(ZONES), "public", interfaces) == expected


def test_rich_rule_options() -> None:
    zone = Zone("public", (), (RULE, "old"))
    assert rich_rule_options(zone, [RULE]) == ["--remove-rich-rule=old"]
    assert rich_rule_options(zone, [RULE, "new"]) == ["--remove-rich-rule=old", "--add-rich-rule=new"]
    assert rich_rule_options(zone, [RULE, "old"]) == []
