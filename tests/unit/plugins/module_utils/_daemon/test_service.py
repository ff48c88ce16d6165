# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands to systemd and to a daemon, in order, and the interpretation of their answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, List, Tuple, Union

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon import maintenance
from ansible_collections.haproof.balancer.plugins.module_utils._daemon import service as daemon_service
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.daemons import Daemon
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.maintenance import maintenance_since
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.service import (
    Service,
    ServiceError,
    Unit,
    parse_units,
)
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.sockets import LISTEN, Socket
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.binds import Bind

# systemctl show --property=ActiveState,UnitFileState,MainPID on Debian 12
SHOWN = """\
MainPID=4083
ActiveState=active
UnitFileState=enabled

ActiveState=failed
UnitFileState=enabled

MainPID=0
ActiveState=inactive
UnitFileState=

MainPID=6116
ActiveState=activating
UnitFileState=static
"""


def test_parse_units() -> None:
    assert parse_units(["nginx", "keepalived-track@nginx", "absent", "keepalived"], SHOWN) == [
        Unit("nginx", running=True, enabled=True, pid=4083),
        Unit("keepalived-track@nginx", running=False, enabled=True, pid=0),
        Unit("absent", running=False, enabled=False, pid=0),
        Unit("keepalived", running=True, enabled=True, pid=6116),
    ]


Answer = Tuple[int, str, str]
Answers = Union[Answer, List[Answer]]

CURSOR = "-- cursor: s=1;i=2\n"
SHOW = "systemctl show --property=ActiveState,UnitFileState,MainPID"
ASK_CURSOR = "journalctl --quiet --lines=0 --show-cursor"
ASK_JOURNAL = "journalctl --quiet --output=cat --unit=nginx --after-cursor=s=1;i=2"


def shown(state: str, pid: int, enabled: str = "enabled") -> Answer:
    return 0, f"MainPID={pid}\nActiveState={state}\nUnitFileState={enabled}\n", ""


class Node:
    """A host that answers each command, and records them."""

    def __init__(self, answers: dict[str, Answers]) -> None:
        self.answers = {ASK_CURSOR: (0, CURSOR, ""), ASK_JOURNAL: (0, "", ""), **answers}
        self.asked: list[str] = []

    def run(self, argv: list[str]) -> Answer:
        command = " ".join(argv)
        self.asked.append(command)
        answer = self.answers[command]
        if isinstance(answer, list):
            # The last answer is repeated.
            return answer.pop(0) if len(answer) > 1 else answer[0]
        return answer


def daemon(**more: Any) -> Daemon:
    """Return a daemon that is checked with ``nginx -t -c``."""
    found: dict[str, Any] = {"name": "nginx", "check": ["nginx", "-t", "-c"], **more}
    return Daemon(**{**{field: Daemon._field_defaults.get(field) for field in Daemon._fields}, **found})


def service(
    node: Node, warn: Callable[[str], None] = print, timeout_s: float = 0.1, enables: bool = True, **more: Any
) -> Service:
    return Service(node.run, warn, daemon(**more), "nginx", timeout_s, enables)


# systemd's output about a unit, and whether it is running and enabled.
STATES: list[tuple[str, str, bool, bool]] = [
    ("active", "enabled", True, True),
    ("reloading", "static", True, True),
    ("activating", "generated", True, True),
    ("deactivating", "disabled", False, False),
    ("inactive", "masked", False, False),
    ("failed", "", False, False),
]


@pytest.mark.parametrize(("state", "file_state", "running", "enabled"), STATES)
def test_states(state: str, file_state: str, running: bool, enabled: bool) -> None:
    assert parse_units(["nginx"], shown(state, 7, file_state)[1]) == [Unit("nginx", running, enabled, 7)]


def test_a_unit_without_a_main_process() -> None:
    assert parse_units(["x"], "ActiveState=active\nUnitFileState=static\n") == [Unit("x", True, True, 0)]
    assert parse_units(["x"], "ActiveState=active\nUnitFileState=static\nDescription=a=b\n")[0].running


@pytest.mark.parametrize(("answer", "expected"), [(shown("active", 7), True), (shown("active", 0), False)])
def test_active(answer: Answer, expected: bool) -> None:
    node = Node({f"{SHOW} nginx": answer})
    assert service(node).active() is expected
    assert node.asked == [f"{SHOW} nginx"]


def test_what_does_not_run_is_not_active_whatever_its_pid_is() -> None:
    assert service(Node({f"{SHOW} nginx": shown("failed", 7)})).active() is False


