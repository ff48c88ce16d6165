# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alerts that arrive at the sinks while the pair is broken in different ways. Each test leaves it healed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Callable

import pytest

from nodes import BALANCERS, CLIENT, eventually

if TYPE_CHECKING:
    from nodes import Lab

SINK = "/var/tmp/sink.jsonl"  # noqa: S108 - on the client
ALERT = "/usr/local/libexec/keepalived/alert"
INTERVAL_S = 20
SECRETS = ("s3cr3t-t0ken", "s3cr3t-bearer")


class Sink:
    """The client's received messages."""

    def __init__(self, lab: Lab) -> None:
        self.client = lab.nodes[CLIENT]

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Return the entries of one *kind*, mail or post."""
        lines = self.client.check_output("cat %s 2>/dev/null || true", SINK).splitlines()
        return [entry for entry in map(json.loads, lines) if entry["kind"] == kind]

    def mails(self) -> list[dict[str, Any]]:
        """Return the role's mails."""
        return [mail for mail in self.entries("mail") if mail["from"] == "balancers@example.com"]

    def subjects(self, start: str) -> list[str]:
        """Return the subjects of the role's mails that start with *start*."""
        return [mail["subject"] for mail in self.mails() if mail["subject"].startswith(start)]

    def forget(self) -> None:
        """Delete all entries."""
        self.client.check_output("rm -f %s", SINK)


@pytest.fixture
def sink(lab: Lab) -> Sink:
    """Return the empty sink, after the alerts of earlier tests have ended."""
    for name in BALANCERS:
        # It sends pending messages when it stops, and starts without state that would delay later ones.
        lab.nodes[name].check_output("systemctl stop keepalived-alert.service 2>&1")
    found = Sink(lab)
    found.forget()
    return found


def moved(lab: Lab, name: str) -> Callable[[], bool]:
    return lambda: lab.holders() == [name]


def heal(lab: Lab) -> None:
    lab.nodes["lb01"].check_output(f"systemctl start {lab.engine} keepalived")
    assert eventually(moved(lab, "lb01"), within_s=10), lab.holders()


def test_a_lost_vip_and_its_return_are_reported(lab: Lab, sink: Sink) -> None:
    lab.nodes["lb01"].check_output(f"systemctl stop {lab.engine}")
    lost = f"[ALARM] lb01 lost {lab.vip} (MASTER -> FAULT)"
    assert eventually(lambda: lost in sink.subjects("[ALARM]"), within_s=10), sink.mails()
    assert eventually(lambda: sink.subjects(f"[WARNING] lb02 took over {lab.vip}") != [], within_s=10), sink.mails()
    heal(lab)
    again = f"[OK] lb01 holds {lab.vip} again (FAULT -> MASTER)"
    assert eventually(lambda: again in sink.subjects("[OK]"), within_s=10), sink.mails()

    mail = next(mail for mail in sink.mails() if mail["subject"] == lost)
    assert mail["to"] == ["oncall@example.com", "second@example.com"]
    words = (
        "lb01 (owner)",
        f"VI_{lab.vip}",
        f"{lab.vip}/24",
        "MASTER -> FAULT",
        "254",
        f"systemctl status {lab.engine}",
    )
    for word in words:
        assert word in mail["body"]

    post = next(post for post in sink.entries("post") if post["payload"]["text"] == lost)
    assert post["path"] == "/hooks/s3cr3t-t0ken"
    assert post["authorization"] == "Bearer s3cr3t-bearer"
    assert post["payload"]["host"] == "lb01"
    change = post["payload"]["changes"][0]
    assert (change["before"], change["state"], change["severity"]) == ("MASTER", "FAULT", "ALARM")


def test_a_stopped_keepalived_is_reported(lab: Lab, sink: Sink) -> None:
    lab.nodes["lb01"].check_output("systemctl stop keepalived")
    lost = f"[ALARM] lb01 lost {lab.vip} (MASTER -> STOP)"
    assert eventually(lambda: lost in sink.subjects("[ALARM]"), within_s=10), sink.mails()
    heal(lab)


def test_keepalived_sends_its_own_mails(lab: Lab, sink: Sink) -> None:
    lab.nodes["lb01"].check_output(f"systemctl stop {lab.engine}")
    subject = f"[lb01] VRRP Instance VI_{lab.vip} - Entering FAULT state"
    assert eventually(
        lambda: any(mail["subject"] == subject for mail in sink.entries("mail")),
        within_s=10,
    ), sink.entries("mail")
    heal(lab)


