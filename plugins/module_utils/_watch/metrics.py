# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The watch's metrics for the textfile collector of Prometheus' node exporter. Pure functions."""

from __future__ import annotations

from typing import Any, Callable, Mapping, NamedTuple, Sequence

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

HANDOVER_METRICS = (
    (
        "haproof_handover_problem",
        "gauge",
        "Whether the virtual IP would move without its connections.",
        lambda entry: entry["problem"] is not None,
    ),
    (
        "haproof_handover_received_total",
        "counter",
        "Connections that former holders went on serving after this host took the virtual IP over.",
        lambda entry: entry.get("received"),
    ),
    (
        "haproof_handover_remaining",
        "gauge",
        "Connections that former holders still serve while this host has the virtual IP.",
        lambda entry: entry.get("remaining"),
    ),
    (
        "haproof_handover_cut_total",
        "counter",
        "Connections of former holders that were cut at the limit.",
        lambda entry: entry.get("cut"),
    ),
)
"""Name, kind, help, and the value in an entry of keepalived-handover, None without one."""


class Host(NamedTuple):
    """What the watch knows of this host besides its virtual IPs.

    ``handovers`` are keepalived-handover's entries, ``old_processes`` the processes of each running engine that serve
    only connections from before a reload.
    """

    restarts: Restarts
    maintenance: bool
    handovers: Sequence[Mapping[str, Any]]
    old_processes: Mapping[str, int]


def render(watches: Sequence[Watch], host: Host, now: float, wall: float) -> str:
    """Return the text; *now* is the rounds' time, *wall* seconds since 1970."""
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
    lines.append(f"haproof_keepalived_restarts_total {host.restarts.total}")
    lines += _head("haproof_keepalived_finding", "gauge", "Whether this finding is raised.")
    lines.append(f'haproof_keepalived_finding{{finding="{PROCESS_RESTARTED}"}} {host.restarts.raised:d}')
    lines += _head("haproof_maintenance", "gauge", "Whether this host is in maintenance.")
    lines.append(f"haproof_maintenance {host.maintenance:d}")
    if host.old_processes:
        name = "haproof_engine_old_processes"
        lines += _head(name, "gauge", "Processes that serve only connections from before a reload.")
        lines += [f"{name}{_braces({'engine': engine})} {number:d}" for engine, number in host.old_processes.items()]
    for name, kind, text, value_of in HANDOVER_METRICS if host.handovers else ():
        lines += _head(name, kind, text)
        values = ((entry["vip"], value_of(entry)) for entry in host.handovers)
        lines += [f"{name}{_braces({'vip': vip})} {value:d}" for vip, value in values if value is not None]
    lines += _head("haproof_watch_heartbeat_timestamp_seconds", "gauge", "When the watch wrote this, since 1970.")
    lines.append(f"haproof_watch_heartbeat_timestamp_seconds {wall:.3f}")
    return "\n".join([*lines, ""])


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _labels(watch: Watch, **more: str) -> str:
    vip = watch.vip
    pairs = {"instance_name": vip.name, "interface": vip.interface, "vip": vip.address, "vrid": str(vip.vrid), **more}
    return _braces(pairs)


def _braces(pairs: Mapping[str, str]) -> str:
    # Exposition format: backslash, quote and line feed are escaped.
    escaped = {key: text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for key, text in pairs.items()}
    return "{" + ",".join(f'{key}="{text}"' for key, text in escaped.items()) + "}"
