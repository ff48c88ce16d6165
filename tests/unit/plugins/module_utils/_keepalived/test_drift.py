# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file on disk against the dump that keepalived 2.2.7 gave when it ran with that file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.drift import differences, disabled
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.dump import (
    parse_details,
    parse_scripts,
    parse_text,
)

DUMP = (Path(__file__).parent / "fixtures" / "keepalived_2.2.7_tracking.data").read_text(encoding="utf-8")
RUNNING = {"instances": parse_text(DUMP), "scripts": parse_scripts(DUMP)}
CONF = """
global_defs {
    vrrp_version 3
    vrrp_down_timer_adverts 5
}

vrrp_script answers {
    script "/usr/local/libexec/keepalived/answers 127.0.0.1 8099 /"
    interval 1
    fall 2
    rise 1
}

vrrp_instance VI_198.18.224.10 {
    state BACKUP
    interface eth1
    virtual_router_id 10
    priority 254
    advert_int 0.2
    virtual_ipaddress {
        198.18.224.10/24 dev eth1
    }
    track_script {
        answers
    }
}
"""
NAME = "vrrp_instance VI_198.18.224.10"
CASES: list[tuple[str, str, list[str]]] = [
    ("priority 254", "priority 100", [f"{NAME}: priority is 100 on disk, and 254 runs"]),
    ("advert_int 0.2", "advert_int 1", [f"{NAME}: advert_int is 1 on disk, and 0.2 runs"]),
    ("virtual_router_id 10", "virtual_router_id 11", [f"{NAME}: virtual_router_id is 11 on disk, and 10 runs"]),
    ("interface eth1", "interface eth0", [f"{NAME}: interface is eth0 on disk, and eth1 runs"]),
    ("vrrp_version 3", "vrrp_version 2", [f"{NAME}: version is 2 on disk, and 3 runs"]),
    (
        "198.18.224.10/24 dev eth1",
        "198.18.224.10/24 dev eth1\n        198.18.224.11/24",
        [f"{NAME}: addresses is 198.18.224.10, 198.18.224.11 on disk, and 198.18.224.10 runs"],
    ),
    ("fall 2", "fall 3", ["vrrp_script answers: fall is 3 on disk, and 2 runs"]),
    (
        "8099 /",
        "8100 /",
        [
            "vrrp_script answers: script is /usr/local/libexec/keepalived/answers, 127.0.0.1, 8100, / on disk, and"
            " /usr/local/libexec/keepalived/answers, 127.0.0.1, 8099, / runs"
        ],
    ),
    (
        "vrrp_instance VI_198.18.224.10",
        "vrrp_instance OTHER",
        ["vrrp_instance OTHER is on disk and does not run", f"{NAME} runs and is not on disk"],
    ),
]


def test_what_runs_is_what_is_on_disk() -> None:
    assert differences(CONF, "lb01", RUNNING) == []


@pytest.mark.parametrize(("here", "there", "expected"), CASES, ids=[case[1].split()[0] for case in CASES])
def test_an_edit(here: str, there: str, expected: list[str]) -> None:
    assert here in CONF
    edited = CONF.replace(here, there)
    assert differences(edited, "lb01", RUNNING) == expected


def test_ipv6_has_a_version_of_its_own() -> None:
    six = "vrrp_instance S {\ninterface eth1\nvirtual_router_id 1\nvirtual_ipaddress {\nfe80::1/64\n}\n}\n"
    entry = {"name": "S", "interface": "eth1", "vrid": 1, "version": 3, "priority": 100, "advert_int_s": 1.0}
    assert differences(six, "lb01", {"instances": [{**entry, "virtual_addresses": ["fe80::1"]}], "scripts": {}}) == []


# What stands before the file, what an instance has for its priority, and the priority that differs, if any does.
RESOLVED: list[tuple[str, str, str | None]] = [
    ("$PRIO=254", "priority $PRIO", None),
    ("$PRIO=100", "priority ${PRIO}", "100"),
    ("$PRIO=100\n@lb01 $PRIO=254", "priority $PRIO", None),
    ("", "@lb01 priority 254\n@^lb01 priority 100", None),
    ("", "@lb02 priority 254\n@^lb02 priority 99", "99"),
    ("$LINES= \\\n priority 98 \\\n # comment \\\n nopreempt\n", "$LINES", "98"),
    ("", "priority $PRIO", None),
    ("", "$LINES", None),
    ("", "priority ${_RANDOM 1 2}", None),
    ("~SEQ(N, 1, 2) vrrp_script s${N} { }", "~SEQ(N, 1, 2) priority ${N}", "2"),
    ("~SEQ(N, 1, x) vrrp_script s${N} { }", "~SEQ(N, 1, x) priority ${N}", None),
    ("", "priority 100 ! 254", "100"),
]


