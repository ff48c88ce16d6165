# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand connections over when a virtual IP moves: keepalived-handover.service.

Follows the kernel's addresses, asks the peers, and sets up what the collection's state machine wants: a route by which
the kernel goes on taking a lost virtual IP's packets, and the nftables rules of the new holder. ``handover clean``
removes everything that a killed service left behind.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.node_service import (
    CHANGED,
    Files,
    notify,
    own_files,
    read_json,
    readable_to_stop,
    say,
    write,
)
from ansible_collections.haproof.balancer.plugins.module_utils._handover.machine import (
    DONE,
    HANDING_OVER,
    LOOK_S,
    MOVED,
    STANDBY,
    Handover,
    Wanted,
)
from ansible_collections.haproof.balancer.plugins.module_utils._handover.messages import (
    HOLDING,
    LONGEST,
    NO,
    PORT,
    QUESTIONS,
    SERVING,
    PeerMessage,
    pack,
    parse,
)
from ansible_collections.haproof.balancer.plugins.module_utils._handover.ruleset import (
    Forwarding,
    absence,
    addition,
    completion,
    preparation,
    redirection,
    removal,
    ruleset,
    table,
)
from ansible_collections.haproof.balancer.plugins.module_utils._handover.sockets import Connection, read_connections
from ansible_collections.haproof.balancer.plugins.module_utils._handover.tables import (
    NETFILTER,
    read_tables,
    removal_in,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.kernel_addresses import (
    open_changes,
    read_addresses,
)

CONFIG = "/etc/keepalived/handover.json"
FOLDER = "/run/keepalived-handover"
STATE = f"{FOLDER}/state.json"
FORMER_SYSCTL = f"{FOLDER}/sysctl.json"

NFTABLES_GROUP = 1 << 6
"""NFNLGRP_NFTABLES in linux/netfilter/nfnetlink.h."""
LOCAL = ("dev", "lo", "table", "local", "metric", "11212")
"""The metric keeps the route behind that of the address while it is on the interface, and tells it from others."""
COMMAND_S = 5.0
COUNT_S = 0.5
"""How old the number of connections in an answer may be."""
RESEED_S = 5.0
"""How often a standby's rules follow its connections, since a client's port may be used again."""
CHECK_S = 0.5
"""Between two requests of the local URL."""
HUNG_S = 1.0
"""How long an answer may take, on a busy host."""
HUNG_TIMES = 2
"""How many requests in a row a hung service leaves without an answer. A busy host may miss one."""
RETRY_S = 5.0
"""Between two attempts to start where something is missing: a kernel module or an interface may come later."""
# So that only the interface that has an address answers for it, and asks in its own name.
ARP = {"arp_ignore": 1, "arp_announce": 2}


class Kernel:
    """Changes the host. Commands get addresses that the configuration has, and nothing else from outside."""

    def nft(self, commands: str, *options: str) -> None:
        """Run nft commands as one transaction. Raises OSError, SubprocessError."""
        command = ["nft", *options, "-f", "-"]
        subprocess.run(command, input=commands, text=True, check=True, capture_output=True, timeout=COMMAND_S)

    def has_rules(self, vip: str) -> bool:
        """Return whether a virtual IP's table is there. Raises OSError."""
        return table(vip) in read_tables()

    def local(self, vip: str, present: bool) -> None:
        """Add or remove the route by which the kernel takes a virtual IP's packets without having the address.

        Raises OSError, SubprocessError.
        """
        command = ["ip", "-6" if ":" in vip else "-4", "route", "replace" if present else "delete", "local", vip]
        run = subprocess.run([*command, *LOCAL], check=False, capture_output=True, text=True, timeout=COMMAND_S)
        if run.returncode and present:
            raise subprocess.SubprocessError(run.stderr)


class Arp:
    """Raises the interfaces' kernel parameters, and restores them at the end."""

    def __init__(self, devices: Sequence[str]) -> None:
        self._paths = {
            f"/proc/sys/net/ipv4/conf/{device}/{name}": least for device in devices for name, least in ARP.items()
        }
        self._former: dict[str, str] = {}
        with suppress(OSError, ValueError):
            self._former = read_json(FORMER_SYSCTL)

    def ensure(self) -> None:
        """Raise values that are too low. Raises OSError."""
        for path, least in self._paths.items():
            value = _read(path)
            if int(value) < least:
                if path in self._former:
                    say(4, f"{path} was reset to {value}; setting it to {least} again")
                else:
                    self._former[path] = value
                    write(FORMER_SYSCTL, json.dumps(self._former), 0o600)
                _put(path, str(least))

    def restore(self) -> None:
        """Restore the values that were changed."""
        for path, value in self._former.items():
            # The interface may be gone.
            with suppress(OSError):
                _put(path, value)
        with suppress(FileNotFoundError):
            os.unlink(FORMER_SYSCTL)


class Rules(NamedTuple):
    """The rules that are set: where they forward to, and which connections they were given.

    Those of a holder are not known, since it adds the new ones.
    """

    formers: tuple[str, ...]
    mine: frozenset[Connection] | None


class ManagedVip:
    """A virtual IP: its state machine, and what is set up for it."""

    def __init__(self, entry: Mapping[str, Any], limit_s: float, now: float) -> None:
        self.address: str = entry["address"]
        self.device: str = entry["interface"]
        self.source: str = entry["source"]
        self.peers: list[str] = entry["peers"]
        self.machine = Handover(limit_s, entry["alive_s"], now, held=False)
        self.local = False
        self.rules: Rules | None = None
        self.quiet = False
        self.problem: str | None = None
        self.ended: str | None = None
        self.reported: set[str] = set()
        self.seeded_at = 0.0
        self._counted: tuple[float, int] = (float("-inf"), 0)

    def count(self, now: float, fresh: bool = False) -> int:
        """Return how many connections this host has, at most COUNT_S old."""
        if fresh or now - self._counted[0] > COUNT_S:
            self._counted = (now, len(read_connections(self.address)))
        return self._counted[1]


class Talk:
    """Answers the peers in a thread of its own, so that an answer never waits for a command; keeps their messages."""

    def __init__(self, vips: Mapping[str, ManagedVip], healthy: threading.Event) -> None:
        self._vips = vips
        self._healthy = healthy
        self.messages: list[tuple[str, PeerMessage]] = []
        self._socks = {family: _open(family) for family in (socket.AF_INET, socket.AF_INET6) if _has(family, vips)}
        self.wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)

    def start(self) -> None:
        """Answer from now on."""
        threading.Thread(target=self._run, daemon=True).start()

    def ask(self, vip: ManagedVip, now: float) -> None:
        """Ask the peers about a virtual IP."""
        for peer in vip.peers:
            self._send(pack(PeerMessage(vip.machine.question(peer), vip.address, _clock_ms(now))), peer, vip)

    def take(self, now: float) -> list[tuple[str, PeerMessage]]:
        """Return the new messages, with the peers that sent them."""
        taken = []
        while self.messages:
            taken.append(self.messages.pop(0))
        # An answer has the time of its question.
        return [(peer, each) for peer, each in taken if each.kind in QUESTIONS or each.number <= _clock_ms(now)]

    def _send(self, datagram: bytes, peer: str, vip: ManagedVip) -> None:
        # No route or a full queue is silence to the peer.
        with suppress(OSError):
            if ":" in peer:
                scope = socket.if_nametoindex(vip.device) if peer.startswith("fe80:") else 0
                # Of two addresses in a network the kernel may prefer the VIP, which is not one of a peer.
                source = socket.inet_pton(socket.AF_INET6, vip.source or "::") + struct.pack("=I", scope)
                control = [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, source)]
                self._socks[socket.AF_INET6].sendmsg([datagram], control, 0, (peer, PORT, 0, scope))
            else:
                self._socks[socket.AF_INET].sendto(datagram, (peer, PORT))

    def _run(self) -> None:
        while True:
            for sock in select.select(list(self._socks.values()), [], [])[0]:
                with suppress(OSError):
                    datagram, origin = sock.recvfrom(LONGEST)
                    self._handle(datagram, str(origin[0]).partition("%")[0])

    def _handle(self, datagram: bytes, peer: str) -> None:
        message = parse(datagram)
        vip = self._vips.get(message.vip) if message else None
        if message is None or vip is None or peer not in vip.peers:
            return
        if message.kind in QUESTIONS:
            self._send(pack(self._answer(vip, message.number)), peer, vip)
        self.messages.append((peer, message))
        with suppress(BlockingIOError):
            os.write(self._waker, b"a")

    def _answer(self, vip: ManagedVip, number: int) -> PeerMessage:
        # Not from the main thread's memory, which may be busy with a command since before the address was gone.
        held = any(entry.address == vip.address for entry in read_addresses())
        connections = vip.count(time.monotonic())
        kind = HOLDING if held else SERVING if vip.local and self._healthy.is_set() else NO
        return PeerMessage(kind, vip.address, number, connections)