def test_a_flap_is_summed_up(lab: Lab, sink: Sink) -> None:
    flaps = 8
    start = time.monotonic()
    lab.nodes["lb01"].check_output(
        "for i in $(seq %s); do systemctl stop %s; sleep 0.3; systemctl start %s; sleep 1.7; done",
        str(flaps),
        lab.engine,
        lab.engine,
    )
    heal(lab)
    last = f"[OK] lb01 holds {lab.vip} again"

    def mails() -> list[dict[str, Any]]:
        return [mail for mail in sink.mails() if "] lb01" in mail["subject"]]

    def complete() -> bool:
        counted = sum(transitions(mail["body"]) for mail in mails())
        return counted >= 2 * flaps and mails()[-1]["subject"].startswith(last)

    # The last state is sent at the end of the previous message's interval, if not before.
    assert eventually(complete, within_s=INTERVAL_S + 15), mails()
    intervals = 1 + (time.monotonic() - start) // INTERVAL_S
    assert len(mails()) <= 2 * intervals, mails()


def transitions(body: str) -> int:
    """Return the number of transitions in a mail."""
    line = next(line for line in body.splitlines() if line.startswith("changes:"))
    return int(line.split()[1])


def test_a_sink_that_hangs_delays_nothing(lab: Lab, sink: Sink) -> None:
    sink.client.check_output("systemctl kill --signal=STOP sink")
    try:
        lab.nodes["lb01"].check_output(f"systemctl stop {lab.engine}")
        assert eventually(moved(lab, "lb02"), within_s=2), lab.holders()
        lab.nodes["lb01"].check_output(f"systemctl start {lab.engine}")
        assert eventually(moved(lab, "lb01"), within_s=5), lab.holders()
    finally:
        sink.client.check_output("systemctl kill --signal=CONT sink")
    # The next retry delivers all pending messages, including the last state.
    assert eventually(lambda: sink.subjects(f"[OK] lb01 holds {lab.vip} again") != [], within_s=60), sink.mails()


def test_what_cannot_be_sent_is_in_the_journal_without_secrets(lab: Lab, sink: Sink) -> None:
    node = lab.nodes["lb01"]
    sink.client.check_output("systemctl stop sink")
    try:
        assert node.run(f"runuser -u haproof_script -- {ALERT} test").rc == 1
        node.check_output(f"{ALERT} raise 'split brain' 'two hosts answer'")
        # While it runs: a stopping service tries only once, and the third try is 30 s after the first.
        given_up = "mail could not be sent, so here it is: [ALARM] lb01: split brain found: two hosts answer"
        journal = "journalctl --unit=keepalived-alert --no-pager --output=cat"
        assert eventually(lambda: given_up in node.check_output(journal), within_s=50), node.check_output(journal)
        for secret in SECRETS:
            assert secret not in node.check_output("journalctl --no-pager --output=cat")
    finally:
        sink.client.check_output("systemctl start sink")


def test_others_can_raise_and_clear_alarms(lab: Lab, sink: Sink) -> None:
    node = lab.nodes["lb02"]
    node.check_output(f"runuser -u haproof_script -- {ALERT} raise 'split brain' 'two hosts answer'")
    raised = "[ALARM] lb02: split brain found: two hosts answer"
    assert eventually(lambda: raised in sink.subjects("[ALARM]"), within_s=10), sink.mails()
    node.check_output(f"{ALERT} clear 'split brain' 'one host answers'")
    cleared = "[OK] lb02: split brain is over: one host answers"
    assert eventually(lambda: cleared in sink.subjects("[OK]"), within_s=10), sink.mails()
    node.check_output(f"runuser -u haproof_script -- {ALERT} test")
    assert sink.subjects("[ALARM] lb02: test found: this is a test") != []


@pytest.mark.parametrize("name", BALANCERS)
def test_other_users_cannot_read_the_secrets_or_raise_alarms(lab: Lab, name: str) -> None:
    node = lab.nodes[name]
    assert node.run("runuser -u nobody -- cat /etc/keepalived/alert.json").rc == 1
    assert node.run(f"runuser -u nobody -- {ALERT} raise fake fake").rc == 1
    service = node.check_output("systemctl show --value --property=User keepalived-alert.service")
    assert service == "haproof_script"


def test_own_scripts_run_as_the_script_user(lab: Lab) -> None:
    script = lab.nodes["lb01"].file("/usr/local/libexec/keepalived/note_state")
    assert (script.user, script.mode) == ("root", 0o755)
    noted = lab.nodes["lb01"].check_output("cat /var/tmp/note_state").splitlines()
    assert f"haproof_script mine INSTANCE VI_{lab.vip} FAULT 254" in noted
