# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report by mail and webhook what keepalived does with its virtual IPs.

    alert raise NAME TEXT...   report a problem found by another program (such as a split brain)
    alert clear NAME TEXT...   report that it is over
    alert test                 send a message now; the exit code is 0 if everything was sent
    alert serve                the service behind it: keepalived-alert.service

keepalived and the first two write lines to a FIFO that systemd holds open, which never blocks a writer. The service
reads it continuously, folds the events into one entry per name, and sends from another thread.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import smtplib
import ssl
import sys
import threading
import time
import urllib.parse
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Sequence

CONFIG = "/etc/keepalived/alert.json"
FIFO = "/run/keepalived-alert.fifo"
MEMORY = "/run/keepalived-alert/states.json"

SETTLE_S = 1.0
"""How long a first change waits for related ones."""
RISING_S = 10.0
"""How long a starting instance may stay BACKUP before that is reported; no profile needs 6 s."""
IDLE_S = 600.0
"""After this time without an event the service stops; systemd starts it with the next one."""
PAUSES_S = (0.0, 5.0, 25.0)
"""The pauses before each attempt to send."""
TIMEOUT_S = 10.0
MOST_NAMES = 1000
LONGEST_LINE = 4096
"""PIPE_BUF: maximum size of an atomic write to a FIFO on Linux (pipe(7))."""

STATES = ("MASTER", "BACKUP", "FAULT", "STOP", "DELETED", "RAISED", "CLEARED")
SEVERITIES = ("INFO", "OK", "WARNING", "ALARM")

_LINE = re.compile(r'(INSTANCE|ALERT) "([^"]+)" ([A-Z]+)(?: (.*))?')


class Event(NamedTuple):
    """A line of the FIFO. ``detail`` is an instance's priority, or the text of an alert."""

    name: str
    state: str
    detail: str


class InstanceVips(NamedTuple):
    """A vrrp_instance in the configuration: its addresses, and whether this host owns them."""

    vips: tuple[str, ...] = ()
    owner: bool = False


class StateChange(NamedTuple):
    """The change of one name since it was last reported. ``before`` is empty if unknown."""

    name: str
    before: str
    state: str
    detail: str
    transitions: int
    seconds: float
    at: str


class Message(NamedTuple):
    """A message to people; ``severity`` is the worst of the changes'."""

    severity: str
    subject: str
    body: str
    payload: dict[str, Any]


class Entry:
    """One name's state, and its changes since the last report. Times are in seconds on a single clock."""

    def __init__(self, reported: str = "") -> None:
        self.reported = reported
        self.state = reported
        self.detail = ""
        self.rising = False
        self.transitions = 0
        self.first = 0.0
        self.last = 0.0
        self.sent: dict[str, float] = {}

    def due(self, interval_s: float) -> float:
        """Return when to report: soon, but each state at most once per *interval_s*."""
        soon = self.last + RISING_S if self.rising else self.first + SETTLE_S
        return max(soon, self.sent.get(self.state, -interval_s) + interval_s)


class Book:
    """Folds events into one entry per name, so that its size does not depend on the number of flaps."""

    def __init__(self, states: Mapping[str, str]) -> None:
        self._entries = {name: Entry(state) for name, state in states.items()}

    def states(self) -> dict[str, str]:
        """Return the states that were reported or need no report."""
        return {name: entry.reported for name, entry in self._entries.items() if entry.reported}

    def fold(self, event: Event, instance: InstanceVips, now: float) -> None:
        """Record *event*. Raises OverflowError for a new name if there are too many."""
        entry = self._entries.get(event.name)
        if entry is None:
            if len(self._entries) >= MOST_NAMES:
                raise OverflowError(f"{event.name} {event.state}: more than {MOST_NAMES} names; this one is ignored")
            entry = self._entries[event.name] = Entry()
        entry.detail = event.detail
        if event.state == entry.state:
            return
        if entry.state == "" and is_calm(event.state, instance.owner):
            entry.reported = entry.state = event.state
            return
        if entry.transitions == 0:
            entry.first = now
        # From any state except MASTER, BACKUP is a step on the way up.
        entry.rising = event.state == "BACKUP" and entry.state != "MASTER"
        entry.state, entry.last = event.state, now
        entry.transitions += 1

    def wait_s(self, interval_s: float, now: float) -> float | None:
        """Return the seconds until a report is due, or None without one."""
        dues = [entry.due(interval_s) for entry in self._entries.values() if entry.transitions]
        return max(0.0, min(dues) - now) if dues else None

    def take(self, interval_s: float, now: float, at: str, everything: bool = False) -> list[StateChange]:
        """Return due changes, or *everything* pending, and mark them as reported. *at* is the wall clock's time."""
        changes = []
        for name, entry in list(self._entries.items()):
            if not entry.transitions or (entry.due(interval_s) > now and not everything):
                continue
            seconds = entry.last - entry.first
            changes.append(StateChange(name, entry.reported, entry.state, entry.detail, entry.transitions, seconds, at))
            entry.reported, entry.transitions = entry.state, 0
            entry.sent[entry.state] = now
            if entry.state in ("DELETED", "CLEARED"):
                del self._entries[name]
        return changes


