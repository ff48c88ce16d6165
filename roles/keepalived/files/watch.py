# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch who has the virtual IPs: keepalived-watch.service.

Asks twice per second on the link who answers for each VIP, listens to VRRP, and reads the kernel's addresses. The
collection's own modules, which the role installs beside this file, judge the observations.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any, Iterator, Mapping, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._common.node_service import (
    CHANGED,
    SETTLE_S,
    notify,
    own_files,
    read_json,
    readable_to_stop,
    say,
    signature,
    write,
)
from ansible_collections.haproof.balancer.plugins.module_utils._common.proc import children, read_stat
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.maintenance import maintenance_since
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.old_processes import read_old_processes
from ansible_collections.haproof.balancer.plugins.module_utils._link.kernel_addresses import (
    InterfaceAddress,
    read_addresses,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.neighbour import (
    mac_bytes,
    mac_text,
    parse_claim,
    question,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.vrrp_packet import (
    GROUPS,
    VRRP,
    Advert,
    PacketError,
    parse,
    parse_packet,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.wire import (
    ETH_P_ARP,
    ETH_P_IPV6,
    SNAP,
    Link,
    WireError,
    advertisements,
    open_packets,
    read_link,
)
from ansible_collections.haproof.balancer.plugins.module_utils._watch.metrics import Host, render
from ansible_collections.haproof.balancer.plugins.module_utils._watch.process import (
    PROCESS_RESTARTED,
    Process,
    Restarts,
)
from ansible_collections.haproof.balancer.plugins.module_utils._watch.vip import (
    PERIOD_S,
    Heard,
    Round,
    Vip,
    Watch,
)

CONFIG = "/etc/keepalived/watch.json"
PID_FILE = "/run/keepalived.pid"
FOLDER = "/run/keepalived-watch"
MEMORY = f"{FOLDER}/memory.json"
METRICS = f"{FOLDER}/haproof.prom"
HANDOVER = "/run/keepalived-handover/state.json"

GONE_S = 15.0
REMEMBER_S = 10.0
RETRY_S = 5.0
MOST_PACKETS = 2000
"""Packets that a round reads from a socket; the kernel's buffer bounds the rest."""

# linux/if_ether.h, linux/if_packet.h, linux/filter.h: with ETH_P_ALL a socket also sees this host's own packets.
ETH_P_ALL = 0x0003
PACKET_OUTGOING = 4
SO_BINDTODEVICE = 25
_PROTOCOL = 0xFFFFF000
VRRP_FILTER = [
    (0x28, 0, 0, _PROTOCOL),
    (0x15, 0, 2, 0x0800),
    (0x30, 0, 0, 9),
    (0x05, 0, 0, 2),
    (0x15, 0, 4, 0x86DD),
    (0x30, 0, 0, 6),
    (0x15, 1, 0, 112),
    (0x15, 0, 1, 51),
    (0x06, 0, 0, SNAP),
    (0x06, 0, 0, 0),
]
ARP_REPLIES = [(0x28, 0, 0, 6), (0x15, 0, 1, 2), (0x06, 0, 0, SNAP), (0x06, 0, 0, 0)]


class Told(NamedTuple):
    """An advert received on a link."""

    advert: Advert
    mac: str
    own: bool
    let_in: bool


class Ear:
    """The sockets of one interface. They are closed while the interface is unusable."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.link: Link | None = None
        self._packets: list[socket.socket] = []
        self._raw: list[socket.socket] = []
        self._senders: dict[int, socket.socket] = {}

    def refresh(self) -> None:
        """Open or close the sockets, depending on the interface's state."""
        try:
            link = read_link(self.name)
            if not (link.up and link.carrier):
                raise WireError(f"interface {self.name} is down")
            if self.link is None or self.link.number != link.number:
                self.close()
                self._open(link)
            self.link = link
        except (OSError, WireError) as error:
            if self.link is not None:
                say(4, f"{self.name} cannot be watched: {error}")
            self.close()

    def close(self) -> None:
        """Close everything."""
        for sock in (*self._packets, *self._raw):
            sock.close()
        self.link, self._packets, self._raw, self._senders = None, [], [], {}

    def ask(self, target: str, own: str | None) -> None:
        """Ask on the link who has an address."""
        if self.link is None or (":" in target and own is None):
            return
        kind = ETH_P_IPV6 if ":" in target else ETH_P_ARP
        packet, mac = question(target, own, self.link.mac)
        # Full queue: the next round asks again. Missing interface: the next round notices.
        with suppress(OSError):
            self._senders[kind].sendto(packet, (self.name, kind, 0, 0, mac_bytes(mac)))

    def claims(self) -> Iterator[tuple[str, str]]:
        """Yield the new answers: address and MAC address."""
        for sock in self._senders.values():
            for packet, origin in drain(sock):
                claim = parse_claim(packet, mac_text(origin[4]))
                if claim is not None and claim.mac != (self.link and self.link.mac):
                    yield claim.address, claim.mac

    def adverts(self) -> Iterator[Told]:
        """Yield the new adverts: those on the link, then those that passed the firewall."""
        for packet, origin in drain(self._packets[0]) if self._packets else ():
            with suppress(PacketError):
                advert = parse_packet(packet)
                if advert is not None and advert.checksum_ok:
                    # Adverts in an authentication header are a different protocol for the raw sockets.
                    yield Told(advert, mac_text(origin[4]), origin[2] == PACKET_OUTGOING, advert.authentication == "ah")
        for sock in self._raw:
            for packet, origin in drain(sock):
                with suppress(PacketError):
                    if sock.family == socket.AF_INET6:
                        advert = parse(packet, origin[0].partition("%")[0], GROUPS[6])
                    else:
                        advert = parse_packet(packet)
                    if advert is not None:
                        yield Told(advert, "", False, True)

    def _open(self, link: Link) -> None:
        self._packets.append(open_packets(link.name, ETH_P_ALL, VRRP_FILTER))
        for kind, program in ((ETH_P_ARP, ARP_REPLIES), (ETH_P_IPV6, advertisements())):
            self._senders[kind] = open_packets(link.name, kind, program)
            self._packets.append(self._senders[kind])
        for family in (socket.AF_INET, socket.AF_INET6):
            # The host has no IPv6.
            with suppress(OSError):
                self._raw.append(open_raw(family, link))


def open_raw(family: int, link: Link) -> socket.socket:
    """Return a socket that receives adverts like keepalived does: past the firewall. Raises OSError."""
    sock = socket.socket(family, socket.SOCK_RAW, VRRP)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, link.name.encode() + b"\0")
        index = struct.pack("@i", link.number)
        if family == socket.AF_INET:
            group = socket.inet_pton(family, GROUPS[4])
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + bytes(4) + index)
        else:
            group = socket.inet_pton(family, GROUPS[6])
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + index)
    except OSError:
        sock.close()
        raise
    return sock


