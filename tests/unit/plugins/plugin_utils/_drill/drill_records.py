# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a drill on a pair recorded: lb01 has the VIP, is stopped at 10 s on the client's clock, and healed at 14 s."""

from __future__ import annotations

from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.state import assess

VIP = "198.18.0.10"


def info(held: bool, state: str, priority: int, **more: Any) -> dict[str, Any]:
    """Return what vip_info says of a host with one instance."""
    instance = {
        "name": "VI_10",
        "state": state,
        "interface": "eth1",
        "virtual_addresses": [VIP],
        "effective_priority": priority,
        "version": 3,
        "advert_int_s": 0.2,
        "down_timer_adverts": 5,
        "preempt": True,
        **more,
    }
    return {
        "addresses": [{"address": VIP}] if held else [],
        "instances": [instance],
        "keepalived": {"running": True},
        "watched": True,
    }


def handover(problem: str | None = None) -> dict[str, Any]:
    """Return what vip_info says of the hand-over."""
    return {"handover": [{"vip": VIP, "problem": problem}]}


HOLDER = info(True, "master", 254)
STANDBY = info(False, "backup", 253)
DEAD = {"addresses": [], "instances": [], "keepalived": {"running": False}}
SILENT = {"msg": "no route to host", "failed": True}
STEADY = {"lb01": HOLDER, "lb02": STANDBY}

THERE = {"there": True, "lost": []}
"""What node_fault saw of the fault, after injecting and before healing."""

ORIGIN_S = 5.0
# lb01's clock is 100 s ahead of the client's, lb02's 50 s behind.
CLOCKS = {"lb01": {"offset_s": -100.0, "error_s": 0.0001}, "lb02": {"offset_s": 50.0, "error_s": 0.0002}}


def probe(*outages: tuple[float, float, float], **more: Any) -> dict[str, Any]:
    """Return what a prober saw in 15 s (of an outage: first and last failed request, end)."""
    found = [
        {
            "start_s": first - 0.01 - ORIGIN_S,
            "first_s": first - ORIGIN_S,
            "last_s": last - ORIGIN_S,
            "end_s": end - ORIGIN_S,
            "outage_s": round(end - first + 0.01, 6),
            "failed": round((last - first) / 0.01) + 1,
            "recovered": True,
        }
        for first, last, end in outages
    ]
    return {
        "url": f"http://{VIP}/",
        "origin_s": ORIGIN_S,
        "requests": 1500,
        "failed": sum(outage["failed"] for outage in found),
        "errors": {"refused": sum(outage["failed"] for outage in found)} if found else {},
        "outages": found,
        "runs": [[0.0, 14.99, 15.0, 1500, ""]],
        "gaps": [],
        "max_gap_s": 0.02,
        "elapsed_s": 15.0,
        "interval_s": 0.01,
        "timeout_s": 0.25,
        "connections": None,
        "latency_s": {"p50": 0.001, "p99": 0.01, "max": 0.02},
        "clock": None,
        "drift_s": None,
        **more,
    }


def watch(host: str, held: bool, *events: tuple[float, bool], **more: Any) -> dict[str, Any]:
    """Return what the watcher of a host saw; the events' moments are the client's."""
    offset = CLOCKS[host]["offset_s"]
    return {
        "vips": [VIP],
        "clock": CLOCKS[host],
        "drift_s": 0.0,
        "started_s": 6.0 - offset,
        "ended_s": 20.0 - offset,
        "held_at_start": {VIP: held},
        "events": [{"at_s": at - offset, "vip": VIP, "interface": "eth1", "held": now} for at, now in events],
        "alarms": [],
        "handovers": [],
        "served": {VIP: []},
        "stalls": [],
        **more,
    }


def handed(host: str, *states: tuple[float, str, str | None], **more: Any) -> list[dict[str, Any]]:
    """Return what the watcher of a host records of its hand-over: moment of the client, state and former holder."""
    return [
        {
            "at_s": at_s - CLOCKS[host]["offset_s"],
            "vip": VIP,
            "state": state,
            "former": former,
            "ended": None,
            "problem": None,
            "serves": False,
            "arp_ignore": 1,
            **more,
        }
        for at_s, state, former in states
    ]


def kept(*cuts: tuple[float, str], **more: Any) -> dict[str, Any]:
    """Return a prober's kept connections, and of each cut one the moment of its last request, and how it was cut."""
    return {
        "open": 4,
        "requests": 600,
        "failed": len(cuts),
        "reused": 590,
        "cut": len(cuts),
        "cuts": [{"since_s": at - ORIGIN_S, "at_s": at - ORIGIN_S + 0.01, "kind": kind} for at, kind in cuts],
        "latency_s": {"p50": 0.001, "p99": 0.002, "max": 0.003},
        **more,
    }


def alarm(host: str, at_s: float, finding: str = "split_brain", raised: bool = True) -> dict[str, Any]:
    """Return an alarm of a host; the moment is the client's."""
    return {"at_s": at_s - CLOCKS[host]["offset_s"], "finding": finding, "vip": VIP, "raised": raised}


def run(**more: Any) -> dict[str, Any]:
    """Return a run in which lb01 was broken at 10 s and healed at 14 s."""
    clock = CLOCKS["lb01"]
    return {
        "state": assess(STEADY, VIP),
        "targets": ["lb01"],
        "injected": [{"injected_s": 110.0, "clock": clock, "effect": THERE}],
        "healed": [{"injected_s": 110.0, "healed_s": 114.0, "clock": clock, "effect": THERE}],
        "after": STEADY,
        "missed": [],
        "errors": [],
        **more,
    }


MOVED = {
    "lb01": watch("lb01", True, (10.02, False), (14.1, True)),
    "lb02": watch("lb02", False, (10.03, True), (14.09, False)),
}
STILL = {"lb01": watch("lb01", True), "lb02": watch("lb02", False)}
BOTH = {"lb01": watch("lb01", True), "lb02": watch("lb02", False, (11.0, True), (14.2, False))}