def parse(line: str) -> Event | None:
    """Return the event in a line of the FIFO, None for irrelevant ones (groups, priorities)."""
    match = _LINE.fullmatch(line.strip())
    if match is None or match[3] not in STATES:
        return None
    return Event(match[2], match[3], match[4] or "")


def line_of(action: str, name: str, text: str) -> bytes:
    """Return the FIFO's line for ``alert raise`` or ``alert clear``. Raises ValueError for an invalid name."""
    if not re.fullmatch(r'[^"\x00-\x1f\x7f]{1,100}', name):
        raise ValueError(f"{name!r} is not a valid name: use 1 to 100 characters without double quotes and line breaks")
    state = {"raise": "RAISED", "clear": "CLEARED"}[action]
    line = f'ALERT "{name}" {state} {" ".join(text.split())}'.encode()
    return line[: LONGEST_LINE - 1] + b"\n"


def is_calm(state: str, owner: bool) -> bool:
    """Return whether *state* is the expected one for a name about which nothing is known yet."""
    return state == "CLEARED" or state == ("MASTER" if owner else "BACKUP")


def severity(change: StateChange, owner: bool) -> str:
    """Return the severity of a change, one of ``SEVERITIES``, the worst last."""
    if change.state == "RAISED":
        return "ALARM"
    if change.state == "CLEARED" or is_calm(change.state, owner):
        return "OK"
    if owner or change.before == "MASTER":
        return "ALARM"
    return "INFO" if change.state == "DELETED" else "WARNING"


def headline(change: StateChange, host: str, instance: InstanceVips) -> str:
    """Return a change in one line."""
    if change.state in ("RAISED", "CLEARED"):
        return f"{host}: {change.name} {'is over' if change.state == 'CLEARED' else 'found'}: {change.detail}"
    vips = ", ".join(vip.split("/")[0] for vip in instance.vips) or change.name
    if change.state == "MASTER":
        words = f"holds {vips} again" if instance.owner else f"took over {vips}"
    elif change.state == "BACKUP" and change.before in ("MASTER", "BACKUP") and not instance.owner:
        words = f"gave {vips} back"
    elif instance.owner or change.before == "MASTER":
        words = f"lost {vips}"
    else:
        words = f"is ready for {vips} again" if change.state == "BACKUP" else f"cannot take over {vips}"
    return f"{host} {words} ({change.before or 'unknown'} -> {change.state})"


def advice(change: StateChange, instance: InstanceVips, services: Sequence[str]) -> str:
    """Return where to look."""
    log = "journalctl --unit=keepalived --since=-15min"
    units = "".join(f"; systemctl status {service}" for service in services)
    if change.state == "RAISED":
        return log
    if change.state == "FAULT":
        return f"A check or interface failed here: {log}{units}"
    if change.state in ("STOP", "DELETED"):
        return f"keepalived was stopped or has lost this instance: systemctl status keepalived; {log}"
    if change.state == "BACKUP" and instance.owner:
        return f"Another host has it, or none: check its addresses; here: {log}{units}"
    if change.state == "MASTER" and not instance.owner:
        return "The owner does not hold it: see the owner's message, or check the owner"
    return f"Nothing to do; the history is in: {log}"


