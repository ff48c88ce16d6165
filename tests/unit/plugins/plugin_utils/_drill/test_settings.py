# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings that cannot measure an objective are refused, and the defaults measure each of them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.settings import find_unmeasurable
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.state import assess

from .drill_records import STEADY, VIP

DEFAULTS = {
    "slo": {},
    "url": f"http://{VIP}/",
    "interval_s": 0.005,
    "timeout_s": 0.25,
    "hold_s": 3,
    "slow_s": 0.1,
    "connections": 4,
}
STATE = assess(STEADY, VIP)
ALL = ", ".join(FAULTS)

# Faults, settings, and what is said of them.
CASES: list[tuple[list[str], dict[str, Any], list[str]]] = [
    (["link_dwon"], {}, []),
    (["service_stop"], {"slo": {"service_stop": 0.5, "rolling": None, "link_down": 0}}, []),
    (["service_stop"], {"slo": {"service_stop": "0.5"}, "timeout_s": "0.25"}, []),
    (["service_stop"], {"slo": "abc"}, ['drill_slo is "abc": set it to seconds by fault, such as {service_hang: 2}']),
    (["service_stop"], {"slo": [1]}, ["drill_slo is [1]: set it to seconds by fault, such as {service_hang: 2}"]),
    (
        ["service_stop"],
        {"slo": {"service_stop": "abc"}},
        ['drill_slo has "abc" for service_stop: set it to seconds, 0 or more, or to null for none'],
    ),
    (
        ["service_stop"],
        {"slo": {"service_stop": math.inf, "link_down": math.nan, "rolling": -1, "disk_full": True}},
        [
            f"drill_slo has {value} for {name}: set it to seconds, 0 or more, or to null for none"
            for name, value in (
                ("service_stop", "Infinity"),
                ("link_down", "NaN"),
                ("rolling", "-1"),
                ("disk_full", "true"),
            )
        ],
    ),
    (
        ["service_stop"],
        {"slo": {"service_sotp": 1}},
        [f"drill_slo has service_sotp, which is not a fault: the faults are {ALL}"],
    ),
    (["service_stop"], {"interval_s": "x"}, ['drill_interval_s is "x": set it to a number of seconds above 0']),
    (["service_stop"], {"timeout_s": 0}, ["drill_timeout_s is 0: set it to a number of seconds above 0"]),
    (["service_stop"], {"slow_s": math.inf}, ["drill_slow_s is Infinity: set it to a number of seconds above 0"]),
    (["service_stop"], {"hold_s": None}, ["drill_hold_s is null: set it to a number of seconds"]),
    (
        ["service_stop"],
        {"hold_s": 0},
        ["drill_hold_s is 0: set it to 1 second or more, or a fault is healed before it has an effect"],
    ),
    (["service_stop"], {"hold_s": 1}, []),
    # A time-out of 5 s and an interval of 1 s, for an objective of 1 s.
    (
        ["service_stop"],
        {"slo": {"service_stop": 1}, "timeout_s": 5, "interval_s": 1},
        [
            "drill_timeout_s is 5, above the objective of service_stop, 1 s: an answer that late would count as good. "
            "Set it to 1 or less",
            "drill_interval_s is 1: one failed request would be an outage above the objective of service_stop, 1 s. "
            "Set it to 0.5 or less",
        ],
    ),
    (["service_stop"], {"slo": {"service_stop": 1}, "timeout_s": 1, "interval_s": 0.5}, []),
    (
        ["keepalived_stop"],
        {"timeout_s": 0.26},
        [
            "drill_timeout_s is 0.26, above the objective of keepalived_stop, 0.05 s: an answer that late would count "
            "as good. Set it to 0.25 or less"
        ],
    ),
    (
        ["keepalived_reload"],
        {"interval_s": 0.02},
        ["drill_interval_s is 0.02: no request of keepalived_reload may fail. Set it to 0.01 or less"],
    ),
    (["keepalived_reload"], {"interval_s": 0.01}, []),
    (["service_stop", "service_stop"], {"slo": {"service_stop": None}, "timeout_s": 5, "interval_s": 1}, []),
    # What follows from VRRP's timers, 1.022 s here.
    (["link_down"], {"interval_s": 0.51}, []),
    (
        ["link_down"],
        {"interval_s": 0.6},
        [
            "drill_interval_s is 0.6: one failed request would be an outage above the objective of link_down, "
            "1.05234 s. Set it to 0.526172 or less"
        ],
    ),
    (
        ["service_slow"],
        {"slow_s": 0.2},
        ["drill_slow_s is 0.2, above the objective of service_slow, 0.1 s: set it to 0.1 or less"],
    ),
    (["service_hang"], {"slow_s": 5}, []),
    (
        ["backend_hang"],
        {"slo": {"backend_hang": 5}},
        ["drill_hold_s is 3, which must be above the objective of backend_hang, 5 s, or no outage could exceed it"],
    ),
    (
        ["service_hang"],
        {"url": "tcp://198.18.0.10:80"},
        ["drill_url is tcp://198.18.0.10:80: service_hang does not show over tcp, use http"],
    ),
    (["service_stop", "link_down", "handover"], {"url": "tcp://198.18.0.10:80"}, []),
    (
        ["handover"],
        {"url": "udp://198.18.0.10:53"},
        ["drill_url is udp://198.18.0.10:53: handover does not show over udp, use http"],
    ),
    (
        ["handover", "keepalived_stop"],
        {"connections": 0},
        ["drill_connections is 0: handover needs connections that stay open, set it to 1 or more"],
    ),
    (["service_hang", "link_down"], {"url": "udp://198.18.0.10:53"}, []),
    (
        ["service_stop", "cpu_starve", "link_down"],
        {"url": "icmp://198.18.0.10"},
        [
            f"drill_url is icmp://198.18.0.10: {name} does not show over icmp, use http"
            for name in ("service_stop", "cpu_starve")
        ],
    ),
]


@pytest.mark.parametrize(("faults", "settings", "expected"), CASES)
def test_findings(faults: list[str], settings: dict[str, Any], expected: list[str]) -> None:
    assert find_unmeasurable(faults, {**DEFAULTS, **settings}, "standard", STATE) == expected


@pytest.mark.parametrize("profile", ["standard", "fast"])
@pytest.mark.parametrize("known", [STATE, {}, {"holder": None}])
def test_the_defaults_measure_every_fault(profile: str, known: dict[str, Any]) -> None:
    assert find_unmeasurable(list(FAULTS), DEFAULTS, profile, known) == []


def test_an_objective_by_the_timers_is_not_judged_before_they_are_known() -> None:
    assert find_unmeasurable(["link_down"], {**DEFAULTS, "interval_s": 0.6}, "standard", {}) == []
    told = find_unmeasurable(["link_down"], {**DEFAULTS, "interval_s": 0.6, "slo": {"link_down": 1}}, "standard", {})
    assert len(told) == 1