class Health:
    """Requests the local URL while this host serves connections of a VIP that it has lost, in a thread of its own."""

    def __init__(self, url: str) -> None:
        self.healthy = threading.Event()
        self.healthy.set()
        self._wanted = threading.Event()
        self._url = url
        self._failures = 0

    def start(self) -> None:
        """Request the URL from now on, if there is one."""
        if self._url:
            threading.Thread(target=self._run, daemon=True).start()

    def want(self, wanted: bool) -> None:
        """Say whether the health matters."""
        if wanted:
            self._wanted.set()
        else:
            self._wanted.clear()
            self.take(True)

    def take(self, answered: bool) -> None:
        """Take whether the URL answered."""
        self._failures = 0 if answered else self._failures + 1
        if self._failures >= HUNG_TIMES:
            self.healthy.clear()
        elif answered:
            self.healthy.set()

    def _run(self) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while self._wanted.wait():
            try:
                with opener.open(self._url, timeout=HUNG_S):
                    self.take(True)
            except (OSError, ValueError):
                if self._wanted.is_set():
                    self.take(False)
            time.sleep(CHECK_S)


class HandoverLoop:
    """The loop: observe, decide, set up, ask. Raises OSError if this host lacks what it needs."""

    def __init__(self, config: Mapping[str, Any], files: Files) -> None:
        now = time.monotonic()
        self._kernel = Kernel()
        self._vips = {entry["address"]: ManagedVip(entry, float(config["limit"]), now) for entry in config["vips"]}
        for vip in self._vips:
            read_connections(vip)
        self._changes = open_changes()
        self._removals = _open_removals()
        read_tables()
        self._arp = Arp(sorted({vip.device for vip in self._vips.values() if ":" not in vip.address}))
        self._arp.ensure()
        self._health = Health(config["check"])
        self._talk = Talk(self._vips, self._health.healthy)
        self._left_out: Mapping[str, str] = config["left_out"]
        self._files = files
        self._checked_at = now
        self._state = ""

    def run(self, stop: int) -> int:
        """Hand over until *stop* is readable or the files change; return the exit code."""
        changes, removals = self._changes, self._removals
        sources: list[Any] = [stop, changes, removals, self._talk.wake]
        self._health.start()
        self._talk.start()
        self._start()
        notify("READY=1")
        try:
            while True:
                now = time.monotonic()
                wait_s = min((vip.machine.wait_s(now) for vip in self._vips.values()), default=LOOK_S)
                ready = select.select(sources, [], [], wait_s)[0]
                if stop in ready:
                    return 0
                if changes in ready:
                    _drain(changes)
                if self._talk.wake in ready:
                    os.read(self._talk.wake, 4096)
                self._round(changes in ready, removals in ready and _table_removed(removals))
                if self._outdated():
                    return CHANGED
        finally:
            clean(list(self._vips), self._kernel)
            self._arp.restore()
            with suppress(FileNotFoundError):
                os.unlink(STATE)

    def _start(self) -> None:
        clean(list(self._vips), self._kernel)
        held = self._held()
        for vip in self._vips.values():
            machine = vip.machine
            vip.machine = Handover(machine.limit_s, machine.alive_s, time.monotonic(), vip.address in held)
            try:
                # A holder needs them only when it has become a standby.
                self._kernel.nft(ruleset(Forwarding(vip.address, vip.device, vip.peers), (), False), "--check")
            except (OSError, subprocess.SubprocessError) as error:
                self._complain(vip, error)
        self._round(True, False)

    def _round(self, moved: bool, removed: bool) -> None:
        now = time.monotonic()
        notify("WATCHDOG=1")
        for peer, message in self._talk.take(now):
            machine = self._vips[message.vip].machine
            if message.kind in QUESTIONS:
                machine.asked(now, peer, message.kind)
            else:
                machine.answer(message.number / 1000, peer, message.kind, message.connections)
        held = self._held()
        for vip in self._vips.values():
            self._observe(vip, vip.address in held, moved, now)
        check = removed or now - self._checked_at > LOOK_S
        if check:
            self._checked_at = now
        for vip in self._vips.values():
            self._set_up(vip, vip.machine.wanted(now), now, check)
        self._health.want(any(vip.machine.serves(now) for vip in self._vips.values()))
        self._write_state(now)

    def _set_up(self, vip: ManagedVip, wanted: Wanted, now: float, check: bool) -> None:
        # As long as there is a route, the rules keep the kernel from resetting the connections of others.
        if not wanted.local:
            self._set_route(vip, False)
        try:
            self._set_rules(vip, wanted, now, check)
            if vip.rules and vip.local == wanted.local:
                vip.problem = None
        except (OSError, subprocess.SubprocessError) as error:
            self._complain(vip, error)
        try:
            if check:
                self._arp.ensure()
        except OSError as error:
            self._complain(vip, error)
        if wanted.local:
            self._set_route(vip, True)

    def _observe(self, vip: ManagedVip, held: bool, moved: bool, now: float) -> None:
        machine = vip.machine
        takes_over = held and machine.state == STANDBY
        # At the takeover the question comes first.
        machine.observe(now, held, 0 if takes_over else vip.count(now, fresh=moved))
        if takes_over:
            vip.ended = None
        self._report(vip)
        if machine.must_ask(now):
            self._talk.ask(vip, now)

    def _held(self) -> set[str]:
        return {entry.address for entry in read_addresses()}

    def _set_rules(self, vip: ManagedVip, wanted: Wanted, now: float, check: bool) -> None:
        if check and vip.rules and not self._kernel.has_rules(vip.address):
            say(4, f"{vip.address}: the rules were removed; setting them up again")
            vip.rules = None
        if not wanted.formers:
            if vip.rules:
                self._kernel.nft(removal(vip.address))
                vip.rules = None
            return
        forwarding = Forwarding(vip.address, vip.device, wanted.formers)
        if self._must_seed(vip, now):
            vip.seeded_at = now
            self._seed(vip, forwarding, wanted.quiet)
        if vip.rules and vip.rules.formers != wanted.formers:
            self._kernel.nft(redirection(forwarding))
            vip.rules = Rules(wanted.formers, vip.rules.mine)
        if vip.rules and vip.machine.state == HANDING_OVER:
            vip.rules = Rules(wanted.formers, None)
        if vip.rules and vip.quiet != wanted.quiet:
            self._kernel.nft(absence(vip.address, wanted.quiet))
            vip.quiet = wanted.quiet

    def _set_route(self, vip: ManagedVip, local: bool) -> None:
        if local == vip.local:
            return
        try:
            self._kernel.local(vip.address, local)
            vip.local = local
        except (OSError, subprocess.SubprocessError) as error:
            self._complain(vip, error)

    def _seed(self, vip: ManagedVip, forwarding: Forwarding, quiet: bool) -> None:
        formers = tuple(forwarding.formers)
        if vip.machine.state == HANDING_OVER:
            self._kernel.nft(preparation(vip.address, vip.device, quiet))
            try:
                self._kernel.nft(completion(forwarding, read_connections(vip.address)))
            except (OSError, subprocess.SubprocessError):
                # A reset is better than no answer.
                self._kernel.nft(removal(vip.address))
                raise
            vip.rules, vip.quiet = Rules(formers, None), quiet
            return
        mine = read_connections(vip.address)
        if vip.rules == Rules(formers, mine):
            return
        self._kernel.nft(ruleset(forwarding, mine, quiet))
        vip.rules, vip.quiet = Rules(formers, mine), quiet
        # The previous rules noted those that began meanwhile.
        late = read_connections(vip.address) - mine
        if late:
            self._kernel.nft(addition(vip.address, late))

    def _complain(self, vip: ManagedVip, error: Exception) -> None:
        reason = _reason(error)
        if reason != vip.problem:
            say(3, f"{vip.address}: cannot prepare a hand-over: {reason}")
        vip.problem = reason

    def _must_seed(self, vip: ManagedVip, now: float) -> bool:
        """Return whether to write the rules again. A holder's own rules add its connections themselves."""
        if vip.rules is None:
            return vip.problem is None or now - vip.seeded_at > LOOK_S
        return vip.machine.state == STANDBY and now - vip.seeded_at > RESEED_S

    def _report(self, vip: ManagedVip) -> None:
        machine = vip.machine
        serving = set(machine.formers) if machine.state == HANDING_OVER else set()
        for peer in sorted(serving - vip.reported):
            say(6, f"{vip.address} is here; {peer} goes on serving its connections")
        vip.reported = serving
        for peer, reason in machine.ended:
            say(6, f"{vip.address}: the hand-over from {peer} has ended: {reason}")
            # Of several the worst.
            if vip.ended in (None, DONE, MOVED):
                vip.ended = reason
        machine.ended.clear()

    def _write_state(self, now: float) -> None:
        state: list[dict[str, Any]] = [
            {
                "vip": vip.address,
                "problem": vip.problem,
                "state": vip.machine.state,
                "former": vip.machine.former,
                "formers": {peer: former.remaining for peer, former in sorted(vip.machine.formers.items())},
                "remaining": vip.machine.remaining,
                "own": vip.count(now),
                "serves": vip.machine.serves(now),
                "ended": vip.ended,
                "received": vip.machine.received,
                "cut": vip.machine.cut,
            }
            for vip in self._vips.values()
        ]
        state += [{"vip": vip, "problem": reason} for vip, reason in self._left_out.items()]
        text = json.dumps(state, indent=1) + "\n"
        if text != self._state:
            write(STATE, text, 0o644)
            self._state = text

    def _outdated(self) -> bool:
        """Return whether the files have changed, and a restart interrupts no hand-over."""
        now = time.monotonic()
        self._files.step(now)
        busy = any(vip.machine.state == HANDING_OVER or vip.machine.serves(now) for vip in self._vips.values())
        return self._files.changed(now) and not busy