def compose(changes: Sequence[StateChange], config: Mapping[str, Any]) -> Message:
    """Return the one message for all of *changes*, worst first."""
    host = config["host"]
    rated = [(severity(change, instance_of(config, change.name).owner), change) for change in changes]
    rated.sort(key=lambda pair: -SEVERITIES.index(pair[0]))
    worst = rated[0][0]
    subject = headline(rated[0][1], host, instance_of(config, rated[0][1].name))
    if len(rated) > 1:
        subject += f", and {len(rated) - 1} more"
    blocks = []
    listed = []
    for grade, change in rated:
        instance = instance_of(config, change.name)
        blocks.append(_block(grade, change, host, instance, config.get("services", ())))
        listed.append({**change._asdict(), "severity": grade, "vips": list(instance.vips), "owner": instance.owner})
    body = "\n".join(blocks)
    payload = {"host": host, "severity": worst, "text": f"[{worst}] {subject}", "body": body, "changes": listed}
    return Message(worst, f"[{worst}] {subject}"[:200], body, payload)


def _block(grade: str, change: StateChange, host: str, instance: InstanceVips, services: Sequence[str]) -> str:
    counted = "1 transition"
    if change.transitions > 1:
        counted = f"{change.transitions} transitions in {change.seconds:.0f} s"
    detail = "text" if change.state in ("RAISED", "CLEARED") else "priority"
    rows = [
        ("severity", grade),
        ("host", host + (" (owner)" if instance.owner else "")),
        ("name", change.name),
        ("virtual IP", ", ".join(instance.vips)),
        ("state", f"{change.before or 'unknown'} -> {change.state}"),
        ("changes", counted),
        (detail, change.detail),
        ("time", change.at),
        ("look at", advice(change, instance, services)),
    ]
    return "".join(f"{label + ':':<12}{value}\n" for label, value in rows if value)


def instance_of(config: Mapping[str, Any], name: str) -> InstanceVips:
    """Return the vrrp_instance *name* of the configuration."""
    known = config.get("instances", {}).get(name, {})
    return InstanceVips(tuple(known.get("vips", ())), bool(known.get("owner")))


def mail(message: Message, host: str, options: Mapping[str, Any]) -> EmailMessage:
    """Return *message* as a mail."""
    letter = EmailMessage()
    letter["Subject"] = message.subject
    letter["From"] = options.get("from") or f"keepalived@{host}"
    letter["To"] = ", ".join(options["to"])
    letter["Date"] = format_datetime(datetime.now().astimezone())
    letter["Message-ID"] = make_msgid(domain=host)
    # RFC 3834: suppresses automatic replies.
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.body)
    return letter


def send_mail(message: Message, host: str, options: Mapping[str, Any]) -> None:
    """Send *message* to the SMTP server. Raises OSError, the base of smtplib's errors."""
    server, port, tls = options.get("server", "127.0.0.1"), int(options.get("port", 25)), options.get("tls", "none")
    context = ssl.create_default_context()
    # Without a local name smtplib would ask the DNS for one.
    common: dict[str, Any] = {"local_hostname": host, "timeout": TIMEOUT_S}
    session = (
        smtplib.SMTP_SSL(server, port, context=context, **common)
        if tls == "tls"
        else smtplib.SMTP(server, port, **common)
    )
    with session:
        if tls == "starttls":
            session.starttls(context=context)
        if options.get("username"):
            session.login(options["username"], options.get("password", ""))
        session.send_message(mail(message, host, options))


def send_webhook(message: Message, host: str, options: Mapping[str, Any]) -> None:
    """POST *message* as JSON. Raises OSError, also for any status except 2xx, and HTTPException."""
    url = urllib.parse.urlsplit(options["url"])
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=TIMEOUT_S)
    target = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
    headers = {"Content-Type": "application/json", "User-Agent": f"keepalived-alert ({host})"}
    try:
        connection.request("POST", target, json.dumps(message.payload), {**headers, **options.get("headers", {})})
        answer = connection.getresponse()
        if not 200 <= answer.status < 300:
            raise OSError(f"the webhook answers {answer.status} {answer.reason}")
    finally:
        connection.close()


