# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A second opinion on a drill's figures, from tcpdump and "ip monitor", which share no code with this collection.

tcpdump on the client shows the prober's connections and which balancer announces the VIP, "ip monitor" on each balancer
when its kernel has it, and the playbook's output when it injects and heals. All use the clock of the kernel that the
lab's nodes share. Only the collection knows when a fault is injected: the first failed request must follow.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import datetime, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple

from nodes import CLIENT

if TYPE_CHECKING:
    from drilling import Drilled
    from nodes import Lab

UNIT = "haproof-observer.service"
RECORD = "/var/log/haproof-observer"
# Both survive a reboot of the node, and end after an hour at the latest.
SERVICE = """
[Service]
ExecStart={command}
Environment=TZ=UTC
StandardOutput=append:{record}
StandardError=append:{record}.log
RuntimeMaxSec=3600
[Install]
WantedBy=multi-user.target
"""
# A connection's first packet to the VIP, the start of an HTTP answer from it, and announcements of the VIP.
PACKETS = (
    "(dst host {vip} and tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn)"
    " or (src host {vip} and tcp[((tcp[12] & 0xf0) >> 2):4] = 0x48545450) or (arp and src host {vip})"
)
TCPDUMP = "/usr/bin/tcpdump -i {interface} --immediate-mode -B 8192 -e -n -tt -l '{packets}'"
PACKET = re.compile(r"(\d+\.\d+) .*: \S+\.(\d+) > \S+\.(\d+): Flags \[(\S+)\](?:.* HTTP/1\.\d (\d+))?")
ANNOUNCED = re.compile(r"(\d+\.\d+) (\S+) > .* ethertype ARP")
MONITORED = re.compile(r"\[(\S+)\] (Deleted )?\d+: \S+ +inet6? ([0-9a-f.:]+)/")
STAGE = re.compile(r"TASK \[haproof\.balancer\.drill : (Break \| Inject|Heal \| Heal the targets)(?: (\w+))?\]")

GOOD_IN_A_ROW = 10
"""How many good answers end an outage, as in docs/drill-report.md."""
DELAYS = {"gap_s": 2, "overlap_s": 2, "lead_s": 2, "takeover_s": 2}
"""Figures with two delays. The first two are sums over two moves, which a program on a balancer records when it is
scheduled. The others end or begin with the new holder's announcement here, with its address in the report: keepalived
must be scheduled in between, while the hand-over of both balancers has work on the same cores."""
SEEN = 0.8
"""At least this share of a run's requests must be seen, or the observer missed too much."""
FOLLOWS_S = 0.25
"""The first request must fail within this time of the reported injection: drill_timeout_s."""

Spans = list[tuple[float, float]]


class Stage(NamedTuple):
    """A run in the playbook's output: its fault, and the approximate times of injection and healing."""

    fault: str
    injected_s: float
    healed_s: float


@contextmanager
def observed(lab: Lab) -> Iterator[dict[str, str]]:
    """Run the observers during the block; then the dict has the records of the client and of each balancer.

    ``lb01 macs`` are the MAC addresses of lb01.
    """
    client = lab.nodes[CLIENT]
    route = client.check_output("ip -oneline route get %s", lab.vip).split()
    packets = PACKETS.format(vip=lab.vip)
    tcpdump = TCPDUMP.format(interface=route[route.index("dev") + 1], packets=packets)
    commands = dict.fromkeys(lab.balancers, "/usr/bin/ip -tshort -oneline monitor address") | {CLIENT: tcpdump}
    records = {f"{name} macs": lab.nodes[name].check_output("cat /sys/class/net/*/address") for name in lab.balancers}
    try:
        for name, command in commands.items():
            unit = SERVICE.format(command=command, record=RECORD)
            lab.nodes[name].check_output("rm -f %s* && echo %s >/etc/systemd/system/%s", RECORD, unit, UNIT)
            lab.nodes[name].check_output("systemctl enable --quiet --now %s", UNIT)
        yield records
        for name in commands:
            lab.nodes[name].check_output("systemctl is-active %s && systemctl stop %s", UNIT, UNIT)
            records[name] = lab.nodes[name].check_output("cat %s", RECORD)
        lost = client.check_output("cat %s.log", RECORD)
        assert re.search(r"^0 packets dropped by kernel", lost, re.MULTILINE), lost
    finally:
        for name in commands:
            lab.nodes[name].run("systemctl disable --now %s; rm -f /etc/systemd/system/%s %s*", UNIT, UNIT, RECORD)


