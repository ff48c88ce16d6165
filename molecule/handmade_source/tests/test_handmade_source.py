# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair compiled by hand, with its own units, goes through audit, adopt and site without a change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from by_hand import (
    adopted_variables,
    assert_site_changes_nothing,
    assert_site_would_change_nothing,
    assert_works,
    drilled,
    holders,
    pair_of,
    play,
    state,
    warnings_of_audit,
)
from nodes import eventually, felt_s

if TYPE_CHECKING:
    from by_hand import Pair
    from nodes import Lab

JOB = "/var/spool/cron/crontabs/root: * * * * * /root/baojing.sh"
FILES = Path(__file__).parent.parent / "files"
# The role keepalived would have its unit where the guide puts it, the other one is where packages have theirs.
UNITS = {"keepalived": "/etc/systemd/system", "nginx": "/usr/lib/systemd/system"}
KEPT = f"this cron job is yours and stays as it is: {JOB}"


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Pair:
    """MASTER 100, BACKUP 50, and a check that starts nginx again, outside of its unit."""
    return pair_of(lab, "balancers", "nginx", {20: "lb01"})


def test_daemons_without_units_are_refused(pair: Pair) -> None:
    """The guide starts both by their programs."""
    assert eventually(lambda: holders(pair) == pair.holders, within_s=20), holders(pair)
    before = state(pair)
    audited, adopted = play(pair, "audit"), play(pair, "adopt")
    assert state(pair) == before
    for done, advice in (
        (audited, "systemctl neither reloads nor stops it, and the unit cannot start beside it"),
        (adopted, "write that unit if there is none, end the process, and start the unit"),
    ):
        assert done.returncode != 0, done.stdout
        output = " ".join(done.stdout.split())
        for host in pair.nodes:
            for name in UNITS:
                runs = rf"{host}: {name} runs \(process \d+\)( as part of \S+)?, but not as {name}\.service"
                assert re.search(f"{runs}[^.]*{advice}", output), output
    assert not list(pair.inventory.parent.glob("group_vars/*/keepalived.yml"))


def test_drills_without_units(pair: Pair) -> None:
    """A fault of the host needs no unit."""
    cut = drilled(pair, "link_down", "without_units")
    assert cut["holder_during"] == "lb02", cut["output"]
    assert 2 < cut["outage_s"] < 5, cut["output"]


def test_the_units_take_over_what_was_started_without_them(pair: Pair, lab: Lab) -> None:
    """Do what adopt says, the standby first; the VIP moves away from a host before its nginx ends."""
    with lab.probed(next(iter(pair.holders)), timeout_s=0.9) as seen:
        for name in ("lb02", "lb01"):
            node = pair.nodes[name]
            for unit, folder in UNITS.items():
                text = (FILES / f"{unit}.service").read_text()
                node.check_output("printf %%s %s >%s", text, f"{folder}/{unit}.service")
                node.check_output("pkill --exact %s", unit)
                assert eventually(lambda node=node, unit=unit: node.run("pgrep --exact %s", unit).rc == 1, within_s=20)
            node.check_output("systemctl daemon-reload && systemctl enable --now --quiet nginx keepalived")
            assert eventually(lambda: holders(pair) == pair.holders, within_s=20), holders(pair)
    assert felt_s(seen) < 3


def test_the_pair_works(pair: Pair) -> None:
    assert_works(pair)


def drill_as_the_guide_does(pair: Pair, name: str) -> None:
    """Stop nginx, which the check starts again, and keepalived, whose VIP moves; nothing may be left of either."""
    stopped = drilled(pair, "service_stop", f"{name}_service")
    assert stopped["holder_during"] == "lb01", stopped["output"]
    assert 0 < stopped["outage_s"] < 4, stopped["output"]
    moved = drilled(pair, "keepalived_stop", f"{name}_keepalived")
    assert moved["holder_during"] == "lb02", moved["output"]
    assert moved["outage_s"] < 3, moved["output"]
    assert_works(pair)


def test_drills_before(pair: Pair) -> None:
    drill_as_the_guide_does(pair, "before")


def test_audit_finds_nothing_wrong_and_warns(pair: Pair) -> None:
    warnings = warnings_of_audit(pair)
    by_host = [(kind, name) for name in pair.nodes for kind in ("script_security", "cron")]
    warned = [(each["warning"], each["text"].partition(": ")[0]) for each in warnings]
    assert warned == [*by_host, ("weight", "lb01")]
    assert [each["text"] for each in warnings if each["warning"] == "cron"] == [
        f"{name}: {KEPT}" for name in pair.nodes
    ]


def test_audit_names_what_the_check_has_started_outside_of_its_unit(pair: Pair) -> None:
    node = pair.nodes["lb02"]
    node.check_output("systemctl stop nginx")
    try:
        assert eventually(lambda: node.run("pgrep nginx").rc == 0, within_s=6)
        audited, adopted = play(pair, "audit"), play(pair, "adopt")
    finally:
        node.check_output("systemctl stop keepalived; pkill nginx")
        assert eventually(lambda: node.run("pgrep nginx").rc == 1, within_s=20)
        # Started at once, the check would start nginx before the unit does.
        node.check_output("systemctl start nginx && systemctl start keepalived")
    for done in (audited, adopted):
        assert done.returncode != 0
        output = " ".join(done.stdout.split())
        assert "as part of keepalived.service, but not as nginx.service" in output, output


def test_adopt_names_the_programs_and_what_it_leaves(pair: Pair) -> None:
    done = play(pair, "adopt")
    assert done.returncode == 0, done.stdout + done.stderr
    written = adopted_variables(pair)
    assert written["site.yml"] == {"balancer_engine": "nginx"}
    assert written["keepalived.yml"]["keepalived_program"] == "/usr/local/keepalived/sbin/keepalived"
    assert written["keepalived.yml"]["keepalived_accept"] == ["script_security", "unknown_keyword", "weight"]
    assert written["nginx.yml"]["nginx_program"] == "/usr/local/nginx/sbin/nginx"
    assert written["nginx.yml"]["nginx_conf_path"] == "/usr/local/nginx/conf/nginx.conf"
    assert " ".join(done.stdout.split()).count(KEPT) == len(pair.nodes), done.stdout


def test_site_would_change_nothing(pair: Pair) -> None:
    assert_site_would_change_nothing(pair)


def test_site_changes_nothing(pair: Pair, lab: Lab) -> None:
    assert_site_changes_nothing(pair, lab)


def test_a_change_reaches_the_daemons_where_they_are(pair: Pair) -> None:
    path = pair.inventory.parent / "group_vars/balancers/nginx.yml"
    adopted = path.read_text()
    path.write_text(adopted.replace("keepalive_timeout: 60", "keepalive_timeout: 61"))
    assert path.read_text() != adopted
    pids = {name: node.check_output("cat /usr/local/nginx/logs/nginx.pid") for name, node in pair.nodes.items()}
    try:
        done = play(pair, "site")
    finally:
        path.write_text(adopted)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, node in pair.nodes.items():
        assert "keepalive_timeout 61;" in node.check_output("cat /usr/local/nginx/conf/nginx.conf")
        assert node.check_output("cat /usr/local/nginx/logs/nginx.pid") == pids[name]
        assert not node.file("/etc/nginx").exists
        assert node.file("/etc/systemd/system/keepalived.service").exists
    assert holders(pair) == pair.holders


def test_drills_after(pair: Pair) -> None:
    drill_as_the_guide_does(pair, "after")