Sender = Callable[[Message, str, Mapping[str, Any]], None]
CHANNELS: tuple[tuple[str, Sender], ...] = (("mail", send_mail), ("webhook", send_webhook))


def deliver(message: Message, config: Mapping[str, Any], pauses_s: Sequence[float] = PAUSES_S) -> list[str]:
    """Send *message* through all configured channels at once, and return those that fail even after the last attempt.

    Undelivered messages go to the journal.
    """
    failed: list[str] = []

    def run(name: str, send: Sender) -> None:
        if not attempt(name, send, message, config, pauses_s):
            say("ALARM", f"{name} could not be sent, so here it is: {message.subject}\n{message.body}")
            failed.append(name)

    # Daemon threads, since an unresponsive name server must not keep the service from stopping.
    threads = [
        threading.Thread(target=run, args=channel, daemon=True) for channel in CHANNELS if config.get(channel[0])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def attempt(name: str, send: Sender, message: Message, config: Mapping[str, Any], pauses_s: Iterable[float]) -> bool:
    """Try to send after each of the pauses, and return whether it succeeded."""
    for pause_s in pauses_s:
        time.sleep(pause_s)
        try:
            send(message, config["host"], config[name])
        except (OSError, ValueError, http.client.HTTPException) as error:
            # An OSError names servers and ports; other errors may quote the webhook's URL or headers, which are secret.
            words = str(error) if isinstance(error, OSError) else ""
            say("WARNING", f"{name} not sent: {words or type(error).__name__}")
        else:
            say("INFO", f"{name} sent: {message.subject}")
            return True
    return False


def say(grade: str, text: str) -> None:
    """Write to the journal; the number at the start of a line is its priority (sd-daemon(3))."""
    level = {"ALARM": 3, "WARNING": 4}.get(grade, 6)
    # In one write, since two threads may log at once.
    sys.stderr.write("".join(f"<{level}>{line}\n" for line in text.splitlines()))
    sys.stderr.flush()


def now_text() -> str:
    """Return the wall clock's time with its zone, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def read_json(path: str) -> dict[str, Any]:
    """Return the object in the file at *path*, an empty one without a file. Raises ValueError, OSError."""
    try:
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
    except FileNotFoundError:
        return {}
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no JSON object")
    return content


def read_config() -> dict[str, Any]:
    """Return the configuration. Raises ValueError, OSError."""
    config = read_json(CONFIG)
    config.setdefault("host", os.uname().nodename)
    return config


def recall() -> dict[str, str]:
    """Return the states from the service's last stop. Raises OSError."""
    try:
        return {str(name): str(state) for name, state in read_json(MEMORY).items()}
    except ValueError as error:
        say("WARNING", f"{MEMORY} cannot be read, so former states are unknown: {error}")
        return {}


def remember(states: Mapping[str, str]) -> None:
    """Save the states for the service's next start. Raises OSError."""
    with open(MEMORY + ".new", "w", encoding="utf-8") as stream:
        json.dump(states, stream)
    os.replace(MEMORY + ".new", MEMORY)


class AlertLoop:
    """Reads the FIFO and sends due messages. Sending has its own thread, one message at a time."""

    def __init__(self, fifo: int) -> None:
        self._fifo = fifo
        self._rest = b""
        self._states = recall()
        self._book = Book(self._states)
        self._config = read_config()
        self._thread: threading.Thread | None = None
        self._busy = False
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        self._stopped = False

    def stop(self, *_signal: object) -> None:
        """Stop the loop soon; a signal handler."""
        self._stopped = True
        self._wake()

    def run(self) -> None:
        """Serve until stopped or idle for long, then send pending messages, once."""
        while not self._stopped:
            wait_s = self._wait_s()
            ready, _writable, _exceptional = select.select([self._fifo, self._wake_read], [], [], wait_s)
            if not ready and wait_s == self._idle_s() and not self._busy:
                break
            if self._wake_read in ready:
                os.read(self._wake_read, 4096)
            if self._fifo in ready:
                self._read()
            if not self._busy:
                self._send(everything=False)
        if self._thread:
            self._thread.join(TIMEOUT_S)
        self._read()
        self._send(everything=True)

    def _idle_s(self) -> float:
        return max(IDLE_S, 2 * self._interval_s())

    def _wait_s(self) -> float:
        """Return how long to wait for events: while a message is being sent, until its thread wakes us."""
        due_s = None if self._busy else self._book.wait_s(self._interval_s(), time.monotonic())
        return self._idle_s() if due_s is None else due_s

    def _interval_s(self) -> float:
        return float(self._config.get("interval", 60))

    def _wake(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._wake_write, b".")

    def _read(self) -> None:
        """Fold all events in the FIFO."""
        self._refresh()
        os.set_blocking(self._fifo, False)
        with suppress(BlockingIOError):
            while True:
                chunk = os.read(self._fifo, 65536)
                if not chunk:
                    break
                *lines, rest = (self._rest + chunk).split(b"\n")
                self._rest = rest[-LONGEST_LINE:]
                for line in lines:
                    self._note(line.decode(errors="replace"))
        self._remember()

    def _note(self, line: str) -> None:
        event = parse(line)
        if event is None:
            return
        say("INFO", f"{event.name} {event.state} {event.detail}".strip())
        try:
            self._book.fold(event, instance_of(self._config, event.name), time.monotonic())
        except OverflowError as error:
            say("WARNING", str(error))

    def _remember(self) -> None:
        states = self._book.states()
        if states != self._states:
            remember(states)
            self._states = states

    def _refresh(self) -> None:
        try:
            self._config = read_config()
        except (OSError, ValueError) as error:
            say("WARNING", f"{CONFIG} cannot be read, the former one stays in effect: {error}")

    def _send(self, everything: bool) -> None:
        changes = self._book.take(self._interval_s(), time.monotonic(), now_text(), everything)
        if not changes:
            return
        self._remember()
        self._refresh()
        message = compose(changes, self._config)
        if everything:
            deliver(message, self._config, pauses_s=(0.0,))
            return
        self._busy = True
        self._thread = threading.Thread(target=self._deliver, args=(message,), daemon=True)
        self._thread.start()

    def _deliver(self, message: Message) -> None:
        try:
            deliver(message, self._config)
        finally:
            self._busy = False
            self._wake()


def serve() -> int:
    """Serve the FIFO that systemd hands over (sd_listen_fds(3): the first descriptor is 3)."""
    if os.environ.get("LISTEN_FDS") != "1":
        print("alert serve: systemd starts this, through keepalived-alert.socket", file=sys.stderr)
        return 2
    service = AlertLoop(3)
    signal.signal(signal.SIGTERM, service.stop)
    service.run()
    return 0


def write(line: bytes) -> int:
    """Send *line* to the service, without ever blocking."""
    try:
        fifo = os.open(FIFO, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(fifo, line)
        finally:
            os.close(fifo)
    except OSError as error:
        print(f"alert: {FIFO}: {error.strerror}; not reported: {line.decode(errors='replace')}", file=sys.stderr)
        return 1
    return 0


def test() -> int:
    """Send a message through all channels now."""
    config = read_config()
    configured = [name for name, _send in CHANNELS if config.get(name)]
    if not configured:
        print(f"alert test: {CONFIG} names neither mail nor webhook", file=sys.stderr)
        return 1
    change = StateChange("test", "", "RAISED", "this is a test, nothing is wrong", 1, 0.0, now_text())
    return 1 if deliver(compose([change], config), config, pauses_s=(0.0,)) else 0


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    if list(arguments) == ["serve"]:
        return serve()
    if list(arguments) == ["test"]:
        return test()
    if len(arguments) >= 3 and arguments[0] in ("raise", "clear"):
        try:
            return write(line_of(arguments[0], arguments[1], " ".join(arguments[2:])))
        except ValueError as error:
            print(f"alert {arguments[0]}: {error}", file=sys.stderr)
            return 2
    print("usage: alert raise NAME TEXT... | alert clear NAME TEXT... | alert test", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
