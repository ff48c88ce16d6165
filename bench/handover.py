# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure a hand-over of many connections: how long its rules take, and what forwarding costs.

The client opens connections through the VIP to the first balancer, and sends messages over them at a fixed rate. The
rules that such a host needs to take the VIP back are timed on it. Then the VIP moves, and the CPU time of this machine
per message before and after the move is compared: the difference is the new holder's work.

Run it with .venv/bin/python after "make lab site". It takes a minute.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from data_path import ROOT, Lab

PORT = 7007
UNITS = "haproof-bench"
RECORD = "/run/haproof-bench.json"
ECHO = """
import asyncio, sys

class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

async def main():
    server = await asyncio.get_running_loop().create_server(Echo, "", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()

asyncio.run(main())
"""
CLIENT = """
import asyncio, json, os, sys, time
vip, port, connections, rate, record = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
seen = {"open": 0, "sent": 0, "received": 0, "lost": 0}
transports = []

class Peer(asyncio.Protocol):
    def connection_made(self, transport):
        seen["open"] += 1
        transports.append(transport)

    def data_received(self, data):
        seen["received"] += len(data) // 8

    def connection_lost(self, error):
        seen["lost"] += 1

async def main():
    loop = asyncio.get_running_loop()
    while len(transports) < connections:
        await asyncio.gather(*(loop.create_connection(Peer, vip, port) for _each in range(100)))
    begun = written = time.monotonic()
    while True:
        now = time.monotonic()
        while seen["sent"] < (now - begun) * rate:
            transports[seen["sent"] % len(transports)].write(b"message\\n")
            seen["sent"] += 1
        if now - written > 0.2:
            written = now
            with open(record + ".new", "w") as stream:
                json.dump(seen, stream)
            os.replace(record + ".new", record)
        await asyncio.sleep(0.01)

asyncio.run(main())
"""
# The rules for another address, so that nothing is disturbed.
ARM = """
import subprocess, sys, time
sys.path.insert(0, "/usr/local/lib/keepalived-handover")
from ansible_collections.haproof.balancer.plugins.module_utils._handover.ruleset import Forwarding, removal, ruleset
from ansible_collections.haproof.balancer.plugins.module_utils._handover.sockets import read_connections
begun = time.monotonic()
mine = read_connections(sys.argv[1])
read = time.monotonic()
text = ruleset(Forwarding("192.0.2.10", sys.argv[2], ["192.0.2.11"]), mine, True)
subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)
done = time.monotonic()
subprocess.run(["nft", "-f", "-"], input=removal("192.0.2.10"), text=True, check=True)
print(len(mine), read - begun, done - read)
"""


def busy_s() -> float:
    """Return the CPU time that this machine has used."""
    user, nice, system, _idle, _wait, irq, softirq, *_rest = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq) / 100


def seen(lab: Lab) -> dict[str, int]:
    """Return the client's counts."""
    return dict(json.loads(lab.run(lab.client, f"cat {RECORD} 2>/dev/null || echo '{{}}'")))


def cost_us(lab: Lab, seconds: int) -> float:
    """Return the CPU time per message, in microseconds."""
    busy, messages = busy_s(), seen(lab)["received"]
    time.sleep(seconds)
    return (busy_s() - busy) * 1e6 / (seen(lab)["received"] - messages)


def start(lab: Lab, node: str, program: str, *words: str) -> None:
    """Start a Python program as a transient unit."""
    lab.run(node, f"cat >/run/{UNITS}.py", program)
    unit = f"systemd-run --quiet --collect --unit={UNITS} --property=LimitNOFILE=200000"
    lab.run(node, f"{unit} /usr/bin/python3 /run/{UNITS}.py {' '.join(words)}")


def measure(lab: Lab, connections: int, rate: int, seconds: int) -> None:
    """Print the times."""
    first, second = lab.balancers[:2]
    for name in (first, second):
        start(lab, name, ECHO, str(PORT))
    lab.run(lab.client, f"rm -f {RECORD}")
    start(lab, lab.client, CLIENT, lab.vip, *map(str, (PORT, connections, rate)), RECORD)
    deadline = time.monotonic() + 120
    while not seen(lab).get("received"):
        if time.monotonic() > deadline:
            sys.exit("the client could not open its connections")
        time.sleep(1)
    device = lab.run(first, f"ip -oneline address show to {lab.vip}").split()[1]
    for _round in range(5):
        number, read_s, rules_s = lab.run(first, f"python3 - {lab.vip} {device}", ARM).split()
        print(f"{number} connections: read in {float(read_s):.3f} s, rules set in {float(rules_s):.3f} s", flush=True)
    direct = cost_us(lab, seconds)
    lab.run(first, "systemctl stop keepalived")
    time.sleep(2)
    forwarded = cost_us(lab, seconds)
    print(f"CPU per message: {direct:.0f} µs, forwarded {forwarded:.0f} µs; {rate} messages per second")
    found = seen(lab)
    print(
        f"{found['lost']} of {found['open']} connections lost, {found['received']} of {found['sent']} messages answered"
    )


def main() -> None:
    """Measure, and clean up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inventory", type=Path, default=ROOT / "build/lab/inventory.yml")
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=2_000, help="messages per second")
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    given = parser.parse_args()
    lab = Lab(given.inventory)
    try:
        measure(lab, given.connections, given.rate, given.seconds)
    finally:
        for name in (*lab.balancers, lab.client):
            lab.run(name, f"systemctl stop {UNITS} 2>/dev/null; rm -f /run/{UNITS}.py")
        lab.run(lab.balancers[0], "systemctl start keepalived")


if __name__ == "__main__":
    main()
