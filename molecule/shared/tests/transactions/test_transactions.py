# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module is killed on the node, or the disk is full: the daemon and its files always stay consistent."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple

import pytest

if TYPE_CHECKING:
    from testinfra.host import Host

    from nodes import Lab

NODE = "lb02"
CONF = {
    "nginx": "/etc/nginx/nginx.conf",
    "haproxy": "/etc/haproxy/haproxy.cfg",
    "keepalived": "/etc/keepalived/keepalived.conf",
}
# Precedes the real one in root's PATH. Kills the module that calls it, once.
KILLER = """#!/bin/sh
[ "$1" = {word} ] || exec /usr/bin/systemctl "$@"
rm /usr/local/sbin/systemctl
kill -KILL $PPID
"""
# Another program fills the disk after the first files were swapped and before the daemon answers.
FILLER = """#!/bin/sh
cat /dev/zero >/srv/full/filler2
exec /usr/sbin/{daemon} "$@"
"""
FULL = """
mkdir -p /srv/full && mount -t tmpfs -o size=64k tmpfs /srv/full && cd /srv/full && umask 077
echo old >certificate; echo old >key; touch filler2; cat /dev/zero >filler 2>/dev/null
truncate -s -{free} filler
"""
TREE = "cd /srv/full; stat -c '%%n %%i %%a %%u' certificate key; cat certificate key; ls -A"
LEFTOVERS = "find /etc /srv -name '.haproof-*'; find /run/haproof -name '*.json*'"


class State(NamedTuple):
    """When systemd last saw the daemon start or reload, its main process, the last line of its file, and leftovers."""

    changed: str
    pid: str
    last_line: str
    leftovers: list[str]


def state(node: Host, daemon: str) -> State:
    show = f"systemctl show --value {daemon} --property"
    script = f"{show}=StateChangeTimestampMonotonic; {show}=MainPID; tail -n 1 {CONF[daemon]}; {LEFTOVERS}"
    changed, pid, last_line, *leftovers = node.check_output(script).splitlines()
    return State(changed, pid, last_line, leftovers)


@contextmanager
def program(node: Host, name: str, text: str) -> Iterator[None]:
    """Shadow a program in root's PATH."""
    try:
        node.check_output("printf %%s %s >/usr/local/sbin/%s; chmod 755 /usr/local/sbin/%s", text, name, name)
        yield
    finally:
        node.check_output("rm -f /usr/local/sbin/%s", name)


def arguments(node: Host, daemon: str, more: str = "", **options: Any) -> dict[str, Any]:
    """Return daemon_config's arguments for the daemon's present file, with *more* appended."""
    mode, _newline, content = node.check_output("stat -c %%a %s; cat %s; echo .", *2 * [CONF[daemon]]).partition("\n")
    return {"daemon": daemon, "dest": CONF[daemon], "content": content[:-1] + more, "mode": f"0{mode}", **options}


@pytest.mark.parametrize("number", [0, 1], ids=["engine", "keepalived"])
def test_a_run_after_a_killed_one_reloads(lab: Lab, number: int) -> None:
    daemon, node = (lab.engine, "keepalived")[number], lab.nodes[NODE]
    before, original = state(node, daemon), arguments(node, daemon)
    changed = {**original, "content": original["content"] + "# changed\n"}
    try:
        with program(node, "systemctl", KILLER.format(word="reload")):
            lab.module(NODE, "daemon_config", changed)
        killed = state(node, daemon)
        assert killed[:3] == (*before[:2], "# changed")
        assert f"/run/haproof/{daemon}.json" in killed.leftovers
        known = lab.module(NODE, "daemon_info", {})[NODE]["daemons"]
        assert known[daemon]["unfinished"] == "reload"
        engine, conf = known[lab.engine], CONF[lab.engine]
        assert (engine["files"][conf] > engine["loaded_at"]) == (daemon == lab.engine)

        preview = lab.module(NODE, "daemon_config", changed, "--check")[NODE]
        assert (preview["changed"], preview["changed_files"], preview["reloaded"]) == (True, [], True)

        done = lab.module(NODE, "daemon_config", changed)[NODE]
        assert (done["changed"], done["reloaded"], done["restarted"]) == (True, True, False)
        after = state(node, daemon)
        assert (after.changed > killed.changed, after.leftovers) == (True, [])
    finally:
        assert lab.module(NODE, "daemon_config", original)[NODE]["reloaded"]


def test_a_run_after_a_killed_one_restarts_with_the_new_unit(lab: Lab) -> None:
    daemon, node = lab.engine, lab.nodes[NODE]
    drop_in = f"/etc/systemd/system/{daemon}.service.d/killed.conf"
    original = arguments(node, daemon)
    wanted = {**original, "files": [{"dest": drop_in, "content": "[Service]\nNice=5\n"}], "restart_on": [drop_in]}
    before = state(node, daemon)
    try:
        with program(node, "systemctl", KILLER.format(word="daemon-reload")):
            lab.module(NODE, "daemon_config", wanted)
        assert state(node, daemon).pid == before.pid
        done = lab.module(NODE, "daemon_config", wanted)[NODE]
        # The killed run is rolled back first, so that none of it stays if this one is rejected.
        assert (done["changed"], done["changed_files"], done["restarted"]) == (True, [drop_in], True)
        after = state(node, daemon)
        assert (node.check_output("ps -o nice= %s", after.pid).strip(), after.leftovers) == ("5", [])
    finally:
        lab.module(NODE, "daemon_config", {**original, "absent": [drop_in], "restart_on": [drop_in]})


def test_a_rollback_needs_no_space(lab: Lab) -> None:
    daemon, node = lab.engine, lab.nodes[NODE]
    files = [{"dest": f"/srv/full/{name}", "content": f"new {name}\n"} for name in ("certificate", "key")]
    wanted = arguments(node, daemon, "no such directive\n", files=files)
    with program(node, daemon, FILLER.format(daemon=daemon)):
        for free_pages, message in ((1, "No space left on device: '/srv/full/key'"), (2, f"{daemon} rejects")):
            try:
                node.check_output(FULL.format(free=free_pages * 4096))
                before = node.check_output(TREE)
                failed = lab.module(NODE, "daemon_config", wanted)[NODE]["msg"]
                assert message in failed
                assert "all changes were rolled back" in failed
                assert (node.check_output(TREE), node.check_output(LEFTOVERS)) == (before, "")
            finally:
                node.check_output("umount /srv/full; rmdir /srv/full")