def drain(sock: socket.socket) -> Iterator[tuple[bytes, Any]]:
    """Yield a socket's pending packets, with their origin."""
    for _number in range(MOST_PACKETS):
        try:
            yield sock.recvfrom(SNAP)
        except OSError:
            # No more packets, or the interface went down, which the next round notices.
            return


class Alerts:
    """Reports findings to the role's ``alert`` command, retrying until it succeeds. Does nothing without a command."""

    def __init__(self, command: str, told: Mapping[str, str]) -> None:
        self._command = command
        self.told = dict(told)
        self._next = 0.0

    def tell(self, findings: Mapping[str, str], over: Mapping[str, str], now: float) -> bool:
        """Report changes of *findings*; both arguments map names to texts. Return whether anything was reported."""
        wanted = [("raise", name, text) for name, text in findings.items() if name not in self.told]
        wanted += [("clear", name, over.get(name, "no longer watched")) for name in self.told if name not in findings]
        if not wanted or now < self._next:
            return False
        for action, name, text in wanted:
            if not self._run(action, name, text):
                self._next = now + RETRY_S
                return True
            if action == "raise":
                self.told[name] = text
            else:
                del self.told[name]
        return True

    def _run(self, action: str, name: str, text: str) -> bool:
        if not self._command:
            return True
        try:
            subprocess.run([self._command, action, name, text], check=True, timeout=RETRY_S)
        except (OSError, subprocess.SubprocessError) as error:
            say(4, f"alert {action} {name} failed, it will be retried: {error}")
            return False
        return True


