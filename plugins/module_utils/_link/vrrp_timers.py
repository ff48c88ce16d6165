# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""VRRP timing: how long a failover may take. Pure functions, all times in seconds."""

from __future__ import annotations

DOWN_TIMER_ADVERTS = 3
"""Missed adverts after which a master is considered dead, unless ``down_timer_adverts`` is set."""

TAKEOVER_S = 0.02
"""Time to take over: adding addresses and sending gratuitous ARP (5 to 20 ms measured with keepalived 2.2.7)."""


def skew_time_s(version: int, advert_int_s: float, priority: int) -> float:
    """Return the delay that a lower priority adds, so that the best backup becomes master first.

    VRRPv3: advert_int * (256 - priority) / 256 (RFC 9568 section 6.1).
    VRRPv2: (256 - priority) / 256 s, whatever the interval (RFC 3768 section 6.1).

    Raises ValueError for a value outside the protocol's range.
    """
    if version not in (2, 3):
        raise ValueError(f"version is {version!r}, VRRP has 2 and 3")
    if not 1 <= priority <= 255:
        raise ValueError(f"priority is {priority!r}, it must be 1 to 255")
    if not advert_int_s > 0:
        raise ValueError(f"advert_int is {advert_int_s!r}, it must be above 0 seconds")
    return (advert_int_s if version == 3 else 1.0) * (256 - priority) / 256


def master_down_s(
    version: int, advert_int_s: float, priority: int, down_timer_adverts: int = DOWN_TIMER_ADVERTS
) -> float:
    """Return the silence before a backup takes over: down_timer_adverts * advert_int + skew (RFC 9568 section 6.1).

    Raises ValueError for a value outside the protocol's range.
    """
    if down_timer_adverts < 1:
        raise ValueError(f"down_timer_adverts is {down_timer_adverts!r}, it must be at least 1")
    return down_timer_adverts * advert_int_s + skew_time_s(version, advert_int_s, priority)


def clean_bound_s(version: int, advert_int_s: float, priority: int) -> float:
    """Return the longest outage when the master sends priority 0 (a stop, or an instance in FAULT).

    ``priority`` is the standby's. Raises ValueError like :func:`skew_time_s`.
    """
    return skew_time_s(version, advert_int_s, priority) + TAKEOVER_S


def dead_bound_s(
    version: int, advert_int_s: float, priority: int, down_timer_adverts: int = DOWN_TIMER_ADVERTS
) -> float:
    """Return the longest outage when the master falls silent (power, link, kernel, SIGKILL).

    ``priority`` is the standby's. Raises ValueError like :func:`master_down_s`.
    """
    return master_down_s(version, advert_int_s, priority, down_timer_adverts) + TAKEOVER_S