def test_idle() -> None:
    one, two = shown("active", 7)[1], shown("active", 8, "disabled")[1]
    node = Node({f"{SHOW} a b c": (0, "\n".join([one, two, shown("inactive", 0)[1]]), "")})
    assert [unit.name for unit in service(node).idle(["a", "b", "c"])] == ["b", "c"]
    assert service(Node({})).idle([]) == []


@pytest.mark.parametrize(("enables", "idle"), [(True, ["nginx", "b"]), (False, ["b"])])
def test_whether_a_service_starts_at_boot_can_be_left_as_it_is(enables: bool, idle: list[str]) -> None:
    node = Node({f"{SHOW} nginx b": (0, "\n".join([shown("active", 7, "disabled")[1]] * 2), "")})
    assert [unit.name for unit in service(node, enables=enables).idle(["nginx", "b"])] == idle


def test_a_stopped_service_that_is_not_to_be_enabled() -> None:
    node = Node(dict.fromkeys(["systemctl start nginx", "systemctl stop nginx"], (0, "", "")))
    stopped = [Unit("nginx", False, False, 0)]
    service(node, enables=False).start(stopped)
    service(node, enables=False).stop(stopped)
    assert node.asked == [ASK_CURSOR, "systemctl start nginx", "systemctl stop nginx"]


def test_a_unit_in_maintenance_is_not_idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "UNITS", str(tmp_path))
    node = Node({f"{SHOW} a b": (0, "\n".join([shown("inactive", 0)[1]] * 2), "")})
    file = tmp_path / "b.service.d/maintenance.conf"
    file.parent.mkdir()
    assert [unit.name for unit in service(node).idle(["a", "b"])] == ["a", "b"]
    file.touch()
    assert [unit.name for unit in service(node).idle(["a", "b"])] == ["a"]
    assert (maintenance_since("a"), maintenance_since("b")) == (None, file.stat().st_mtime)


def test_start() -> None:
    node = Node({f"systemctl enable --quiet --now {name}": (0, "", "") for name in ("a", "b")})
    service(node).start([Unit("a", False, False, 0), Unit("b", False, True, 0)])
    assert node.asked == [ASK_CURSOR, "systemctl enable --quiet --now a", "systemctl enable --quiet --now b"]


def test_start_nothing() -> None:
    node = Node({})
    service(node).start([])
    assert node.asked == []


# Text of the journal, and the output in the error.
@pytest.mark.parametrize(("journal", "output"), [(" bind() failed\n", "bind() failed"), ("", "Job failed.")])
def test_start_of_what_does_not_start(journal: str, output: str) -> None:
    node = Node(
        {
            "systemctl enable --quiet --now a": (1, "", "Job failed.\n"),
            "journalctl --quiet --output=cat --unit=a --after-cursor=s=1;i=2": (0, journal, ""),
        }
    )
    with pytest.raises(ServiceError, match=r"^a does not start$") as caught:
        service(node).start([Unit("a", False, False, 0), Unit("b", False, False, 0)])
    assert caught.value.output == output
    assert "systemctl enable --quiet --now b" not in node.asked


def test_start_where_the_journal_is_empty() -> None:
    """Without a cursor the whole journal is read."""
    node = Node(
        {
            ASK_CURSOR: (0, "", ""),
            "systemctl enable --quiet --now a": (1, "", ""),
            "journalctl --quiet --output=cat --unit=a": (0, "all of it", ""),
        }
    )
    with pytest.raises(ServiceError) as caught:
        service(node).start([Unit("a", False, False, 0)])
    assert caught.value.output == "all of it"


def test_stop_undoes_only_what_was_done() -> None:
    commands = ["systemctl stop a", "systemctl disable --quiet a", "systemctl stop b", "systemctl disable --quiet c"]
    node = Node(dict.fromkeys(commands, (0, "", "")))
    service(node).stop([Unit("a", False, False, 0), Unit("b", False, True, 0), Unit("c", True, False, 1)])
    assert node.asked == commands


def test_a_command_that_fails_is_named() -> None:
    node = Node({"systemctl stop a": (5, "", " no such unit\n")})
    with pytest.raises(ServiceError, match=r"^systemctl stop a failed with exit code 5$") as caught:
        service(node).stop([Unit("a", False, True, 0)])
    assert caught.value.output == "no such unit"


def test_reload_units() -> None:
    node = Node({"systemctl daemon-reload": (0, "", "")})
    service(node).reload_units()
    assert node.asked == ["systemctl daemon-reload"]


def test_restart() -> None:
    node = Node({"systemctl restart nginx": (0, "", "")})
    service(node).restart()
    assert node.asked == [ASK_CURSOR, "systemctl restart nginx"]