class WatchLoop:
    """The loop: listen, judge, report, ask."""

    def __init__(self, config: Mapping[str, Any], memory: Mapping[str, Any]) -> None:
        now = time.monotonic()
        fields = Vip._fields
        vips = [Vip(**{key: entry[key] for key in fields}) for entry in config["vips"]]
        known = memory.get("watches", {})
        after = float(config["release_after"])
        self._moving = {vip.address for vip in vips}
        self._watches = [Watch(vip, now, after, known.get(vip.address)) for vip in vips]
        self._release_files = {entry["name"]: entry["release"] for entry in config["vips"] if entry["release"]}
        self._released: dict[str, bool] = {}
        self._restarts = Restarts()
        self._ears = {name: Ear(name) for vip in vips for name in (vip.interface, vip.link)}
        self._alerts = Alerts(config["alert"], memory.get("told", {}))
        self._remembered_at = 0.0
        self._files = {CONFIG: signature(CONFIG), **{path: signature(path) for path in own_files(__file__)}}
        self._seen_files = self._files
        self._since = now

    def run(self) -> int:
        """Watch until a signal comes or the files change; return the exit code."""
        stop = readable_to_stop()
        self._let_go()
        self._listen()
        notify("READY=1")
        code: int | None = None
        while code is None:
            code = 0 if select.select([stop], [], [], PERIOD_S)[0] else self._round()
        self._end()
        return code

    def _round(self) -> int | None:
        now = time.monotonic()
        notify("WATCHDOG=1")
        code = self._changed(now)
        addresses = read_addresses()
        heard = {name: list(ear.adverts()) for name, ear in self._ears.items()}
        claims: dict[tuple[str, str], set[str]] = {}
        for name, ear in self._ears.items():
            for address, mac in ear.claims():
                claims.setdefault((name, address), set()).add(mac)
        settled = self._files == self._seen_files
        for watch in self._watches:
            if settled:
                self._judge(watch, addresses, heard[watch.vip.link], claims, now)
        self._let_go()
        if self._restarts.step(*read_keepalived(), now):
            level, word = (3, "found") if self._restarts.raised else (5, "over")
            say(level, f"{PROCESS_RESTARTED} keepalived {word}: {self._restarts.text}")
        self._tell(now)
        self._listen()
        self._ask(addresses, now)
        maintenance = maintenance_since("keepalived") is not None
        host = Host(self._restarts, maintenance, read_handovers(), read_old_processes())
        write(METRICS, render(self._watches, host, now, time.time()), 0o644)
        if now - self._remembered_at > REMEMBER_S:
            self._remember(now)
        return code

    def _judge(
        self,
        watch: Watch,
        addresses: list[InterfaceAddress],
        heard: list[Told],
        claims: Mapping[tuple[str, str], set[str]],
        now: float,
    ) -> None:
        vip = watch.vip
        mine = {entry.address for entry in addresses}
        blind = self._ears[vip.interface].link is None
        adverts = [
            Heard(told.advert.source, told.mac, told.advert.priority, told.own, told.let_in or told.own)
            for told in heard
            if told.advert.vrid == vip.vrid
            and (":" in told.advert.source) == (vip.family == 6)
            # A packet that returns to its sender, such as looped multicast, is not from another router.
            and (told.own or told.advert.source not in mine)
        ]
        seen = Round(
            held=vip.address in mine,
            macs=None if blind else frozenset(claims.get((vip.interface, vip.address), ())),
            alive=frozenset(address for name, address in claims if name == vip.link),
            adverts=adverts,
            own=self._own_address(vip.link, ":" if vip.family == 6 else ".", addresses),
        )
        released = watch.released
        for kind in watch.step(seen, now):
            level, word = (3, "found") if watch.raised(kind) else (5, "over")
            say(level, f"{kind} {vip.address} {word}: {watch.texts[kind]}")
            self._remembered_at = 0.0
        if watch.released != released:
            say(4, f"{vip.name} {'releases' if watch.released else 'may take back'} {vip.address}")

    def _ask(self, addresses: list[InterfaceAddress], now: float) -> None:
        for watch in self._watches:
            vip = watch.vip
            self._ears[vip.interface].ask(vip.address, self._own_address(vip.interface, vip.address, addresses))
            for peer in watch.doubtful(now):
                self._ears[vip.link].ask(peer, self._own_address(vip.link, peer, addresses))

    def _own_address(self, name: str, target: str, addresses: list[InterfaceAddress]) -> str | None:
        """Return this host's own address on an interface, of the same family as *target*.

        For IPv6 it is the link-local one, from which solicitations and adverts come.
        """
        link = self._ears[name].link
        for entry in addresses:
            if link is None or entry.interface != link.number or entry.address in self._moving:
                continue
            if entry.address.startswith("fe80:") if ":" in target else ":" not in entry.address:
                return entry.address
        return None

    def _listen(self) -> None:
        for ear in self._ears.values():
            ear.refresh()

    def _let_go(self) -> None:
        """Write for each instance whether it must release its VIPs, by any of the instance's watches."""
        for name, path in self._release_files.items():
            wanted = any(watch.released for watch in self._watches if watch.vip.name == name)
            if self._released.get(name) is not wanted:
                # In place, since keepalived watches the file.
                with open(path, "w", encoding="ascii") as stream:
                    stream.write(f"{wanted:d}\n")
                self._released[name] = wanted

    def _tell(self, now: float) -> None:
        findings: dict[str, str] = {}
        over: dict[str, str] = {}
        (findings if self._restarts.raised else over)[f"{PROCESS_RESTARTED} keepalived"] = self._restarts.text
        for watch in self._watches:
            for kind, text in watch.texts.items():
                (findings if watch.raised(kind) else over)[f"{kind} {watch.vip.address}"] = text
        if self._alerts.tell(findings, over, now):
            self._remember(now)

    def _changed(self, now: float) -> int | None:
        """Return the exit code if the files have changed since this was started."""
        seen = {path: signature(path) for path in self._files}
        if seen != self._seen_files:
            self._seen_files, self._since = seen, now
        if seen == self._files:
            return None
        if seen[CONFIG] is None:
            return 0 if now - self._since > GONE_S else None
        return CHANGED if now - self._since > SETTLE_S else None

    def _remember(self, now: float) -> None:
        watches = {watch.vip.address: watch.snapshot(now) for watch in self._watches}
        write(MEMORY, json.dumps({"told": self._alerts.told, "watches": watches}), 0o600)
        self._remembered_at = now

    def _end(self) -> None:
        """Remove the outdated metrics and release files."""
        for watch in self._watches:
            watch.released = False
        self._let_go()
        for ear in self._ears.values():
            ear.close()
        with suppress(FileNotFoundError):
            os.unlink(METRICS)
        now = time.monotonic()
        if signature(CONFIG) is None:
            self._alerts.tell({}, {}, now)
            with suppress(FileNotFoundError):
                os.unlink(MEMORY)
        else:
            self._remember(now)


