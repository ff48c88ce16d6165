# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a standby whose keepalived was stopped starts it again."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import one_of, read_text
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.muted import (
    Expected,
    Muted,
    expected_adverts,
)

A, B = "192.0.2.10", "192.0.2.20"
UNTIL = 100.0
EXPECTED = Expected(10, 3, 0.2, [A], True)
ROUTER: dict[str, Any] = {
    "vrid": 10,
    "version": 3,
    "interval_s": 0.2,
    "addresses": [A],
    "destination": "224.0.0.18",
    "authentication": "none",
    "age_s": 0.1,
}
CONF = """
global_defs {
  vrrp_version 3
}
vrrp_instance X {
  interface eth1
  virtual_router_id 10
  advert_int 0.2
  virtual_ipaddress {
    192.0.2.10/24
  }
}
"""


def muted(now: float) -> Muted:
    """Return a standby whose virtual IPs were answered for until now."""
    return Muted([A, B], now, UNTIL)


def test_it_waits_while_another_host_answers() -> None:
    standby = muted(0)
    for tenth in range(900):
        standby.answered(A, tenth / 10)
        standby.answered(B, tenth / 10)
        # The holder's adverts may still be the former ones.
        assert standby.why_start(tenth / 10 + 0.1, [EXPECTED], [ROUTER]) is None


def test_it_starts_when_no_host_answers_for_one() -> None:
    standby = muted(0)
    standby.answered(A, 5)
    assert standby.why_start(0.9, None, []) is None
    assert standby.why_start(5.5, None, []) == f"no host answers for {B}"


def test_an_unknown_address_is_no_answer() -> None:
    standby = muted(0)
    standby.answered("192.0.2.99", 5)
    assert standby.why_start(5, None, []) == f"no host answers for {A}, {B}"


@pytest.mark.parametrize(
    ("expected", "routers", "starts"),
    [
        ([EXPECTED], [ROUTER], True),
        ([EXPECTED], [{**ROUTER, "vrid": 99}, ROUTER], True),
        ([EXPECTED, EXPECTED._replace(vrid=11)], [ROUTER], False),
        ([EXPECTED], [], False),
        ([], [ROUTER], False),
        (None, [ROUTER], False),
        ([EXPECTED], [{**ROUTER, "vrid": 11}], False),
        ([EXPECTED], [{**ROUTER, "version": 2}], False),
        ([EXPECTED], [{**ROUTER, "interval_s": 0.5}], False),
        ([EXPECTED], [{**ROUTER, "addresses": [A, B]}], False),
        ([EXPECTED], [{**ROUTER, "destination": "192.0.2.2"}], False),
        ([EXPECTED], [{**ROUTER, "authentication": "pass"}], False),
        ([EXPECTED], [{**ROUTER, "age_s": 0.7}], False),
        ([EXPECTED._replace(multicast=False)], [{**ROUTER, "destination": "192.0.2.2"}], True),
    ],
)
def test_after_the_time_limit_it_starts_beside_a_holder_that_it_understands(
    expected: list[Expected] | None, routers: list[dict[str, Any]], starts: bool
) -> None:
    standby = muted(UNTIL)
    assert (standby.why_start(UNTIL, expected, routers) is not None) == starts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONF, [EXPECTED]),
        (CONF.replace("192.0.2.10", "192.0.2.99"), []),
        (
            CONF.replace("interface eth1", "interface eth1\nunicast_peer {\n192.0.2.2\n}"),
            [EXPECTED._replace(multicast=False)],
        ),
        # An advert does not show that these are equal.
        (CONF.replace("advert_int", "authentication {\nauth_type PASS\nauth_pass hunter2\n}\nadvert_int"), None),
        (CONF.replace("advert_int", "auth_hmac {\nkey 1 hunter2\nactive_key 1\n}\nadvert_int"), None),
        (CONF.replace("interface eth1", "interface eth1\ninclude more.conf"), None),
        (CONF.replace("advert_int 0.2", "advert_int $TIME"), None),
    ],
)
def test_what_a_configuration_expects(text: str, expected: list[Expected] | None) -> None:
    assert expected_adverts(read_text(text, one_of("lb02", [])), [A]) == expected