def clean(vips: Sequence[str], kernel: Kernel) -> None:
    """Remove the rules and the routes."""
    # Once the unit's file is gone, systemd signals the whole control group. The commands inherit the mask.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        for vip in vips:
            try:
                kernel.local(vip, False)
                kernel.nft(removal(vip))
            except (OSError, subprocess.SubprocessError) as error:
                say(3, f"{vip}: cannot clean up: {_reason(error)}")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def hand_over(config: Mapping[str, Any]) -> int:
    """Hand over until a signal comes or the files change, and return the exit code.

    Without what it needs it reports this and tries again. It answers no peer meanwhile, and so hands nothing over.
    """
    stop = readable_to_stop()
    files = Files([CONFIG, *own_files(__file__)], time.monotonic())
    problem = None
    while True:
        try:
            loop = HandoverLoop(config, files)
        except OSError as error:
            if str(error) != problem:
                problem = str(error)
                _report_incapable(config, problem)
        else:
            return loop.run(stop)
        notify("WATCHDOG=1")
        if select.select([stop], [], [], RETRY_S)[0]:
            return 0
        files.step(time.monotonic())
        if files.changed(time.monotonic()):
            return CHANGED


def _report_incapable(config: Mapping[str, Any], problem: str) -> None:
    say(3, f"no virtual IP can be handed over: {problem}")
    state = [{"vip": entry["address"], "problem": problem} for entry in config["vips"]]
    state += [{"vip": vip, "problem": reason} for vip, reason in config["left_out"].items()]
    write(STATE, json.dumps(state, indent=1) + "\n", 0o644)
    # keepalived waits for it.
    notify("READY=1")