def read_keepalived() -> tuple[Process | None, list[Process]]:
    """Return keepalived's main process and its children; none while it is not running."""
    try:
        with open(PID_FILE, encoding="ascii") as stream:
            main = read_process(int(stream.read().strip() or 0))
        pids = sorted(children(main.pid))
    except (OSError, ValueError):
        return None, []
    found = []
    for pid in pids:
        # It may have ended meanwhile.
        with suppress(OSError, ValueError):
            found.append(read_process(pid))
    return main, found


def read_handovers() -> list[dict[str, Any]]:
    """Return keepalived-handover's entry of each virtual IP, none while it is not running."""
    try:
        with open(HANDOVER, encoding="utf-8") as stream:
            return list(json.load(stream))
    except FileNotFoundError:
        return []


def read_process(pid: int) -> Process:
    """Return a running process. Raises OSError or ValueError if it has ended."""
    state, started = read_stat(pid)
    if state == "Z":
        raise ValueError(f"process {pid} has ended")
    return Process(pid, started)


def main() -> int:
    """Watch by the configuration, and return the exit code."""
    memory: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        memory = read_json(MEMORY)
    config = read_json(CONFIG)
    try:
        service = WatchLoop(config, memory)
    except (AttributeError, KeyError, TypeError, ValueError):
        # The memory may be from another version; an error in the configuration fails again.
        service = WatchLoop(config, {})
    return service.run()


if __name__ == "__main__":
    sys.exit(main())