@pytest.mark.parametrize(("before", "line", "priority"), RESOLVED)
def test_definitions_and_conditions(before: str, line: str, priority: str | None) -> None:
    edited = before + "\n" + CONF.replace("priority 254", line)
    expected = [f"{NAME}: priority is {priority} on disk, and 254 runs"] if priority else []
    assert differences(edited, "lb01", RUNNING) == expected


def test_what_a_sequence_may_hold_is_not_missed() -> None:
    assert differences("~SEQ(N, 1, 2) $INSTANCE\n", "lb01", RUNNING) == []
    assert differences("", "lb01", RUNNING) != []


def test_what_a_name_that_nothing_defines_stands_for_is_not_missed() -> None:
    assert differences("vrrp_instance $NAME {\n}\n", "lb01", RUNNING) == []


# A script's line in the file, the words that run, and whether they are that line's.
FOUND_IN_PATH: list[tuple[str, list[str], bool]] = [
    ("killall -0 haproxy", ["/usr/bin/killall", "-0", "haproxy"], True),
    ("killall -0 nginx", ["/usr/bin/killall", "-0", "haproxy"], False),
    ("pkill -0 haproxy", ["/usr/bin/killall", "-0", "haproxy"], False),
    ("all -0 haproxy", ["/usr/bin/killall", "-0", "haproxy"], False),
    ("killall -0", ["/usr/bin/killall", "-0", "haproxy"], False),
    ("/usr/local/bin/killall -0", ["/usr/bin/killall", "-0"], False),
    ("./killall -0", ["/usr/bin/killall", "-0"], False),
]


@pytest.mark.parametrize(("line", "words", "same"), FOUND_IN_PATH)
def test_a_command_without_a_path_is_found_by_keepalived(line: str, words: list[str], same: bool) -> None:
    scripts = {"answers": {**RUNNING["scripts"]["answers"], "script": words}}
    file = CONF.replace("/usr/local/libexec/keepalived/answers 127.0.0.1 8099 /", line)
    found = differences(file, "lb01", {**RUNNING, "scripts": scripts})
    told = f"script is {', '.join(line.split())} on disk, and {', '.join(words)} runs"
    assert found == ([] if same else [f"vrrp_script answers: {told}"])


def test_a_script_that_nobody_tracks_is_forgotten() -> None:
    edited = CONF + "vrrp_script unused {\n    script /bin/true\n}\n"
    assert differences(edited, "lb01", RUNNING) == []


def test_details() -> None:
    assert parse_details(DUMP) == {
        "VI_198.18.224.10": {
            "down_timer_adverts": 5,
            "authentication": "none",
            "unicast_peers": [],
            "tracked": [
                {"kind": "script", "name": "answers", "weight": 0, "state": "GOOD", "failing": False},
                {"kind": "file", "name": "nginx", "weight": 0, "state": "0", "failing": False},
            ],
        }
    }


FAILING_CASES: list[tuple[str, str, list[str]]] = [
    ("Status = GOOD", "Status = BAD", ["answers"]),
    ("Status = 0", "Status = 1", ["nginx"]),
    ("Status = 0\n   Weight = 0", "Status = -3\n   Weight = 0", ["nginx"]),
]


@pytest.mark.parametrize(("here", "there", "expected"), FAILING_CASES)
def test_what_fails(here: str, there: str, expected: list[str]) -> None:
    tracked = parse_details(DUMP.replace(here, there))["VI_198.18.224.10"]["tracked"]
    assert [entry["name"] for entry in tracked if entry["failing"]] == expected


def test_a_weighted_file_lowers_the_priority_only_when_it_is_negative() -> None:
    for number, failing in ((5, False), (-5, True)):
        dump = DUMP.replace("nginx, weight 0", "nginx, weight 2").replace("   Status = 0\n", f"   Status = {number}\n")
        assert parse_details(dump)["VI_198.18.224.10"]["tracked"][1]["failing"] is failing


@pytest.mark.parametrize("text", ["", "------< VRRP Topology >------\n VRRP Instance = x\n", "nonsense"])
def test_little_to_read(text: str) -> None:
    parse_details(text)
    assert parse_scripts(text) == {}


DISABLED: list[tuple[str, dict[str, Any], list[str]]] = [
    (CONF, RUNNING, []),
    (CONF, {**RUNNING, "scripts": {}}, ["answers"]),
    (CONF, {"instances": [], "scripts": {}}, []),
    (CONF.replace("        answers", "        @elsewhere answers"), {**RUNNING, "scripts": {}}, []),
    (CONF.replace("vrrp_script answers", "vrrp_script other"), {**RUNNING, "scripts": {}}, []),
]


@pytest.mark.parametrize(("text", "running", "expected"), DISABLED)
def test_scripts_that_do_not_run(text: str, running: dict[str, Any], expected: list[str]) -> None:
    assert disabled(text, "lb01", running) == expected