@pytest.mark.parametrize(("journal", "output"), [("emerg", "emerg"), ("", "Job failed.")])
def test_restart_of_what_does_not_come_back(journal: str, output: str) -> None:
    node = Node({"systemctl restart nginx": (1, "", "Job failed."), ASK_JOURNAL: (0, journal, "")})
    with pytest.raises(ServiceError, match=r"^nginx does not restart$") as caught:
        service(node).restart()
    assert caught.value.output == output


def test_recover_reloads_what_runs_and_restarts_what_does_not() -> None:
    stopped = Node({f"{SHOW} nginx": shown("inactive", 0), "systemctl restart nginx": (0, "", "")})
    service(stopped).recover()
    assert stopped.asked[-1] == "systemctl restart nginx"
    running = Node(
        {
            f"{SHOW} nginx": shown("active", 1),
            "systemctl reload nginx": (0, "", ""),
            ASK_JOURNAL: (0, "reloaded", ""),
        }
    )
    service(running, reloaded="reloaded").recover()
    assert "systemctl reload nginx" in running.asked
    assert "systemctl restart nginx" not in running.asked


def test_reload_waits_until_the_journal_says_so() -> None:
    node = Node(
        {
            f"{SHOW} nginx": shown("active", 1),
            "systemctl reload nginx": (0, "", ""),
            ASK_JOURNAL: [(0, "", ""), (0, "not yet", ""), (0, "configuration reloaded, fine", "")],
        }
    )
    service(node, timeout_s=60, reloaded="configuration reloaded").reload()
    assert node.asked.count(ASK_JOURNAL) == 3
    assert node.asked[:3] == [f"{SHOW} nginx", ASK_CURSOR, "systemctl reload nginx"]


def test_reload_waits_for_a_new_child() -> None:
    """A daemon without a log line is recognized by its new process."""
    children: list[subprocess.Popen[bytes]] = []
    own = os.getpid()

    def run(argv: list[str]) -> Answer:
        if argv[1] == "reload":
            children.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        return {"show": shown("active", own), "reload": (0, "", "")}.get(argv[1], (0, CURSOR, ""))

    try:
        Service(run, print, daemon(reloaded=""), "nginx", 10).reload()
        assert children
    finally:
        for child in children:
            child.communicate()


def test_reload_replaces_a_process_without_children() -> None:
    """A haproxy without a master starts another process, which takes over."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as former:
        node = Node(
            {
                f"{SHOW} haproxy": [shown("active", former.pid), shown("active", former.pid), shown("active", 2)],
                "systemctl reload haproxy": (0, "", ""),
            }
        )
        Service(node.run, print, daemon(reloaded=""), "haproxy", 60).reload()
        former.communicate()
    assert f"{SHOW} haproxy" == node.asked[-1]


def test_reload_that_is_refused() -> None:
    node = Node({f"{SHOW} nginx": shown("active", 1), "systemctl reload nginx": (1, "", "Job failed.")})
    with pytest.raises(ServiceError, match=r"^nginx does not reload$") as caught:
        service(node, reloaded="x").reload()
    assert caught.value.output == "Job failed."


def test_reload_of_which_it_dies() -> None:
    node = Node(
        {
            f"{SHOW} nginx": [shown("active", 1), shown("active", 1), shown("active", 2)],
            "systemctl reload nginx": (0, "", ""),
            ASK_JOURNAL: (0, "again\nwhy\nagain\n", ""),
        }
    )
    with pytest.raises(ServiceError, match=r"^nginx died on reload$") as caught:
        service(node, timeout_s=60, reloaded="x").reload()
    # It retries, and logs every line again.
    assert caught.value.output == "again\nwhy"


def test_reload_that_is_not_taken() -> None:
    node = Node({f"{SHOW} nginx": shown("active", 1), "systemctl reload nginx": (0, "", "")})
    began = time.monotonic()
    with pytest.raises(ServiceError, match=r"^nginx did not confirm the reload within 0\.1 s$"):
        service(node, reloaded="x").reload()
    assert 0.1 <= time.monotonic() - began < 5


def test_reload_tells_what_the_error_log_got_since(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    log.write_bytes(b"old\n")

    def run(argv: list[str]) -> Answer:
        if argv[1] == "reload":
            with log.open("ab") as stream:
                stream.write(b"\xff new\nold\n")
            return 1, "", "Job failed."
        return shown("active", 1) if argv[1] == "show" else (0, CURSOR, "")

    with pytest.raises(ServiceError) as caught:
        Service(run, print, daemon(error_log=str(log), reloaded="x"), "nginx", 1).reload()
    assert caught.value.output == "\ufffd new\nold"


def test_reload_with_an_error_log_that_is_not_there(tmp_path: Path) -> None:
    node = Node(
        {
            f"{SHOW} nginx": shown("active", 1),
            "systemctl reload nginx": (1, "", ""),
            ASK_JOURNAL: (0, "from the journal", ""),
        }
    )
    with pytest.raises(ServiceError) as caught:
        service(node, error_log=str(tmp_path / "none"), reloaded="x").reload()
    assert caught.value.output == "from the journal"


def test_addresses_are_asked_for_only_where_they_are_new(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []

    def unavailable(addresses: set[str]) -> list[str]:
        asked.append(addresses)
        return sorted(addresses)

    monkeypatch.setattr(daemon_service, "unavailable", unavailable)
    running, stopped = Node({f"{SHOW} nginx": shown("active", 1)}), Node({f"{SHOW} nginx": shown("failed", 0)})

    def listens(text: str) -> set[str]:
        return set(text.split())

    service(running, listens=listens, tries=True).check_addresses(b"a b", b"b")
    with pytest.raises(ServiceError, match=r"^nginx cannot listen on c, d\ufffd$"):
        service(running, listens=listens, tries=True).check_addresses(b"a\xff b", b"b c d\xff")
    assert asked == [set(), {"c", "d\ufffd"}]
    service(stopped, listens=listens, tries=True).check_addresses(b"", b"c")
    service(running, listens=listens, tries=False).check_addresses(b"", b"c")
    service(Node({}), listens=None).check_addresses(b"", b"c")
    assert len(asked) == 2


ANY, WEB = "0.0.0.0", Bind("0.0.0.0", 80, 80)  # noqa: S104 - as the kernel lists it
TAKEN = [Socket(ANY, 80, ANY, 0, LISTEN, 11)]


@pytest.fixture
def _taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the unit haproxy have the inode 11, which listens on port 80."""
    monkeypatch.setattr(daemon_service, "read_sockets", lambda _pid: TAKEN)
    monkeypatch.setattr(daemon_service, "read_processes", lambda _run, unit: [7] if unit == "haproxy.service" else [])
    monkeypatch.setattr(daemon_service, "read_inodes", lambda pids: {11} if pids else set())
    monkeypatch.setattr(daemon_service, "port_users", lambda ports: [f"{ports} are used"])


