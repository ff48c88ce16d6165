# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of a host that takes over."""

from __future__ import annotations

from ansible_collections.haproof.balancer.plugins.module_utils._handover.ruleset import (
    Forwarding,
    absence,
    redirection,
    removal,
    ruleset,
    table,
)
from ansible_collections.haproof.balancer.plugins.module_utils._handover.sockets import Connection

FORWARDING = Forwarding("192.0.2.10", "eth1", ["192.0.2.11"])
FORWARDING6 = Forwarding("2001:db8::10", "eth1", ["fe80::11"])


def test_the_rules_of_ipv4() -> None:
    mine = [Connection("198.51.100.7", 4001, 443), Connection("198.51.100.7", 4000, 80)]
    assert (
        ruleset(FORWARDING, mine, quiet=False)
        == """\
add table ip haproof_handover_192_0_2_10
delete table ip haproof_handover_192_0_2_10
table ip haproof_handover_192_0_2_10 {
  set mine {
    type ipv4_addr . inet_service . inet_service
    size 1048576
    flags dynamic
  }
  chain absent {
    accept
  }
  chain others {
    drop
  }
  chain forward_others {
    type filter hook prerouting priority raw; policy accept;
    ip daddr != 192.0.2.10 accept
    iifname != "eth1" accept
    meta l4proto != tcp accept
    tcp flags & (syn | ack) == syn add @mine { ip saddr . tcp sport . tcp dport } accept
    ip saddr . tcp sport . tcp dport @mine accept
    fib daddr . iif type != local jump absent
    jump others
  }
}
add element ip haproof_handover_192_0_2_10 mine { 198.51.100.7 . 4000 . 80, 198.51.100.7 . 4001 . 443 }
flush chain ip haproof_handover_192_0_2_10 others
add rule ip haproof_handover_192_0_2_10 others counter dup to 192.0.2.11 device "eth1" drop
"""
    )


def test_the_rules_of_ipv6() -> None:
    text = ruleset(FORWARDING6, [], quiet=True)
    assert text.startswith(removal("2001:db8::10"))
    assert "element" not in text
    assert "chain absent {\n    drop\n" in text
    assert "ip6 daddr != 2001:db8::10 accept" in text
    assert "type ipv6_addr . inet_service . inet_service" in text
    assert 'dup to fe80::11 device "eth1" drop' in text
    assert " ip " not in text


def test_each_of_several_former_holders_gets_the_packets() -> None:
    assert redirection(FORWARDING._replace(formers=["192.0.2.11", "192.0.2.13"])) == (
        "flush chain ip haproof_handover_192_0_2_10 others\n"
        "add rule ip haproof_handover_192_0_2_10 others counter"
        ' dup to 192.0.2.11 device "eth1" dup to 192.0.2.13 device "eth1" drop\n'
    )


def test_what_happens_to_other_connections_while_the_vip_is_away() -> None:
    name = "ip haproof_handover_192_0_2_10"
    assert absence("192.0.2.10", quiet=True) == f"flush chain {name} absent\nadd rule {name} absent drop\n"
    assert absence("192.0.2.10", quiet=False) == f"flush chain {name} absent\nadd rule {name} absent accept\n"


def test_tables_of_different_addresses_differ() -> None:
    assert table("192.0.2.10") == "ip haproof_handover_192_0_2_10"
    assert table("2001:db8::10") == "ip6 haproof_handover_2001_db8__10"