def requests(record: str, timeout_s: float) -> list[tuple[float, float | None]]:
    """Return the start of each connection, and the time of its good answer, if it came in time."""
    found: list[tuple[float, float | None]] = []
    opened: dict[str, int] = {}
    for at, source, target, flags, status in PACKET.findall(record):
        at_s = float(at)
        if flags == "S":
            # A retransmitted packet belongs to the same connection.
            if source not in opened or at_s - found[opened[source]][0] > 2:
                opened[source] = len(found)
                found.append((at_s, None))
        elif status == "200" and target in opened:
            start_s, end_s = found[opened[target]]
            if end_s is None and at_s - start_s <= timeout_s:
                found[opened[target]] = (start_s, at_s)
    return found


def outages(found: list[tuple[float, float | None]]) -> Spans:
    """Return from the start of the last good request to the answer of the first of ten in a row."""
    good = [(number, start, end) for number, (start, end) in enumerate(found) if end is not None]
    spans: Spans = []
    row = GOOD_IN_A_ROW
    for (number, start, _end), (later_number, _start, end) in pairwise(good):
        row += 1
        if later_number == number + 1:
            continue
        since = start if row >= GOOD_IN_A_ROW else spans.pop()[0]
        spans.append((since, end))
        row = 0
    return spans


def lane(record: str, vip: str, held: bool, end_s: float) -> Spans:
    """Return when the kernel of a balancer had the VIP; *held* is the state at the start."""
    since = 0.0 if held else None
    spans: Spans = []
    for at, deleted, address in MONITORED.findall(record):
        at_s = datetime.fromisoformat(at).replace(tzinfo=timezone.utc).timestamp()
        if address == vip and deleted and since is not None:
            spans.append((since, at_s))
            since = None
        elif address == vip and not deleted and since is None:
            since = at_s
    return spans if since is None else [*spans, (since, end_s)]


def stages(done: Drilled) -> list[Stage]:
    """Return the runs in the playbook's output."""
    found: list[Stage] = []
    fault, injected_s = "", 0.0
    for at_s, line in done.lines:
        stage = STAGE.search(line)
        if stage and stage[2]:
            fault, injected_s = stage[2], at_s
        elif stage:
            found.append(Stage(fault, injected_s, at_s))
    return found


def held_s(lanes: dict[str, Spans], start_s: float, end_s: float) -> tuple[float, float]:
    """Return how long no balancer had the VIP in this time, and how long more than one."""
    changes = [(since, 1) for spans in lanes.values() for since, _until in spans]
    changes += [(until, -1) for spans in lanes.values() for _since, until in spans]
    none = several = 0.0
    number, last = 0, start_s
    for at_s, step in [*sorted(changes), (end_s, 0)]:
        at_s = min(max(at_s, start_s), end_s)
        none += (at_s - last) * (number == 0)
        several += (at_s - last) * (number > 1)
        number, last = number + step, at_s
    return none, several


