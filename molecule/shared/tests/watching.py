# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of each balancer's watch, and how to partition balancers."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Iterator

from prometheus_client.parser import text_string_to_metric_families

from nodes import eventually

if TYPE_CHECKING:
    from testinfra.host import Host

    from nodes import Lab

METRICS = "/var/lib/prometheus/node-exporter/haproof.prom"
WAIT_S = 40
"""How long to wait for events that take at most 5 s on an idle machine."""

_CUT = """
table inet partition {
    chain input { type filter hook input priority -300; ip protocol 112 drop; }
    chain output { type filter hook output priority -300; ip protocol 112 drop; }
}
"""
_LINE = re.compile(r"(\w+) (\S+) (found|over): (.*)")


@dataclass(frozen=True)
class Finding:
    """A line of the watch's journal. ``at`` is the node's clock, in seconds."""

    kind: str
    vip: str
    word: str
    text: str
    at: float


class Journal:
    """A node's journal from now on."""

    def __init__(self, node: Host) -> None:
        self._node = node
        self._start = float(node.check_output("date +%s.%N"))

    def lines(self, unit: str) -> list[tuple[float, str]]:
        """Return the lines of a unit, each with the node's time in seconds."""
        # Not by cursor: with a unit, systemd 252 skips the first entry after it.
        command = "journalctl --quiet --no-pager --output=json --since=%s --unit=%s"
        output = self._node.check_output(command, f"@{int(self._start)}", unit)
        entries = [json.loads(line) for line in output.splitlines()]
        lines = [(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, str(entry["MESSAGE"])) for entry in entries]
        return [line for line in lines if line[0] > self._start]

    def findings(self) -> list[Finding]:
        """Return the watch's findings."""
        lines = [(at, _LINE.fullmatch(text)) for at, text in self.lines("keepalived-watch")]
        return [Finding(match[1], match[2], match[3], match[4], at) for at, match in lines if match]

    def states(self, kind: str) -> list[str]:
        """Return ``found`` and ``over`` in order, for one kind."""
        return [finding.word for finding in self.findings() if finding.kind == kind]

    def reaches(self, kind: str, states: list[str]) -> bool:
        """Wait until the states are these; return whether they are."""
        return eventually(lambda: self.states(kind) == states, within_s=WAIT_S)

    def has_alerted(self, kind: str, states: list[str]) -> bool:
        """Wait until these were sent to the alerts; return whether they were."""
        return eventually(lambda: self.alerts(kind) == states, within_s=WAIT_S)

    def alerts(self, kind: str) -> list[str]:
        """Return what was sent to the alerts about one kind: ``RAISED`` and ``CLEARED``."""
        matches = [re.match(rf"{kind} \S+ (RAISED|CLEARED) ", text) for _at, text in self.lines("keepalived-alert")]
        return [match[1] for match in matches if match]


def journals(lab: Lab) -> dict[str, Journal]:
    """Open the journals of all balancers, which must be healthy, at their ends."""
    assert eventually(lambda: lab.holders() == ["lb01"], within_s=WAIT_S), lab.holders()
    for name in lab.balancers:
        assert eventually(partial(at_rest, lab, name), within_s=WAIT_S), name
    return {name: Journal(lab.nodes[name]) for name in lab.balancers}


def at_rest(lab: Lab, name: str) -> bool:
    """Return whether a balancer's watch is running without findings."""
    found = metrics(lab, name, "haproof_vip_finding")
    return len(found) > 0 and not any(found)


def metrics(lab: Lab, name: str, metric: str) -> list[float]:
    """Return the samples of a metric, as read by the node exporter; none without a file."""
    text = lab.nodes[name].run("cat %s", METRICS).stdout
    families = text_string_to_metric_families(text)
    return [sample.value for family in families for sample in family.samples if sample.name == metric]


def pass_time(lab: Lab, name: str, seconds: float) -> None:
    """Wait until a balancer's watch has run for *seconds*, by its own clock."""

    def beat() -> float:
        return max(metrics(lab, name, "haproof_watch_heartbeat_timestamp_seconds"), default=0)

    assert eventually(lambda: beat() > 0, within_s=WAIT_S), f"the watch of {name} is not running"
    start = beat()
    assert eventually(lambda: beat() > start + seconds, within_s=seconds + WAIT_S), f"the watch of {name} stands still"


@contextmanager
def cut(lab: Lab, name: str) -> Iterator[None]:
    """Drop VRRP on a balancer in both directions, and always heal that at the end."""
    node = lab.nodes[name]
    try:
        node.check_output("nft %s", _CUT)
        yield
    finally:
        node.check_output("nft delete table inet partition")
