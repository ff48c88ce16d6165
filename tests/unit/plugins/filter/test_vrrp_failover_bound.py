# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter takes vip_info's instances as well as hand-written timers, and says what is wrong with others."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.filter.vrrp_failover_bound import vrrp_failover_bound

CASES: list[tuple[dict[str, Any], str, float]] = [
    ({"advert_int": 0.2, "priority": 253, "down_timer_adverts": 5}, "dead", 1.02234375),
    ({"advert_int_s": 0.2, "priority": "253", "down_timer_adverts": None}, "dead", 0.62234375),
    ({"advert_int_s": 0.2, "priority": 253, "name": "VI_1"}, "clean", 0.02234375),
    ({"version": 2, "advert_int": 1, "priority": 253}, "dead", 3.03171875),
]

BAD_CASES: list[tuple[Any, str, str]] = [
    ({"advert_int": 0.2}, "dead", "the timers lack 'priority'"),
    ({"priority": 100}, "dead", "the timers lack 'advert_int'"),
    ({"advert_int": 1, "priority": 256}, "clean", "priority is 256, it must be 1 to 255"),
    ({"advert_int": 1, "priority": 100}, "soft", "fault is 'soft', it must be 'clean' or 'dead'"),
    ("VI_1", "dead", "vrrp_failover_bound: "),
]


@pytest.mark.parametrize(("timers", "fault", "expected"), CASES)
def test_bound(timers: dict[str, Any], fault: str, expected: float) -> None:
    assert vrrp_failover_bound(timers, fault=fault) == pytest.approx(expected)


@pytest.mark.parametrize(("timers", "fault", "message"), BAD_CASES)
def test_bad_timers(timers: Any, fault: str, message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        vrrp_failover_bound(timers, fault=fault)