def _clock_ms(now: float) -> int:
    # Rounded up, so that a question at the moment of the takeover is not one from before.
    return math.ceil(now * 1000)


def _has(family: int, vips: Mapping[str, ManagedVip]) -> bool:
    return any((family == socket.AF_INET6) == (":" in peer) for vip in vips.values() for peer in vip.peers)


def _open(family: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind(("", PORT))
    return sock


def _drain(sock: socket.socket) -> None:
    """Read the pending changes. Lost ones (ENOBUFS) do not matter, since all addresses are read afterwards."""
    while True:
        try:
            sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            continue


def _open_removals() -> socket.socket:
    """Return a socket that is readable after changes of nftables, such as a firewall's that flushes all rules."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER)
    sock.bind((0, NFTABLES_GROUP))
    sock.setblocking(False)
    return sock


def _table_removed(sock: socket.socket) -> bool:
    """Read the pending changes, and return whether a table may have been removed."""
    removed = False
    while True:
        try:
            removed |= removal_in(sock.recv(65536))
        except BlockingIOError:
            return removed
        except OSError:
            # Changes were lost.
            removed = True


def _reason(error: Exception) -> str:
    stderr = getattr(error, "stderr", None)
    return str(stderr.decode() if isinstance(stderr, bytes) else stderr or error).strip()


def _read(path: str) -> str:
    with open(path, encoding="ascii") as stream:
        return stream.read().strip()


def _put(path: str, value: str) -> None:
    with open(path, "w", encoding="ascii") as stream:
        stream.write(value)


def main() -> int:
    """Hand over by the configuration, and return the exit code."""
    if sys.argv[1:] == ["clean"] and not os.path.exists(CONFIG):
        # Switched off: the service has cleaned up itself.
        return 0
    config = read_json(CONFIG)
    if sys.argv[1:] == ["clean"]:
        clean([entry["address"] for entry in config["vips"]], Kernel())
        Arp([]).restore()
        return 0
    return hand_over(config)


if __name__ == "__main__":
    sys.exit(main())
