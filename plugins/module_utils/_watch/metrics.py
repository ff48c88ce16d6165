# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The watch's metrics for the textfile collector of Prometheus' node exporter. Pure functions."""

from __future__ import annotations

from typing import Callable, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._watch.process import PROCESS_RESTARTED, Restarts
from ansible_collections.haproof.balancer.plugins.module_utils._watch.vip import KINDS, Watch


class Metric(NamedTuple):
    """A metric with one sample per watch; ``value`` returns None for no sample."""

    name: str
    kind: str
    help: str
    value: Callable[[Watch, float], float | None]


METRICS = (
    Metric(
        "haproof_vrrp_state",
        "gauge",
        "State of this host on the wire: 2 master, 1 backup, 0 neither.",
        lambda watch, _now: watch.state,
    ),
    Metric(
        "haproof_vrrp_transitions_total",
        "counter",
        "Changes of the state since the watch was started.",
        lambda watch, _now: watch.transitions,
    ),
    Metric(
        "haproof_vrrp_last_advert_age_seconds",
        "gauge",
        "Age of the last advert, of this host or of a peer that it hears.",
        lambda watch, now: watch.advert_age_s(now),
    ),
    Metric(
        "haproof_vip_holder",
        "gauge",
        "Whether this host's kernel has the virtual IP.",
        lambda watch, _now: watch.held,
    ),
    Metric(
        "haproof_vip_answers",
        "gauge",
        "Hosts that answer for the virtual IP, including this one.",
        lambda watch, _now: watch.answers,
    ),
    Metric(
        "haproof_vip_conflicts_total",
        "counter",
        "Split brains found since the watch was started.",
        lambda watch, _now: watch.conflicts,
    ),
    Metric(
        "haproof_vip_released",
        "gauge",
        "Whether this host has released the virtual IP because a better one has it.",
        lambda watch, _now: watch.released,
    ),
)


def render(watches: Sequence[Watch], restarts: Restarts, maintenance: bool, now: float, wall: float) -> str:
    """Return the text; *maintenance* of this host, *now* is the rounds' time, *wall* seconds since 1970."""
    lines: list[str] = []
    for metric in METRICS:
        lines += _head(metric.name, metric.kind, metric.help)
        for watch in watches:
            value = metric.value(watch, now)
            if value is not None:
                lines.append(f"{metric.name}{_labels(watch)} {value:g}")
    lines += _head("haproof_vip_finding", "gauge", "Whether this finding is raised.")
    for watch in watches:
        for kind in KINDS:
            lines.append(f"haproof_vip_finding{_labels(watch, finding=kind)} {watch.raised(kind):d}")
    lines += _head(
        "haproof_keepalived_restarts_total",
        "counter",
        "Processes that died and that keepalived restarted, since the watch was started.",
    )
    lines.append(f"haproof_keepalived_restarts_total {restarts.total}")
    lines += _head("haproof_keepalived_finding", "gauge", "Whether this finding is raised.")
    lines.append(f'haproof_keepalived_finding{{finding="{PROCESS_RESTARTED}"}} {restarts.raised:d}')
    lines += _head("haproof_maintenance", "gauge", "Whether this host is in maintenance.")
    lines.append(f"haproof_maintenance {maintenance:d}")
    lines += _head("haproof_watch_heartbeat_timestamp_seconds", "gauge", "When the watch wrote this, since 1970.")
    lines.append(f"haproof_watch_heartbeat_timestamp_seconds {wall:.3f}")
    return "\n".join([*lines, ""])


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _labels(watch: Watch, **more: str) -> str:
    vip = watch.vip
    pairs = {"instance_name": vip.name, "interface": vip.interface, "vip": vip.address, "vrid": str(vip.vrid), **more}
    # Exposition format: backslash, quote and line feed are escaped.
    escaped = {key: text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for key, text in pairs.items()}
    return "{" + ",".join(f'{key}="{text}"' for key, text in escaped.items()) + "}"
