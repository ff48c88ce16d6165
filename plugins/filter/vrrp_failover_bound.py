# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filter vrrp_failover_bound: the longest outage that VRRP's timers allow."""

from __future__ import annotations

DOCUMENTATION = r"""
name: vrrp_failover_bound
short_description: Longest outage that a VRRP failover may cause, in seconds
version_added: "0.1.0"
author: haproof.balancer contributors (@haproof)
description:
  - Calculates from a standby's timers how long clients may be without the virtual IP.
  - The formulas are those of RFC 9568 section 6.1 (VRRPv3) and RFC 3768 section 6.1 (VRRPv2), plus 20 ms for
    adding the addresses and announcing them.
positional: fault
options:
  _input:
    description:
      - The timers of the standby that takes over. Other keys are ignored, so an instance from
        M(haproof.balancer.vip_info) can be used.
    type: dict
    required: true
    suboptions:
      version:
        description: VRRP version, V(2) or V(3).
        type: int
        default: 3
      advert_int_s:
        description: Seconds between adverts.
        type: float
        aliases: [advert_int]
      priority:
        description: The standby's effective priority.
        type: int
        required: true
      down_timer_adverts:
        description: Missed adverts after which the master counts as dead.
        type: int
        default: 3
  fault:
    description:
      - V(dead) when the master falls silent - power, link, kernel, or SIGKILL.
      - V(clean) when it announces its end with priority 0 - a stop, or an instance that goes to FAULT.
    type: str
    choices: [clean, dead]
    default: dead
"""

EXAMPLES = r"""
- name: How long may a dead node cost
  ansible.builtin.debug:
    msg: "{{ {'advert_int': 0.2, 'priority': 253, 'down_timer_adverts': 5} | haproof.balancer.vrrp_failover_bound }}"
  # => 1.0223 (1 s of silence, 2.3 ms skew, 20 ms of work)

- name: How long may a clean stop cost
  ansible.builtin.debug:
    msg: "{{ {'advert_int': 0.2, 'priority': 253} | haproof.balancer.vrrp_failover_bound(fault='clean') }}"
"""

RETURN = r"""
_value:
  description: The bound in seconds.
  type: float
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def vrrp_failover_bound(timers: Mapping[str, Any], fault: str = "dead") -> float:
    """Bound in seconds for a standby's ``timers``; see DOCUMENTATION.

    Raises AnsibleFilterError when a timer is missing or outside what VRRP allows.
    """
    from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_timers import (
        DOWN_TIMER_ADVERTS,
        clean_bound_s,
        dead_bound_s,
    )

    try:
        version = int(timers.get("version") or 3)
        advert_int_s = float(timers["advert_int_s"] if "advert_int_s" in timers else timers["advert_int"])
        priority = int(timers["priority"])
        adverts = int(timers.get("down_timer_adverts") or DOWN_TIMER_ADVERTS)
        if fault == "clean":
            return clean_bound_s(version, advert_int_s, priority)
        if fault == "dead":
            return dead_bound_s(version, advert_int_s, priority, adverts)
    except KeyError as error:
        raise AnsibleFilterError(f"vrrp_failover_bound: the timers lack {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"vrrp_failover_bound: {error}") from error
    raise AnsibleFilterError(f"vrrp_failover_bound: fault is {fault!r}, it must be 'clean' or 'dead'")


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"vrrp_failover_bound": vrrp_failover_bound}
