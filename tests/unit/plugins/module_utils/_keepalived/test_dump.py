# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""keepalived's dumps, captured from Debian 12's 2.2.7: both kinds tell the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.dump import (
    DumpError,
    parse_defaults,
    parse_json,
    parse_signum,
    parse_text,
    parse_version,
)
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).parent / "fixtures"
CAPTURES = ["keepalived_2.2.7_mixed", "keepalived_2.2.7_pair"]

MIXED: list[dict[str, Any]] = [
    {
        "name": "V2",
        "state": "backup",
        "interface": "eth1",
        "vrid": 20,
        "version": 2,
        "priority": 100,
        "effective_priority": 100,
        "master_priority": None,
        "advert_int_s": 1.0,
        "down_timer_adverts": 3,
        "preempt": False,
        "virtual_addresses": ["198.19.240.20", "2001:db8::20"],
        "last_transition": 1795259488.404621,
    },
    {
        "name": "FAULTY",
        "state": "fault",
        "interface": "eth7",
        "vrid": 21,
        "version": 3,
        "priority": 90,
        "effective_priority": 90,
        "master_priority": None,
        "advert_int_s": 1.0,
        "down_timer_adverts": 3,
        "preempt": True,
        "virtual_addresses": ["198.19.240.21"],
        "last_transition": 1795259488.404112,
    },
    {
        "name": "SIX",
        "state": "master",
        "interface": "eth1",
        "vrid": 22,
        "version": 3,
        "priority": 90,
        "effective_priority": 90,
        "master_priority": None,
        "advert_int_s": 0.5,
        "down_timer_adverts": 3,
        "preempt": True,
        "virtual_addresses": ["fe80::22", "2001:db8::22"],
        "last_transition": 1795259490.229388,
    },
]


def capture(name: str) -> str:
    return (FIXTURES / name).read_text(encoding="utf-8")


def without_adverts(instances: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**instance, "down_timer_adverts": None} for instance in instances]


def test_text_dump() -> None:
    assert parse_text(capture("keepalived_2.2.7_mixed.data")) == MIXED


def test_json_dump() -> None:
    assert parse_json(capture("keepalived_2.2.7_mixed.json")) == without_adverts(MIXED)


@pytest.mark.parametrize("name", CAPTURES)
def test_both_dumps_tell_the_same(name: str) -> None:
    assert parse_json(capture(name + ".json")) == without_adverts(parse_text(capture(name + ".data")))


def test_a_backup_knows_its_master() -> None:
    backup, master = parse_json(capture("keepalived_2.2.7_pair.json"))
    assert (backup["state"], backup["master_priority"]) == ("backup", 254)
    assert (master["state"], master["master_priority"]) == ("master", None)


def test_json_of_newer_keepalived_has_the_instances_under_vrrp() -> None:
    instances = json.loads(capture("keepalived_2.2.7_mixed.json"))
    assert parse_json(json.dumps({"vrrp": instances})) == without_adverts(MIXED)


@pytest.mark.parametrize("name", CAPTURES)
def test_every_cut_off_json_dump_is_refused(name: str) -> None:
    whole = capture(name + ".json").rstrip()
    for length in range(0, len(whole), 7):
        with pytest.raises(DumpError):
            parse_json(whole[:length])


@pytest.mark.parametrize("name", CAPTURES)
def test_a_cut_off_text_dump_is_refused_or_has_all_instances(name: str) -> None:
    whole = capture(name + ".data")
    for length in range(0, len(whole), 7):
        try:
            assert parse_text(whole[:length]) == parse_text(whole)
        except DumpError:
            continue


@given(st.text() | st.from_regex(r"\[\{.*\}\]"))
def test_anything_else_is_refused_in_words(text: str) -> None:
    for parse in (parse_json, parse_text):
        try:
            assert isinstance(parse(text), list)
        except DumpError as error:
            assert "keepalived" in str(error)  # noqa: PT017 - some texts are valid


@pytest.mark.parametrize(
    ("output", "expected"),
    [("36\n", 36), ("", None), ("Unknown sigfunc JSON\n", None), ("0", None)],
)
def test_signum(output: str, expected: int | None) -> None:
    assert parse_signum(output) == expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [("Keepalived v2.2.7 (01/16,2022)\n\nCopyright(C)", "2.2.7"), ("sh: not found", None)],
)
def test_version(output: str, expected: str | None) -> None:
    assert parse_version(output) == expected


HELP = "  -f, --use-file=FILE          Use the specified configuration file\n                   default '{}'\n{}"
DEFAULTS = [
    (HELP.format("/etc/keepalived/keepalived.conf", "  -P, --vrrp"), ["/etc/keepalived/keepalived.conf"]),
    (
        HELP.format("/opt/k.conf", "                                     or '/etc/k.conf'\n"),
        ["/opt/k.conf", "/etc/k.conf"],
    ),
    ("Unknown option\n", []),
]


@pytest.mark.parametrize(("output", "expected"), DEFAULTS)
def test_default_configurations(output: str, expected: list[str]) -> None:
    assert parse_defaults(output) == expected