def figures(lab: Lab, done: Drilled, records: dict[str, str], timeout_s: float) -> dict[str, list[dict[str, Any]]]:
    """Return the figures of the runs by fault, named as in the report, and other comparable values.

    ``lead_s`` is from the outage to the new holder's first announcement, ``requests`` the number of connections.
    """
    end_s = done.lines[-1][0]
    # Each test starts with the VIP on the first balancer.
    lanes = {name: lane(records[name], lab.vip, name == lab.balancers[0], end_s) for name in lab.balancers}
    asked = requests(records[CLIENT], timeout_s)
    away = outages(asked)
    announced = [(float(at), mac) for at, mac in ANNOUNCED.findall(records[CLIENT])]
    found: dict[str, list[dict[str, Any]]] = {}
    ran = stages(done)
    for stage, until_s in zip(ran, [*(later.injected_s for later in ran[1:]), end_s]):
        felt = [span for span in away if stage.injected_s <= span[0] < stage.healed_s]
        again = [span for span in away if stage.healed_s <= span[0] < until_s]
        holders = [name for name, spans in lanes.items() if any(a <= stage.injected_s < b for a, b in spans)]
        others = "".join(records[f"{name} macs"] for name in lab.balancers if name not in holders)
        taken = [at_s for at_s, mac in announced if stage.injected_s <= at_s < stage.healed_s and mac in others]
        moved = min(taken, default=None)
        gap_s, overlap_s = held_s(lanes, stage.injected_s, until_s)
        run = {"outage_s": longest(felt), "failback_outage_s": longest(again), "gap_s": gap_s, "overlap_s": overlap_s}
        run["requests"] = sum(stage.injected_s <= start < until_s for start, _end in asked)
        if moved is not None:
            back = [end for start, end in felt if start <= moved + timeout_s and end > moved]
            run["takeover_s"] = min(back, default=moved) - moved
            if felt:
                run["lead_s"] = moved - felt[0][0]
        found.setdefault(stage.fault, []).append(run)
    return found


def longest(spans: Spans) -> float:
    return max((end - start for start, end in spans), default=0.0)


def reported(run: dict[str, Any], most_s: float) -> dict[str, Any]:
    """Return the same values from a run in the report, without unknown ones, and when a request first failed."""
    names = ("outage_s", "failback_outage_s", "gap_s", "overlap_s", "takeover_s")
    found = {name: run[name] for name in names if run[name] is not None}
    (rows,) = run["timeline"]["requests"].values()
    healed_s = max(moment["at_s"] for moment in run["timeline"]["moments"] if moment["what"] in ("inject", "heal"))
    found["requests"] = sum(
        count * max(0.0, last - max(first, 0.0)) / (last - first)
        for first, last, _end, count, _outcome in rows
        if last > first
    )
    for (_first, last, _end, _count, outcome), (first, *_rest, later) in pairwise(rows):
        # A request that is pending when the fault is injected fails, too.
        if not outcome and later and -FOLLOWS_S < first < healed_s and run["outage_s"]:
            # The takeover causes a failure that comes with it or later, not the injection.
            if run["detect_s"] is None or first < run["detect_s"] - most_s:
                found["failed_s"] = first
            if run["detect_s"] is not None:
                found["lead_s"] = run["detect_s"] - last
            break
    return found


def disagreements(run: dict[str, Any], seen: dict[str, Any], most_s: float) -> list[str]:
    """Return the values that differ by more than *most_s* per move, or that only one of the two knows."""
    claimed = reported(run, most_s)
    failed_s = claimed.pop("failed_s", 0.0)
    found = (
        []
        if abs(failed_s) <= FOLLOWS_S
        else [f"the first request failed after {failed_s:.4f}, detected: {run['detect_s']}"]
    )
    if seen["requests"] < claimed.pop("requests") * SEEN:
        found.append(f"requests: only {seen['requests']} were seen")
    # The report does not know the state of a balancer that was not watched because it booted.
    names = {*claimed, *seen} - {"requests"} - ({"gap_s", "overlap_s"} - {*claimed})
    if max(claimed.get("outage_s", 0.0), seen["outage_s"]) <= most_s:
        # One failed request may be an outage for one of the two only.
        names -= {"lead_s"}
    for name in sorted(names):
        if name not in claimed or name not in seen:
            found.append(f"{name}: known only to the {'report' if name in claimed else 'observer'}")
        elif abs(claimed[name] - seen[name]) > most_s * DELAYS.get(name, 1):
            found.append(f"{name}: {claimed[name]:.4f} in the report, {seen[name]:.4f} for the observer")
    return found
