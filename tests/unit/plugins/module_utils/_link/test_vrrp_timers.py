# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""VRRP timing: hand-computed cases, and properties of any timers."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._link import vrrp_timers
from hypothesis import given
from hypothesis import strategies as st

SKEW_CASES: list[tuple[int, float, int, float]] = [
    (3, 1.0, 100, 0.609375),
    (3, 1.0, 254, 0.0078125),
    (3, 0.2, 253, 0.00234375),
    (3, 40.95, 1, 40.79003906),
    (2, 1.0, 100, 0.609375),
    (2, 5.0, 100, 0.609375),
    (2, 1.0, 255, 0.00390625),
]

DOWN_CASES: list[tuple[int, float, int, int, float]] = [
    (3, 0.2, 253, 5, 1.00234375),
    (3, 0.05, 253, 3, 0.15058594),
    (3, 1.0, 253, 5, 5.01171875),
    (2, 1.0, 253, 3, 3.01171875),
]

BAD_CASES: list[tuple[int, float, int, int, str]] = [
    (1, 1.0, 100, 3, "version is 1, VRRP has 2 and 3"),
    (3, 1.0, 0, 3, "priority is 0, it must be 1 to 255"),
    (3, 1.0, 256, 3, "priority is 256, it must be 1 to 255"),
    (3, 0.0, 100, 3, "advert_int is 0.0, it must be above 0 seconds"),
    (3, float("nan"), 100, 3, "advert_int is nan, it must be above 0 seconds"),
    (3, 1.0, 100, 0, "down_timer_adverts is 0, it must be at least 1"),
]

versions = st.sampled_from([2, 3])
intervals = st.floats(min_value=0.01, max_value=40.95)
priorities = st.integers(min_value=1, max_value=255)


@pytest.mark.parametrize(("version", "advert_int_s", "priority", "expected"), SKEW_CASES)
def test_skew(version: int, advert_int_s: float, priority: int, expected: float) -> None:
    assert vrrp_timers.skew_time_s(version, advert_int_s, priority) == pytest.approx(expected)


@pytest.mark.parametrize(("version", "advert_int_s", "priority", "adverts", "expected"), DOWN_CASES)
def test_master_down(version: int, advert_int_s: float, priority: int, adverts: int, expected: float) -> None:
    assert vrrp_timers.master_down_s(version, advert_int_s, priority, adverts) == pytest.approx(expected)


@pytest.mark.parametrize(("version", "advert_int_s", "priority", "adverts", "message"), BAD_CASES)
def test_values_outside_the_protocol(
    version: int, advert_int_s: float, priority: int, adverts: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        vrrp_timers.dead_bound_s(version, advert_int_s, priority, adverts)


@given(versions, intervals, priorities, st.integers(min_value=1, max_value=255))
def test_a_goodbye_is_faster_than_silence(version: int, advert_int_s: float, priority: int, adverts: int) -> None:
    clean = vrrp_timers.clean_bound_s(version, advert_int_s, priority)
    dead = vrrp_timers.dead_bound_s(version, advert_int_s, priority, adverts)
    assert dead - clean == pytest.approx(adverts * advert_int_s)
    assert clean > vrrp_timers.TAKEOVER_S


@given(versions, intervals, st.integers(min_value=1, max_value=254))
def test_a_higher_priority_waits_less(version: int, advert_int_s: float, priority: int) -> None:
    assert vrrp_timers.skew_time_s(version, advert_int_s, priority + 1) < vrrp_timers.skew_time_s(
        version, advert_int_s, priority
    )