TRACKS = f"{SHOW} keepalived-track@haproxy keepalived-track@nginx"


def both(first: str, second: str) -> Answer:
    return 0, f"{shown('inactive', 0, first)[1]}\n{shown('inactive', 0, second)[1]}", ""


@pytest.mark.usefixtures("_taken")
@pytest.mark.parametrize(
    ("haproxy", "nginx", "port", "expected"),
    [
        ("enabled", "disabled", 81, True),
        ("enabled", "enabled", 81, False),
        ("disabled", "disabled", 80, True),
        ("disabled", "disabled", 81, False),
    ],
)
def test_a_former_service_is_tracked_or_has_an_address(haproxy: str, nginx: str, port: int, expected: bool) -> None:
    node = Node({TRACKS: both(haproxy, nginx)})
    asked = service(node, listens=lambda _text: {Bind(ANY, port, port)}).replaces("haproxy", b"")
    assert asked is expected


@pytest.mark.usefixtures("_taken")
def test_a_service_cannot_start_where_others_listen() -> None:
    running, stopped = Node({f"{SHOW} nginx": shown("active", 1)}), Node({f"{SHOW} nginx": shown("failed", 0)})
    service(stopped, listens=lambda _text: {WEB}).check_start("haproxy", b"")
    service(running, listens=lambda _text: {WEB}).check_start("", b"")
    service(stopped, listens=None).check_start("", b"")
    with pytest.raises(ServiceError, match=r"^nginx cannot start: \[80\] are used$"):
        service(stopped, listens=lambda _text: {WEB}).check_start("", b"")


def test_check() -> None:
    warned: list[str] = []
    node = Node({"nginx -t -c /staged": (0, "", "nginx: [warn] in /staged:1\nall is well\n")})
    service(node, warn=warned.append).check("/staged", "/etc/nginx.conf")
    assert warned == ["nginx warns: nginx: [warn] in /etc/nginx.conf:1"]
    assert node.asked == ["nginx -t -c /staged"]


def test_check_rejects() -> None:
    node = Node({"nginx -t -c /staged": (1, "out: ", "[emerg] in /staged:1\n")})
    with pytest.raises(ServiceError, match=r"^nginx rejects /etc/nginx.conf$") as caught:
        service(node).check("/staged", "/etc/nginx.conf")
    assert caught.value.output == "out: [emerg] in /etc/nginx.conf:1"
