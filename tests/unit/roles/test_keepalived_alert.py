# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from pathlib import Path
from typing import Any, Mapping

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.plan import FIFO
from hypothesis import given
from hypothesis import strategies as st

PATH = Path(__file__).resolve().parents[3] / "roles" / "keepalived" / "files" / "alert.py"


def load() -> Any:
    """Import the script as on a node: a file outside any package."""
    spec = importlib.util.spec_from_file_location("keepalived_alert", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


alert = load()
OWNER = alert.InstanceVips(("192.0.2.10/24",), owner=True)
STANDBY = alert.InstanceVips(("192.0.2.10/24",), owner=False)
CONFIG: dict[str, Any] = {
    "host": "lb01",
    "interval": 60,
    "services": ["nginx"],
    "instances": {
        "VI_1": {"vips": ["192.0.2.10/24"], "owner": True},
        "VI_2": {"vips": ["192.0.2.11/24", "2001:db8::11/64"], "owner": False},
    },
}

LINES: list[tuple[str, Any]] = [
    ('INSTANCE "VI_1" MASTER 254', alert.Event("VI_1", "MASTER", "254")),
    ('INSTANCE "VI one" STOP 254\n', alert.Event("VI one", "STOP", "254")),
    ('INSTANCE "VI_1" FAULT', alert.Event("VI_1", "FAULT", "")),
    ('ALERT "split brain" RAISED two "hosts" answer', alert.Event("split brain", "RAISED", 'two "hosts" answer')),
    ('GROUP "VG_1" MASTER 0', None),
    ('INSTANCE "VI_1" MASTER_RX_LOWER_PRI 254', None),
    ('INSTANCE "VI_1" MASTER_PRIORITY 100', None),
    ('INSTANCE "VI_1" WONDERFUL 254', None),
    ("INSTANCE VI_1 MASTER 254", None),
    ("", None),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_parse(line: str, expected: Any) -> None:
    assert alert.parse(line) == expected


@given(
    name=st.text(alphabet=st.characters(exclude_characters='"', exclude_categories=["C"]), min_size=1), text=st.text()
)
def test_what_is_raised_is_parsed_again(name: str, text: str) -> None:
    name = name[:100]
    line = alert.line_of("raise", name, text)
    assert line.count(b"\n") == 1
    assert len(line) <= alert.LONGEST_LINE
    event = alert.parse(line.decode(errors="replace"))
    assert event is not None
    assert (event.name, event.state) == (name, "RAISED")


@pytest.mark.parametrize("name", ["", 'a"b', "a\nb", "x" * 101])
def test_a_name_that_would_break_the_line_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid name: use 1 to 100 characters"):
        alert.line_of("raise", name, "text")


def play(
    steps: list[tuple[float, str]], instance: Any = OWNER, states: Mapping[str, str] | None = None, until: float = 300
) -> list[tuple[float, str, str, int]]:
    """Fold the states at their times, like the service, and return the reports: time, before, state, count."""
    book = alert.Book(states if states is not None else {"VI_1": "MASTER" if instance.owner else "BACKUP"})
    reports = []
    now = 0.0
    for at, state in [*steps, (until, "")]:
        while True:
            wait_s = book.wait_s(60, now)
            if wait_s is None or now + wait_s > at:
                break
            now += wait_s
            reports += [(now, c.before, c.state, c.transitions) for c in book.take(60, now, "")]
        now = at
        if state:
            book.fold(alert.Event("VI_1", state, "254"), instance, now)
    return reports


STORIES: list[tuple[str, list[tuple[float, str]], list[tuple[float, str, str, int]]]] = [
    ("nothing", [], []),
    ("the same state again", [(0, "MASTER"), (5, "MASTER")], []),
    ("lost", [(10, "FAULT")], [(11, "MASTER", "FAULT", 1)]),
    (
        "lost and back: two messages at once, since they differ",
        [(10, "FAULT"), (30, "BACKUP"), (31, "MASTER")],
        [(11, "MASTER", "FAULT", 1), (31, "FAULT", "MASTER", 2)],
    ),
    (
        "a quick restart is one message",
        [(0, "FAULT"), (0.3, "BACKUP"), (1.3, "MASTER")],
        [(1.3, "MASTER", "MASTER", 3)],
    ),
    ("lost to another host", [(0, "BACKUP")], [(1, "MASTER", "BACKUP", 1)]),
    (
        "comes up and stays standby",
        [(0, "FAULT"), (5, "BACKUP")],
        [(1, "MASTER", "FAULT", 1), (15, "FAULT", "BACKUP", 1)],
    ),
    (
        "lost again within the interval: told when it is over",
        [(0, "FAULT"), (10, "MASTER"), (20, "FAULT")],
        [(1, "MASTER", "FAULT", 1), (11, "FAULT", "MASTER", 1), (61, "MASTER", "FAULT", 1)],
    ),
]


@pytest.mark.parametrize(("steps", "expected"), [story[1:] for story in STORIES], ids=[story[0] for story in STORIES])
def test_stories_of_the_owner(steps: list[tuple[float, str]], expected: list[tuple[float, str, str, int]]) -> None:
    assert play(steps) == expected


@given(
    st.lists(
        st.tuples(st.floats(0.01, 20), st.sampled_from(["MASTER", "BACKUP", "FAULT", "STOP"])),
        max_size=200,
    ),
    st.booleans(),
)
def test_a_flap_gives_few_reports_and_the_last_state_is_told(steps: list[tuple[float, str]], owner: bool) -> None:
    now = 0.0
    timed = []
    for pause, state in steps:
        now += pause
        timed.append((now, state))
    reports = play(timed, OWNER if owner else STANDBY, until=now + 100)
    for state in ("MASTER", "BACKUP", "FAULT", "STOP"):
        times = [at for at, _before, told, _count in reports if told == state]
        # The clock is a float.
        assert all(later - earlier >= 60 - 1e-6 for earlier, later in zip(times, times[1:]))
    if timed:
        told = reports[-1][2] if reports else ("MASTER" if owner else "BACKUP")
        assert told == timed[-1][1]


FIRST: list[tuple[str, Any, str, bool]] = [
    ("the owner is master", OWNER, "MASTER", False),
    ("the standby is backup", STANDBY, "BACKUP", False),
    ("the owner is at fault", OWNER, "FAULT", True),
    ("the owner stays backup", OWNER, "BACKUP", True),
    ("the standby is master", STANDBY, "MASTER", True),
]


@pytest.mark.parametrize(("instance", "state", "told"), [case[1:] for case in FIRST], ids=[case[0] for case in FIRST])
def test_a_first_state_is_told_when_it_is_not_the_expected_one(instance: Any, state: str, told: bool) -> None:
    assert bool(play([(0, state)], instance, states={})) is told


def test_the_book_is_bounded() -> None:
    book = alert.Book({})
    for number in range(alert.MOST_NAMES):
        book.fold(alert.Event(f"VI_{number}", "FAULT", ""), STANDBY, 0.0)
    with pytest.raises(OverflowError, match=r"^VI_x FAULT: more than 1000 names; this one is ignored$"):
        book.fold(alert.Event("VI_x", "FAULT", ""), STANDBY, 0.0)


def test_what_is_cleared_is_forgotten() -> None:
    book = alert.Book({})
    for now, state in ((0.0, "RAISED"), (10.0, "CLEARED")):
        book.fold(alert.Event("split brain", state, "text"), alert.InstanceVips(), now)
        assert [change.state for change in book.take(60, now + 1, "")] == [state]
    assert book.states() == {}


HEADLINES: list[tuple[str, str, str, str]] = [
    ("VI_1", "MASTER", "FAULT", "[ALARM] lb01 lost 192.0.2.10 (MASTER -> FAULT)"),
    ("VI_1", "MASTER", "BACKUP", "[ALARM] lb01 lost 192.0.2.10 (MASTER -> BACKUP)"),
    ("VI_1", "", "STOP", "[ALARM] lb01 lost 192.0.2.10 (unknown -> STOP)"),
    ("VI_1", "FAULT", "MASTER", "[OK] lb01 holds 192.0.2.10 again (FAULT -> MASTER)"),
    ("VI_2", "BACKUP", "MASTER", "[WARNING] lb01 took over 192.0.2.11, 2001:db8::11 (BACKUP -> MASTER)"),
    ("VI_2", "MASTER", "BACKUP", "[OK] lb01 gave 192.0.2.11, 2001:db8::11 back (MASTER -> BACKUP)"),
    ("VI_2", "MASTER", "FAULT", "[ALARM] lb01 lost 192.0.2.11, 2001:db8::11 (MASTER -> FAULT)"),
    ("VI_2", "BACKUP", "FAULT", "[WARNING] lb01 cannot take over 192.0.2.11, 2001:db8::11 (BACKUP -> FAULT)"),
    ("VI_2", "FAULT", "BACKUP", "[OK] lb01 is ready for 192.0.2.11, 2001:db8::11 again (FAULT -> BACKUP)"),
    ("VI_9", "BACKUP", "DELETED", "[INFO] lb01 cannot take over VI_9 (BACKUP -> DELETED)"),
    ("split brain", "", "RAISED", "[ALARM] lb01: split brain found: 254"),
    ("split brain", "RAISED", "CLEARED", "[OK] lb01: split brain is over: 254"),
]


@pytest.mark.parametrize(("name", "before", "state", "expected"), HEADLINES)
def test_headlines(name: str, before: str, state: str, expected: str) -> None:
    change = alert.StateChange(name, before, state, "254", 1, 0.0, "2026-01-02T03:04:05+00:00")
    assert alert.compose([change], CONFIG).subject == expected


def test_the_whole_message() -> None:
    changes = [
        alert.StateChange("VI_2", "BACKUP", "MASTER", "253", 1, 0.0, "2026-01-02T03:04:05+00:00"),
        alert.StateChange("VI_1", "MASTER", "FAULT", "254", 12, 59.6, "2026-01-02T03:04:05+00:00"),
    ]
    message = alert.compose(changes, CONFIG)
    assert message.severity == "ALARM"
    assert message.subject == "[ALARM] lb01 lost 192.0.2.10 (MASTER -> FAULT), and 1 more"
    assert message.body == (
        """\
severity:   ALARM
host:       lb01 (owner)
name:       VI_1
virtual IP: 192.0.2.10/24
state:      MASTER -> FAULT
changes:    12 transitions in 60 s
priority:   254
time:       2026-01-02T03:04:05+00:00
look at:    A check or interface failed here: journalctl --unit=keepalived --since=-15min; systemctl status nginx

severity:   WARNING
host:       lb01
name:       VI_2
virtual IP: 192.0.2.11/24, 2001:db8::11/64
state:      BACKUP -> MASTER
changes:    1 transition
priority:   253
time:       2026-01-02T03:04:05+00:00
look at:    The owner does not hold it: see the owner's message, or check the owner
"""
    )
    assert message.payload["text"] == message.subject
    assert [change["name"] for change in message.payload["changes"]] == ["VI_1", "VI_2"]


def test_each_channel_is_tried_on_its_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    tries: list[str] = []

    def broken(*_arguments: object) -> None:
        tries.append("mail")
        raise OSError("Connection refused")

    def working(*_arguments: object) -> None:
        tries.append("webhook")

    monkeypatch.setattr(alert, "CHANNELS", (("mail", broken), ("webhook", working)))
    config = {**CONFIG, "mail": {"to": ["a@example.com"]}, "webhook": {"url": "https://example.com/t0ken"}}
    message = alert.Message("ALARM", "[ALARM] subject", "first\nsecond\n", {})
    assert alert.deliver(message, config, pauses_s=(0, 0, 0)) == ["mail"]
    assert sorted(tries) == ["mail", "mail", "mail", "webhook"]
    journal = capsys.readouterr().err
    assert "<4>mail not sent: Connection refused\n" in journal
    assert "<3>mail could not be sent, so here it is: [ALARM] subject\n<3>first\n<3>second\n" in journal
    assert "t0ken" not in journal


def test_the_journal_never_quotes_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    webhook = {"url": "http://127.0.0.1:9/hooks/t0ken here", "headers": {"Authorization": "t0ken\n"}}
    message = alert.Message("ALARM", "[ALARM] subject", "body\n", {})
    assert alert.deliver(message, {**CONFIG, "webhook": webhook}, pauses_s=(0,)) == ["webhook"]
    journal = capsys.readouterr().err
    assert "webhook not sent: InvalidURL\n" in journal
    assert "t0ken" not in journal


def test_the_service_sends_what_is_left_when_it_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sent: list[str] = []
    monkeypatch.setattr(alert, "MEMORY", str(tmp_path / "states.json"))
    monkeypatch.setattr(alert, "read_config", lambda: CONFIG)
    monkeypatch.setattr(alert, "deliver", lambda message, *_rest, **_more: sent.append(message.subject))
    read, write = os.pipe()
    service = alert.AlertLoop(read)
    thread = threading.Thread(target=service.run)
    thread.start()
    os.write(write, b'INSTANCE "VI_1" FAULT 254\nINSTANCE "VI_2" BACK')
    os.write(write, b"UP 253\nnoise\n")
    service.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert sent == ["[ALARM] lb01 lost 192.0.2.10 (unknown -> FAULT)"]
    assert alert.recall() == {"VI_1": "FAULT", "VI_2": "BACKUP"}
    os.close(write)


USAGES: list[tuple[list[str], int, str]] = [
    ([], 2, "usage: alert raise NAME TEXT..."),
    (["raise", "name"], 2, "usage: alert raise NAME TEXT..."),
    (["raise", 'a"b', "text"], 2, "alert raise: 'a\"b' is not a valid name"),
    (["clear", "name", "text"], 1, 'No such file or directory; not reported: ALERT "name" CLEARED text'),
    (["serve"], 2, "alert serve: systemd starts this"),
    (["test"], 1, "names neither mail nor webhook"),
]


def test_it_reads_the_fifo_that_keepalived_writes_to() -> None:
    assert alert.FIFO == FIFO


@pytest.mark.parametrize(("arguments", "code", "words"), USAGES)
def test_command_line(
    arguments: list[str],
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(alert, "FIFO", str(tmp_path / "fifo"))
    monkeypatch.setattr(alert, "CONFIG", str(tmp_path / "alert.json"))
    monkeypatch.delenv("LISTEN_FDS", raising=False)
    assert alert.main(arguments) == code
    assert words in capsys.readouterr().err
